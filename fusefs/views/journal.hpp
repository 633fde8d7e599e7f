// What went wrong lately, in sentences: for what an errno cannot say, and for what no process was
// told, because nobody looks at the error of a close or waits any more.
//
// The newest limits::journal_lines_max are kept for `@mount/errors`; each is handed on at once to
// whoever listens, which is the log.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>

namespace zabfs::fusefs::views {

class Journal {
 public:
  // Says what time it is, as it is to stand in front of a line; without one, lines have none.
  using Clock = std::function<std::string()>;
  using Listener = std::function<void(std::string_view)>;

  void use(Clock clock, Listener listener);

  // `sentence` has no line break.
  void note(std::string_view sentence);

  // `TIME SENTENCE` per line, the oldest first.
  std::string text() const;

 private:
  Clock clock_{};
  Listener listener_{};
  std::deque<std::string> lines_{};
};

}  // namespace zabfs::fusefs::views
