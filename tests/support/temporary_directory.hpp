// A directory of one test, removed with everything in it when the test is over.
#pragma once

#include <filesystem>
#include <string>

namespace zabfs::test {

class TemporaryDirectory {
 public:
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();

  const std::filesystem::path& path() const { return path_; }

  // The path of `name` in it, which need not exist.
  std::string at(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace zabfs::test
