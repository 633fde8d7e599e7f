// Any text as a path: what parses is put together from its parts, which are legal themselves.
#include "replication/model/bytes.hpp"
#include "replication/model/check.hpp"
#include "replication/model/path.hpp"

namespace zabfs::test {
namespace {

using namespace replication;

void check_path(std::string_view text) {
  const auto path = Path::parse(text);
  if (!path) {
    return;
  }
  CHECK(path->text() == text);
  CHECK(Path{}.contains(*path) && path->contains(*path));
  if (path->is_root()) {
    return;
  }
  const Path parent = path->parent();
  CHECK(is_legal_segment(path->name()));
  CHECK(parent.contains(*path) && !path->contains(parent));
  CHECK(Path::parse(parent.text()).has_value(), parent);
  const auto again = parent.child(path->name());
  CHECK(again.has_value() && *again == *path, *path);
}

// One more segment is legal exactly when the whole is.
void check_segment(std::string_view name) {
  const bool is_legal = is_legal_segment(name);
  CHECK(Path{}.child(name).has_value() == is_legal);
  CHECK(!is_legal || Path::parse("/" + std::string{name}).has_value());
  CHECK(!is_legal || name.find_first_of(std::string_view{"/\0\n\x7f", 4}) == name.npos);
}

}  // namespace
}  // namespace zabfs::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = zabfs::replication::text_of({data, size});
  zabfs::test::check_path(text);
  zabfs::test::check_segment(text);
  return 0;
}
