#include "replication/store/snapshot_format.hpp"

#include <limits>
#include <tuple>

#include "replication/model/check.hpp"
#include "replication/store/checksum.hpp"

namespace zabfs::replication::store {
namespace {

constexpr std::uint64_t magic = 0x7a61626673'736e70U;  // "zabfssnp"
constexpr std::uint32_t version = 2;

struct Header {
  std::uint64_t magic{};
  std::uint32_t version{};
  SnapshotId id{};

  static auto fields(auto& h) { return std::tie(h.magic, h.version, h.id); }
};

struct SliceHeader {
  std::uint32_t length{};
  std::uint64_t checksum{};

  static auto fields(auto& h) { return std::tie(h.length, h.checksum); }
};

struct Trailer {
  std::uint32_t no_length{};
  std::uint64_t slices{};
  std::uint64_t bytes{};
  Zxid reached{};

  static auto fields(auto& t) { return std::tie(t.no_length, t.slices, t.bytes, t.reached); }
};

constexpr std::size_t header_bytes = 32;
constexpr std::size_t slice_header_bytes = 12;
constexpr std::size_t trailer_bytes = 36;

// The checksum that ends `bytes`.
std::uint64_t last_checksum(ByteView bytes) {
  std::uint64_t value = 0;
  jute::JuteReader reader(bytes.last(sizeof value));
  reader(value);
  return value;
}

// Reads one file in order.
class Reading {
 public:
  Reading(const Disk& disk, const SnapshotId& id)
      : disk_(disk), id_(id), file_(snapshot_name(id)), size_(disk.size(file_)) {}

  Verdict<Zxid> run(const SliceVisitor& visit) {
    const Bytes raw = next(header_bytes);
    const auto header = checked<Header>(raw, 0);
    if (!header || header->magic != magic || header->id != id_) {
      return damaged();
    }
    if (header->version != version) {
      return refusal(file_, " has format ", header->version, "; this program knows format ",
                     version, ".");
    }
    chain_ = last_checksum(raw);
    while (true) {
      const auto slice = next_slice_header();
      if (!slice) {
        return damaged();
      }
      if (slice->length == 0) {
        return end();
      }
      const Bytes payload = next(slice->length);
      if (payload.size() != slice->length || checksum(payload, chain_) != slice->checksum) {
        return damaged();
      }
      chain_ = slice->checksum;
      ++slices_;
      if (const auto objection = visit(payload)) {
        return refusal("The contents of ", file_, " make no sense: ", *objection);
      }
    }
  }

 private:
  Bytes next(std::uint64_t length) {
    Bytes bytes = disk_.read(file_, offset_, length);
    offset_ += bytes.size();
    return bytes;
  }

  // The next slice's, or one of length 0 at the trailer, which is left to be read.
  std::optional<SliceHeader> next_slice_header() {
    const Bytes raw = next(slice_header_bytes);
    if (raw.size() < slice_header_bytes) {
      return std::nullopt;
    }
    SliceHeader header;
    jute::JuteReader reader(raw);
    reader(header);
    if (header.length == 0) {
      offset_ -= raw.size();
    } else if (header.length > size_ - offset_) {
      return std::nullopt;
    }
    return header;
  }

  Verdict<Zxid> end() {
    const auto trailer = checked<Trailer>(next(trailer_bytes), chain_);
    if (!trailer || trailer->slices != slices_ || trailer->bytes != size_ || offset_ != size_) {
      return damaged();
    }
    return trailer->reached;
  }

  Refusal damaged() const {
    return refusal(file_, " is damaged before offset ", offset_, " of ", size_, ".");
  }

  const Disk& disk_;
  SnapshotId id_;
  FileName file_;
  std::uint64_t size_;
  std::uint64_t offset_{};
  std::uint64_t slices_{};
  std::uint64_t chain_{};
};

}  // namespace

Bytes SnapshotEncoder::header(const SnapshotId& id) {
  Bytes bytes = with_checksum(Header{magic, version, id}, 0);
  bytes_ += bytes.size();
  chain_ = last_checksum(bytes);
  return bytes;
}

Bytes SnapshotEncoder::slice(ByteView payload) {
  CHECK(!payload.empty() && payload.size() <= std::numeric_limits<std::uint32_t>::max(), "payload ",
        payload.size());
  chain_ = checksum(payload, chain_);
  Bytes bytes;
  bytes.reserve(slice_header_bytes + payload.size());
  jute::JuteWriter writer(bytes);
  writer(SliceHeader{static_cast<std::uint32_t>(payload.size()), chain_});
  writer.bytes(payload.data(), payload.size());
  bytes_ += bytes.size();
  ++slices_;
  return bytes;
}

Bytes SnapshotEncoder::trailer(Zxid reached) {
  bytes_ += trailer_bytes;
  return with_checksum(Trailer{0, slices_, bytes_, reached}, chain_);
}

Verdict<Zxid> read_snapshot(const Disk& disk, const SnapshotId& id, const SliceVisitor& visit) {
  return Reading(disk, id).run(visit);
}

}  // namespace zabfs::replication::store
