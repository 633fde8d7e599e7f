#include "fusefs/client/session.hpp"

#include <algorithm>
#include <utility>

#include "fusefs/client/limits.hpp"
#include "replication/model/limits.hpp"
#include "replication/protocol/codec.hpp"
#include "replication/protocol/frame.hpp"

namespace zabfs::fusefs::client {
namespace {

namespace limits = replication::limits;
using replication::Bytes;
using replication::ByteView;
using replication::ErrorCode;
using replication::Result;
using replication::Zxid;
using replication::protocol::OpCode;
using replication::protocol::Request;

// True if the client itself makes requests of this kind, and nobody else may.
bool is_own(OpCode op) {
  return op == OpCode::ping || op == OpCode::set_watches || op == OpCode::set_watches2 ||
         op == OpCode::close_session || op == OpCode::auth;
}

// True if the path could be watched by a request but not be given to the next server.
bool has_too_long_a_watch(const Request& request) {
  const auto* path = watched_path(request);
  return path != nullptr &&
         path->size() > limits::client_frame_bytes_max - limits::set_watches_slack_bytes;
}

// True if what begins with `rest` is an event, as far as can be said.
bool may_be_event(ByteView rest) {
  constexpr std::size_t xid_end = replication::protocol::frame_header_bytes + sizeof(std::int32_t);
  constexpr std::uint8_t byte_of_event_xid = 0xff;
  static_assert(replication::protocol::xid::notification == -1);
  const auto xid = rest.first(std::min(rest.size(), xid_end));
  return !rest.empty() &&
         std::ranges::all_of(
             xid.subspan(std::min(xid.size(), replication::protocol::frame_header_bytes)),
             [](std::uint8_t byte) { return byte == byte_of_event_xid; });
}

bool is_known(std::int32_t event_type) {
  using replication::protocol::EventType;
  return event_type >= static_cast<std::int32_t>(EventType::created) &&
         event_type <= static_cast<std::int32_t>(EventType::children_changed);
}

}  // namespace

Session::Session(ConnectString servers, std::int32_t timeout_ms, std::uint64_t seed,
                 Credentials credentials)
    : chroot_(std::move(servers.chroot)),
      order_(std::move(servers.endpoints), seed),
      credentials_(std::move(credentials)),
      asked_timeout_ms_(timeout_ms),
      timeout_ms_(timeout_ms) {}

void Session::resume(SessionIdentity identity) {
  id_ = identity.session;
  password_ = std::move(identity.password);
  last_zxid_ = identity.last_zxid;
}

// --- the user's calls ---

RequestId Session::submit(Request request, ReplyCallback callback, std::int64_t now_ms,
                          bool is_patient) {
  PendingRequest pending{.id = {++last_request_id_},
                         .submitted_ms = now_ms,
                         .request = std::move(request),
                         .callback = std::move(callback),
                         .is_patient = is_patient};
  const auto id = pending.id;
  if (is_closing_ || link_ == Link::none) {
    answer(pending, ErrorCode::session_expired);
  } else if (queue_.size() >= limits::client_requests_queued_max) {
    answer(pending, ErrorCode::throttled_op);
  } else if (is_own(pending.op())) {
    answer(pending, ErrorCode::bad_arguments);
  } else {
    chroot_.add_to(pending.request);
    queue_.push(std::move(pending));
  }
  return id;
}

void Session::forget(RequestId id) {
  if (!queue_.forget(id)) {
    deliveries_.forget(id);
  }
}

void Session::keep_watches(const std::function<bool(std::string_view)>& is_needed) {
  watches_.keep([&](const std::string& path) {
    std::string stripped = path;
    chroot_.strip_from(stripped);
    return is_needed(stripped);
  });
}

void Session::close(std::function<void()> done, std::int64_t now_ms) {
  if (link_ == Link::none) {
    deliveries_.push(std::move(done));
    return;
  }
  closed_callbacks_.push_back(std::move(done));
  if (is_closing_) {
    return;
  }
  is_closing_ = true;
  close_by_ms_ = now_ms + limits::client_close_ms_max;
  if (id_.value == 0) {
    end(SessionState::closed);
    return;
  }
  queue_.push({.id = {++last_request_id_},
               .submitted_ms = now_ms,
               .request = replication::protocol::CloseSessionRequest{}});
}

std::string Session::server() const {
  return link_ == Link::attached ? to_string(order_.current()) : std::string{};
}

// --- the connection ---

std::uint64_t Session::attempt() const { return is_linked() ? attempts_ : 0; }

void Session::dial(std::int64_t now_ms) {
  order_.advance();
  ++attempts_;
  link_ = Link::dialing;
  link_since_ms_ = now_ms;
}

void Session::connected(std::int64_t now_ms) {
  link_ = Link::greeting;
  link_since_ms_ = now_ms;
  inbox_.clear();
  append_frame(urgent_, replication::protocol::ConnectRequest{
                            .last_zxid_seen = last_zxid_.wire(),
                            .timeout_ms = asked_timeout_ms_,
                            .session_id = id_.value,
                            .password = password_.empty() ? Bytes(limits::session_password_bytes)
                                                          : password_});
}

void Session::disconnected(std::int64_t now_ms) { lose_connection(now_ms); }

void Session::lose_connection(std::int64_t now_ms) {
  link_ = Link::waiting;
  link_since_ms_ = now_ms + order_.delay_ms();
  deliveries_.await_notice(false);
  urgent_.clear();
  ping_is_due_ = false;
  pings_unanswered_ = 0;
  auths_unanswered_ = 0;
  set_watches_unanswered_ = 0;
  announce(SessionState::connecting);
  for (auto& request : queue_.connection_lost()) {
    answer(request, ErrorCode::connection_loss);
  }
}

// The next reply can not be read, now or ever again.
void Session::give_up_unread_reply(std::int64_t now_ms) {
  if (const auto* request = queue_.first_sent(); request != nullptr && request->is_repeatable()) {
    auto taken = queue_.take_first_sent();
    answer(taken, ErrorCode::marshalling_error);
  }
  lose_connection(now_ms);
}

void Session::received(ByteView bytes, std::int64_t now_ms) {
  last_received_ms_ = now_ms;
  const auto kept = [this](ByteView stream, std::size_t consumed) {
    return is_linked() ? stream.subspan(consumed) : ByteView{};
  };
  if (inbox_.empty()) {
    const auto rest = kept(bytes, consume_frames(bytes, now_ms));
    inbox_.assign(rest.begin(), rest.end());
  } else {
    inbox_.insert(inbox_.end(), bytes.begin(), bytes.end());
    const auto rest = kept(inbox_, consume_frames(inbox_, now_ms));
    inbox_.erase(inbox_.begin(), inbox_.end() - static_cast<std::ptrdiff_t>(rest.size()));
  }
  deliveries_.await_notice(may_be_event(inbox_));
}

// The number of bytes that were whole frames. Stops where the connection is given up.
std::size_t Session::consume_frames(ByteView bytes, std::int64_t now_ms) {
  std::size_t consumed = 0;
  while (is_linked()) {
    const auto split =
        replication::protocol::split_frame(bytes.subspan(consumed), limits::reply_frame_bytes_max);
    using State = replication::protocol::FrameSplit::State;
    if (split.state == State::incomplete) {
      break;
    }
    if (split.state == State::too_long) {
      give_up_unread_reply(now_ms);
      break;
    }
    consumed += split.consumed;
    on_frame(split.payload, now_ms);
  }
  return consumed;
}

void Session::on_frame(ByteView payload, std::int64_t now_ms) {
  if (link_ == Link::greeting) {
    on_handshake(payload, now_ms);
  } else if (!on_reply(payload)) {
    lose_connection(now_ms);
  }
}

void Session::on_handshake(ByteView payload, std::int64_t now_ms) {
  const auto response = replication::protocol::decode_connect_response(payload);
  const bool is_new = id_.value == 0;
  if (!response) {
    lose_connection(now_ms);
  } else if (!is_new && (response->timeout_ms <= 0 || response->session_id != id_.value)) {
    // Java and kazoo look at the timeout, the C client at the id.
    end(is_closing_ ? SessionState::closed : SessionState::expired);
  } else if (response->timeout_ms <= 0 || response->session_id == 0 ||
             response->password.size() != limits::session_password_bytes) {
    lose_connection(now_ms);
  } else {
    attach(*response, now_ms);
  }
}

void Session::attach(const replication::protocol::ConnectResponse& response, std::int64_t now_ms) {
  id_ = {response.session_id};
  password_ = response.password;
  timeout_ms_ = response.timeout_ms;
  order_.succeeded();
  link_ = Link::attached;
  link_since_ms_ = now_ms;
  for (const auto& credential : credentials_) {
    const auto secret = replication::bytes_of(credential.secret);
    append_request(
        urgent_, replication::protocol::xid::auth,
        replication::protocol::AuthRequest{.scheme = credential.scheme,
                                           .credentials = Bytes(secret.begin(), secret.end())});
    ++auths_unanswered_;
  }
  for (auto& batch : watches_.batches(last_zxid_.wire())) {
    append_request(urgent_, replication::protocol::xid::set_watches, std::move(batch));
    ++set_watches_unanswered_;
  }
  announce_if_ready();
}

void Session::announce_if_ready() {
  if (auths_unanswered_ == 0 && set_watches_unanswered_ == 0) {
    has_been_connected_ = true;
    announce(SessionState::connected);
  }
}

// --- replies ---

// False if it makes no sense.
bool Session::on_reply(ByteView payload) {
  const auto split = replication::protocol::split_reply(payload);
  if (!split) {
    return false;
  }
  switch (split->header.xid) {
    case replication::protocol::xid::notification:
      return on_event(split->body, split->header.zxid);
    case replication::protocol::xid::ping:
      return on_pong();
    case replication::protocol::xid::auth:
      return on_authenticated(split->header);
    case replication::protocol::xid::set_watches:
      return on_watches_set(split->header);
    default:
      return on_answer(split->header, split->body);
  }
}

bool Session::on_pong() {
  if (pings_unanswered_ == 0) {
    return false;
  }
  --pings_unanswered_;
  return true;
}

bool Session::on_authenticated(const replication::protocol::ReplyHeader& header) {
  if (auths_unanswered_ == 0) {
    return false;
  }
  if (ErrorCode{header.error} != ErrorCode::ok) {
    if (!has_been_connected_ && !is_closing_) {
      end(SessionState::refused);
      return true;
    }
    return false;
  }
  --auths_unanswered_;
  announce_if_ready();
  return true;
}

bool Session::on_event(ByteView body, std::int64_t zxid) {
  auto event = replication::protocol::decode_event(body);
  if (!event || !is_known(event->type)) {
    return false;
  }
  const auto type = static_cast<replication::protocol::EventType>(event->type);
  if (watches_.fire(type, event->path)) {
    chroot_.strip_from(event->path);
    deliveries_.push(
        WatchNotice{.type = type,
                    .path = std::move(event->path),
                    .zxid = zxid > 0 ? std::optional{Zxid::from_wire(zxid)} : std::nullopt});
  }
  return true;
}

// The zxid of this reply is not remembered: of several batches the later ones may still have to
// report changes before it.
bool Session::on_watches_set(const replication::protocol::ReplyHeader& header) {
  if (set_watches_unanswered_ == 0 || ErrorCode{header.error} != ErrorCode::ok) {
    return false;
  }
  --set_watches_unanswered_;
  announce_if_ready();
  return true;
}

bool Session::on_answer(const replication::protocol::ReplyHeader& header, ByteView body) {
  const auto* first = queue_.first_sent();
  if (first == nullptr || first->xid != header.xid || set_watches_unanswered_ > 0 ||
      auths_unanswered_ > 0) {
    return false;
  }
  auto request = queue_.take_first_sent();
  if (request.op() == OpCode::close_session) {
    end(SessionState::closed);
    return true;
  }
  const auto zxid = Zxid::from_wire(std::max(header.zxid, std::int64_t{0}));
  last_zxid_ = std::max(last_zxid_, zxid);
  const ErrorCode error{header.error};
  if (error != ErrorCode::ok) {
    watches_.record(request.request, error);
    answer(request, error);
    return true;
  }
  auto response = replication::protocol::decode_response(request.op(), body);
  if (!response) {
    answer(request,
           request.is_repeatable() ? ErrorCode::marshalling_error : ErrorCode::connection_loss);
    return false;
  }
  watches_.record(request.request, ErrorCode::ok);
  chroot_.strip_from(*response);
  answer(request, Reply{.body = std::move(*response), .zxid = zxid});
  return true;
}

// --- output ---

void Session::append_output(Bytes& out, std::int64_t now_ms) {
  const auto before = out.size();
  if (ping_is_due_) {
    append_request(urgent_, replication::protocol::xid::ping, replication::protocol::PingRequest{});
    ++pings_unanswered_;
    ping_is_due_ = false;
  }
  out.insert(out.end(), urgent_.begin(), urgent_.end());
  urgent_.clear();
  if (link_ == Link::attached && queue_.is_due()) {
    append_requests(out);
  }
  if (out.size() > before) {
    last_sent_ms_ = now_ms;
  }
}

void Session::append_requests(Bytes& out) {
  while (out.size() < limits::client_send_batch_bytes) {
    const auto* request = queue_.first_unsent();
    if (request == nullptr) {
      return;
    }
    const auto start = out.size();
    const auto xid = last_xid_ = xid_after(last_xid_);
    append_request(out, xid, request->request);
    const auto payload = out.size() - start - replication::protocol::frame_header_bytes;
    if (payload > limits::client_frame_bytes_max || has_too_long_a_watch(request->request)) {
      out.resize(start);
      auto refused = queue_.take_first_unsent();
      answer(refused, ErrorCode::bad_arguments);
    } else {
      queue_.mark_first_unsent_as_sent(xid);
    }
  }
}

// --- ends ---

void Session::answer(PendingRequest& request, Result<Reply> result) {
  if (request.callback) {
    deliveries_.push(DeliveryQueue::Answer{
        .id = request.id, .callback = std::move(request.callback), .result = std::move(result)});
  }
}

void Session::announce(SessionState state) {
  if (state_ != state) {
    state_ = state;
    deliveries_.push(state);
  }
}

// For ever: nothing is sent, and nothing that waits will be answered by a server.
void Session::end(SessionState state) {
  link_ = Link::none;
  deliveries_.await_notice(false);
  urgent_.clear();
  ping_is_due_ = false;
  announce(state);
  for (auto& request : queue_.connection_lost()) {
    answer(request, ErrorCode::connection_loss);
  }
  for (auto& request : queue_.take_all()) {
    answer(request, ErrorCode::session_expired);
  }
  for (auto& done : std::exchange(closed_callbacks_, {})) {
    deliveries_.push(std::move(done));
  }
}

}  // namespace zabfs::fusefs::client
