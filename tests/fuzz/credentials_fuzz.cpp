// Arbitrary bytes as a file of credentials: read, or refused with a sentence that tells none of it.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fusefs/client/credentials.hpp"
#include "fusefs/client/limits.hpp"
#include "replication/model/check.hpp"

using zabfs::fusefs::client::parse_credential;
using zabfs::fusefs::client::parse_credentials;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto credentials = parse_credentials({reinterpret_cast<const char*>(data), size});
  if (!credentials) {
    CHECK(!credentials.error().sentence.empty(), "a refusal that says nothing");
    return 0;
  }
  CHECK(credentials->size() <= zabfs::fusefs::limits::credentials_max, "too many");
  for (const auto& credential : *credentials) {
    const auto again = parse_credential(credential.scheme + ":" + credential.secret);
    CHECK(again && *again == credential, "another credential");
  }
  return 0;
}
