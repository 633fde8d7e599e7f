// Arbitrary bytes as the text of an ACL: read or refused, and what is read is written as a text
// that means the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fusefs/inodes/acl_text.hpp"
#include "replication/model/check.hpp"

using zabfs::fusefs::inodes::acl_text;
using zabfs::fusefs::inodes::parse_acl;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto acl = parse_acl({reinterpret_cast<const char*>(data), size});
  if (acl) {
    const auto again = parse_acl(acl_text(*acl));
    CHECK(again && *again == *acl, "another ACL: ", acl_text(*acl));
  }
  return 0;
}
