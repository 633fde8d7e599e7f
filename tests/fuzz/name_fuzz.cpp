// Arbitrary bytes as a file name: parse never fails otherwise than by a refusal, and the names of
// znodes and of their files stay inverse to each other.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "fusefs/naming/name.hpp"
#include "replication/model/check.hpp"
#include "replication/model/limits.hpp"

using namespace zabfs::fusefs::naming;

namespace {

void check_file_name(std::string_view text, bool at_mount_root) {
  const auto parsed = parse(text, at_mount_root);
  const Name* name = std::get_if<Name>(&parsed);
  if (name != nullptr && name->view == View::plain && !name->is_short) {
    CHECK(shown(name->node, at_mount_root) == text, "two names for ", name->node);
  }
}

void check_znode_name(std::string_view text, bool at_mount_root) {
  const std::string file_name = shown(text, at_mount_root);
  CHECK(file_name.size() <= zabfs::replication::limits::name_bytes_max, file_name);
  const auto parsed = parse(file_name, at_mount_root);
  const Name* name = std::get_if<Name>(&parsed);
  CHECK(name != nullptr && name->view == View::plain, file_name);
  CHECK(name->is_short ? stands_for(*name, text) : name->node == text, file_name);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const bool at_mount_root : {false, true}) {
    check_file_name(text, at_mount_root);
    check_znode_name(text, at_mount_root);
  }
  return 0;
}
