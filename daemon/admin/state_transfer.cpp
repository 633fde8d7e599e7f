#include "daemon/admin/state_transfer.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "daemon/admin/java_text.hpp"
#include "daemon/admin/json_reply.hpp"
#include "replication/model/limits.hpp"

namespace zabfs::daemon::admin {
namespace {

using Command = StateTransfer::Command;

constexpr std::string_view name_of(Command command) {
  return command == Command::snapshot ? "snapshot" : "restore";
}

HttpReply refusal(Command command, unsigned status, std::string_view why) {
  return json_reply(name_of(command), {{"error", why}}, status);
}

// "digest bob:secret" as scheme and credential; a scheme alone has none.
Standing standing_of(const HttpRequest& head, const Subject& subject) {
  const std::string_view text = head.authorization;
  const auto space = std::min(text.find(' '), text.size());
  const auto credential = text.substr(std::min(space + 1, text.size()));
  if (credential.find(' ') != std::string_view::npos) {
    return Standing::nobody;
  }
  replication::Data data;
  if (space < text.size()) {
    data.emplace(credential.begin(), credential.end());
  }
  return subject.standing(text.substr(0, space), data, head.address);
}

bool wants_the_bytes(const HttpRequest& request) {
  for (const auto& [name, value] : request.parameters) {
    if (name == "streaming") {
      return value == "true";
    }
  }
  return true;
}

std::string hex(replication::Zxid zxid) { return "0x" + hexadecimal(zxid.value); }

}  // namespace

std::optional<Command> StateTransfer::find(std::string_view name) {
  if (name == "snapshot" || name == "snap") {
    return Command::snapshot;
  }
  if (name == "restore" || name == "rest") {
    return Command::restore;
  }
  return std::nullopt;
}

std::variant<std::uint64_t, HttpReply> StateTransfer::admit(Command command,
                                                            const HttpRequest& head,
                                                            const Subject& subject) {
  const bool restores = command == Command::restore;
  if (head.is_post != restores) {
    return refusal(command, 405, restores ? "Use POST." : "Use GET.");
  }
  const Facts facts = subject.facts();
  if (!facts.replica.serving) {
    return refusal(command, 200, "This ZooKeeper instance is not currently serving requests");
  }
  if (head.authorization.empty()) {
    return refusal(command, 401, "Auth info is missing for the command");
  }
  const Standing standing = standing_of(head, subject);
  if (standing == Standing::nobody) {
    return refusal(command, 401, "Not authenticated");
  }
  if (standing != Standing::master) {
    return refusal(command, 403, "Not authorized");
  }
  if (!(restores ? options_.takes_restores : options_.gives_snapshots)) {
    return refusal(command, 503,
                   restores ? "Switched off: set admin.restore.enabled=true."
                            : "Switched off: set admin.snapshot.enabled=true.");
  }
  auto& last_ms = restores ? taken_ms_ : given_ms_;
  if (last_ms && facts.now_ms - *last_ms < options_.interval_ms) {
    return refusal(command, 429,
                   "Too soon after the last one: wait, or lower admin.rateLimiterIntervalInMS.");
  }
  last_ms = facts.now_ms;
  return restores ? replication::limits::restoration_bytes_max : HttpServer::body_bytes_max;
}

void StateTransfer::answer(Command command, const HttpRequest& request, Subject& subject,
                           HttpServer::Respond respond) {
  if (command == Command::restore) {
    const auto wrong = subject.restore(
        replication::bytes_of(request.body),
        [respond](const std::variant<replication::Zxid, std::string>& restored) {
          if (const auto* why = std::get_if<std::string>(&restored)) {
            respond(refusal(Command::restore, 503, *why));
          } else {
            respond(json_reply("restore",
                               {{"last_zxid", std::get<replication::Zxid>(restored).wire()}}));
          }
        });
    if (wrong) {
      respond(refusal(command, 400, *wrong));
    }
    return;
  }
  subject.take_snapshot([respond = std::move(respond), with_bytes = wants_the_bytes(request)](
                            const std::optional<SnapshotFile>& taken) {
    if (!taken) {
      respond(refusal(Command::snapshot, 500,
                      "There is no snapshot: nothing has been written yet, or this server has "
                      "stopped serving. Try again."));
      return;
    }
    HttpReply reply = json_reply("snapshot", {});
    if (with_bytes) {
      reply = {.type = "application/octet-stream", .file = taken->path};
    }
    reply.headers = {{"last_zxid", hex(taken->zxid)},
                     {"snapshot_size", std::to_string(taken->bytes)}};
    respond(std::move(reply));
  });
}

}  // namespace zabfs::daemon::admin
