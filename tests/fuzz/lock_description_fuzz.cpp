// Arbitrary bytes as what a contender says of itself, and as its name: what is shown of it is
// printable, and what we would write of it reads back as the same.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fusefs/locks/contender.hpp"
#include "fusefs/locks/taker.hpp"
#include "replication/model/check.hpp"

using namespace zabfs;
using namespace zabfs::fusefs::locks;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = read_description(text, Mode::exclusive);
  for (const auto& shown : {read.host, read.command, read.since}) {
    CHECK(std::ranges::none_of(shown, [](char c) { return c >= 0 && c < ' '; }), shown);
  }
  const auto written = text_of(read);
  CHECK(read_description(replication::text_of(written), Mode::exclusive) == read, "read back");
  if (const auto contender = contender_of(text)) {
    CHECK(contender->name == text && sequence_number(text) == contender->number, contender->name);
    CHECK(text.starts_with(stem_of(contender->family, contender->mode)), contender->name);
  }
  const auto queue = queue_of(text);
  CHECK(queue.find('/', all_queues.size() + 1) == queue.npos, "one component");
  return 0;
}
