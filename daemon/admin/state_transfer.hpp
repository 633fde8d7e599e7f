// The two commands that move the whole state: `snapshot` gives it away, `restore` takes it in.
//
// Whoever may do that has all there is, so what must be true is asked in this order, before the
// body of the request is read:
//
//   the method is GET for a snapshot, POST for a restore               405
//   the replica serves                                                 200 with "error", as always
//   an Authorization header proves somebody: "digest user:password"    401
//   ... who has every permission on "/"                                403
//   it is switched on                                                  503
//   the last one is not too recent                                     429
//
// The statuses are those of ZooKeeper 3.9; its answers have no sentences.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "daemon/admin/http_server.hpp"
#include "daemon/admin/subject.hpp"

namespace zabfs::daemon::admin {

struct StateTransferOptions {
  bool gives_snapshots{};
  bool takes_restores{};
  std::int64_t interval_ms{300'000};  // between two of a kind
};

class StateTransfer {
 public:
  explicit StateTransfer(const StateTransferOptions& options) : options_(options) {}

  // The command of that name, or nullopt if it is none of the two.
  enum class Command { snapshot, restore };
  static std::optional<Command> find(std::string_view name);

  // How many bytes the body may have, or the refusal. To be asked once, with the head of the
  // request; what is admitted counts as done.
  std::variant<std::uint64_t, HttpReply> admit(Command command, const HttpRequest& head,
                                               const Subject& subject);

  // Does what was admitted. A snapshot is answered once it is on the disk, a restore once the whole
  // ensemble has the state for good: 400 if the body is no snapshot, 503 if nothing came of it.
  static void answer(Command command, const HttpRequest& request, Subject& subject,
                     HttpServer::Respond respond);

 private:
  StateTransferOptions options_;
  std::optional<std::int64_t> given_ms_{};  // the last of each
  std::optional<std::int64_t> taken_ms_{};
};

}  // namespace zabfs::daemon::admin
