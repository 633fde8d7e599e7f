#include "fusefs/naming/name.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <system_error>
#include <utility>

#include "replication/model/limits.hpp"

namespace zabfs::fusefs::naming {
namespace {

using replication::Zxid;
using replication::limits::name_bytes_max;
using replication::limits::ttl_ms_max;

constexpr std::string_view creating_letters = "eshc";
constexpr std::string_view long_key = "long=";
constexpr std::size_t digest_digits = 2 * SHA256_DIGEST_LENGTH;

// The stem of a short form leaves room for the longest suffix of a view.
constexpr std::string_view longest_suffix = "@next=18446744073709551615";
constexpr std::size_t stem_bytes_max =
    name_bytes_max - (1 + long_key.size() + digest_digits) - longest_suffix.size();

constexpr std::array<std::pair<std::string_view, View>, 14> words{{
    {"data", View::data},
    {"dir", View::dir},
    {"stat", View::stat},
    {"acl", View::acl},
    {"cas", View::cas},
    {"sync", View::sync},
    {"watch", View::watch},
    {"watch=r", View::watch_recursive},
    {"next", View::next},
    {"exists", View::exists},
    {"gone", View::gone},
    {"queue", View::queue},
    {"locks", View::locks},
    {"mount", View::mount},
}};

constexpr std::array<std::pair<std::string_view, std::int64_t>, 5> units_ms{{
    {"ms", 1},
    {"s", 1'000},
    {"m", 60'000},
    {"h", 3'600'000},
    {"d", 86'400'000},
}};

// A name taken apart: `stem`, then `ats` times '@', then `token`, which holds no '@'.
struct Parts {
  std::string_view stem{};
  std::size_t ats{};
  std::string_view token{};
};

Parts parts_of(std::string_view name) {
  const std::size_t last_at = name.rfind('@');
  if (last_at == std::string_view::npos) {
    return {.stem = name};
  }
  const std::size_t stem_end = name.find_last_not_of('@', last_at);
  const std::size_t stem_bytes = stem_end == std::string_view::npos ? 0 : stem_end + 1;
  return {.stem = name.substr(0, stem_bytes),
          .ats = last_at + 1 - stem_bytes,
          .token = name.substr(last_at + 1)};
}

// The whole of `digits` as a number; nullopt if any of it is not, or if it does not fit.
template <class Number>
std::optional<Number> number(std::string_view digits, int base = 10) {
  Number value{};
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value, base);
  return error == std::errc{} && stop == end ? std::optional(value) : std::nullopt;
}

std::optional<std::int64_t> ttl_ms_of(std::string_view value) {
  const std::size_t digits = std::min(value.find_first_not_of("0123456789"), value.size());
  const auto count = number<std::int64_t>(value.substr(0, digits));
  const auto unit =
      std::ranges::find(units_ms, value.substr(digits), [](const auto& row) { return row.first; });
  if (!count || *count < 1 || unit == units_ms.end() || *count > ttl_ms_max / unit->second) {
    return std::nullopt;
  }
  return *count * unit->second;
}

std::optional<Zxid> zxid_of(std::string_view value) {
  const bool is_hex = value.starts_with("0x");
  const auto found =
      is_hex ? number<std::uint64_t>(value.substr(2), 16) : number<std::uint64_t>(value);
  return found ? std::optional(Zxid{*found}) : std::nullopt;
}

bool is_of_creating_letters(std::string_view text) {
  return !text.empty() && text.find_first_not_of(creating_letters) == std::string_view::npos;
}

std::variant<Name, Refusal> creation_of(std::string_view letters) {
  const auto has = [&](char letter) { return letters.find(letter) != std::string_view::npos; };
  const auto is = [&](std::string_view wanted) {
    return letters.size() == wanted.size() && std::ranges::all_of(wanted, has);
  };
  if (!(is("e") || is("s") || is("es") || is("h") || is("hs") || is("c"))) {
    return Refusal::illegal_combination;
  }
  return Name{.view = View::create,
              .creation = {.ephemeral = has('e') || has('h'),
                           .sequential = has('s'),
                           .held = has('h'),
                           .container = has('c')}};
}

// A token `key=value` as a Name without its node; nullopt if there is no such key.
std::optional<std::variant<Name, Refusal>> assignment(std::string_view token) {
  const std::size_t equals = token.find('=');
  if (equals == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view key = token.substr(0, equals);
  const std::string_view value = token.substr(equals + 1);
  Name name;
  if (key == "v") {
    const auto version = number<std::int32_t>(value);
    name.view = View::version;
    name.version = version.value_or(0);
    return version ? std::variant<Name, Refusal>(name) : Refusal::illegal_value;
  }
  if (key == "next") {
    name.view = View::next;
    name.after = zxid_of(value);
    return name.after ? std::variant<Name, Refusal>(name) : Refusal::illegal_value;
  }
  if (key == "ttl") {
    const auto ttl_ms = ttl_ms_of(value);
    name.view = View::create;
    name.creation.ttl_ms = ttl_ms.value_or(0);
    return ttl_ms ? std::variant<Name, Refusal>(name) : Refusal::illegal_value;
  }
  const std::size_t comma = key.find(',');
  const bool is_ttl_with_letters = comma != std::string_view::npos &&
                                   key.substr(comma + 1) == "ttl" &&
                                   is_of_creating_letters(key.substr(0, comma));
  if (key == "watch" || is_ttl_with_letters) {
    return Refusal::illegal_value;
  }
  return std::nullopt;
}

bool is_short_token(std::string_view token) {
  return token.size() == long_key.size() + digest_digits && token.starts_with(long_key) &&
         token.find_first_not_of("0123456789abcdef", long_key.size()) == std::string_view::npos;
}

// What the token of `parts` means, as a Name without its node; nullopt if its '@' is an ordinary
// character. (For the token of a short form: View::plain, is_short.)
std::optional<std::variant<Name, Refusal>> meaning_of(const Parts& parts, bool at_mount_root) {
  if (parts.ats == 0 || (parts.token == "mount" && !(at_mount_root && parts.stem.empty()))) {
    return std::nullopt;
  }
  const auto word =
      std::ranges::find(words, parts.token, [](const auto& row) { return row.first; });
  if (word != words.end()) {
    return Name{.view = word->second};
  }
  if (is_of_creating_letters(parts.token)) {
    return creation_of(parts.token);
  }
  if (is_short_token(parts.token)) {
    return Name{.is_short = true};
  }
  return assignment(parts.token);
}

// The znode that `text` names if it is no view of one and creates none.
std::optional<Name> plain_of(std::string_view text, bool at_mount_root) {
  const Parts parts = parts_of(text);
  const auto meaning = meaning_of(parts, at_mount_root);
  if (!meaning) {
    return Name{.node = std::string(text)};
  }
  if (parts.ats >= 2) {
    return Name{.node = std::string(parts.stem).append(parts.ats - 1, '@').append(parts.token)};
  }
  if (const Name* name = std::get_if<Name>(&*meaning); name != nullptr && name->is_short) {
    return Name{.node = std::string(text), .is_short = true};
  }
  return std::nullopt;
}

// `znode_name` with its last '@' doubled, if it would otherwise be read as something else.
std::string escaped(std::string_view znode_name, bool at_mount_root) {
  const Parts parts = parts_of(znode_name);
  std::string text(znode_name);
  if (meaning_of(parts, at_mount_root)) {
    text.insert(parts.stem.size(), 1, '@');
  }
  return text;
}

bool continues_a_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

// The beginning of `text` in at most stem_bytes_max bytes: ends between characters, and not in '@',
// which would read as the doubling of the one that follows.
std::string_view stem_of(std::string_view text) {
  std::size_t size = std::min(text.size(), stem_bytes_max);
  while (size > 0 && size < text.size() && continues_a_character(text[size])) {
    --size;
  }
  while (size > 0 && text[size - 1] == '@') {
    --size;
  }
  return text.substr(0, size);
}

std::string short_form(std::string_view znode_name) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(znode_name.data()), znode_name.size(),
         digest.data());
  std::string text(stem_of(znode_name));
  text.append("@").append(long_key);
  constexpr std::string_view digits = "0123456789abcdef";
  for (const unsigned char byte : digest) {
    text.push_back(digits[byte >> 4]);
    text.push_back(digits[byte & 0xF]);
  }
  return text;
}

}  // namespace

std::variant<Name, Refusal> parse(std::string_view file_name, bool at_mount_root) {
  if (file_name.size() > name_bytes_max) {
    return Refusal::name_too_long;
  }
  if (auto plain = plain_of(file_name, at_mount_root)) {
    return *std::move(plain);
  }
  const Parts parts = parts_of(file_name);
  const auto meaning = *meaning_of(parts, at_mount_root);
  if (const Refusal* refusal = std::get_if<Refusal>(&meaning)) {
    return *refusal;
  }
  Name name = std::get<Name>(meaning);
  const bool creates = name.view == View::create;
  if (parts.stem.empty()) {
    if (creates && !name.creation.sequential) {
      return Refusal::nothing_to_create;
    }
    return name;
  }
  auto node = plain_of(parts.stem, at_mount_root);
  if (!node) {
    return Refusal::view_of_a_view;
  }
  if (creates && node->is_short) {
    return Refusal::name_unknown;
  }
  name.node = std::move(node->node);
  name.is_short = node->is_short;
  return name;
}

std::string shown(std::string_view znode_name, bool at_mount_root) {
  std::string text = escaped(znode_name, at_mount_root);
  return text.size() <= name_bytes_max ? text : short_form(znode_name);
}

bool stands_for(const Name& name, std::string_view znode_name) {
  // Comparing the stems first keeps the digest away from nearly every child of a listing.
  if (!name.is_short || !name.node.starts_with(stem_of(znode_name))) {
    return false;
  }
  // The root's own token is short, so `shown` gives the short form in one place as in the other.
  return name.node ==
         (name.view == View::plain ? shown(znode_name, false) : short_form(znode_name));
}

}  // namespace zabfs::fusefs::naming
