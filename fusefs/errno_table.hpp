// The errno of every refusal: one table, so that one cause looks the same wherever it is met, and
// the usual tools turn it into the sentence that fits.
//
// docs/filesystem.md shows the table, and a test compares the two. All numbers are positive, as in
// errno(3); only `ok` is 0.
#pragma once

#include <span>
#include <string_view>

#include "fusefs/naming/name.hpp"
#include "replication/model/error_code.hpp"

namespace zabfs::fusefs {

struct ErrnoRow {
  replication::ErrorCode code{};
  int number{};
  std::string_view reason{};  // why this number and no other
};

// One row for every ErrorCode.
std::span<const ErrnoRow> errno_rows();

// The errno of `code`; EIO for a number that a newer server sends and the table does not have.
int errno_of(replication::ErrorCode code);

// The errno for a name that means nothing, for every operation that is given the name.
int errno_of(naming::Refusal refusal);

}  // namespace zabfs::fusefs
