// The beginning of a memory file as memory of this process, which it is written to without asking
// the system each time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace zabfs::fusefs::continuity {

class Mapping {
 public:
  Mapping() = default;
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  ~Mapping() { clear(); }

  // Maps the first `size` bytes of `file`, all of which have memory from then on, so that none is
  // missing when it is written. A mapping of less must be one of the same file. False if the system
  // refuses; what was mapped before still is.
  bool extend(int file, std::size_t size);

  void clear();

  std::size_t size() const { return size_; }
  // Valid until the mapping is extended.
  std::uint8_t* data() const { return data_; }

 private:
  std::uint8_t* data_{};
  std::size_t size_{};
};

}  // namespace zabfs::fusefs::continuity
