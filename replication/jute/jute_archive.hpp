// ZooKeeper's wire encoding ("jute") as a pair of cereal archives.
//
//   bool                one byte
//   int32, int64        big-endian
//   string, bytes,      int32 count, then the elements; a count of -1 is a null
//   vector
//
// A null string or vector reads as empty (kazoo writes "" as null). Where the difference matters,
// the field is a std::optional: std::nullopt is null, both ways. A count below -1 is an error in a
// string or bytes, and empty in a vector, as ZooKeeper has it.
//
// Reading is safe on hostile input: no count is believed beyond the bytes that remain, and memory is
// reserved only for what those bytes can hold. Errors are cereal::Exception; codecs catch it at
// their edge.
#pragma once

#include <algorithm>
#include <array>
#include <cereal/cereal.hpp>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "replication/model/bytes.hpp"
#include "replication/model/record.hpp"

namespace zabfs::replication::jute {

class JuteWriter : public cereal::OutputArchive<JuteWriter, cereal::AllowEmptyClassElision> {
 public:
  // Appends to `sink`, which must outlive the writer.
  explicit JuteWriter(Bytes& sink) : OutputArchive(this), sink_(sink) {}

  void bytes(const void* data, std::size_t size) {
    const auto* first = static_cast<const std::uint8_t*>(data);
    sink_.insert(sink_.end(), first, first + size);
  }

  template <std::integral T>
  void integer(T value) {
    std::array<std::uint8_t, sizeof(T)> raw{};
    auto rest = static_cast<std::uint64_t>(value);
    for (std::size_t i = raw.size(); i-- > 0; rest >>= 8) {
      raw[i] = static_cast<std::uint8_t>(rest);
    }
    bytes(raw.data(), raw.size());
  }

  void counted(const void* data, std::size_t size) {
    integer(static_cast<std::int32_t>(size));
    bytes(data, size);
  }

 private:
  Bytes& sink_;
};

class JuteReader : public cereal::InputArchive<JuteReader, cereal::AllowEmptyClassElision> {
 public:
  // Reads from `source`, which must outlive the reader.
  explicit JuteReader(ByteView source) : InputArchive(this), rest_(source) {}

  // The next `size` bytes, without copying them.
  ByteView take(std::size_t size) {
    if (size > rest_.size()) {
      throw cereal::Exception("record is longer than its frame");
    }
    const ByteView taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }

  template <std::integral T>
  T integer() {
    std::uint64_t value = 0;
    for (const auto byte : take(sizeof(T))) {
      value = value << 8 | byte;
    }
    return static_cast<T>(value);
  }

  // A counted run of bytes, without copying it; nullopt for null.
  std::optional<ByteView> counted() {
    const auto count = integer<std::int32_t>();
    if (count == -1) {
      return std::nullopt;
    }
    if (count < 0) {
      throw cereal::Exception("negative length");
    }
    return take(static_cast<std::size_t>(count));
  }

  // The count of a vector; nullopt for null. Every element takes at least one byte.
  std::optional<std::size_t> element_count() {
    const auto stated = integer<std::int32_t>();
    if (stated == -1) {
      return std::nullopt;
    }
    const auto count = stated < 0 ? std::size_t{0} : static_cast<std::size_t>(stated);
    if (count > rest_.size()) {
      throw cereal::Exception("count is larger than its frame");
    }
    return count;
  }

  ByteView rest() const { return rest_; }

 private:
  ByteView rest_;
};

// The functions below are found by argument-dependent lookup through the archive, so they must live
// in this namespace.

template <class Archive, Record T>
void serialize([[maybe_unused]] Archive& archive, T& record) {
  std::apply([&archive](auto&... field) { (archive(field), ...); }, T::fields(record));
}

template <class T>
concept JuteInteger = std::same_as<T, std::int32_t> || std::same_as<T, std::uint32_t> ||
                      std::same_as<T, std::int64_t> || std::same_as<T, std::uint64_t>;

inline void CEREAL_SAVE_FUNCTION_NAME(JuteWriter& to, const bool& value) {
  to.integer(static_cast<std::uint8_t>(value ? 1 : 0));
}
inline void CEREAL_LOAD_FUNCTION_NAME(JuteReader& from, bool& value) {
  value = from.integer<std::uint8_t>() != 0;
}
template <JuteInteger T>
void CEREAL_SAVE_FUNCTION_NAME(JuteWriter& to, const T& value) {
  to.integer(value);
}
template <JuteInteger T>
void CEREAL_LOAD_FUNCTION_NAME(JuteReader& from, T& value) {
  value = from.integer<T>();
}

inline void CEREAL_SAVE_FUNCTION_NAME(JuteWriter& to, const std::string& value) {
  to.counted(value.data(), value.size());
}
inline void CEREAL_LOAD_FUNCTION_NAME(JuteReader& from, std::string& value) {
  value = text_of(from.counted().value_or(ByteView{}));
}
inline void CEREAL_SAVE_FUNCTION_NAME(JuteWriter& to, const Bytes& value) {
  to.counted(value.data(), value.size());
}
inline void CEREAL_LOAD_FUNCTION_NAME(JuteReader& from, Bytes& value) {
  const ByteView read = from.counted().value_or(ByteView{});
  value.assign(read.begin(), read.end());
}
inline void CEREAL_SAVE_FUNCTION_NAME(JuteWriter& to, const Data& value) {
  if (value) {
    to.counted(value->data(), value->size());
  } else {
    to.integer(std::int32_t{-1});
  }
}
inline void CEREAL_LOAD_FUNCTION_NAME(JuteReader& from, Data& value) {
  value.reset();
  if (const auto read = from.counted()) {
    value.emplace(read->begin(), read->end());
  }
}

template <class T>
concept JuteElement = !std::same_as<T, std::uint8_t> && !std::same_as<T, bool>;

template <JuteElement T>
void CEREAL_SAVE_FUNCTION_NAME(JuteWriter& to, const std::vector<T>& values) {
  to.integer(static_cast<std::int32_t>(values.size()));
  for (const T& value : values) {
    to(value);
  }
}

// Elements are read one by one instead of resizing to the stated count, so a lie costs no memory.
template <JuteElement T>
void load_elements(JuteReader& from, std::size_t count, std::vector<T>& values) {
  constexpr std::size_t trusted_count = 1024;
  values.clear();
  values.reserve(std::min(count, trusted_count));
  for (std::size_t i = 0; i < count; ++i) {
    from(values.emplace_back());
  }
}
template <JuteElement T>
void CEREAL_LOAD_FUNCTION_NAME(JuteReader& from, std::vector<T>& values) {
  load_elements(from, from.element_count().value_or(0), values);
}
template <JuteElement T>
void CEREAL_SAVE_FUNCTION_NAME(JuteWriter& to, const std::optional<std::vector<T>>& values) {
  if (values) {
    to(*values);
  } else {
    to.integer(std::int32_t{-1});
  }
}
template <JuteElement T>
void CEREAL_LOAD_FUNCTION_NAME(JuteReader& from, std::optional<std::vector<T>>& values) {
  values.reset();
  if (const auto count = from.element_count()) {
    load_elements(from, *count, values.emplace());
  }
}

}  // namespace zabfs::replication::jute

CEREAL_REGISTER_ARCHIVE(zabfs::replication::jute::JuteWriter)
CEREAL_REGISTER_ARCHIVE(zabfs::replication::jute::JuteReader)
CEREAL_SETUP_ARCHIVE_TRAITS(zabfs::replication::jute::JuteReader,
                            zabfs::replication::jute::JuteWriter)
