// Any text as an ensemble, as operators write it in a request and servers say it to each other:
// what is read can be written, and read again as the same; and a request makes an ensemble that can
// be run, or an error.
#include <algorithm>
#include <string>
#include <variant>

#include "replication/model/bytes.hpp"
#include "replication/model/check.hpp"
#include "replication/model/ensemble_text.hpp"
#include "replication/pipeline/reconfiguration.hpp"

namespace zabfs::test {
namespace {

using namespace replication;

Ensemble three() {
  return std::get<Ensemble>(
      parse_ensemble("server.1=a:1:2;3\nserver.2=b:1:2;3\nserver.3=c:1:2;3\nversion=100000001"));
}

void check_text(std::string_view text) {
  const auto parsed = parse_ensemble(text);
  const auto* ensemble = std::get_if<Ensemble>(&parsed);
  if (ensemble == nullptr) {
    return;
  }
  const auto again = parse_ensemble(to_text(*ensemble));
  CHECK(std::holds_alternative<Ensemble>(again), to_text(*ensemble));
  CHECK(std::get<Ensemble>(again) == *ensemble, to_text(*ensemble));
}

// Three lists in one text, with a NUL between them.
void check_request(std::string_view text) {
  const auto next_list = [&text] {
    const auto end = std::min(text.find('\0'), text.size());
    const std::string list(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    return list;
  };
  pipeline::WantedServers wanted;
  wanted.joining = next_list();
  wanted.leaving = next_list();
  wanted.new_members = next_list();
  const auto next = pipeline::reconfigured(three(), wanted, 1);
  if (next) {
    CHECK(!next->members.empty() && !mistake_in(*next), to_text(*next));
    check_text(to_text(*next));
  }
}

}  // namespace
}  // namespace zabfs::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = zabfs::replication::text_of({data, size});
  zabfs::test::check_text(text);
  zabfs::test::check_request(text);
  return 0;
}
