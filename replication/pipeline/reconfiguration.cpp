#include "replication/pipeline/reconfiguration.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "replication/model/ensemble_text.hpp"
#include "replication/model/limits.hpp"

namespace zabfs::replication::pipeline {
namespace {

std::vector<std::string_view> items(std::string_view list) {
  std::vector<std::string_view> found;
  while (!list.empty()) {
    const auto end = std::min(list.find(','), list.size());
    const auto item = list.substr(0, end);
    const auto first = item.find_first_not_of(" \t");
    if (first != item.npos) {
      found.push_back(item.substr(first, item.find_last_not_of(" \t") - first + 1));
    }
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return found;
}

std::optional<ServerId> server_in(std::string_view text) {
  ServerId id;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id.value);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(id)
                                                                  : std::nullopt;
}

bool is_plain_majority(const Ensemble& ensemble) {
  return std::ranges::all_of(ensemble.members, [](const Member& member) {
    return member.group == 0 && member.weight == 1;
  });
}

bool share_an_address(const Member& one, const Member& other) {
  const auto has_port = [](const Member& member, std::uint16_t port) {
    return port != 0 && (member.port == port || member.election_port == port);
  };
  return one.host == other.host &&
         (has_port(one, other.port) || has_port(one, other.election_port));
}

bool has_address_twice(const Ensemble& ensemble) {
  for (auto one = ensemble.members.begin(); one != ensemble.members.end(); ++one) {
    if (one->port == one->election_port ||
        std::any_of(std::next(one), ensemble.members.end(),
                    [&](const Member& other) { return share_an_address(*one, other); })) {
      return true;
    }
  }
  return false;
}

void remove(Ensemble& ensemble, ServerId id) {
  std::erase_if(ensemble.members, [id](const Member& member) { return member.id == id; });
}

Result<Ensemble> changed(const Ensemble& current, const WantedServers& wanted) {
  if (!is_plain_majority(current)) {
    return ErrorCode::bad_arguments;
  }
  Ensemble next = current;
  for (const auto leaving : items(wanted.leaving)) {
    const auto id = server_in(leaving);
    if (!id) {
      return ErrorCode::bad_arguments;
    }
    remove(next, *id);
  }
  for (const auto joining : items(wanted.joining)) {
    auto parsed = parse_ensemble(joining);
    auto* one = std::get_if<Ensemble>(&parsed);
    if (one == nullptr || one->members.size() != 1 || one->members.front().election_port == 0 ||
        !one->members.front().client_port) {
      return ErrorCode::bad_arguments;
    }
    remove(next, one->members.front().id);
    next.members.push_back(std::move(one->members.front()));
  }
  std::ranges::sort(next.members, std::less<>{}, &Member::id);
  return next;
}

Result<Ensemble> replaced(const WantedServers& wanted) {
  auto parsed = parse_ensemble(wanted.new_members);
  auto* ensemble = std::get_if<Ensemble>(&parsed);
  if (ensemble == nullptr) {
    return ErrorCode::bad_arguments;
  }
  return std::move(*ensemble);
}

}  // namespace

Result<Ensemble> reconfigured(const Ensemble& current, const WantedServers& wanted,
                              std::size_t voters_min) {
  auto next = wanted.new_members.empty() ? changed(current, wanted) : replaced(wanted);
  if (!next) {
    return next;
  }
  next->version = {};
  const auto voters = std::ranges::count_if(
      next->members, [](const Member& member) { return !member.is_observer; });
  if (static_cast<std::size_t>(voters) < voters_min || next->members.empty() || mistake_in(*next) ||
      has_address_twice(*next) || to_text(*next).size() > limits::ensemble_text_bytes_max) {
    return ErrorCode::bad_arguments;
  }
  return next;
}

}  // namespace zabfs::replication::pipeline
