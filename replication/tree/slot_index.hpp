// A hash index over things that already have numbers, which never stops to rehash.
//
// It is a linear hash table (Litwin 1980): it grows by one bucket per insertion, splitting one
// chain, so that the longest insertion into a table of millions costs what every other does. The
// chains run through the things themselves. What is indexed is described by `Entries`:
//
//   Slot& next_in_index(Slot)          the link, which belongs to the index
//   std::uint64_t hash_of(Slot)        must not change while the slot is in the index
//
// Four bytes per entry beside the link. Buckets are never given back.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <vector>

#include "replication/model/check.hpp"
#include "replication/tree/node.hpp"

namespace zabfs::replication::tree {

class SlotIndex {
 public:
  SlotIndex() { add_bucket(); }

  std::size_t size() const { return size_; }

  // The slot with that hash for which `matches` is true; no_slot if there is none.
  template <class Entries, class Matches>
  Slot find(Entries& entries, std::uint64_t hash, Matches matches) const {
    Slot slot = head(bucket_of(hash));
    while (slot != no_slot && !matches(slot)) {
      slot = entries.next_in_index(slot);
    }
    return slot;
  }

  // `slot` must not be in the index.
  template <class Entries>
  void insert(Entries& entries, std::uint64_t hash, Slot slot) {
    push(entries, bucket_of(hash), slot);
    if (++size_ > buckets_) {
      split_next(entries);
    }
  }

  // `slot` must be in the index, under `hash`.
  template <class Entries>
  void erase(Entries& entries, std::uint64_t hash, Slot slot) {
    Slot* link = &head(bucket_of(hash));
    while (*link != slot) {
      CHECK(*link != no_slot, "slot ", slot, " is not in the index");
      link = &entries.next_in_index(*link);
    }
    *link = entries.next_in_index(slot);
    --size_;
  }

  // Makes an empty index ready for `count` insertions without a split.
  void reserve(std::size_t count) {
    CHECK(size_ == 0);
    while (buckets_ < count) {
      add_bucket();
    }
  }

 private:
  static constexpr std::size_t chunk_bits = 12;
  static constexpr std::size_t chunk_size = std::size_t{1} << chunk_bits;
  using Chunk = std::array<Slot, chunk_size>;

  Slot& head(std::size_t bucket) const {
    return (*chunks_[bucket >> chunk_bits])[bucket & (chunk_size - 1)];
  }

  // Buckets [0, buckets_) exist. `mask_` covers the next power of two; a hash that falls beyond the
  // last bucket belongs to the one that has not been split yet.
  std::size_t bucket_of(std::uint64_t hash) const {
    const std::size_t bucket = hash & mask_;
    return bucket < buckets_ ? bucket : bucket & (mask_ >> 1);
  }

  template <class Entries>
  void push(Entries& entries, std::size_t bucket, Slot slot) {
    entries.next_in_index(slot) = head(bucket);
    head(bucket) = slot;
  }

  void add_bucket() {
    if (buckets_ == chunks_.size() << chunk_bits) {
      chunks_.push_back(std::make_unique<Chunk>());
      chunks_.back()->fill(no_slot);
    }
    ++buckets_;
    mask_ = std::bit_ceil(buckets_) - 1;
  }

  template <class Entries>
  void split_next(Entries& entries) {
    add_bucket();
    const std::size_t split = (buckets_ - 1) & (mask_ >> 1);
    Slot rest = head(split);
    head(split) = no_slot;
    while (rest != no_slot) {
      const Slot slot = rest;
      rest = entries.next_in_index(slot);
      push(entries, bucket_of(entries.hash_of(slot)), slot);
    }
  }

  std::vector<std::unique_ptr<Chunk>> chunks_{};
  std::size_t buckets_{};
  std::size_t mask_{};
  std::size_t size_{};
};

}  // namespace zabfs::replication::tree
