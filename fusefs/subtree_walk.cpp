#include "fusefs/subtree_walk.hpp"

#include <deque>
#include <memory>
#include <utility>
#include <vector>

namespace zabfs::fusefs {

using replication::ErrorCode;
using replication::protocol::GetChildren2Request;
using replication::protocol::GetChildren2Response;

namespace {

constexpr std::size_t asked_together = 64;

struct Asked {
  std::string path{};
  std::unique_ptr<Ask<GetChildren2Response>> question{};
};

}  // namespace

Task<Outcome<Done>> walk_subtree(cache::Coherence& ensemble, Operation& operation, std::string top,
                                 Visit visit) {
  std::deque<std::string> paths{std::move(top)};
  while (!paths.empty()) {
    std::vector<Asked> asked;
    while (!paths.empty() && asked.size() < asked_together) {
      GetChildren2Request request{.path = paths.front()};
      asked.push_back({.path = std::move(paths.front()),
                       .question = std::make_unique<Ask<GetChildren2Response>>(
                           ensemble, operation, std::move(request))});
      paths.pop_front();
    }
    for (auto& one : asked) {
      auto& question = *one.question;
      const auto found = co_await question;
      if (!found && !is_absence(found.error()) && found.error().code != ErrorCode::no_auth) {
        co_return found.error();
      }
      if (!found) {
        continue;
      }
      if (!visit(one.path, found->stat)) {
        co_return Done{};
      }
      const std::string above = one.path == "/" ? "/" : one.path + "/";
      for (const auto& child : found->children) {
        paths.push_back(above + child);
      }
    }
  }
  co_return Done{};
}

}  // namespace zabfs::fusefs
