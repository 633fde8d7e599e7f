// The queue for a lock: which znodes stand in it, in which order, and who has to wait for whom.
//
// For every locked file there is a queue directory, wherever the file lies:
//
//   /zabfs/locks/%2Fapp%2Fnightly/        the file is /app/nightly of the ensemble
//     write-0000000003                    flock: exclusive, and first, so it holds the lock
//     read-0000000004                     flock: shared; waits for 3
//     fcntl-write-0000000005              a lock of fcntl(2) is none of flock(2), as on a local
//     file
//
// A contender is an ephemeral sequential znode. It waits for the nearest one before it with which
// it is in conflict: an exclusive one for its predecessor, a shared one for the last exclusive one.
// So whoever leaves wakes one waiter, or a row of readers, and never all.
//
// What else stands in the queue directory is ignored.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zabfs::fusefs::locks {

enum class Family { flock, fcntl };

enum class Mode { shared, exclusive };

inline bool are_in_conflict(Mode one, Mode other) {
  return one == Mode::exclusive || other == Mode::exclusive;
}

// The parents of all queue directories, from the top, as paths of the ensemble.
inline constexpr std::string_view top_directory = "/zabfs";
inline constexpr std::string_view all_queues = "/zabfs/locks";

// The queue directory for the znode `path`; both are paths of the ensemble. Different paths have
// different queues.
std::string queue_of(std::string_view path);

struct Contender {
  std::string name{};  // in its directory
  std::int64_t number{};
  Family family{};
  Mode mode{};  // as its name says

  bool operator==(const Contender&) const = default;
};

// What the name of a new contender begins with.
std::string_view stem_of(Family family, Mode mode);

// nullopt for a name that no contender of a lock has.
std::optional<Contender> contender_of(std::string_view name);

// The number behind a sequential name: its last ten characters, if they are digits.
std::optional<std::int64_t> sequence_number(std::string_view name);

// The contenders of `family` among `names`, in the order of the queue.
std::vector<Contender> queue_in(const std::vector<std::string>& names, Family family);

// A line of `N@queue`, as far as names tell.
struct QueueRow {
  std::string name{};
  Mode mode{};
  bool is_lock{};  // of a file, and not a znode by which another client queues
};

// The names that any client's recipe may have put into a directory to queue there: those that end
// in a sequence number, in its order; and whether one of them by its name only wants to share
// (Curator, kazoo, and the recipe of ZooKeeper's manual).
std::vector<std::string> sequential_names(std::vector<std::string> names);
bool is_shared_by_name(std::string_view name);

}  // namespace zabfs::fusefs::locks
