// A variant of records as bytes: the place of the alternative in one byte, then its fields.
//
// Places are numbers on the wire: a variant that is written this way is only ever appended to.
#pragma once

#include <cstdint>
#include <utility>
#include <variant>

#include "replication/jute/jute_archive.hpp"
#include "replication/model/bytes.hpp"
#include "replication/model/result.hpp"

namespace zabfs::replication::jute {

template <class Variant, class Body, std::size_t index = 0>
constexpr std::uint8_t place_of() {
  if constexpr (std::is_same_v<std::variant_alternative_t<index, Variant>, Body>) {
    return index;
  } else {
    return place_of<Variant, Body, index + 1>();
  }
}

// Appends one alternative of `Variant`, which need not be in a variant.
template <class Variant, class Body>
void append_alternative(Bytes& out, const Body& body) {
  JuteWriter to{out};
  to.integer(place_of<Variant, Body>());
  to(body);
}

template <class Variant>
void append_tagged(Bytes& out, const Variant& variant) {
  std::visit([&out](const auto& body) { append_alternative<Variant>(out, body); }, variant);
}

template <class Variant, std::size_t index = 0>
Variant read_alternative(JuteReader& from, std::uint8_t place) {
  if constexpr (index == std::variant_size_v<Variant>) {
    throw cereal::Exception("no such alternative");
  } else if (index != place) {
    return read_alternative<Variant, index + 1>(from, place);
  } else {
    Variant variant{std::in_place_index<index>};
    from(std::get<index>(variant));
    return variant;
  }
}

// What append_tagged wrote, or marshalling_error for anything else, bytes left over included.
template <class Variant>
Result<Variant> decode_tagged(ByteView bytes) {
  try {
    JuteReader from{bytes};
    const auto place = from.integer<std::uint8_t>();
    Variant variant = read_alternative<Variant>(from, place);
    if (!from.rest().empty()) {
      return ErrorCode::marshalling_error;
    }
    return variant;
  } catch (const cereal::Exception&) {
    return ErrorCode::marshalling_error;
  }
}

}  // namespace zabfs::replication::jute
