// A transaction log of Apache ZooKeeper, log.<first zxid>:
//
//   header    int magic "ZKLG", int version 2, long 0
//   record    long Adler-32 of the record, int length, the record (transaction.hpp), byte 'B'
//   zeros     space for the records to come
//
// The end may be torn: a crash leaves the last record in part. Damage before the end is not the
// same, and is refused; also a length that leads over whole records to the end.
#pragma once

#include <functional>

#include "daemon/zabctl/zookeeper/checked_stream.hpp"

namespace zabfs::daemon::zabctl::zookeeper {

enum class LogEnd {
  clean,  // zeros, or the end of the file
  torn,   // a part of a record, and nothing behind it
};

// Sees every whole record; it is good during the call. Returns false to end the reading (as clean).
using RecordVisitor = std::function<bool(replication::ByteView record)>;

// Throws Damaged. Safe on any bytes.
LogEnd read_log(Source source, const RecordVisitor& visit);

}  // namespace zabfs::daemon::zabctl::zookeeper
