#include "tests/replication/zab/effect_text.hpp"

#include <algorithm>
#include <map>
#include <sstream>
#include <variant>

namespace zabfs::replication::zab {
namespace {

template <class... Parts>
std::string line(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return text.str();
}

std::string text_of(const Bytes& bytes) { return {bytes.begin(), bytes.end()}; }

std::string behind(const std::string& word, const Bytes& bytes) {
  return bytes.empty() ? word : word + ' ' + text_of(bytes);
}

std::string in_one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text.empty() ? "" : ' ' + text;
}

std::string list_of(const std::vector<SessionId>& sessions) {
  std::string list;
  for (const SessionId session : sessions) {
    list += line(' ', session);
  }
  return list.empty() ? " none" : list;
}

struct MessageText {
  std::string operator()(const Ballot& m) const {
    static const std::map<PeerState, std::string> states{{PeerState::looking, "looking"},
                                                         {PeerState::following, "following"},
                                                         {PeerState::leading, "leading"},
                                                         {PeerState::observing, "observing"}};
    const auto state = states.find(m.state);
    return line("Ballot ", state == states.end() ? "in no state" : state->second, " round ",
                m.round, " for ", m.vote.leader, " epoch ", m.vote.epoch, " last ", m.vote.last);
  }
  std::string operator()(const LearnerInfo& m) const { return line("LearnerInfo ", m.accepted); }
  std::string operator()(const NewEpoch& m) const { return line("NewEpoch ", m.epoch); }
  std::string operator()(const AckEpoch& m) const {
    return line("AckEpoch current ", m.current, " last ", m.last,
                m.is_counted ? "" : " not counted");
  }
  std::string operator()(const Difference& m) const { return line("Difference ", m.from); }
  std::string operator()(const Truncate& m) const { return line("Truncate ", m.keep); }
  std::string operator()(const SnapshotBegin& m) const {
    return line("SnapshotBegin ", m.taken_at, in_one_line(m.ensemble));
  }
  std::string operator()(const SnapshotSlice& m) const { return behind("SnapshotSlice", m.bytes); }
  std::string operator()(const SnapshotEnd& /*m*/) const { return "SnapshotEnd"; }
  std::string operator()(const Proposal& m) const {
    return behind(line("Proposal ", m.zxid), m.record);
  }
  std::string operator()(const NewLeader& m) const { return line("NewLeader ", m.epoch); }
  std::string operator()(const AckNewLeader& m) const {
    return line("AckNewLeader ", m.epoch, " up to ", m.up_to);
  }
  std::string operator()(const UpToDate& m) const {
    return line("UpToDate committed ", m.committed);
  }
  std::string operator()(const Ack& m) const { return line("Ack ", m.up_to); }
  std::string operator()(const Commit& m) const {
    return line("Commit ", m.up_to, " digest ", m.digest);
  }
  std::string operator()(const Heartbeat& m) const { return line("Heartbeat ", m.number); }
  std::string operator()(const HeartbeatReply& m) const {
    return line("HeartbeatReply ", m.number, " sessions", list_of(m.alive));
  }
  std::string operator()(const Forwarded& m) const { return behind("Forwarded", m.payload); }
  std::string operator()(const KnownEnsemble& m) const {
    return "KnownEnsemble" + in_one_line(m.in_force) + in_one_line(m.next);
  }
};

struct EffectText {
  std::string operator()(const Send& e) const {
    return line("to ", e.to, ": ", to_text(e.message));
  }
  std::string operator()(const SendProposal& e) const {
    return line("to ", e.to, ": ", to_text(Message{*e.proposal}));
  }
  std::string operator()(const Disconnect& e) const { return line("disconnect ", e.server); }
  std::string operator()(const SaveEpochs& e) const {
    return line("save accepted ", e.accepted, " current ", e.current);
  }
  std::string operator()(const Append& e) const {
    return behind(line("append ", e.proposal->zxid), e.proposal->record);
  }
  std::string operator()(const TruncateAfter& e) const { return line("truncate after ", e.keep); }
  std::string operator()(const ReplaceHistory& e) const {
    return line("replace history by the state after ", e.taken_at);
  }
  std::string operator()(const AddSlice& e) const { return behind("add slice", e.bytes); }
  std::string operator()(const EndSlices& /*e*/) const { return "end slices"; }
  std::string operator()(const AbandonReplacement& /*e*/) const { return "abandon replacement"; }
  std::string operator()(const Barrier& /*e*/) const { return "barrier"; }
  std::string operator()(const StreamSnapshot& e) const {
    return line("stream a snapshot to ", e.learner);
  }
  std::string operator()(const CommitUpTo& e) const {
    const std::string digest = e.digest == 0 ? "" : line(" digest ", e.digest);
    return line("commit up to ", e.up_to, digest);
  }
  std::string operator()(const BeginLooking& /*e*/) const { return "LOOKING"; }
  std::string operator()(const BeginLeading& e) const { return line("LEADING epoch ", e.epoch); }
  std::string operator()(const BeginFollowing& e) const {
    return line("FOLLOWING ", e.leader, " epoch ", e.epoch);
  }
  std::string operator()(const AnswerHeartbeat& e) const {
    return line("answer heartbeat ", e.number, " of ", e.leader);
  }
  std::string operator()(const HearOfSessions& e) const {
    return line("sessions of ", e.from, ":", list_of(e.alive));
  }
  std::string operator()(const Confirmed& e) const { return line("confirmed ", e.number); }
  std::string operator()(const DeliverForwarded& e) const {
    return behind(line("forwarded by ", e.from, ":"), e.payload);
  }
  std::string operator()(const EnsembleChanged& /*e*/) const { return "ensemble changed"; }
  std::string operator()(const Fail& e) const { return "FAIL: " + e.sentence; }
};

}  // namespace

std::string to_text(const Message& message) { return std::visit(MessageText{}, message); }
std::string to_text(const Effect& effect) { return std::visit(EffectText{}, effect); }

}  // namespace zabfs::replication::zab
