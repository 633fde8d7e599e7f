// Virtual time: what will happen, in the order of (moment, order of planning).
//
// Nothing here depends on addresses, hashes or real time, so one sequence of calls is one run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "replication/ports/random.hpp"

namespace zabfs::test {

// Microseconds of virtual time since the world began.
using Micros = std::int64_t;

inline constexpr Micros millisecond = 1'000;
inline constexpr Micros second = 1'000'000;

// Uniform in [least, most].
inline Micros draw_between(replication::Random& chance, Micros least, Micros most) {
  return least + static_cast<Micros>(chance.below(static_cast<std::uint64_t>(most - least) + 1));
}

// True in `of_1000` of a thousand cases.
inline bool draw(replication::Random& chance, std::uint64_t of_1000) {
  return of_1000 > 0 && chance.below(1000) < of_1000;
}

class EventQueue {
 public:
  Micros now() const { return now_; }

  // `what` happens `delay` from now, which is not negative; after everything already planned for
  // that moment.
  void after(Micros delay, std::function<void()> what);

  // The next event happens; false if there is none.
  bool step();

  // Events that have happened.
  std::uint64_t handled() const { return handled_; }

 private:
  struct Event {
    Micros when{};
    std::uint64_t sequence{};
    std::function<void()> what{};
  };

  static bool is_later(const Event& one, const Event& other);

  Micros now_{};
  std::uint64_t sequence_{};
  std::uint64_t handled_{};
  std::vector<Event> heap_{};  // the next one in front
};

}  // namespace zabfs::test
