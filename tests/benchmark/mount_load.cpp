// What operations on files cost in one directory, printed as one line of JSON: microseconds, the
// median of all that SECONDS have time for.
//
//   mount_load prepare DIRECTORY                        makes the files that are measured
//   mount_load OPERATION DIRECTORY THREADS SECONDS
//
//   stat        of a file
//   read        open, read 100 bytes, close
//   pread       100 bytes of a file that stays open
//   list        opendir, all 1,000 names, closedir
//   create      creat, write 100 bytes, close, unlink: the four together
//   overwrite   open with O_TRUNC, write 100 bytes, close: a shell's echo
//   flock       flock, exclusive, and unlock, of a file that stays open
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/benchmark/distribution.hpp"

namespace zabfs::benchmark {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int threads_max = 8;
constexpr int listed_names = 1'000;
const std::string content(100, 'v');

// Fails naming the path unless a system call has succeeded.
int expect(int result, const std::string& path) {
  if (result < 0) {
    throw std::runtime_error(path + ": " + std::strerror(errno));
  }
  return result;
}

std::string file_of(const std::string& directory, int thread) {
  return directory + "/file" + std::to_string(thread);
}

void write_content(const std::string& path, int flags) {
  const int file = expect(open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC | flags, 0644), path);
  expect(static_cast<int>(write(file, content.data(), content.size())), path);
  expect(close(file), path);
}

void stat_once(const std::string& directory, int thread) {
  const std::string path = file_of(directory, thread);
  struct stat values {};
  expect(stat(path.c_str(), &values), path);
}

void read_once(const std::string& directory, int thread) {
  const std::string path = file_of(directory, thread);
  std::array<char, 4096> buffer{};
  const int file = expect(open(path.c_str(), O_RDONLY | O_CLOEXEC), path);
  const auto bytes = read(file, buffer.data(), buffer.size());
  expect(close(file), path);
  if (bytes != static_cast<ssize_t>(content.size())) {
    throw std::runtime_error(path + ": " + std::to_string(bytes) + " bytes were read");
  }
}

void pread_once(const std::string& directory, int thread) {
  thread_local const std::string path = file_of(directory, thread);
  thread_local const int file = expect(open(path.c_str(), O_RDONLY | O_CLOEXEC), path);
  std::array<char, 4096> buffer{};
  const auto bytes = pread(file, buffer.data(), buffer.size(), 0);
  if (bytes != static_cast<ssize_t>(content.size())) {
    throw std::runtime_error(path + ": " + std::to_string(bytes) + " bytes were read");
  }
}

void list_once(const std::string& directory, int /*thread*/) {
  const std::string path = directory + "/directory";
  DIR* listing = opendir(path.c_str());
  expect(listing == nullptr ? -1 : 0, path);
  int names = 0;
  while (const dirent* entry = readdir(listing)) {
    names += entry->d_name[0] != '.' ? 1 : 0;
  }
  closedir(listing);
  if (names != listed_names) {
    throw std::runtime_error(path + ": " + std::to_string(names) + " names were listed");
  }
}

void create_once(const std::string& directory, int thread) {
  const std::string path = directory + "/new" + std::to_string(thread);
  write_content(path, O_CREAT);
  expect(unlink(path.c_str()), path);
}

void overwrite_once(const std::string& directory, int thread) {
  write_content(file_of(directory, thread), 0);
}

void flock_once(const std::string& directory, int thread) {
  thread_local const std::string path = file_of(directory, thread);
  thread_local const int file = expect(open(path.c_str(), O_RDWR | O_CLOEXEC), path);
  expect(flock(file, LOCK_EX), path);
  expect(flock(file, LOCK_UN), path);
}

using Operation = std::function<void(const std::string& directory, int thread)>;

const std::map<std::string, Operation>& operations() {
  static const std::map<std::string, Operation> all{
      {"stat", stat_once},     {"read", read_once},   {"list", list_once},
      {"create", create_once}, {"pread", pread_once}, {"overwrite", overwrite_once},
      {"flock", flock_once}};
  return all;
}

void prepare(const std::string& directory) {
  for (int i = 0; i < threads_max; ++i) {
    write_content(file_of(directory, i), O_CREAT);
  }
  const std::string listed = directory + "/directory";
  expect(mkdir(listed.c_str(), 0755), listed);
  for (int i = 0; i < listed_names; ++i) {
    write_content(file_of(listed, i), O_CREAT);
  }
}

std::vector<float> times_us(const std::function<void()>& step, double seconds) {
  std::vector<float> times;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  for (auto begin = Clock::now(); begin < end;) {
    step();
    const auto now = Clock::now();
    times.push_back(std::chrono::duration<float, std::micro>(now - begin).count());
    begin = now;
  }
  return times;
}

void measure(const Operation& operation, const std::string& directory, int count, double seconds) {
  std::vector<std::vector<float>> times(static_cast<std::size_t>(count));
  std::vector<std::thread> threads;
  const auto run = [&](int i) {
    try {
      times[static_cast<std::size_t>(i)] = times_us([&] { operation(directory, i); }, seconds);
    } catch (const std::exception& error) {
      std::cerr << "mount_load: " << error.what() << '\n';
      std::exit(1);
    }
  };
  for (int i = 1; i < count; ++i) {
    threads.emplace_back(run, i);
  }
  run(0);  // As in most programs, the first thread works.
  std::vector<float> all;
  for (int i = 0; i < count; ++i) {
    if (i > 0) {
      threads[static_cast<std::size_t>(i - 1)].join();
    }
    const auto& one = times[static_cast<std::size_t>(i)];
    all.insert(all.end(), one.begin(), one.end());
  }
  const std::size_t operations = all.size();
  const Distribution distribution = distribution_of(std::move(all));
  std::printf("{\"operations\": %zu, \"median_us\": %.1f, \"p99_us\": %.1f}\n", operations,
              distribution.median, distribution.p99);
}

int run(const std::vector<std::string>& words) {
  if (words.size() == 2 && words[0] == "prepare") {
    prepare(words[1]);
    return 0;
  }
  const auto found = words.size() == 4 ? operations().find(words[0]) : operations().end();
  const int threads = words.size() == 4 ? std::atoi(words[2].c_str()) : 0;
  if (found == operations().end() || threads < 1 || threads > threads_max) {
    std::cerr
        << "usage: mount_load prepare DIRECTORY\n"
           "       mount_load stat|read|list|create|overwrite|flock DIRECTORY THREADS SECONDS\n";
    return 2;
  }
  measure(found->second, words[1], threads, std::atof(words[3].c_str()));
  return 0;
}

}  // namespace
}  // namespace zabfs::benchmark

int main(int argc, char** argv) {
  try {
    return zabfs::benchmark::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "mount_load: " << error.what() << '\n';
    return 1;
  }
}
