#include "fusefs/locks/taker.hpp"

#include <algorithm>
#include <charconv>

#include "fusefs/locks/limits.hpp"

namespace zabfs::fusefs::locks {
namespace {

// What a terminal shows as one line, whatever others have written.
std::string printable(std::string_view text) {
  std::string shown(text.substr(0, limits::lock_description_bytes_max));
  std::ranges::replace_if(
      shown, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
  return shown;
}

std::string one_word(std::string_view text) {
  std::string word = printable(text);
  std::ranges::replace(word, ' ', '?');
  return word;
}

void append_line(std::string& text, std::string_view key, std::string_view value) {
  text.append(key).append(" ").append(value) += '\n';
}

}  // namespace

Description describe(const Taker& taker, Mode mode) {
  return {.host = taker.host,
          .pid = taker.process.pid,
          .command = taker.command,
          .since = taker.since,
          .mode = mode};
}

replication::Bytes text_of(const Description& description) {
  std::string text;
  append_line(text, "host", one_word(description.host));
  append_line(text, "pid", std::to_string(description.pid));
  append_line(text, "command", printable(description.command));
  append_line(text, "mode", description.mode == Mode::shared ? "shared" : "exclusive");
  append_line(text, "since", one_word(description.since));
  const auto bytes = replication::bytes_of(text);
  return {bytes.begin(), bytes.end()};
}

Description read_description(std::string_view text, Mode mode) {
  Description description{.mode = mode};
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto space = line.find(' ');
    if (space == line.npos) {
      continue;
    }
    const std::string_view key = line.substr(0, space);
    const std::string_view value = line.substr(space + 1);
    if (key == "host") {
      description.host = one_word(value);
    } else if (key == "command") {
      description.command = printable(value);
    } else if (key == "since") {
      description.since = one_word(value);
    } else if (key == "mode" && value == "shared") {
      description.mode = Mode::shared;
    } else if (key == "pid") {
      std::int64_t pid = 0;
      const auto [stop, error] = std::from_chars(value.data(), value.data() + value.size(), pid);
      description.pid =
          error == std::errc{} && stop == value.data() + value.size() && pid > 0 ? pid : 0;
    }
  }
  return description;
}

}  // namespace zabfs::fusefs::locks
