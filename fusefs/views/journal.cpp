#include "fusefs/views/journal.hpp"

#include <utility>

#include "replication/model/limits.hpp"

namespace zabfs::fusefs::views {

void Journal::use(Clock clock, Listener listener) {
  clock_ = std::move(clock);
  listener_ = std::move(listener);
}

void Journal::note(std::string_view sentence) {
  std::string line = clock_ ? clock_() + " " : std::string();
  line.append(sentence) += '\n';
  lines_.push_back(std::move(line));
  if (lines_.size() > replication::limits::journal_lines_max) {
    lines_.pop_front();
  }
  if (listener_) {
    listener_(sentence);
  }
}

std::string Journal::text() const {
  std::string text;
  for (const auto& line : lines_) {
    text += line;
  }
  return text;
}

}  // namespace zabfs::fusefs::views
