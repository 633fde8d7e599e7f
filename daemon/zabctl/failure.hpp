// How a command of zabctl ends: with a status, or with a sentence that says why it could not be
// done.
//
//   0   all is well, or what was asked for is done
//   1   it found something wrong, or could not be done; standard error says what
//   2   the command line is wrong
//   3   `status` alone: the ensemble serves nobody
#pragma once

#include <stdexcept>

namespace zabfs::daemon::zabctl {

inline constexpr int exit_well = 0;
inline constexpr int exit_trouble = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_no_service = 3;

// Ends the command with status 1; what() is a sentence for the operator.
class Failure : public std::runtime_error {
 public:
  using runtime_error::runtime_error;
};

// A mistake in the command line that only its command can see: status 2.
class UsageError : public std::runtime_error {
 public:
  using runtime_error::runtime_error;
};

}  // namespace zabfs::daemon::zabctl
