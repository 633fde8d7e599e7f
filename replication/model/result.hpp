// A value, or the ErrorCode that says why there is none.
//
// Test with has_value() or in a condition, read with * or ->, and ask error() only when there is no
// value. value() is not used: it would throw.
#pragma once

#include <boost/system/result.hpp>

#include "replication/model/error_code.hpp"

namespace zabfs::replication {

template <class T>
using Result = boost::system::result<T, ErrorCode>;

}  // namespace zabfs::replication
