#include "replication/model/path.hpp"

#include <algorithm>
#include <optional>

namespace zabfs::replication {
namespace {

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80; }

// Takes the first character off `text`, which is not empty. nullopt if the text does not begin with
// well-formed UTF-8 (RFC 3629: the shortest form only), or with a character above U+FFFF: no path
// may hold one of those, so four-byte forms are not read at all.
std::optional<char32_t> take_character(std::string_view& text) {
  const auto octet = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const char32_t lead = octet(0);
  if (lead < 0x80) {
    text.remove_prefix(1);
    return lead;
  }
  if (lead >= 0xC2 && lead <= 0xDF && text.size() >= 2 && is_continuation(text[1])) {
    const char32_t character = (lead & 0x1F) << 6 | (octet(1) & 0x3F);
    text.remove_prefix(2);
    return character;
  }
  if (lead >= 0xE0 && lead <= 0xEF && text.size() >= 3 && is_continuation(text[1]) &&
      is_continuation(text[2])) {
    const char32_t character = (lead & 0x0F) << 12 | (octet(1) & 0x3FU) << 6 | (octet(2) & 0x3F);
    text.remove_prefix(3);
    return character < 0x800 ? std::nullopt : std::optional{character};
  }
  return std::nullopt;
}

bool is_legal_character(char32_t c) {
  return !(c <= 0x1F || (c >= 0x7F && c <= 0x9F) || (c >= 0xD800 && c <= 0xF8FF) || c >= 0xFFF0);
}

}  // namespace

bool is_legal_segment(std::string_view name) {
  if (name.empty() || name == "." || name == "..") {
    return false;
  }
  while (!name.empty()) {
    const auto character = take_character(name);
    if (!character || *character == '/' || !is_legal_character(*character)) {
      return false;
    }
  }
  return true;
}

std::string_view parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos) {
    return {};
  }
  return path.substr(0, slash == 0 ? 1 : slash);
}

std::string_view name_of_path(std::string_view path) { return path.substr(path.rfind('/') + 1); }

Result<Path> Path::parse(std::string_view text) {
  if (text == "/") {
    return Path{};
  }
  if (!text.starts_with('/')) {
    return ErrorCode::bad_arguments;
  }
  for (std::size_t begin = 1; begin <= text.size();) {
    const auto end = std::min(text.find('/', begin), text.size());
    if (!is_legal_segment(text.substr(begin, end - begin))) {
      return ErrorCode::bad_arguments;
    }
    begin = end + 1;
  }
  return Path{text};
}

Path Path::parent() const { return Path{parent_of(text_)}; }

std::string_view Path::name() const { return name_of_path(text_); }

Result<Path> Path::child(std::string_view name) const {
  if (!is_legal_segment(name)) {
    return ErrorCode::bad_arguments;
  }
  Path path = *this;
  if (!is_root()) {
    path.text_ += '/';
  }
  path.text_ += name;
  return path;
}

bool Path::contains(const Path& other) const {
  return is_root() || (other.text_.starts_with(text_) &&
                       (other.text_.size() == text_.size() || other.text_[text_.size()] == '/'));
}

}  // namespace zabfs::replication
