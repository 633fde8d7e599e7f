// A record is a struct of public fields that lists them once.
//
//   struct Commit {
//     Zxid zxid{};
//     static auto fields(auto& r) { return std::tie(r.zxid); }
//   };
//
// Everything that walks a record follows that list: the wire, the log, printing. A field can not
// be written and then forgotten in reading.
#pragma once

#include <tuple>

namespace zabfs::replication {

template <class T>
concept Record = requires(T& record) { T::fields(record); };

}  // namespace zabfs::replication
