#include "fusefs/locks/contender.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace zabfs::fusefs::locks {
namespace {

constexpr std::size_t sequence_digits = 10;

struct Stem {
  std::string_view text{};
  Family family{};
  Mode mode{};
};

constexpr std::array<Stem, 4> stems{Stem{"write-", Family::flock, Mode::exclusive},
                                    Stem{"read-", Family::flock, Mode::shared},
                                    Stem{"fcntl-write-", Family::fcntl, Mode::exclusive},
                                    Stem{"fcntl-read-", Family::fcntl, Mode::shared}};

// What recipes put in front of the number of one that shares.
constexpr std::array<std::string_view, 3> shared_stems{"read-", "__READ__", "__rlock__"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view without_number(std::string_view name) {
  return name.substr(0, name.size() - sequence_digits);
}

}  // namespace

std::string queue_of(std::string_view path) {
  std::string queue(all_queues);
  queue += '/';
  for (const char c : path) {
    if (c == '/') {
      queue += "%2F";
    } else if (c == '%') {
      queue += "%25";
    } else {
      queue += c;
    }
  }
  return queue;
}

std::string_view stem_of(Family family, Mode mode) {
  return std::ranges::find_if(
             stems, [&](const Stem& stem) { return stem.family == family && stem.mode == mode; })
      ->text;
}

std::optional<std::int64_t> sequence_number(std::string_view name) {
  if (name.size() < sequence_digits) {
    return std::nullopt;
  }
  const std::string_view digits = name.substr(name.size() - sequence_digits);
  if (!std::ranges::all_of(digits, is_digit)) {
    return std::nullopt;
  }
  std::int64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

std::optional<Contender> contender_of(std::string_view name) {
  const auto number = sequence_number(name);
  if (!number) {
    return std::nullopt;
  }
  for (const Stem& stem : stems) {
    if (without_number(name) == stem.text) {
      return Contender{
          .name = std::string(name), .number = *number, .family = stem.family, .mode = stem.mode};
    }
  }
  return std::nullopt;
}

std::vector<Contender> queue_in(const std::vector<std::string>& names, Family family) {
  std::vector<Contender> queue;
  for (const auto& name : names) {
    auto contender = contender_of(name);
    if (contender && contender->family == family) {
      queue.push_back(std::move(*contender));
    }
  }
  std::ranges::sort(queue, {}, &Contender::number);
  return queue;
}

std::vector<std::string> sequential_names(std::vector<std::string> names) {
  std::erase_if(names, [](const std::string& name) { return !sequence_number(name); });
  std::ranges::sort(names, {}, [](const std::string& name) {
    return std::pair(*sequence_number(name), std::string_view(name));
  });
  return names;
}

bool is_shared_by_name(std::string_view name) {
  return sequence_number(name) && std::ranges::any_of(shared_stems, [&](std::string_view stem) {
           return without_number(name).ends_with(stem);
         });
}

}  // namespace zabfs::fusefs::locks
