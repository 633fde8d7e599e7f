// The tables "operation by kind of name" of docs/filesystem.md on a file system without a mount:
// the kernel's part, which looks names up and refuses what needs no file system, is played here.
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <utility>

#include "tests/fusefs/filesystem/mounted_fake.hpp"

namespace zabfs::test {
namespace {

std::string name_of(int error) {
  return error == 0 ? "ok" : error == ENOTSUP ? "ENOTSUP" : ::strerrorname_np(error);
}

// One file of every kind, and a name.
struct Cell {
  explicit Cell(const std::string& given) {
    m.ensemble.create("/f", bytes(""));
    m.ensemble.set("/f", "data");
    m.ensemble.create("/d", std::nullopt);
    m.ensemble.create("/full", std::nullopt);
    m.ensemble.create("/full/c", bytes(""));
    m.ensemble.create("/both", std::nullopt);
    m.ensemble.create("/both/c", bytes(""));
    m.ensemble.remove("/both/c");
    m.ensemble.set("/both", "data");
    m.ensemble.create("/eph", bytes("data"), m.ensemble.session().value);
    m.ensemble.create("/other", bytes(""));
    name = given;
    const auto slash = given.find('/');
    if (slash != given.npos) {
      const auto directory = m.look_up(given.substr(0, slash));
      parent_error = directory.error != 0                    ? directory.error
                     : S_ISDIR(directory.attributes.st_mode) ? 0
                                                             : ENOTDIR;
      parent = directory.inode;
      name = given.substr(slash + 1);
    }
    found = m.look_up(name, parent);
    if (parent_error != 0) {
      found.error = parent_error;
    }
  }

  bool is_directory() const { return S_ISDIR(found.attributes.st_mode); }

  std::string open(int flags, const std::function<std::string(HandleId)>& use = {}) {
    if (found.error != 0 || is_directory()) {
      return name_of(found.error != 0 ? found.error : EISDIR);
    }
    return closed(m.open(found.inode, flags), use);
  }

  std::string create(int flags) {
    if (found.error == 0 && (flags & O_EXCL) != 0) {
      return "EEXIST";
    }
    return found.error == ENOENT && parent_error == 0
               ? closed(m.create(name, flags | O_CREAT, parent), {})
               : open(flags);
  }

  template <class Make>
  std::string make(Make call) {
    if (found.error == ENOENT && parent_error == 0) {
      return name_of((m.*call)(name, parent).error);
    }
    return name_of(found.error == 0 ? EEXIST : found.error);
  }

  std::string remove(bool wants_directory) {
    if (found.error != 0 || is_directory() != wants_directory) {
      return name_of(found.error != 0 ? found.error : wants_directory ? ENOTDIR : EISDIR);
    }
    return name_of(wants_directory ? m.remove_directory(name, parent).error
                                   : m.remove_file(name, parent).error);
  }

  std::string move_away() {
    return name_of(found.error != 0 ? found.error
                                    : m.rename({parent, name}, {root, "moved"}).error);
  }

  std::string move_onto(const std::string& what, bool is_of_directory) {
    if (parent_error != 0 || (found.error != 0 && found.error != ENOENT)) {
      return name_of(found.error);
    }
    if (found.error == 0 && is_directory() != is_of_directory) {
      return is_of_directory ? "ENOTDIR" : "EISDIR";
    }
    return name_of(m.rename({root, what}, {parent, name}).error);
  }

  std::string change(const fusefs::AttributeChange& wanted) {
    if (found.error == 0 && wanted.size && is_directory()) {
      return "EISDIR";
    }
    return name_of(found.error != 0 ? found.error : m.set_attributes(found.inode, wanted).error);
  }

  std::string chmod(std::optional<mode_t> mode) {
    const mode_t same = found.attributes.st_mode & 07777U;
    return change({.mode = mode.value_or(same)});
  }

  template <class Call>
  std::string attribute(Call call) {
    return name_of(found.error != 0 ? found.error : call(found.inode).error);
  }

  MountedFake m{};
  InodeNumber parent{root};
  int parent_error{};
  std::string name{};
  Answer found{};

 private:
  std::string closed(const Answer& opened, const std::function<std::string(HandleId)>& use) {
    if (opened.error != 0) {
      return name_of(opened.error);
    }
    std::string said = use ? use(opened.handle) : "ok";
    m.flush(opened.handle);
    m.release(opened.handle);
    return said;
  }
};

std::string shown(Cell& cell) {
  if (cell.found.error != 0) {
    return name_of(cell.found.error);
  }
  std::ostringstream text;
  text << (cell.is_directory() ? "directory " : "file ") << std::oct
       << (cell.found.attributes.st_mode & 07777U);
  return text.str();
}

std::string read(Cell& cell) {
  return cell.open(O_RDONLY, [&cell](HandleId handle) -> std::string {
    const auto readiness = cell.m.ask<fusefs::Readiness>(
        [&](auto reply) { cell.m.fs.poll(std::move(reply), handle, {}); });
    if (!readiness.readiness.can_read) {
      return "waits";
    }
    const Answer answer = cell.m.read(handle);
    const std::string& text = answer.text;
    if (answer.error != 0 || text.empty()) {
      return answer.error != 0 ? name_of(answer.error) : "empty";
    }
    const auto tells = [&](const char* sign) {
      return text.starts_with(sign) || text.find(" " + std::string(sign) + " ") != text.npos;
    };
    return tells("data")                        ? "data"
           : tells("czxid")                     ? "stat"
           : tells("world:anyone")              ? "ACL"
           : tells("exists") || tells("absent") ? "line"
                                                : "text";
  });
}

std::string list(Cell& cell) {
  if (cell.found.error != 0 || !cell.is_directory()) {
    return name_of(cell.found.error != 0 ? cell.found.error : ENOTDIR);
  }
  std::set<std::string> names;
  for (const auto& one : cell.m.list(cell.found.inode)) {
    if (one != "." && one != "..") {
      names.insert(one);
    }
  }
  std::string text;
  for (const auto& one : names) {
    text += (text.empty() ? "" : " ") + one;
  }
  return names.size() >= 4 ? "names" : text.empty() ? "empty" : text;
}

std::string set_attribute(Cell& cell, const char* name, const char* value) {
  return cell.attribute([&](InodeNumber inode) {
    return cell.m.ask<fusefs::Done>([&](auto reply) {
      cell.m.fs.set_extended_attribute(std::move(reply), inode, name, value);
    });
  });
}

std::string remove_attribute(Cell& cell) {
  return cell.attribute([&](InodeNumber inode) {
    return cell.m.ask<fusefs::Done>([&](auto reply) {
      cell.m.fs.remove_extended_attribute(std::move(reply), inode, "user.zk.version");
    });
  });
}

std::string get_attribute(Cell& cell) {
  return cell.attribute(
      [&](InodeNumber inode) { return cell.m.get_extended_attribute(inode, "user.zk.path"); });
}

using Operations = std::map<std::string, std::function<std::string(Cell&)>>;

const Operations& operations() {
  static const Operations all{
      {"stat", shown},
      {"read", read},
      {"open to write", [](Cell& c) { return c.open(O_WRONLY); }},
      {"read and write", [](Cell& c) { return c.open(O_RDWR); }},
      {"`>`", [](Cell& c) { return c.open(O_WRONLY | O_TRUNC); }},
      {"`>>`", [](Cell& c) { return c.open(O_WRONLY | O_APPEND); }},
      {"list", list},
      {"create", [](Cell& c) { return c.create(O_WRONLY | O_EXCL); }},
      {"create to read", [](Cell& c) { return c.create(O_RDONLY); }},
      {"mkdir", [](Cell& c) { return c.make(&MountedFake::make_directory); }},
      {"mknod", [](Cell& c) { return c.make(&MountedFake::make_file); }},
      {"unlink", [](Cell& c) { return c.remove(false); }},
      {"rmdir", [](Cell& c) { return c.remove(true); }},
      {"rename", [](Cell& c) { return c.move_away(); }},
      {"file onto it", [](Cell& c) { return c.move_onto("other", false); }},
      {"directory onto it",
       [](Cell& c) {
         c.m.make_directory("another");
         return c.move_onto("another", true);
       }},
      {"truncate", [](Cell& c) { return c.change({.size = 2}); }},
      {"touch", [](Cell& c) { return c.change({.sets_mtime_to_now = true}); }},
      {"set a time", [](Cell& c) { return c.change({}); }},
      {"chmod as it is", [](Cell& c) { return c.chmod(std::nullopt); }},
      {"chmod 444", [](Cell& c) { return c.chmod(0444); }},
      {"chmod 555", [](Cell& c) { return c.chmod(0555); }},
      {"chmod 600", [](Cell& c) { return c.chmod(0600); }},
      {"chown", [](Cell& c) { return c.change({.uid = 12345}); }},
      {"getfattr", get_attribute},
      {"setfattr acl",
       [](Cell& c) { return set_attribute(c, "user.zk.acl", "world:anyone:cdrwa\n"); }},
      {"setfattr version", [](Cell& c) { return set_attribute(c, "user.zk.version", "7"); }},
      {"setfattr -x", remove_attribute},
  };
  return all;
}

// What the kernel or fusefs/kernel answers alone, or what needs processes.
const std::set<std::string> not_here{"mkfifo", "symlink", "link", "flock", "lock a part"};

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream text(line.substr(1));
  for (std::string cell; std::getline(text, cell, '|');) {
    const auto begin = cell.find_first_not_of(' ');
    const auto end = cell.find_last_not_of(' ');
    cells.push_back(begin == cell.npos ? "" : cell.substr(begin, end - begin + 1));
  }
  return cells;
}

TEST(Table, EveryCellIsTrueWithoutAMount) {
  std::ifstream page(SOURCE_ROOT "/docs/filesystem.md");
  std::vector<std::string> columns;
  bool is_there = false;
  int seen = 0;
  for (std::string line; std::getline(page, line);) {
    is_there = line.starts_with("#") ? line == "### Operation by kind of name" : is_there;
    if (!is_there || !line.starts_with("| ")) {
      continue;
    }
    const auto cells = split(line);
    if (cells.front() == "name") {
      columns = cells;
      continue;
    }
    if (columns.empty()) {
      continue;  // What the names stand for.
    }
    const std::string name = cells.front().substr(1, cells.front().size() - 2);
    for (std::size_t i = 1; i < cells.size(); ++i) {
      if (!not_here.contains(columns[i])) {
        Cell cell(name);
        EXPECT_EQ(operations().at(columns[i])(cell), cells[i]) << columns[i] << " of " << name;
        ++seen;
      }
    }
  }
  EXPECT_GT(seen, 1000);
}

}  // namespace
}  // namespace zabfs::test
