// What lies between the supervisor and its worker: descriptors that the worker is given when it is
// executed, and what it tells.
//
//   worker tells    mounted, with the kernel's device     once, by the first worker
//                   begun, with the kernel's first request  likewise
//                   serving                                 whenever a worker has got that far
//   supervisor      SIGTERM: end; SIGUSR2: hand over (see handed_over)
//
// The two may be of different versions: an old supervisor starts a new worker. What this file
// describes has a version of its own, which check_answer tells, and a worker of which the answer is
// another is not started.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace zabfs::fusefs::supervisor {

inline constexpr int link_version = 1;

// The variable of the environment by which a process knows that it is a worker.
inline constexpr const char* variable = "ZABFS_WORKER";
// Its value for a program that is only to print check_answer and to end.
inline constexpr const char* check = "check";
std::string check_answer();

// How a worker ends that has handed over: another is to go on at once.
inline constexpr int handed_over = 75;

// A worker's end. Descriptors are -1 where there is none.
struct Link {
  int control{-1};
  std::array<int, 2> ledger{-1, -1};
  int device{-1};      // of a mount that is there
  std::string init{};  // the kernel's first request, of that mount

  // nullopt if this process is no worker. The descriptors are closed in what it executes.
  static std::optional<Link> from_environment();
  // For the environment of a worker, NAME=VALUE.
  std::string as_variable() const;

  void tell_mounted(int device_of_mount) const;
  void tell_begun(std::string_view first_request) const;
  void tell_serving() const;
};

// What a worker has told; nothing if it is gone.
struct Told {
  enum class What { nothing, mounted, begun, serving };
  What what{};
  int device{-1};      // mounted; the receiver's
  std::string init{};  // begun
};
Told receive(int control);

}  // namespace zabfs::fusefs::supervisor
