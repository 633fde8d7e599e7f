#include "daemon/zabctl/transaction_text.hpp"

#include <array>
#include <variant>

#include "daemon/zabctl/presentation.hpp"

namespace zabfs::daemon::zabctl {

using namespace replication::tree;
using replication::ByteView;
using replication::SessionId;

namespace {

// ZooKeeper's names, by number.
std::string name_of(TransactionKind kind) {
  static constexpr std::array<std::string_view, 10> names{
      "",      "create", "delete",   "setData", "createSession", "closeSession",
      "multi", "setACL", "reconfig", "restore"};
  const auto number = static_cast<std::size_t>(kind);
  return number < names.size() ? std::string(names[number]) : "kind " + std::to_string(number);
}

template <class Body>
std::optional<ByteView> view_of_data(const Body& body) {
  return body.data ? std::optional(ByteView(*body.data)) : std::nullopt;
}

template <class Body>
void add_text(std::string& line, const Body& body, bool with_data) {
  line += name_of(Body::kind);
  if constexpr (requires { body.path; }) {
    line += " " + printable(body.path);
  }
  if constexpr (requires { body.data; }) {
    line += body.data ? " (" + counted(body.data->size(), "byte") + ")" : " (null)";
  }
  if constexpr (requires { body.version; }) {
    line += " version " + std::to_string(body.version);
  }
  if constexpr (requires { body.aversion; }) {
    line += " aversion " + std::to_string(body.aversion);
  }
  if constexpr (requires { body.acl; }) {
    line += " " + acl_text(body.acl);
  }
  if constexpr (requires { body.ephemeral_owner; }) {
    line += body.ephemeral_owner == SessionId{} ? "" : " owner " + hex(body.ephemeral_owner);
  }
  if constexpr (requires { body.text; }) {
    line += " " + printable(body.text);
  }
  if constexpr (requires { body.pieces; }) {
    line += " " + printable(body.name) + " (" +
            counted(static_cast<std::uint64_t>(body.pieces), "piece") + ")";
  }
  if constexpr (requires { body.timeout_ms; }) {
    line += " timeout " + std::to_string(body.timeout_ms) + " ms";
  }
  if constexpr (requires { body.data; }) {
    if (with_data && body.data) {
      line += " data=" + printable(replication::text_of(*body.data));
    }
  }
  if constexpr (requires { body.changes; }) {
    std::string separator = ": ";
    for (const auto& change : body.changes) {
      line += std::exchange(separator, "; ");
      std::visit([&](const auto& part) { add_text(line, part, with_data); }, change);
    }
  }
}

template <class Body>
void add_json(boost::json::object& object, const Body& body, bool with_data) {
  object["type"] = name_of(Body::kind);
  if constexpr (requires { body.path; }) {
    object["path"] = body.path;
  }
  if constexpr (requires { body.data; }) {
    object["dataLength"] = body.data ? static_cast<std::int64_t>(body.data->size()) : -1;
    if (with_data) {
      set_data(object, view_of_data(body));
    }
  }
  if constexpr (requires { body.version; }) {
    object["version"] = body.version;
  }
  if constexpr (requires { body.aversion; }) {
    object["aversion"] = body.aversion;
  }
  if constexpr (requires { body.acl; }) {
    object["acl"] = json_of(body.acl);
  }
  if constexpr (requires { body.ephemeral_owner; }) {
    object["owner"] = hex(body.ephemeral_owner);
  }
  if constexpr (requires { body.text; }) {
    object["ensemble"] = body.text;
  }
  if constexpr (requires { body.pieces; }) {
    object["restore"] = body.name;
    object["pieces"] = body.pieces;
  }
  if constexpr (requires { body.timeout_ms; }) {
    object["timeoutMs"] = body.timeout_ms;
  }
  if constexpr (requires { body.changes; }) {
    boost::json::array parts;
    for (const auto& change : body.changes) {
      boost::json::object part;
      std::visit([&](const auto& each) { add_json(part, each, with_data); }, change);
      parts.push_back(std::move(part));
    }
    object["changes"] = std::move(parts);
  }
}

template <class Body>
void add_paths(std::vector<std::string_view>& paths, const Body& body) {
  if constexpr (requires { body.path; }) {
    paths.push_back(body.path);
  }
  if constexpr (requires { body.changes; }) {
    for (const auto& change : body.changes) {
      std::visit([&](const auto& part) { add_paths(paths, part); }, change);
    }
  }
}

}  // namespace

std::string kind_of(const Transaction& transaction) {
  return std::visit([](const auto& body) { return name_of(std::decay_t<decltype(body)>::kind); },
                    transaction.body);
}

std::vector<std::string_view> paths_of(const Transaction& transaction) {
  std::vector<std::string_view> paths;
  std::visit([&](const auto& body) { add_paths(paths, body); }, transaction.body);
  return paths;
}

std::string line_of(const Transaction& transaction, bool with_data) {
  const auto& header = transaction.header;
  std::string line =
      time_text(header.time_ms) + " " + hex(header.zxid) + " session " + hex(header.session) + " ";
  std::visit([&](const auto& body) { add_text(line, body, with_data); }, transaction.body);
  return line;
}

boost::json::object json_of(const Transaction& transaction, bool with_data) {
  const auto& header = transaction.header;
  boost::json::object object{
      {"zxid", hex(header.zxid)}, {"time", header.time_ms}, {"session", hex(header.session)}};
  std::visit([&](const auto& body) { add_json(object, body, with_data); }, transaction.body);
  return object;
}

}  // namespace zabfs::daemon::zabctl
