#include "fusefs/mount/scanner.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <span>

#include "fusefs/limits.hpp"

namespace zabfs::fusefs::mount {
namespace {

// In front of the entries of an answer. Both ends are the same program, so records travel as they
// lie in memory.
struct Head {
  std::uint64_t is_last{};
  std::uint64_t took_us{};
};

constexpr std::size_t entries_per_answer =
    (limits::assistant_message_bytes_max - sizeof(Head)) / sizeof(notify::Watching);

template <class Record>
void put(std::string& text, const Record& record) {
  text.append(reinterpret_cast<const char*>(&record), sizeof(record));
}

template <class Record>
Record take(std::string_view& text) {
  Record record;
  std::memcpy(&record, text.data(), sizeof(record));
  text.remove_prefix(sizeof(record));
  return record;
}

void serve(std::string_view order, const Answering& answer) {
  using std::chrono::steady_clock;
  const auto begun = steady_clock::now();
  const auto device = take<std::uint64_t>(order);
  std::vector<pid_t> asked;
  while (order.size() >= sizeof(pid_t)) {
    asked.push_back(take<pid_t>(order));
  }
  std::vector<notify::Watching> watching;
  for (const pid_t process : asked.empty() ? notify::processes("/proc") : asked) {
    notify::scan_process("/proc", process, device, watching);
  }
  std::span<const notify::Watching> rest(watching);
  while (true) {
    const auto part = rest.first(std::min(rest.size(), entries_per_answer));
    rest = rest.subspan(part.size());
    const auto took =
        std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - begun);
    std::string text;
    put(text, Head{.is_last = rest.empty(), .took_us = static_cast<std::uint64_t>(took.count())});
    for (const notify::Watching& one : part) {
      put(text, one);
    }
    answer(text);
    if (rest.empty()) {
      return;
    }
  }
}

}  // namespace

Duty scanner() { return serve; }

std::string order_to_scan(std::uint64_t device, const std::vector<pid_t>& processes) {
  std::string order;
  put(order, device);
  for (const pid_t process : processes) {
    put(order, process);
  }
  return order;
}

Found found_in(std::string_view answer) {
  const auto head = take<Head>(answer);
  Found found{.is_last = head.is_last != 0, .took_us = head.took_us};
  while (answer.size() >= sizeof(notify::Watching)) {
    found.watching.push_back(take<notify::Watching>(answer));
  }
  return found;
}

}  // namespace zabfs::fusefs::mount
