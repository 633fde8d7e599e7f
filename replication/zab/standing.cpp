#include "replication/zab/standing.hpp"

#include <algorithm>
#include <utility>

#include "replication/model/ensemble_text.hpp"

namespace zabfs::replication::zab {

bool Standing::append(ProposalPtr proposal) {
  const auto text =
      ensemble_text_in ? ensemble_text_in(proposal->record) : std::optional<std::string>();
  if (text) {
    auto parsed = parse_ensemble(*text);
    auto* ensemble = std::get_if<Ensemble>(&parsed);
    if (ensemble == nullptr || ensemble->members.empty() || mistake_in(*ensemble)) {
      return false;
    }
    ensemble->version = proposal->zxid;
    membership.append(*ensemble);
    effects.emplace_back(EnsembleChanged{});
  }
  history.append(std::move(proposal));
  return true;
}

void Standing::truncate_after(Zxid keep) {
  history.truncate_after(keep);
  if (membership.truncate_after(keep)) {
    effects.emplace_back(EnsembleChanged{});
  }
}

void Standing::replace_membership(Membership other) {
  const bool is_same =
      other.in_force() == membership.in_force() && other.newest() == membership.newest();
  membership = std::move(other);
  if (!is_same) {
    effects.emplace_back(EnsembleChanged{});
  }
}

bool Standing::commit(Zxid up_to) {
  committed = std::max(committed, up_to);
  const bool is_new = membership.commit(committed);
  if (is_new) {
    effects.emplace_back(EnsembleChanged{});
  }
  return is_new;
}

}  // namespace zabfs::replication::zab
