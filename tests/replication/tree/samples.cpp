#include "tests/replication/tree/samples.hpp"

#include <algorithm>
#include <utility>

#include "replication/model/check.hpp"

namespace zabfs::replication::tree {
namespace {

const char* text_of_kind(EventKind kind) {
  switch (kind) {
    case EventKind::created:
      return "created ";
    case EventKind::deleted:
      return "deleted ";
    case EventKind::data_changed:
      return "data_changed ";
    case EventKind::children_changed:
      return "children_changed ";
  }
  return "unknown ";
}

}  // namespace

Transaction transaction(std::uint64_t zxid, TransactionBody body, std::int64_t session) {
  return {.header = {.zxid = {zxid},
                     .session = {session},
                     .time_ms = static_cast<std::int64_t>(1000 * zxid)},
          .body = std::move(body)};
}

CreateNode create(std::string path, std::int32_t parent_creates, std::string_view data,
                  std::int64_t owner) {
  return {.path = std::move(path),
          .data = data_of(data),
          .acl = open_acl(),
          .ephemeral_owner = {owner},
          .parent_creates = parent_creates};
}

Data data_of(std::string_view text) {
  const ByteView bytes = bytes_of(text);
  return Bytes{bytes.begin(), bytes.end()};
}

const Node& node_at(const DataTree& tree, std::string_view path) {
  const Node* node = tree.find(path);
  CHECK(node != nullptr, path, " does not exist");
  return *node;
}

Stat stat_at(const DataTree& tree, std::string_view path) {
  return tree.stat_of(node_at(tree, path));
}

std::vector<std::string> children_at(const DataTree& tree, std::string_view path) {
  std::vector<std::string> names;
  tree.for_each_child(node_at(tree, path),
                      [&](std::string_view name) { names.emplace_back(name); });
  std::ranges::sort(names);
  return names;
}

std::map<std::string, Seen> everything_in(const DataTree& tree) {
  std::map<std::string, Seen> everything;
  tree.nodes().walk([&](std::string_view path, Slot slot) {
    const Node& node = tree.nodes()[slot];
    Seen seen{.acl = tree.acl_of(node), .stat = tree.stat_of(node), .creates = node.creates};
    if (const auto data = tree.data_of(node)) {
      seen.data.emplace(data->begin(), data->end());
    }
    everything.emplace(path, std::move(seen));
  });
  return everything;
}

std::vector<std::string> texts_of(const std::vector<Event>& events) {
  std::vector<std::string> texts;
  for (const Event& event : events) {
    texts.push_back(text_of_kind(event.kind) + std::string{event.path});
  }
  return texts;
}

void Applying::operator()(TransactionBody body, std::int64_t session) {
  const auto zxid = tree.last_applied().value + 1;
  last = transaction(zxid, std::move(body), session);
  tree.apply(last, applied);
}

}  // namespace zabfs::replication::tree
