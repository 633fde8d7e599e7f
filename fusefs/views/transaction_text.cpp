#include "fusefs/views/transaction_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>
#include <utility>

#include "replication/model/path.hpp"

namespace zabfs::fusefs::views {
namespace {

using naming::Name;
using naming::View;
using Verb = TransactionLine::Verb;

constexpr std::array<std::pair<std::string_view, Verb>, 7> verbs{{
    {"create", Verb::create},
    {"mkdir", Verb::make_directory},
    {"set", Verb::set},
    {"delete", Verb::remove},
    {"check", Verb::check},
    {"begin", Verb::begin},
    {"commit", Verb::commit},
}};

constexpr std::string_view blanks = " \t";

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
}

std::optional<char> escaped(std::string_view& text) {
  const char letter = text.empty() ? '\0' : text.front();
  text.remove_prefix(std::min<std::size_t>(1, text.size()));
  switch (letter) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case '\\':
    case '"':
      return letter;
    case 'x': {
      constexpr std::size_t digits = 2;
      unsigned value = 0;
      const auto hex = text.substr(0, digits);
      const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
      if (error != std::errc{} || end != hex.data() + digits) {
        return std::nullopt;
      }
      text.remove_prefix(digits);
      return static_cast<char>(value);
    }
    default:
      return std::nullopt;
  }
}

// Takes what is quoted off the beginning of `text`, which begins with the quote.
std::optional<std::string> take_quoted(std::string_view& text) {
  text.remove_prefix(1);
  std::string value;
  while (!text.empty()) {
    const char letter = text.front();
    text.remove_prefix(1);
    if (letter == '"') {
      return value;
    }
    if (letter != '\\') {
      value += letter;
    } else if (const auto byte = escaped(text)) {
      value += *byte;
    } else {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

std::optional<std::string> take_word(std::string_view& text) {
  if (text.starts_with('"')) {
    return take_quoted(text);
  }
  const auto word = text.substr(0, text.find_first_of(blanks));
  text.remove_prefix(word.size());
  return std::string(word);
}

// The real path for `text`, and what its last name says beside it; nullopt if it is no path.
std::optional<Name> resolve(std::string_view text, std::string& path) {
  Name last;
  text.remove_prefix(text.starts_with('/') ? 1 : 0);
  while (!text.empty()) {
    const auto segment = text.substr(0, text.find('/'));
    text.remove_prefix(std::min(segment.size() + 1, text.size()));
    const auto parsed = naming::parse(segment, path.empty());
    const auto* name = std::get_if<Name>(&parsed);
    const bool is_last = text.empty();
    if (segment.empty() || name == nullptr || name->is_short ||
        (!is_last && name->view != View::plain)) {
      return std::nullopt;
    }
    last = *name;
    const std::string completed = last.creation.sequential ? last.node + "0" : last.node;
    if (!replication::is_legal_segment(completed)) {
      return std::nullopt;
    }
    path += "/" + last.node;
  }
  return path.empty() ? std::nullopt : std::optional(last);
}

// False if `name` says something that `line.verb` has no use for.
bool take_name(const Name& name, TransactionLine& line) {
  const bool creates = line.verb == Verb::create || line.verb == Verb::make_directory;
  if (name.view == View::create && creates) {
    line.creation = name.creation;
    return !name.creation.held && !(name.creation.ephemeral && line.verb == Verb::make_directory);
  }
  if (name.view == View::version && !creates) {
    line.version = name.version;
    return name.version >= 0;
  }
  const bool needs_a_version = line.verb == Verb::check;
  return name.view == View::plain && !needs_a_version;
}

}  // namespace

std::string_view word_of(Verb verb) {
  const auto row = std::ranges::find(verbs, verb, &decltype(verbs)::value_type::second);
  return row == verbs.end() ? "" : row->first;
}

std::variant<TransactionLine, NoTransactionLine> parse_transaction_line(std::string_view text) {
  TransactionLine line;
  skip_blanks(text);
  if (text.empty() || text.starts_with('#')) {
    return line;
  }
  const std::string_view word = text.substr(0, text.find_first_of(blanks));
  const auto row = std::ranges::find(verbs, word, &decltype(verbs)::value_type::first);
  if (row == verbs.end()) {
    return NoTransactionLine{
        "it begins with none of create, mkdir, set, delete, check, begin, commit"};
  }
  line.verb = row->second;
  text.remove_prefix(word.size());
  skip_blanks(text);
  if (line.verb != Verb::begin && line.verb != Verb::commit) {
    const auto shown = take_word(text);
    const auto name = shown ? resolve(*shown, line.path) : std::nullopt;
    if (!name || !take_name(*name, line)) {
      return NoTransactionLine{std::string(word) + " needs a path that it can be done to" +
                               (line.verb == Verb::check ? ", with a version: PATH@v=7" : "")};
    }
    skip_blanks(text);
  }
  if (text.empty()) {
    return line;
  }
  if (line.verb != Verb::create && line.verb != Verb::set) {
    return NoTransactionLine{"something follows behind the " + std::string(word)};
  }
  std::optional<std::string> data = std::string(text) + '\n';
  if (text.starts_with('"')) {
    data = take_quoted(text);
    skip_blanks(text);
    if (!data || !text.empty()) {
      return NoTransactionLine{
          "the quoted data does not end with the line, or has another escape "
          "than \\n \\t \\\\ \\\" \\xFF"};
    }
  }
  const auto bytes = replication::bytes_of(*data);
  line.data.assign(bytes.begin(), bytes.end());
  return line;
}

}  // namespace zabfs::fusefs::views
