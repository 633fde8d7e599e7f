#include "fusefs/notify/interest.hpp"

#include "fusefs/limits.hpp"
#include "replication/model/path.hpp"

namespace zabfs::fusefs::notify {

using replication::name_of_path;
using replication::parent_of;

std::vector<std::string> Interest::replace(const std::map<std::string, bool>& watched) {
  std::erase_if(watched_, [&](const auto& entry) { return !watched.contains(entry.first); });
  std::vector<std::string> added;
  for (const auto& [path, is_directory] : watched) {
    const auto [entry, is_new] = watched_.try_emplace(path);
    if (is_new || entry->second.is_directory != is_directory) {
      entry->second = {.is_directory = is_directory};
      added.push_back(path);
    }
  }
  return added;
}

bool Interest::hears_of(std::string_view path) const {
  return watched_.contains(path) || (path != "/" && watched_.contains(parent_of(path)));
}

std::set<std::string> Interest::roots() const {
  std::set<std::string> roots;
  for (const auto& [path, watched] : watched_) {
    bool is_covered = roots.contains("/");
    for (std::string_view above = path; !is_covered && above != "/";) {
      above = parent_of(above);
      is_covered = roots.contains(std::string(above));
    }
    if (!is_covered) {
      roots.insert(path);  // What is above a path comes before it.
    }
  }
  return roots;
}

std::vector<std::string> Interest::paths() const {
  std::vector<std::string> paths;
  for (const auto& [path, watched] : watched_) {
    paths.push_back(path);
  }
  return paths;
}

bool Interest::is_directory(std::string_view path) const {
  const auto found = watched_.find(path);
  return found != watched_.end() && found->second.is_directory;
}

Interest::Names* Interest::names(std::string_view directory) {
  const auto found = watched_.find(directory);
  return found != watched_.end() && found->second.has_names ? &found->second.names : nullptr;
}

std::size_t Interest::name_count() const {
  std::size_t count = 0;
  for (const auto& [path, watched] : watched_) {
    count += watched.names.size();
  }
  return count;
}

void Interest::learn_names(const std::string& directory, const std::vector<std::string>& names) {
  const auto found = watched_.find(directory);
  if (found == watched_.end() || name_count() + names.size() > limits::inotify_names_max) {
    return;
  }
  found->second.has_names = true;
  for (const auto& name : names) {
    found->second.names.try_emplace(name, Told::unknown);
  }
}

Told Interest::told(std::string_view path) {
  const Names* known = path == "/" ? nullptr : names(parent_of(path));
  if (known == nullptr) {
    return Told::unknown;
  }
  const auto found = known->find(std::string(name_of_path(path)));
  return found == known->end() ? Told::unknown : found->second;
}

bool Interest::may_be_told(std::string_view path) {
  const Names* known = path == "/" ? nullptr : names(parent_of(path));
  return known == nullptr || known->contains(std::string(name_of_path(path)));
}

void Interest::note(std::string_view path, Told told) {
  Names* known = path == "/" ? nullptr : names(parent_of(path));
  if (known != nullptr) {
    (*known)[std::string(name_of_path(path))] = told;
  }
}

void Interest::forget(std::string_view path) {
  Names* known = path == "/" ? nullptr : names(parent_of(path));
  if (known != nullptr) {
    known->erase(std::string(name_of_path(path)));
  }
}

}  // namespace zabfs::fusefs::notify
