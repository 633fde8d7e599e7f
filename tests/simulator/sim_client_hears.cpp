// What a simulated client makes of what it hears.
#include <algorithm>
#include <utility>

#include "tests/simulator/sim_client.hpp"

namespace zabfs::test {

using namespace replication;
using namespace replication::protocol;

void SimClient::listen() {
  for (const Heard& heard : wire_.hear()) {
    heard_ = world_.now();
    if (const auto* greeting = std::get_if<ConnectResponse>(&heard)) {
      on_greeting(*greeting);
    } else if (const auto* reply = std::get_if<Reply>(&heard)) {
      on_reply(*reply);
    } else if (const auto* notice = std::get_if<Notice>(&heard)) {
      on_notice(*notice);
    } else {
      on_closed();
    }
  }
}

void SimClient::on_greeting(const ConnectResponse& response) {
  if (response.session_id == 0) {
    world_.note("client ", index_, " is told that its session is over");
    checkers_.sessions.on_refused({session_.session_id}, world_.now());
    forget_session();
    move_on();
    return;
  }
  const bool is_new = session_.session_id == 0;
  session_ = response;
  is_greeted_ = true;
  world_.note("client ", index_, is_new ? " opened session " : " is back in session ", std::hex,
              session_.session_id, std::dec, " at server ", server_);
  is_set_up_ = is_set_up_ && checkers_.restorations.count() == 0;  // or else it may be undone
  const SessionId session{session_.session_id};
  if (is_new) {
    checkers_.sessions.on_opened(session, session_.timeout_ms);
  }
  checkers_.sessions.on_welcomed(session, connected_);
  ask_watches_again();
}

void SimClient::on_closed() {
  if (wire_.is_open()) {
    return;
  }
  world_.note("client ", index_, " has no connection any more");
  is_greeted_ = false;
  is_reading_everything_ = false;
  is_setting_up_ = false;
  synced_floor_ = {};
  asked_.clear();
  pings_.clear();
  persistent_.on_connection_lost();
  if (std::exchange(is_closing_, false)) {
    forget_session();
  }
}

void SimClient::forget_session() {
  session_ = {};
  has_lock_ = false;
  watched_.clear();
  persistent_.forget();
}

void SimClient::see(Zxid zxid) {
  if (zxid < seen_) {
    findings_.add("SessionFifo", "client ", index_, " is answered at ", zxid, " by server ",
                  server_, " after it had seen ", seen_);
  }
  if (!checkers_.prefix.is_delivered(zxid)) {
    findings_.add("Integrity", "client ", index_, " is told of ", zxid,
                  ", which nobody has delivered");
  }
  seen_ = std::max(seen_, zxid);
}

void SimClient::on_reply(const Reply& reply) {
  ++replies_;
  world_.note("client ", index_, " is answered ", reply.op, " at ",
              Zxid::from_wire(reply.header.zxid), ", error ", reply.header.error);
  see(Zxid::from_wire(reply.header.zxid));
  const SessionId session{session_.session_id};
  if (reply.op == static_cast<std::int32_t>(OpCode::ping)) {
    if (!pings_.empty()) {
      checkers_.sessions.on_answered(session, pings_.front());
      pings_.pop_front();
    }
    return;
  }
  if (asked_.empty()) {
    return;
  }
  const Asked asked = std::move(asked_.front());
  asked_.pop_front();
  const Zxid at = Zxid::from_wire(reply.header.zxid);
  if (reply.header.error != 0) {
    on_error(asked, reply);
  } else if (reply.body) {
    checkers_.sessions.on_answered(session, asked.sent);
    on_success(asked, at, *reply.body);
  }
  if (asked_.empty()) {
    is_set_up_ = is_set_up_ || is_setting_up_;
    has_rested_ = has_rested_ || is_reading_everything_;
  }
}

// Requests that are well-formed fail only for what others did meanwhile, or because the session is
// over or elsewhere.
void SimClient::on_error(const Asked& asked, const Reply& reply) {
  const ErrorCode error{reply.header.error};
  switch (error) {
    case ErrorCode::session_expired:
    case ErrorCode::session_moved:
      move_on();
      return;
    case ErrorCode::bad_version:
    case ErrorCode::no_node:
    case ErrorCode::node_exists:
      checkers_.real_time.on_synced_read(
          index_, Zxid::from_wire(reply.header.zxid),
          is_write(op_of(asked.request)) ? asked.floor : asked.synced_floor);
      return;
    case ErrorCode::no_watcher:
      on_no_watcher(asked.request);
      return;
    default:
      findings_.add("SessionFifo", "client ", index_, " is answered ", error, " to operation ",
                    reply.op);
  }
}

void SimClient::on_success(const Asked& asked, Zxid at, const Response& response) {
  if (const auto* get = std::get_if<GetDataRequest>(&asked.request)) {
    on_data(asked, at, *get, std::get<GetDataResponse>(response));
  } else if (std::holds_alternative<MultiRequest>(asked.request)) {
    on_multi(asked, at, std::get<MultiResponse>(response));
  } else if (is_write(op_of(asked.request))) {
    on_written(asked, at, response);
  } else {
    checkers_.real_time.on_synced_read(index_, at, asked.synced_floor);
    on_watching(asked.request, at);
  }
}

void SimClient::on_written(const Asked& asked, Zxid at, const Response& response) {
  ++writes_;
  checkers_.real_time.on_write(index_, at, asked.floor);
  if (const auto* create = std::get_if<CreateRequest>(&asked.request)) {
    on_created(asked, at, create->flags, std::get<PathResponse>(response).path);
  } else if (const auto* create2 = std::get_if<Create2Request>(&asked.request)) {
    const auto& [path, stat] = std::get<PathStatResponse>(response);
    on_created(asked, at, create2->flags, path);
    if (stat.czxid != at.wire()) {
      findings_.add("Linearizability", path, " was created at ", at, " but its czxid is ",
                    Zxid::from_wire(stat.czxid));
    }
  } else if (std::holds_alternative<CreateTtlRequest>(asked.request)) {
    on_created(asked, at, 0, std::get<PathStatResponse>(response).path);
  } else if (const auto* set = std::get_if<SetDataRequest>(&asked.request)) {
    const Stat& stat = std::get<StatResponse>(response).stat;
    checkers_.registers.on_version(set->path, Zxid::from_wire(stat.mzxid), stat.version, set->data);
    if (stat.mzxid != at.wire()) {
      findings_.add("Linearizability", set->path, " was set at ", at, " but its mzxid is ",
                    Zxid::from_wire(stat.mzxid));
    }
  }
}

void SimClient::on_created(const Asked& asked, Zxid at, std::int32_t flags,
                           const std::string& path) {
  const SessionId session{session_.session_id};
  checkers_.znodes.on_created(path, at, (flags & 1) != 0 ? session : SessionId{});
  if ((flags & 2) != 0) {
    checkers_.znodes.on_sequential(path, at);
  }
  if (asked.takes_lock) {
    has_lock_ = true;
    lock_taken_ = at;
    checkers_.sessions.on_lock_taken(session, at);
  }
}

// A failed one changes nothing and has no zxid of its own.
void SimClient::on_multi(const Asked& asked, Zxid at, const MultiResponse& response) {
  const auto& operations = std::get<MultiRequest>(asked.request).operations;
  if (response.results.size() != operations.size()) {
    findings_.add("SessionFifo", "client ", index_, " asked for a multi of ", operations.size(),
                  " and hears of ", response.results.size());
    return;
  }
  if (std::holds_alternative<MultiError>(response.results.front().body)) {
    checkers_.real_time.on_synced_read(index_, at, asked.floor);
    return;
  }
  ++writes_;
  checkers_.real_time.on_write(index_, at, asked.floor);
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const auto& result = response.results[i].body;
    if (const auto* set = std::get_if<SetDataRequest>(&operations[i])) {
      const Stat& stat = std::get<StatResponse>(result).stat;
      checkers_.registers.on_version(set->path, Zxid::from_wire(stat.mzxid), stat.version,
                                     set->data);
    } else if (const auto* create = std::get_if<CreateRequest>(&operations[i])) {
      on_created(asked, at, create->flags, std::get<PathResponse>(result).path);
    } else if (std::holds_alternative<CreateContainerRequest>(operations[i])) {
      on_created(asked, at, 0, std::get<PathStatResponse>(result).path);
    }
  }
}

// A request about watches was answered.
void SimClient::on_watching(const Request& request, Zxid at) {
  if (const auto* add = std::get_if<AddWatchRequest>(&request)) {
    persistent_.on_set(add->path, at);
  } else if (const auto* remove = std::get_if<RemoveWatchesRequest>(&request)) {
    watched_.erase(remove->path);
    persistent_.on_removed(remove->path);
  } else if (const auto* again = std::get_if<SetWatches2Request>(&request)) {
    for (const auto* paths : {&again->persistent, &again->persistent_recursive}) {
      for (const std::string& path : **paths) {
        persistent_.on_set(path, at);
      }
    }
  }
}

void SimClient::on_no_watcher(const Request& request) {
  const auto* remove = std::get_if<RemoveWatchesRequest>(&request);
  if (remove == nullptr || persistent_.has(remove->path) || watched_.contains(remove->path)) {
    findings_.add("WatchOrder", "client ", index_, " is told that it does not watch what it does");
  }
}

void SimClient::on_data(const Asked& asked, Zxid at, const GetDataRequest& request,
                        const GetDataResponse& response) {
  const Zxid made_by = Zxid::from_wire(response.stat.mzxid);
  checkers_.real_time.on_synced_read(index_, at, asked.synced_floor);
  checkers_.registers.on_version(request.path, made_by, response.stat.version, response.data);
  checkers_.registers.on_read(request.path, at, made_by);
  persistent_.on_read(request.path, response.stat);
  const auto watched = watched_.find(request.path);
  if (watched != watched_.end() && watched->second != made_by) {
    findings_.add("WatchOrder", "client ", index_, " is shown ", request.path, " of ", made_by,
                  " and has not been told that ", watched->second, " was overwritten");
    watched_.erase(watched);
  }
  if (request.watch) {
    watched_[request.path] = made_by;
  }
}

void SimClient::on_notice(const Notice& notice) {
  const bool was_watched = watched_.erase(notice.event.path) > 0;
  persistent_.on_event(notice.event.path, Zxid::from_wire(notice.header.zxid), was_watched);
}

}  // namespace zabfs::test
