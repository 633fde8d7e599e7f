// What programs watch by inotify, as znodes; and the names in the watched directories, as whoever
// watches has been told them.
//
// The names say what became of a directory while nobody could hear of it, and whether a znode that
// goes was ever there for those who watch. They are bounded (limits::inotify_names_max over all
// directories); of a directory above the bound only events tell.
//
// Everything happens on one thread.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "fusefs/inodes/node.hpp"

namespace zabfs::fusefs::notify {

// What a name was when it was told.
enum class Told { unknown, file, directory };

inline Told told_as(inodes::Kind kind) {
  return kind == inodes::Kind::directory ? Told::directory : Told::file;
}

class Interest {
 public:
  using Names = std::unordered_map<std::string, Told>;

  // From now on exactly these are watched; true for directories. Returns those that are new.
  std::vector<std::string> replace(const std::map<std::string, bool>& watched);

  bool empty() const { return watched_.empty(); }
  bool contains(std::string_view path) const { return watched_.contains(path); }
  // True if a change of the znode is told: it is watched itself, or the directory it is in.
  bool hears_of(std::string_view path) const;

  // The fewest watched paths that all watched ones are below.
  std::set<std::string> roots() const;
  std::vector<std::string> paths() const;
  bool is_directory(std::string_view path) const;

  // The names in a watched directory: nullptr if it is not watched or its names are not known.
  Names* names(std::string_view directory);
  void learn_names(const std::string& directory, const std::vector<std::string>& names);

  // What `path` was told as; unknown if it was not, or its directory's names are not known.
  Told told(std::string_view path);
  // False if `path` is in a directory whose names are known, and is none of them.
  bool may_be_told(std::string_view path);
  void note(std::string_view path, Told told);
  void forget(std::string_view path);

 private:
  struct Watched {
    bool is_directory{};
    bool has_names{};
    Names names{};
  };

  std::size_t name_count() const;

  std::map<std::string, Watched, std::less<>> watched_{};
};

}  // namespace zabfs::fusefs::notify
