// Why an operation of the mount did not work: the errno a program sees, and the server's error code
// behind it where there is one.
#pragma once

#include <boost/system/result.hpp>
#include <string_view>

#include "fusefs/errno_table.hpp"
#include "replication/model/error_code.hpp"

namespace zabfs::fusefs {

struct Failure {
  // What the server, or the client in its place, answered; ok if the mount itself refused.
  replication::ErrorCode code{};
  int errno_value{};

  // A refusal of the mount itself.
  static Failure of(int errno_value) { return {.errno_value = errno_value}; }

  // A refusal of the server or the client, with the errno of the errno table.
  static Failure of(replication::ErrorCode code) {
    return {.code = code, .errno_value = errno_of(code)};
  }

  bool operator==(const Failure&) const = default;
};

// Why, for people.
std::string_view reason_of(const Failure& failure);

// True for what is worth asking again: no answer came, or the session has ended and another begins.
inline bool is_passing(const Failure& failure) {
  using enum replication::ErrorCode;
  return failure.code == operation_timeout || failure.code == connection_loss ||
         failure.code == session_expired;
}

// True if there is no such znode.
inline bool is_absence(const Failure& failure) {
  return failure.code == replication::ErrorCode::no_node;
}

// A value, or why there is none. Read like replication::Result.
template <class T>
using Outcome = boost::system::result<T, Failure>;

}  // namespace zabfs::fusefs
