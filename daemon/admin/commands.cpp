#include "daemon/admin/commands.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <string_view>

#include "daemon/admin/command_answers.hpp"
#include "daemon/admin/json_reply.hpp"

namespace zabfs::daemon::admin {
namespace {

struct Command {
  std::string_view name{};
  std::array<std::string_view, 2> aliases{};
  Json (*answer)(Subject&){};
  bool needs_service{};
};

// By name, as the index shows them.
constexpr Command commands[] = {
    {"configuration", {"conf", "config"}, configuration_json, true},
    {"connection_stat_reset", {"crst"}, reset_conversations_json, true},
    {"connections", {"cons"}, connections_json, true},
    {"dirs", {}, dirs_json, true},
    {"dump", {}, dump_json, true},
    {"environment", {"env", "envi"}, environment_json, false},
    {"get_trace_mask", {"gtmk"}, nothing_json, false},
    {"hash", {}, hash_json, true},
    {"initial_configuration", {"icfg"}, initial_configuration_json, false},
    {"is_read_only", {"isro"}, is_read_only_json, true},
    {"last_snapshot", {"lsnp"}, last_snapshot_json, true},
    {"leader", {"lead"}, leader_json, true},
    {"monitor", {"mntr"}, monitor_json, true},
    {"observer_connection_stat_reset", {"orst"}, nothing_json, true},
    {"observers", {"obsr"}, observers_json, true},
    {"ruok", {}, nothing_json, false},
    {"server_stats", {"srvr"}, server_stats_json, true},
    {"set_trace_mask", {"stmk"}, nothing_json, false},
    {"stat_reset", {"srst"}, reset_counts_json, true},
    {"stats", {"stat"}, stats_json, true},
    {"system_properties", {"sysp"}, system_properties_json, false},
    {"voting_view", {}, voting_view_json, true},
    {"watch_summary", {"wchs"}, watch_summary_json, true},
    {"watches", {"wchc"}, watches_json, true},
    {"watches_by_path", {"wchp"}, watches_by_path_json, true},
    {"zabstate", {}, zabstate_json, false},
};

const Command* find(std::string_view name) {
  const auto found = std::ranges::find_if(commands, [name](const Command& one) {
    return one.name == name ||
           (!name.empty() && std::ranges::find(one.aliases, name) != one.aliases.end());
  });
  return found == std::ranges::end(commands) ? nullptr : found;
}

// The argument of set_trace_mask; false if there is none.
bool read_mask(const HttpRequest& request, std::int64_t& mask) {
  for (const auto& [name, value] : request.parameters) {
    if (name == "traceMask") {
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), mask);
      return error == std::errc{} && end == value.data() + value.size();
    }
  }
  return false;
}

}  // namespace

std::string Commands::index() const {
  std::set<std::string> names{"restore", "snapshot"};
  for (const Command& one : commands) {
    names.emplace(one.name);
  }
  std::string page;
  for (const std::string& name : names) {
    page += "<a href=\"" + url_ + "/" + name + "\">" + name + "</a>\n<br/>\n";
  }
  return page;
}

std::optional<StateTransfer::Command> Commands::transfer_of(const HttpRequest& request) const {
  return request.path.starts_with(url_ + "/")
             ? StateTransfer::find(std::string_view(request.path).substr(url_.size() + 1))
             : std::nullopt;
}

std::variant<std::uint64_t, HttpReply> Commands::admit(const HttpRequest& head,
                                                       const Subject& subject) {
  if (const auto command = transfer_of(head)) {
    return transfer_.admit(*command, head, subject);
  }
  return HttpServer::body_bytes_max;
}

void Commands::answer(const HttpRequest& request, Subject& subject, HttpServer::Respond respond) {
  if (const auto command = transfer_of(request)) {
    StateTransfer::answer(*command, request, subject, std::move(respond));
  } else {
    respond(answer_at_once(request, subject));
  }
}

HttpReply Commands::answer_at_once(const HttpRequest& request, Subject& subject) {
  if (request.path == url_ || request.path == url_ + "/") {
    return {.type = "text/html;charset=utf-8", .body = index()};
  }
  if (!request.path.starts_with(url_ + "/")) {
    return {.status = 404, .body = "The commands are at " + url_ + "\n"};
  }
  const std::string name = request.path.substr(url_.size() + 1);
  const Command* command = find(name);
  if (command == nullptr) {
    return json_reply(name, {{"error", "Unknown command: " + name}});
  }
  if (command->needs_service && !subject.facts().replica.serving) {
    return json_reply(command->name,
                      {{"error", "This ZooKeeper instance is not currently serving requests"}});
  }
  if (command->name == "set_trace_mask" && !read_mask(request, trace_mask_)) {
    return json_reply(command->name, {{"error", "setTraceMask requires long traceMask argument"}});
  }
  Json answer = command->answer(subject);
  if (command->name.ends_with("_trace_mask")) {
    answer["tracemask"] = trace_mask_;
  }
  return json_reply(command->name, std::move(answer));
}

}  // namespace zabfs::daemon::admin
