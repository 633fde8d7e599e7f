// What the service should be, in the plainest words: a map from paths to znodes, and the sessions.
// It shares no code with the tree, the pipeline or the store.
//
// It decides every request in the order in which the replica was given them, and remembers every
// version of every znode by the zxid that made it. So it can say what a read had to answer at any
// moment, and forget the end of history that a crash took away.
//
// All ACLs are open here, paths are legal, and nothing ends by itself.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "replication/model/error_code.hpp"
#include "replication/model/ids.hpp"
#include "replication/model/stat.hpp"
#include "replication/protocol/requests.hpp"
#include "replication/protocol/responses.hpp"

namespace zabfs::test {

class Model {
 public:
  struct Znode {
    replication::Data data{};
    replication::Stat stat{};
    std::int32_t creates{};  // below it, ever
  };

  struct Session {
    replication::SessionId id{};  // 0 until somebody has heard of it
    std::int32_t timeout_ms{};
    replication::Zxid opened{};
    replication::Zxid closed{};  // 0 while it is open
  };

  // What a write has to answer. `zxid` is its transaction's, or 0 if it fails.
  struct Outcome {
    replication::Zxid zxid{};
    replication::ErrorCode error{};
    replication::protocol::Response body{};
  };

  Model();

  // The next transaction is the first of `epoch`.
  void begin_epoch(replication::Epoch epoch) { epoch_ = epoch; }

  // The last transaction of history.
  replication::Zxid head() const { return head_; }

  // Whatever came after `last` never was.
  void forget_after(replication::Zxid last);

  // Nobody will ask any more for what was before the head.
  void forget_before_head();

  // A create, create2, delete, setData or multi.
  Outcome decide(const replication::protocol::Request& request, replication::SessionId session,
                 std::int64_t time_ms);

  replication::Zxid open_session(std::int32_t timeout_ms);
  replication::Zxid close_session(replication::SessionId session);

  // What an exists, getData or getChildren2 answered at `at`: a body, or nullopt for NoNode. Names
  // are sorted.
  std::optional<replication::protocol::Response> read(const replication::protocol::Request& request,
                                                      replication::Zxid at) const;

  // The newest version of every znode there is.
  std::map<std::string, const Znode*> znodes() const;

  // The first path, in order of text, that comes after `path` and has a znode now; "/" if none
  // does.
  std::string path_after(const std::string& path) const;

  // The newest version, or null.
  const Znode* find(const std::string& path) const { return find(path, head_); }

  // Every session there ever was, in the order of their beginning.
  std::vector<Session>& sessions() { return sessions_; }
  Session* open_session_of(replication::SessionId id);

 private:
  using Version = std::pair<replication::Zxid, std::optional<Znode>>;

  // The transaction that is being decided.
  struct Moment {
    replication::Zxid zxid{};
    replication::SessionId session{};
    std::int64_t time_ms{};
  };

  struct Decision {
    replication::ErrorCode error{};
    replication::protocol::MultiResult result{};
  };

  replication::Zxid next() const;
  const Znode* find(const std::string& path, replication::Zxid at) const;
  std::vector<std::string> children_of(const std::string& path, replication::Zxid at) const;
  void put(const std::string& path, replication::Zxid zxid, std::optional<Znode> znode);
  void count_child(const std::string& parent, replication::Zxid zxid, int created, int deleted);
  void remove(const std::string& path, replication::Zxid zxid);

  template <class Create>
  Decision create(const Create& request, const Moment& moment);
  Decision decide_one(const replication::protocol::CreateRequest& request, const Moment& moment);
  Decision decide_one(const replication::protocol::Create2Request& request, const Moment& moment);
  Decision decide_one(const replication::protocol::CreateContainerRequest& request,
                      const Moment& moment);
  Decision decide_one(const replication::protocol::CreateTtlRequest& request,
                      const Moment& moment);
  Decision decide_one(const replication::protocol::SetAclRequest& request, const Moment& moment);
  Decision decide_one(const replication::protocol::DeleteRequest& request, const Moment& moment);
  Decision decide_one(const replication::protocol::SetDataRequest& request, const Moment& moment);
  Decision decide_one(const replication::protocol::CheckRequest& request, const Moment& moment);
  // What the model does not know is refused there too.
  template <class Other>
  Decision decide_one(const Other&, const Moment&) {
    return {.error = replication::ErrorCode::unimplemented, .result = {}};
  }
  Outcome decide_multi(const replication::protocol::MultiRequest& request, const Moment& moment);

  replication::Epoch epoch_{};
  replication::Zxid head_{};
  std::map<std::string, std::vector<Version>> versions_;
  std::vector<Session> sessions_;
};

}  // namespace zabfs::test
