// The records that are lists of operations, and of their results, to bytes and back: a header in
// front of each, and one behind the last. For the codec alone.
//
//   header   int32 operation, bool last, int32 error; -1, true, -1 behind the last
//
// Reading throws cereal::Exception for what is not such a list, or longer than
// limits::multi_operations_max.
#pragma once

#include <optional>
#include <utility>
#include <variant>

#include "replication/jute/jute_archive.hpp"
#include "replication/protocol/requests.hpp"
#include "replication/protocol/responses.hpp"

namespace zabfs::replication::protocol {

// The alternative of `Variant` that is operation `op`, as `read` fills it in; nullopt if there is
// none.
template <class Variant, std::size_t index = 0, class Read>
std::optional<Variant> read_alternative(jute::JuteReader& from, OpCode op, Read read) {
  if constexpr (index == std::variant_size_v<Variant>) {
    return std::nullopt;
  } else if (std::variant_alternative_t<index, Variant>::op != op) {
    return read_alternative<Variant, index + 1>(from, op, read);
  } else {
    std::optional<Variant> found{std::in_place, std::in_place_index<index>};
    read(from, std::get<index>(*found));
    return found;
  }
}

void read_operations(jute::JuteReader& from, MultiRequest& request);
void read_operations(jute::JuteReader& from, MultiReadRequest& request);
MultiResponse read_results(jute::JuteReader& from);

void write_operations(jute::JuteWriter& to, const MultiRequest& request);
void write_operations(jute::JuteWriter& to, const MultiReadRequest& request);
void write_results(jute::JuteWriter& to, const MultiResponse& response);

}  // namespace zabfs::replication::protocol
