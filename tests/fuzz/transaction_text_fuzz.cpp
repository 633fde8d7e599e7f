// Arbitrary bytes as a line of a transaction: read or refused with a sentence, and what is read can
// be asked of an ensemble.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include "fusefs/views/transaction_text.hpp"
#include "replication/model/check.hpp"
#include "replication/model/path.hpp"

using namespace zabfs::fusefs::views;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parsed =
      parse_transaction_line(std::string_view(reinterpret_cast<const char*>(data), size));
  if (const auto* refused = std::get_if<NoTransactionLine>(&parsed)) {
    CHECK(!refused->sentence.empty(), "refused without a reason");
    return 0;
  }
  using Verb = TransactionLine::Verb;
  const auto& line = std::get<TransactionLine>(parsed);
  if (line.verb == Verb::nothing || line.verb == Verb::begin || line.verb == Verb::commit) {
    CHECK(line.path.empty(), line.path);
  } else {
    const std::string path = line.creation.sequential ? line.path + "0" : line.path;
    CHECK(zabfs::replication::Path::parse(path).has_value(), path);
  }
  CHECK(line.version.value_or(0) >= 0, "a version that means any");
  return 0;
}
