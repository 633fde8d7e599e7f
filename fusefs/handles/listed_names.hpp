// The names of a directory in an order in which each has a place that follows from itself alone.
//
// Whoever reads a directory in parts goes on behind the place of the last name that he was given.
// That leads to the right one also in another listing of the same directory: of another moment,
// from another server, made by another process of the mount, or the one that the kernel has kept
// for somebody else meanwhile. So a name that is there all the while is shown once.
//
//   .       ..      children, by the hashes of their names      @data
//   1       2       3 ...                                       2^62
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace zabfs::fusefs::handles {

class ListedNames {
 public:
  ListedNames() = default;
  // In any order.
  explicit ListedNames(std::vector<std::string> names);

  bool empty() const { return names_.empty(); }
  const std::vector<std::string>& names() const { return names_; }

  // The names behind a place, and their places; behind 0 are all.
  struct Part {
    std::span<const std::string> names{};
    std::span<const std::uint64_t> places{};
  };
  Part behind(std::uint64_t place) const;

 private:
  std::vector<std::string> names_{};
  std::vector<std::uint64_t> places_{};  // each larger than the one before
};

}  // namespace zabfs::fusefs::handles
