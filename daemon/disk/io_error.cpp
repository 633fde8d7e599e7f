#include "daemon/disk/io_error.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>

namespace zabfs::daemon::disk {
namespace {

std::string advice(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "free some space on that file system, then start again";
    case EACCES:
    case EPERM:
    case EROFS:
      return "make it writable for the user that runs this program, then start again";
    case EMFILE:
    case ENFILE:
      return "raise the limit of open files (ulimit -n), then start again";
    case EIO:
      return "look into the kernel's log and replace the disk before starting again";
    default:
      return "nothing that was acknowledged is lost; mend the cause, then start again";
  }
}

}  // namespace

std::string sentence(const IoError& error) {
  return "cannot " + error.operation + " " + error.file + ": " + std::strerror(error.error) + " (" +
         advice(error.error) + ")";
}

void end_process(const IoError& error) {
  std::cerr << "fatal: " << sentence(error) << std::endl;
  _exit(1);
}

}  // namespace zabfs::daemon::disk
