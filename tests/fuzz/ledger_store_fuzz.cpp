// Arbitrary bytes behind a whole header of a memory file of the ledger, as where its groups end and
// the groups: they are believed or told of, and what is written next is found either way.
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fusefs/continuity/ledger.hpp"
#include "replication/model/check.hpp"

namespace {

using namespace zabfs::fusefs::continuity;

constexpr off_t header_bytes = 32;  // without the end

struct Files {
  std::array<int, 2> files{::memfd_create("first", MFD_CLOEXEC),
                           ::memfd_create("second", MFD_CLOEXEC)};

  Ledger ledger() const {
    return {Store(files[0], files[1]), [](std::string_view) {}};
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Files memory;
  constexpr std::int64_t written = 77;
  for (const int file : memory.files) {
    CHECK(::ftruncate(file, 0) == 0, "it is empty");
  }
  {
    auto first = memory.ledger();
    first.inherit();
    first.write(Worker{});
  }
  // The first group of all goes into the second file.
  const int file = memory.files[1];
  CHECK(::ftruncate(file, header_bytes + static_cast<off_t>(size)) == 0, "a file has any size");
  CHECK(::pwrite(file, data, size, header_bytes) == static_cast<ssize_t>(size), "and any bytes");
  auto next = memory.ledger();
  const auto found = next.inherit();
  CHECK(found.state.has_value() || !found.problem.empty() || size < sizeof(std::uint64_t),
        "what is not believed is told");
  next.write(SessionHeld{.id = written});
  CHECK(!next.is_given_up(), "there is memory");
  CHECK(memory.ledger().inherit().state.value().session.id == written, "it goes on");
  return 0;
}
