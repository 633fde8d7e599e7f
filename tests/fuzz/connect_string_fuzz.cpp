// What a person may give as the servers to connect to.
#include "fusefs/client/endpoints.hpp"
#include "replication/model/bytes.hpp"
#include "replication/model/check.hpp"

// Whatever is accepted can be written down and means the same again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace zabfs::fusefs::client;
  const auto parsed = parse_connect_string(zabfs::replication::text_of({data, size}));
  if (!parsed) {
    CHECK(!parsed.error().sentence.empty());
    return 0;
  }
  CHECK(!parsed->endpoints.empty());
  std::string text;
  for (const auto& endpoint : parsed->endpoints) {
    text += (text.empty() ? "" : ",") + to_string(endpoint);
  }
  const auto again = parse_connect_string(text + parsed->chroot);
  CHECK(again.has_value() && *again == *parsed, text);
  return 0;
}
