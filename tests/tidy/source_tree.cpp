#include "tests/tidy/source_tree.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

namespace fs = std::filesystem;

namespace zabfs::test {
namespace {

bool is_text(const fs::path& path) {
  static const std::set<std::string> extensions{".hpp", ".cpp", ".h",    ".c",   ".py",   ".sh",
                                                ".md",  ".txt", ".json", ".cfg", ".cmake"};
  return extensions.contains(path.extension()) || path.parent_path().filename() == ".ci";
}

std::string contents_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<SourceFile> read_tree(const fs::path& root) {
  std::vector<SourceFile> files;
  for (auto it = fs::recursive_directory_iterator(root); it != fs::end(it); ++it) {
    const std::string name = it->path().filename();
    if (it->is_directory()) {
      if (name == ".git" || name == "__pycache__" || fs::exists(it->path() / "CMakeCache.txt")) {
        it.disable_recursion_pending();
      }
    } else if (it->is_regular_file() && is_text(it->path())) {
      files.push_back({fs::relative(it->path(), root).generic_string(), contents_of(it->path())});
    }
  }
  std::ranges::sort(files, {}, &SourceFile::path);
  return files;
}

// Where the literal or comment that opens at `at` ends; `at` itself when nothing opens there.
std::size_t end_of_blank(std::string_view text, std::size_t at) {
  const auto after = [&](std::string_view closing, std::size_t from) {
    const auto found = text.find(closing, from);
    return found == text.npos ? text.size() : found + closing.size();
  };
  const std::string_view rest = text.substr(at);
  if (rest.starts_with("//")) {
    return std::min(text.find('\n', at), text.size());
  }
  if (rest.starts_with("/*")) {
    return after("*/", at + 2);
  }
  if (rest.starts_with("R\"")) {
    const auto open = text.find('(', at);
    return after(")" + std::string(text.substr(at + 2, open - at - 2)) + "\"", open);
  }
  const bool separates_digits =
      at > 0 && std::isalnum(static_cast<unsigned char>(text[at - 1])) != 0 && rest[0] == '\'';
  if ((rest[0] != '"' && rest[0] != '\'') || separates_digits) {
    return at;
  }
  auto end = at + 1;
  while (end < text.size() && text[end] != rest[0]) {
    end += text[end] == '\\' ? 2U : 1U;
  }
  return std::min(end + 1, text.size());
}

}  // namespace

bool SourceFile::is_below(std::string_view folder) const {
  return path.starts_with(std::string(folder) + "/");
}

bool SourceFile::is_product() const {
  return is_below("replication") || is_below("daemon") || is_below("fusefs");
}

std::string SourceFile::code() const { return without_comments_and_literals(text); }

const std::vector<SourceFile>& source_files() {
  static const std::vector<SourceFile> files = read_tree(SOURCE_ROOT);
  return files;
}

std::string without_comments_and_literals(std::string_view text) {
  std::string code(text);
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto end = end_of_blank(text, at);
    std::replace_if(
        code.begin() + static_cast<std::ptrdiff_t>(at),
        code.begin() + static_cast<std::ptrdiff_t>(end), [](char c) { return c != '\n'; }, ' ');
    at = std::max(at, end > 0 && end > at ? end - 1 : at);
  }
  return code;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  std::istringstream in{std::string(text)};
  for (std::string line; std::getline(in, line);) {
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace zabfs::test
