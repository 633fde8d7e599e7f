#include "tests/replication/pipeline/scenario_text.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

#include "replication/model/check.hpp"

namespace zabfs::test {

using namespace replication;
using namespace replication::protocol;

std::optional<std::string> Words::value(const std::string& key) const {
  for (const auto& word : words_) {
    if (word.starts_with(key + "=")) {
      return word.substr(key.size() + 1);
    }
  }
  return std::nullopt;
}

bool Words::has(const std::string& word) const {
  return std::ranges::find(words_, word) != words_.end();
}

std::int64_t Words::number(const std::string& key, std::int64_t otherwise) const {
  const auto text = value(key);
  return text ? std::stoll(*text) : otherwise;
}

std::string Words::at(std::size_t place) const {
  return place < words_.size() ? words_[place] : "";
}

std::vector<std::string> Words::from(std::size_t place) const {
  const auto begin = words_.begin() + static_cast<std::ptrdiff_t>(std::min(place, words_.size()));
  return {begin, words_.end()};
}

namespace {

std::string path_of(const Words& words) {
  const std::string path = words.at(0);
  return path == "\"\"" ? "" : path;
}

Data data_of(const Words& words) {
  const std::string text = words.value("data").value_or("");
  return text == "null" ? Data{} : Data{Bytes(text.begin(), text.end())};
}

std::int32_t version_of(const Words& words) {
  return static_cast<std::int32_t>(words.number("version", -1));
}

Acl acl_of(const Words& words) {
  const std::string text = words.value("acl").value_or("open");
  if (text == "none") {
    return {};
  }
  if (text == "read") {
    return read_only_acl();
  }
  if (text.starts_with("world:")) {
    return {{std::stoi(text.substr(6)), {"world", "anyone"}}};
  }
  if (const auto first = text.find(':'); first != text.npos) {
    const auto last = text.rfind(':');  // scheme:id:permissions
    CHECK(last > first, "no such acl: ", text);
    return {{std::stoi(text.substr(last + 1)),
             {text.substr(0, first), text.substr(first + 1, last - first - 1)}}};
  }
  CHECK(text == "open", "no such acl: ", text);
  return open_acl();
}

template <class Create>
Create create_of(const Words& words) {
  const int flags = (words.has("ephemeral") ? 1 : 0) | (words.has("sequential") ? 2 : 0);
  return {.path = path_of(words),
          .data = data_of(words),
          .acl = acl_of(words),
          .flags = static_cast<std::int32_t>(words.number("flags", flags))};
}

std::optional<MultiOperation> operation_of(const std::string& verb, const Words& words) {
  if (verb == "create") {
    return create_of<CreateRequest>(words);
  }
  if (verb == "create2") {
    return create_of<Create2Request>(words);
  }
  if (verb == "container") {
    auto request = create_of<CreateContainerRequest>(words);
    request.flags = static_cast<std::int32_t>(words.number("flags", 4));
    return request;
  }
  if (verb == "ttl") {
    auto request = create_of<CreateTtlRequest>(words);
    request.flags =
        static_cast<std::int32_t>(words.number("flags", words.has("sequential") ? 6 : 5));
    request.ttl_ms = words.number("ttl", 0);
    return request;
  }
  if (verb == "delete") {
    return DeleteRequest{.path = path_of(words), .version = version_of(words)};
  }
  if (verb == "set") {
    return SetDataRequest{
        .path = path_of(words), .data = data_of(words), .version = version_of(words)};
  }
  if (verb == "check") {
    return CheckRequest{.path = path_of(words), .version = version_of(words)};
  }
  return std::nullopt;
}

std::optional<Request> read_of(const std::string& verb, const Words& words) {
  const std::string path = path_of(words);
  const bool watch = words.has("watch");
  if (verb == "get") {
    return GetDataRequest{.path = path, .watch = watch};
  }
  if (verb == "exists") {
    return ExistsRequest{.path = path, .watch = watch};
  }
  if (verb == "ls") {
    return GetChildrenRequest{.path = path, .watch = watch};
  }
  if (verb == "ls2") {
    return GetChildren2Request{.path = path, .watch = watch};
  }
  if (verb == "getacl") {
    return GetAclRequest{.path = path};
  }
  if (verb == "ephemerals") {
    return GetEphemeralsRequest{.prefix = path};
  }
  if (verb == "count") {
    return GetAllChildrenNumberRequest{.path = path};
  }
  if (verb == "sync") {
    return SyncRequest{.path = path};
  }
  return std::nullopt;
}

// Calls `take` with the verb and the words of each request of a list.
template <class Take>
void for_each_of(const Words& words, Take take) {
  std::vector<std::string> part;
  auto rest = words.from(0);
  rest.emplace_back(";");
  for (const auto& word : rest) {
    if (word != ";") {
      part.push_back(word);
    } else if (!part.empty()) {
      take(part.front(), Words({part.begin() + 1, part.end()}));
      part.clear();
    }
  }
}

MultiRequest multi_of(const Words& words) {
  MultiRequest multi;
  for_each_of(words, [&multi](const std::string& verb, const Words& rest) {
    const auto operation = operation_of(verb, rest);
    CHECK(operation, "not an operation of a multi: ", verb);
    multi.operations.push_back(*operation);
  });
  return multi;
}

MultiReadRequest multi_read_of(const Words& words) {
  MultiReadRequest multi;
  for_each_of(words, [&multi](const std::string& verb, const Words& rest) {
    const auto read = read_of(verb, rest);
    if (const auto operation = operation_of(verb, rest)) {
      multi.writes.push_back(*operation);
    } else if (read && std::holds_alternative<GetDataRequest>(*read)) {
      multi.operations.emplace_back(std::get<GetDataRequest>(*read));
    } else {
      CHECK(read && std::holds_alternative<GetChildrenRequest>(*read),
            "not an operation of a multiread: ", verb);
      multi.operations.emplace_back(std::get<GetChildrenRequest>(*read));
    }
  });
  return multi;
}

std::vector<std::string> paths_of(const Words& words, const std::string& key) {
  std::vector<std::string> paths;
  std::istringstream list(words.value(key).value_or(""));
  for (std::string path; std::getline(list, path, ',');) {
    paths.push_back(path);
  }
  return paths;
}

SetWatchesRequest set_watches_of(const Words& words) {
  return {.relative_zxid = zxid_of(words.value("since").value_or("0.0")).wire(),
          .data = paths_of(words, "data"),
          .exist = paths_of(words, "exist"),
          .child = paths_of(words, "child")};
}

SetWatches2Request set_watches2_of(const Words& words) {
  const SetWatchesRequest one_shot = set_watches_of(words);
  return {.relative_zxid = one_shot.relative_zxid,
          .data = one_shot.data,
          .exist = one_shot.exist,
          .child = one_shot.child,
          .persistent = paths_of(words, "persistent"),
          .persistent_recursive = paths_of(words, "recursive")};
}

std::optional<Request> watch_request_of(const std::string& verb, const Words& words) {
  const std::string path = path_of(words);
  if (verb == "setwatches") {
    return set_watches_of(words);
  }
  if (verb == "setwatches2") {
    return set_watches2_of(words);
  }
  if (verb == "addwatch") {
    return AddWatchRequest{.path = path,
                           .mode = static_cast<std::int32_t>(words.number("mode", 0))};
  }
  const auto type = static_cast<std::int32_t>(words.number("type", 3));
  if (verb == "checkwatches") {
    return CheckWatchesRequest{.path = path, .type = type};
  }
  if (verb == "removewatches") {
    return RemoveWatchesRequest{.path = path, .type = type};
  }
  return std::nullopt;
}

std::optional<Request> connection_request_of(const std::string& verb, const Words& words) {
  if (verb == "ping") {
    return PingRequest{};
  }
  if (verb == "auth") {
    return AuthRequest{.scheme = words.at(0), .credentials = data_of(words)};
  }
  if (verb == "sasl") {
    return SaslRequest{.token = data_of(words)};
  }
  if (verb == "whoami") {
    return WhoAmIRequest{};
  }
  if (verb == "reconfig") {
    return ReconfigRequest{.joining = words.value("joining").value_or(""),
                           .leaving = words.value("leaving").value_or(""),
                           .new_members = words.value("members").value_or(""),
                           .config_version = words.number("version", -1)};
  }
  if (verb == "close") {
    return CloseSessionRequest{};
  }
  return std::nullopt;
}

// A request of its own; a check is none.
struct AsRequest {
  std::optional<Request> operator()(const CheckRequest&) const { return std::nullopt; }
  std::optional<Request> operator()(const auto& operation) const { return operation; }
};

// --- what is heard ---

std::string text_of_zxid(std::int64_t wire) {
  std::ostringstream out;
  if (wire < 0) {
    out << wire;
  } else {
    out << Zxid::from_wire(wire);
  }
  return out.str();
}

std::string text_of_data(const Data& data) {
  return data ? '"' + std::string(data->begin(), data->end()) + '"' : "null";
}

std::string text_of_stat(const Stat& s) {
  std::ostringstream out;
  out << "czxid=" << text_of_zxid(s.czxid) << " mzxid=" << text_of_zxid(s.mzxid)
      << " pzxid=" << text_of_zxid(s.pzxid) << " ctime=" << s.ctime << " mtime=" << s.mtime
      << " version=" << s.version << " cversion=" << s.cversion << " aversion=" << s.aversion
      << " owner=0x" << std::hex << s.ephemeral_owner << std::dec << " length=" << s.data_length
      << " children=" << s.num_children;
  return out.str();
}

std::string text_of_names(std::vector<std::string> names) {
  std::ranges::sort(names);  // no order is promised
  std::string text = "[";
  for (const auto& name : names) {
    text += (text.size() == 1 ? "" : " ") + name;
  }
  return text + "]";
}

struct BodyText {
  std::string operator()(const EmptyResponse&) const { return "ok"; }
  std::string operator()(const PathResponse& r) const { return r.path; }
  std::string operator()(const PathStatResponse& r) const {
    return r.path + ' ' + text_of_stat(r.stat);
  }
  std::string operator()(const StatResponse& r) const { return text_of_stat(r.stat); }
  std::string operator()(const GetDataResponse& r) const {
    return text_of_data(r.data) + " version=" + std::to_string(r.stat.version);
  }
  std::string operator()(const GetAclResponse& r) const {
    std::string text;
    for (const AclEntry& entry : r.acl) {
      text += entry.identity.scheme + ':' + entry.identity.id + ':' +
              std::to_string(entry.permissions) + ' ';
    }
    return text + "aversion=" + std::to_string(r.stat.aversion);
  }
  std::string operator()(const GetChildrenResponse& r) const { return text_of_names(r.children); }
  std::string operator()(const GetChildren2Response& r) const {
    return text_of_names(r.children) + ' ' + text_of_stat(r.stat);
  }
  std::string operator()(const GetEphemeralsResponse& r) const { return text_of_names(r.paths); }
  std::string operator()(const GetAllChildrenNumberResponse& r) const {
    return std::to_string(r.number);
  }
  std::string operator()(const WhoAmIResponse& r) const {
    std::string text;
    for (const Identity& identity : r.identities) {
      text += (text.empty() ? "" : " ") + identity.scheme + ':' + identity.id;
    }
    return text;
  }
  std::string operator()(const SaslResponse& r) const { return text_of_data(r.token); }
  std::string operator()(const ErrorResponse& r) const {
    return std::string(name_of(ErrorCode{r.error}));
  }
  std::string operator()(const MultiError& r) const { return std::string(name_of(r.error)); }
  std::string operator()(const MultiResponse& r) const {
    std::string text = std::to_string(r.results.size()) + " results";
    for (const MultiResult& result : r.results) {
      text += "\n     " + std::string(result.op == OpCode::error ? "error" : name_of(result.op)) +
              ' ' + std::visit(*this, result.body);
    }
    return text;
  }
};

struct HeardText {
  std::string operator()(const ConnectResponse& r) const {
    std::ostringstream out;
    if (r.timeout_ms == 0 && r.session_id == 0) {
      out << "session refused";
      if (r.password != Bytes(limits::session_password_bytes)) {
        out << " with a password";
      }
    } else {
      out << "session 0x" << std::hex << r.session_id << std::dec << " timeout " << r.timeout_ms;
      out << (r.password.size() == limits::session_password_bytes ? "" : " with a bad password");
    }
    out << (r.has_read_only_flag ? "" : ", no read-only flag");
    return out.str();
  }
  std::string operator()(const Reply& r) const {
    const auto name = name_of(OpCode{r.op});
    std::string text =
        std::to_string(r.header.xid) + ' ' +
        (name == "unknown" ? "operation " + std::to_string(r.op) : std::string(name)) + ' ' +
        text_of_zxid(r.header.zxid) + ' ';
    if (r.header.error != 0) {
      return text + std::string(name_of(ErrorCode{r.header.error}));
    }
    return text + (r.body ? std::visit(BodyText{}, *r.body) : "nothing");
  }
  std::string operator()(const Notice& n) const {
    static constexpr const char* names[] = {"?", "created", "deleted", "changed", "children"};
    std::ostringstream out;
    out << "event " << text_of_zxid(n.header.zxid) << ' '
        << names[n.event.type >= 1 && n.event.type <= 4 ? n.event.type : 0] << ' ' << n.event.path
        << (n.event.state == 3 && n.header.error == 0 ? "" : " in a bad state");
    return out.str();
  }
  std::string operator()(const Closed&) const { return "closed"; }
};

}  // namespace

std::optional<Request> request_of(const std::string& verb, const Words& words) {
  if (verb == "multi") {
    return multi_of(words);
  }
  if (verb == "multiread") {
    return multi_read_of(words);
  }
  if (verb == "setacl") {
    return SetAclRequest{
        .path = path_of(words), .acl = acl_of(words), .version = version_of(words)};
  }
  if (const auto request = connection_request_of(verb, words)) {
    return request;
  }
  if (const auto request = watch_request_of(verb, words)) {
    return request;
  }
  if (const auto read = read_of(verb, words)) {
    return read;
  }
  const auto operation = operation_of(verb, words);
  return operation ? std::visit(AsRequest{}, *operation) : std::nullopt;
}

Zxid zxid_of(const std::string& text) {
  std::istringstream in(text);
  std::uint32_t epoch = 0;
  std::uint32_t counter = 0;
  char dot = 0;
  in >> epoch >> dot >> counter;
  CHECK(in && dot == '.', "not a zxid: ", text);
  return Zxid::at({epoch}, counter);
}

std::string text_of(const Heard& heard) { return std::visit(HeardText{}, heard); }

}  // namespace zabfs::test
