#include "fusefs/creation.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>

#include "replication/model/create_mode.hpp"
#include "replication/model/limits.hpp"
#include "replication/model/path.hpp"

namespace zabfs::fusefs {

using client::SessionState;
using inodes::DataKind;
using replication::CreateMode;
using replication::ErrorCode;
using replication::SessionId;
using replication::limits::change_attempts_max;
using replication::protocol::Create2Request;
using replication::protocol::CreateContainerRequest;
using replication::protocol::CreateTtlRequest;
using replication::protocol::DeleteRequest;
using replication::protocol::EmptyResponse;
using replication::protocol::ExistsRequest;
using replication::protocol::GetChildren2Request;
using replication::protocol::GetChildren2Response;
using replication::protocol::PathStatResponse;
using replication::protocol::Request;
using replication::protocol::StatResponse;

namespace {

constexpr std::size_t sequence_digits = 10;

Request request_for(CreationPlan plan) {
  if (plan.creation.container) {
    return CreateContainerRequest{.path = std::move(plan.path),
                                  .data = std::move(plan.data),
                                  .acl = replication::open_acl(),
                                  .flags = replication::container_flags};
  }
  if (plan.creation.ttl_ms != 0) {
    return CreateTtlRequest{.path = std::move(plan.path),
                            .data = std::move(plan.data),
                            .acl = replication::open_acl(),
                            .flags = replication::ttl_flags,
                            .ttl_ms = plan.creation.ttl_ms};
  }
  const CreateMode mode{.ephemeral = plan.creation.ephemeral,
                        .sequential = plan.creation.sequential};
  return Create2Request{.path = std::move(plan.path),
                        .data = std::move(plan.data),
                        .acl = replication::open_acl(),
                        .flags = mode.flags()};
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// True if `name` is `stem` with the digits of a sequential znode behind it.
bool is_sequel(std::string_view name, std::string_view stem) {
  return name.size() == stem.size() + sequence_digits && name.starts_with(stem) &&
         std::ranges::all_of(name.substr(stem.size()), is_digit);
}

}  // namespace

bool Creator::is_over(SessionId session) const {
  const auto& client = ensemble_.client();
  return client.session() != session || client.state() == SessionState::expired ||
         client.state() == SessionState::refused || client.state() == SessionState::closed;
}

Task<Outcome<Born>> Creator::make(Operation& operation, CreationPlan plan) {
  if (!plan.creation.held) {
    co_return co_await ask(operation, std::move(plan));
  }
  auto attempt = begin(std::move(plan));
  co_return co_await end(operation, std::move(attempt));
}

std::shared_ptr<Creator::Attempt> Creator::begin(CreationPlan plan) {
  const auto attempt = std::make_shared<Attempt>();
  attempt->plan = std::move(plan);
  carry_out(attempt);
  return attempt;
}

Task<Outcome<Born>> Creator::end(Operation& operation, std::shared_ptr<Attempt> attempt) {
  if (!attempt->outcome) {
    Wake wake(operation);
    attempt->waiting = &wake;
    const auto woken = co_await wake;
    attempt->waiting = nullptr;
    if (!woken) {
      attempt->is_abandoned = true;
      co_return woken.error();
    }
  }
  co_return *attempt->outcome;
}

Task<Outcome<Born>> Creator::ask(Operation& operation, CreationPlan plan) {
  const DataKind kind = plan.data ? DataKind::present : DataKind::null;
  Ask<PathStatResponse> question(ensemble_, operation, request_for(std::move(plan)));
  auto created = co_await question;
  if (!created) {
    co_return created.error();
  }
  answered(created->path);
  co_return Born{.path = std::move(created->path), .node = {.stat = created->stat, .data = kind}};
}

void Creator::answered(const std::string& path) {
  if (ledger_ != nullptr && !attempts_.empty()) {
    ledger_->add(continuity::CreatedMeanwhile{path});
  }
  for (Attempt* attempt : attempts_) {
    attempt->others.insert(path);
  }
}

Detached Creator::carry_out(std::shared_ptr<Attempt> attempt) {
  Operation operation(operations_, {.request = attempt.get()});
  operation.change_unseen();
  attempt->session = ensemble_.client().session();
  attempt->since = ensemble_.client().last_zxid().wire();
  attempt->number = ++last_attempt_;
  attempts_.insert(attempt.get());
  if (ledger_ != nullptr) {
    ledger_->write(continuity::CreationBegun{.number = attempt->number,
                                             .path = attempt->plan.path,
                                             .is_sequential = attempt->plan.creation.sequential,
                                             .session = attempt->session.value,
                                             .since = attempt->since});
  }
  CreationPlan plan = attempt->plan;
  const auto born = co_await ask(operation, std::move(plan));
  if (!born && born.error().code == ErrorCode::connection_loss) {
    co_await remove_ghost(operation, attempt);
  }
  attempts_.erase(attempt.get());
  if (ledger_ != nullptr) {
    if (born) {
      ledger_->add(continuity::ZnodeHeld{.path = born->path,
                                         .czxid = born->node.stat.czxid,
                                         .session = born->node.stat.ephemeral_owner});
    }
    ledger_->add(continuity::CreationEnded{attempt->number});
  }
  if (!attempt->is_abandoned) {
    attempt->outcome = born;
    if (attempt->waiting != nullptr) {
      attempt->waiting->ring();
    }
  } else if (born) {
    co_await let_go(operation, born->path, born->node.stat.czxid);
  }
}

Task<Outcome<std::vector<std::string>>> Creator::possible_ghosts(Operation& operation,
                                                                 std::string path,
                                                                 bool is_sequential) {
  std::vector<std::string> paths;
  if (!is_sequential) {
    paths.push_back(std::move(path));
    co_return paths;
  }
  const std::string parent(replication::parent_of(path));
  const std::string_view stem = replication::name_of_path(path);
  Ask<GetChildren2Response> question(ensemble_, operation, GetChildren2Request{.path = parent});
  const auto found = co_await question;
  if (!found) {
    co_return found.error();
  }
  for (const auto& name : found->children) {
    if (is_sequel(name, stem)) {
      paths.push_back(path.substr(0, path.size() - stem.size()) + name);
    }
  }
  co_return paths;
}

Task<Outcome<Done>> Creator::remove_ghost(Operation& operation, std::shared_ptr<Attempt> attempt) {
  for (int tries = 0; tries < change_attempts_max && !is_over(attempt->session); ++tries) {
    std::string path = attempt->plan.path;
    const auto paths =
        co_await possible_ghosts(operation, std::move(path), attempt->plan.creation.sequential);
    std::optional<Failure> failure;
    if (!paths) {
      failure = paths.error();
    }
    for (std::size_t i = 0; paths && !failure && i < paths->size(); ++i) {
      Ask<StatResponse> question(ensemble_, operation, ExistsRequest{.path = (*paths)[i]});
      const auto found = co_await question;
      if (!found && found.error().code != ErrorCode::no_node) {
        failure = found.error();
      } else if (found && found->stat.ephemeral_owner == attempt->session.value &&
                 found->stat.czxid > attempt->since && !attempt->others.contains((*paths)[i])) {
        take_over_ghost(*attempt, (*paths)[i], found->stat);
        co_return co_await let_go(operation, (*paths)[i], found->stat.czxid);
      }
    }
    if (!failure) {
      co_return Done{};
    }
    if (!is_passing(*failure)) {
      co_return *failure;
    }
  }
  co_return Done{};
}

// From now on no other attempt takes it for its own, nor does a successor of this process look for
// it: to him it is a znode that is held by nobody.
void Creator::take_over_ghost(const Attempt& attempt, const std::string& path,
                              const replication::Stat& stat) {
  answered(path);
  if (ledger_ != nullptr) {
    ledger_->add(continuity::ZnodeHeld{
        .path = path, .czxid = stat.czxid, .session = stat.ephemeral_owner});
    ledger_->write(continuity::CreationEnded{attempt.number});
  }
}

Task<Outcome<Done>> Creator::let_go(Operation& operation, std::string path, std::int64_t czxid) {
  std::string deleted = path;
  const auto done = co_await delete_held(operation, std::move(deleted), czxid);
  if (done) {
    is_gone(path);
  }
  co_return done;
}

Task<Outcome<Done>> Creator::delete_held(Operation& operation, std::string path,
                                         std::int64_t czxid) {
  const SessionId session = ensemble_.client().session();
  for (int tries = 0; tries < change_attempts_max && !is_over(session); ++tries) {
    Ask<StatResponse> question(ensemble_, operation, ExistsRequest{.path = path});
    const auto found = co_await question;
    if (!found && !is_passing(found.error())) {
      const bool is_gone = found.error().code == ErrorCode::no_node;
      co_return is_gone ? Outcome<Done>(Done{}) : found.error();
    }
    if (!found) {
      continue;
    }
    if (found->stat.czxid != czxid) {
      co_return Done{};  // Another znode has the name now.
    }
    Ask<EmptyResponse> deletion(ensemble_, operation,
                                DeleteRequest{.path = path, .version = found->stat.version});
    const auto deleted = co_await deletion;
    const bool is_worth_a_try =
        !deleted && (is_passing(deleted.error()) || deleted.error().code == ErrorCode::bad_version);
    if (!is_worth_a_try) {
      co_return deleted ? Outcome<Done>(Done{}) : deleted.error();
    }
  }
  co_return Done{};
}

}  // namespace zabfs::fusefs
