// An ensemble in memory behind the client's interface: what is submitted takes effect at once and
// in order, and is answered when the test says so.
//
//   FakeEnsemble ensemble;
//   ensemble.hold("/slow");            // what is asked about it is not answered until release()
//   ...                                // submit requests
//   ensemble.deliver();                // calls back, in the order of the requests
//
// Nodes behave as ZooKeeper's: versions, parents, ephemerals without children, all-or-nothing
// transactions. A watch fires once; its event is delivered in front of the replies that are as new
// as the change, held or not. There are no access checks.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "fusefs/client/client.hpp"

namespace zabfs::test {

class FakeEnsemble : public fusefs::client::Client {
 public:
  struct Znode {
    replication::Data data{};
    replication::Stat stat{};
    replication::Acl acl{};
    int creates{};  // children ever created
    bool is_container{};
    std::int64_t ttl_ms{};  // 0 is none; nothing is ever removed for it
  };

  FakeEnsemble();

  fusefs::client::RequestId submit(replication::protocol::Request request,
                                   fusefs::client::ReplyCallback callback) override;
  void forget(fusefs::client::RequestId id) override;
  void on_event(fusefs::client::EventCallback callback) override {
    on_event_ = std::move(callback);
  }
  void on_state(std::function<void(fusefs::client::SessionState)> callback) override {
    on_state_ = std::move(callback);
  }
  fusefs::client::SessionState state() const override { return state_; }
  replication::SessionId session() const override { return session_; }
  std::int32_t timeout_ms() const override { return 10'000; }
  std::string server() const override { return "fake:2181"; }
  std::int64_t silence_ms() const override { return 0; }
  const std::string& chroot() const override { return chroot_; }
  std::size_t watches() const override {
    return watches_.node.size() + watches_.children.size() + watches_.standing.size() +
           watches_.subtrees.size();
  }
  void keep_watches(const std::function<bool(std::string_view)>& is_needed) override;
  replication::Zxid last_zxid() const override { return {zxid_}; }
  void close(std::function<void()> done) override { done(); }

  // Calls back until nothing is left to answer, except what is held.
  void deliver();

  // The connection is lost and had again: all watches are gone, as from a client that does not set
  // them again; what was asked before is answered after.
  void lose_connection();

  // The connection is lost until reconnect(), which sets all watches again. Missed changes are
  // reported for one-shot watches, not for those that stay.
  void disconnect();
  void reconnect();

  // As Apache ZooKeeper before 3.9: events carry no zxid.
  void hide_zxids() { hides_zxids_ = true; }
  // As before 3.6: there is no addWatch.
  void refuse_standing_watches() { has_standing_watches_ = false; }

  // The connection is lost before what is held was answered: reads of it are asked again, writes
  // fail with connection_loss. Both come last.
  void lose_answers();

  // The session ends, with its ephemeral znodes, and another begins.
  void expire_session();

  void hold(const std::string& path) { held_.insert(path); }
  void release() { held_.clear(); }

  // From now on every request fails with `code`, without effect; ok ends that.
  void fail(replication::ErrorCode code) { failure_ = code; }
  void set_state(fusefs::client::SessionState state) { state_ = state; }

  // What chroot() says. Paths are those that the client is asked about, with or without two
  // slashes.
  void set_chroot(const std::string& path) { chroot_ = path; }

  // What another client does, at once.
  void create(const std::string& path, replication::Data data, std::int64_t owner = 0);
  void set(const std::string& path, const std::string& text);
  void remove(const std::string& path);
  void set_acl(const std::string& path, replication::Acl acl);

  // Before the next request of that kind: another client comes first.
  void before_next_write(std::function<void()> action) { before_write_ = std::move(action); }

  // The znode, or nullptr.
  const Znode* find(const std::string& path) const;
  // Its data as text; "(none)" if there is no znode, "(null)" if there are no data.
  std::string text(const std::string& path) const;

  std::size_t request_count() const { return request_count_; }
  std::size_t unanswered() const { return waiting_.size(); }

 private:
  using Tree = std::map<std::string, Znode>;
  using Outcome = replication::Result<replication::protocol::Response>;

  // A reply, or an event.
  struct Waiting {
    fusefs::client::RequestId id{};
    std::optional<replication::protocol::Request> read{};  // asked again on another connection
    std::string path{};
    replication::Result<fusefs::client::Reply> reply;
    fusefs::client::ReplyCallback callback{};
    std::optional<fusefs::client::WatchNotice> event{};
  };

  struct Watches {
    std::set<std::string> node{};  // exists and getData
    std::set<std::string> children{};
    std::set<std::string> standing{};
    std::set<std::string> subtrees{};
  };

  Outcome apply(const replication::protocol::CreateRequest& request);
  Outcome apply(const replication::protocol::Create2Request& request);
  Outcome apply(const replication::protocol::CreateContainerRequest& request);
  Outcome apply(const replication::protocol::CreateTtlRequest& request);
  Outcome apply(const replication::protocol::DeleteRequest& request);
  Outcome apply(const replication::protocol::SetDataRequest& request);
  Outcome apply(const replication::protocol::CheckRequest& request);
  Outcome apply(const replication::protocol::ExistsRequest& request);
  Outcome apply(const replication::protocol::GetDataRequest& request);
  Outcome apply(const replication::protocol::GetAclRequest& request);
  Outcome apply(const replication::protocol::SyncRequest& request);
  Outcome apply(const replication::protocol::GetChildrenRequest& request);
  Outcome apply(const replication::protocol::GetChildren2Request& request);
  Outcome apply(const replication::protocol::MultiRequest& request);
  Outcome apply(const replication::protocol::SetAclRequest& request);
  Outcome apply(const replication::protocol::AddWatchRequest& request);
  Outcome apply(const replication::protocol::RemoveWatchesRequest& request);
  template <class Request>
  Outcome apply(const Request&) {
    return replication::ErrorCode::unimplemented;
  }

  replication::Result<replication::Stat> add(const std::string& path, const replication::Data& data,
                                             const replication::Acl& acl, std::int64_t owner);
  // The path that a create with these flags gives: digits behind a sequential one.
  std::string path_for(const std::string& path, std::int32_t flags) const;
  // From the first on that waits, all that nothing else is in between.
  std::vector<fusefs::client::WatchNotice> take_events(std::deque<Waiting>::iterator first);
  // The event goes to the end of what waits once nothing can undo the change any more.
  void fire(replication::protocol::EventType type, const std::string& path);
  void queue_events();
  // Of the next change; that of the transaction if there is one.
  std::uint64_t next_zxid();
  bool is_in_watched_subtree(const std::string& path) const;
  std::vector<std::string> children_of(const std::string& path) const;

  std::string chroot_{};
  Tree tree_{};
  Watches watches_{};
  std::vector<fusefs::client::WatchNotice> fired_{};
  fusefs::client::EventCallback on_event_{};
  std::function<void(fusefs::client::SessionState)> on_state_{};
  std::uint64_t zxid_{};
  bool is_in_transaction_{};
  replication::SessionId session_{77};
  std::uint64_t last_id_{};
  std::size_t request_count_{};
  std::deque<Waiting> waiting_{};
  std::set<std::string> held_{};
  bool hides_zxids_{};
  bool has_standing_watches_{true};
  std::optional<std::uint64_t> cut_off_at_{};  // the zxid at which the connection was lost
  std::function<void()> before_write_{};
  replication::ErrorCode failure_{};
  fusefs::client::SessionState state_{fusefs::client::SessionState::connected};
};

}  // namespace zabfs::test
