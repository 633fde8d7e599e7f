#include "replication/model/ensemble.hpp"

#include <algorithm>
#include <set>
#include <sstream>

#include "replication/model/limits.hpp"

namespace zabfs::replication {

namespace {

template <class... Parts>
std::string sentence(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return text.str();
}

std::optional<std::string> mistake_in(const Member& member) {
  if (member.id < ServerId{1} || member.id > ServerId{limits::server_id_max}) {
    return sentence("server ", member.id, " of the ensemble is not in 1 to ",
                    limits::server_id_max);
  }
  if (member.weight > limits::server_weight_max) {
    return sentence("server ", member.id, " weighs ", member.weight, ", more than ",
                    limits::server_weight_max);
  }
  return std::nullopt;
}

}  // namespace

const Member* find_member(const Ensemble& ensemble, ServerId id) {
  const auto found = std::ranges::find(ensemble.members, id, &Member::id);
  return found == ensemble.members.end() ? nullptr : &*found;
}

std::optional<std::string> mistake_in(const Ensemble& ensemble) {
  if (ensemble.members.empty()) {
    return std::nullopt;
  }
  std::set<ServerId> ids;
  for (const Member& member : ensemble.members) {
    if (auto mistake = mistake_in(member)) {
      return mistake;
    }
    if (!ids.insert(member.id).second) {
      return sentence("server ", member.id, " is twice in the ensemble");
    }
  }
  if (std::ranges::all_of(ensemble.members, &Member::is_observer)) {
    return "the ensemble has no voter, only observers";
  }
  if (std::ranges::none_of(ensemble.members, [](const Member& member) {
        return !member.is_observer && member.weight > 0;
      })) {
    return "every voter of the ensemble has weight 0";
  }
  return std::nullopt;
}

std::optional<std::string> mistake_in(const Ensemble& ensemble, ServerId self) {
  auto mistake = mistake_in(ensemble);
  if (!mistake && !ensemble.members.empty() && find_member(ensemble, self) == nullptr) {
    mistake = sentence("this server, ", self, ", is not in the ensemble");
  }
  return mistake;
}

}  // namespace zabfs::replication
