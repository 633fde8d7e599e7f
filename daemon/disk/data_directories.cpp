#include "daemon/disk/data_directories.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <string_view>

#include "daemon/disk/io_error.hpp"

namespace zabfs::daemon::disk {
namespace {

bool belongs_to_log(std::string_view file) { return file.starts_with("log."); }

// Files that a replica has in its data directory only.
bool belongs_to_data(std::string_view file) {
  return file.starts_with("snapshot.") || file.starts_with("epochs");
}

std::vector<std::string> files_of(const std::string& path) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator it(path, error), end; !error && it != end;
       it.increment(error)) {
    if (it->is_regular_file(error)) {
      names.push_back(it->path().filename());
    }
  }
  if (error) {
    end_process({path, "list", error.value()});
  }
  return names;
}

// Directories that were just made are durable once their parents are synced.
void sync_parents(std::filesystem::path path, const std::filesystem::path& existing) {
  while (path != existing && path.has_relative_path()) {
    path = path.parent_path();
    const FileDescriptor parent(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!parent.is_open() || ::fsync(parent.get()) != 0) {
      end_process({path, "sync the directory", errno});
    }
  }
}

}  // namespace

std::variant<DataDirectories::Directory, std::string> DataDirectories::open_one(
    const std::string& path) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(path, error).lexically_normal();
  auto existing = absolute;
  while (!std::filesystem::exists(existing, error) && existing.has_relative_path()) {
    existing = existing.parent_path();
  }
  std::filesystem::create_directories(absolute, error);
  if (error) {
    return sentence({path, "make the directory", error.value()});
  }
  sync_parents(absolute, existing);
  FileDescriptor descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor.is_open()) {
    return sentence({path, "open the directory", errno});
  }
  auto lock = DirectoryLock::acquire(path);
  if (auto* why = std::get_if<std::string>(&lock)) {
    return std::move(*why);
  }
  return Directory{.path = path,
                   .descriptor = std::move(descriptor),
                   .lock = std::get<DirectoryLock>(std::move(lock))};
}

std::variant<DataDirectories, std::string> DataDirectories::open(const std::string& data,
                                                                 const std::string& log) {
  std::vector<Directory> directories;
  for (const auto& path : {data, log}) {
    std::error_code error;
    if (!directories.empty() && std::filesystem::equivalent(data, path, error)) {
      continue;
    }
    auto opened = open_one(path);
    if (auto* why = std::get_if<std::string>(&opened)) {
      return std::move(*why);
    }
    directories.push_back(std::get<Directory>(std::move(opened)));
  }
  DataDirectories result(std::move(directories));
  if (auto why = result.misplaced_file(); !why.empty()) {
    return why;
  }
  return result;
}

std::string DataDirectories::misplaced_file() const {
  if (directories_.size() < 2) {
    return "";
  }
  const auto& [data, log] = std::tie(directories_.front(), directories_.back());
  for (const auto& file : files_of(data.path)) {
    if (belongs_to_log(file)) {
      return data.path + "/" + file + " is part of the log, whose directory is " + log.path +
             " (move every log.* file there, or take dataLogDir out of the configuration)";
    }
  }
  for (const auto& file : files_of(log.path)) {
    if (belongs_to_data(file)) {
      return log.path + "/" + file + " belongs into the data directory " + data.path +
             " (move it there, or exchange dataDir and dataLogDir in the configuration)";
    }
  }
  return "";
}

const DataDirectories::Directory& DataDirectories::directory_of(const std::string& file) const {
  return belongs_to_log(file) ? directories_.back() : directories_.front();
}

int DataDirectories::descriptor_of(const std::string& file) const {
  return directory_of(file).descriptor.get();
}

std::string DataDirectories::path_of(const std::string& file) const {
  return directory_of(file).path + "/" + file;
}

std::vector<int> DataDirectories::descriptors() const {
  std::vector<int> numbers;
  for (const auto& directory : directories_) {
    numbers.push_back(directory.descriptor.get());
  }
  return numbers;
}

std::vector<std::string> DataDirectories::files() const {
  std::vector<std::string> names;
  for (const auto& directory : directories_) {
    std::ranges::copy(files_of(directory.path), std::back_inserter(names));
  }
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace zabfs::daemon::disk
