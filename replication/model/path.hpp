// A valid znode path. Once it exists, nobody checks it again.
//
// The rule is ZooKeeper's, for everything that writes: non-empty, starts with '/', no '/' at the
// end unless it is the root, no empty, "." or ".." segment, and none of U+0000-001F, U+007F-009F,
// U+D800-F8FF, U+FFF0-FFFF nor anything above U+FFFF; text that is not UTF-8 is refused. (Reads do
// not validate: they look a string up, and find nothing.)
#pragma once

#include <compare>
#include <ostream>
#include <string>
#include <string_view>

#include "replication/model/result.hpp"

namespace zabfs::replication {

class Path {
 public:
  // The root.
  Path() : text_("/") {}

  // The path, or bad_arguments.
  static Result<Path> parse(std::string_view text);

  bool is_root() const { return text_.size() == 1; }

  // The path above this one. The root is its own parent.
  Path parent() const;

  // The last segment; empty for the root.
  std::string_view name() const;

  // This path with one more segment, or bad_arguments if `name` is not a legal segment.
  Result<Path> child(std::string_view name) const;

  // True if `other` is this path or lies below it.
  bool contains(const Path& other) const;

  const std::string& text() const { return text_; }

  auto operator<=>(const Path&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Path& path) { return out << path.text_; }

 private:
  explicit Path(std::string_view text) : text_(text) {}

  std::string text_;
};

// True if `name` may be one segment of a path.
bool is_legal_segment(std::string_view name);

// The text above the last '/' of `path`, "/" for a child of the root; for text that only looks like
// a path. "" if there is no '/'.
std::string_view parent_of(std::string_view path);

// The text behind the last '/' of `path`.
std::string_view name_of_path(std::string_view path);

}  // namespace zabfs::replication
