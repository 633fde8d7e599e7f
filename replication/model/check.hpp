// CHECK: an assertion about ourselves that stays on in release.
//
//   CHECK(applied <= committed, "applied ", applied, " committed ", committed);
//
// A failed check is a bug of ours, never a user's or a peer's mistake: it prints where, what and
// the values, and ends the process before anything wrong can be made durable.
#pragma once

#include <cstdlib>
#include <iostream>

namespace zabfs::replication {

template <class... Values>
[[noreturn]] void fail_check(const char* file, int line, const char* condition,
                             const Values&... values) {
  std::cerr << file << ':' << line << ": broken invariant: " << condition << ' ';
  ((std::cerr << values), ...);
  std::cerr << std::endl;
  std::abort();
}

}  // namespace zabfs::replication

#define CHECK(condition, ...)                                                                   \
  do {                                                                                          \
    if (!(condition)) [[unlikely]] {                                                            \
      ::zabfs::replication::fail_check(__FILE__, __LINE__, #condition __VA_OPT__(, ) __VA_ARGS__); \
    }                                                                                           \
  } while (false)
