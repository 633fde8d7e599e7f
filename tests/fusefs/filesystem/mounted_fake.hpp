// A Filesystem on a FakeEnsemble, with the kernel's part played by the test: each call sends one
// request and writes down its one answer.
//
//   MountedFake m;
//   m.ensemble.create("/a", text("1"));
//   const auto a = m.look_up("a");             // the answer has come
//   const auto r = m.ask_lookup(root, "b");    // the request is under way
#pragma once

#include <fcntl.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fusefs/filesystem.hpp"
#include "tests/support/fake_ensemble.hpp"

namespace zabfs::test {

using fusefs::HandleId;
using fusefs::InodeNumber;

inline constexpr InodeNumber root = fusefs::inodes::root_number;

inline replication::Bytes bytes(const std::string& text) {
  const auto view = replication::bytes_of(text);
  return {view.begin(), view.end()};
}

// What an operation was answered.
struct Answer {
  int times{};  // answers received; anything but 1 is a defect
  int error{};
  InodeNumber inode{};
  struct stat attributes {};
  HandleId handle{};
  bool flush_is_needless{};
  bool is_stream{};
  bool name_is_kept{};
  bool attributes_are_kept{};
  bool may_keep_listing{};
  bool listing_is_kept{};
  std::string text{};  // content, or an extended attribute
  std::vector<std::string> names{};
  std::size_t written{};
  fusefs::Readiness readiness{};
  fusefs::LockFound lock_found{};
};

class RecordedAnswers : public fusefs::Answers {
 public:
  void refuse(fusefs::Ticket ticket, int error) override { of(ticket).error = error; }
  void answer(fusefs::Ticket ticket, const fusefs::Done&) override { of(ticket); }
  void answer(fusefs::Ticket ticket, const fusefs::Attributes& a) override {
    Answer& answer = of(ticket);
    answer.attributes = a.values;
    answer.attributes_are_kept = a.is_kept;
  }
  void answer(fusefs::Ticket ticket, const fusefs::Entry& entry) override {
    Answer& answer = of(ticket);
    answer.inode = entry.number;
    answer.attributes = entry.values;
    answer.name_is_kept = entry.name_is_kept;
  }
  void answer(fusefs::Ticket ticket, const fusefs::Absence&) override {
    Answer& answer = of(ticket);
    answer.error = ENOENT;
    answer.name_is_kept = true;
  }
  void answer(fusefs::Ticket ticket, const fusefs::Opened& opened) override {
    Answer& answer = of(ticket);
    answer.handle = opened.handle;
    answer.may_keep_listing = opened.may_keep_listing;
    answer.listing_is_kept = opened.listing_is_kept;
    answer.flush_is_needless = opened.flush_is_needless;
  }
  void answer(fusefs::Ticket ticket, const fusefs::Created& created) override {
    Answer& answer = of(ticket);
    answer.inode = created.entry.number;
    answer.attributes = created.entry.values;
    answer.handle = created.opened.handle;
    answer.is_stream = created.opened.is_stream;
  }
  void answer(fusefs::Ticket ticket, const fusefs::Content& content) override {
    of(ticket).text = replication::text_of(content.bytes);
  }
  void answer(fusefs::Ticket ticket, const fusefs::Written& written) override {
    of(ticket).written = written.bytes;
  }
  void answer(fusefs::Ticket ticket, const fusefs::Listing& listing) override {
    of(ticket).names.assign(listing.names.begin(), listing.names.end());
  }
  void answer(fusefs::Ticket ticket, const fusefs::AttributeText& text) override {
    of(ticket).text = text.text;
  }
  void answer(fusefs::Ticket ticket, const fusefs::Capacity&) override { of(ticket); }
  void answer(fusefs::Ticket ticket, const fusefs::Readiness& readiness) override {
    of(ticket).readiness = readiness;
  }
  void answer(fusefs::Ticket ticket, const fusefs::LockFound& found) override {
    of(ticket).lock_found = found;
  }

  // A request of its own for each call of an operation.
  fusefs::Ticket next_ticket(std::size_t room = 1 << 20) {
    ++last_;
    return {.request = reinterpret_cast<void*>(last_), .room = room};
  }
  const Answer& of_request(std::uintptr_t request) { return answers_[request]; }

 private:
  Answer& of(fusefs::Ticket ticket) {
    Answer& answer = answers_[reinterpret_cast<std::uintptr_t>(ticket.request)];
    ++answer.times;
    return answer;
  }

  std::uintptr_t last_{};
  std::map<std::uintptr_t, Answer> answers_{};
};

struct MountedFake {
  MountedFake() {
    ensemble.on_state([this](fusefs::client::SessionState state) {
      if (state == fusefs::client::SessionState::connecting) {
        fs.connection_lost();
      } else if (state == fusefs::client::SessionState::connected) {
        fs.connected();
      }
    });
  }

  // Calls `call(reply)` and names the request.
  template <class T, class Call>
  std::uintptr_t begin(Call call, std::size_t room = 1 << 20) {
    const fusefs::Ticket ticket = answers.next_ticket(room);
    call(fusefs::Reply<T>(answers, ticket));
    return reinterpret_cast<std::uintptr_t>(ticket.request);
  }

  // The same, until the answer is there.
  template <class T, class Call>
  Answer ask(Call call, std::size_t room = 1 << 20) {
    const auto request = begin<T>(call, room);
    ensemble.deliver();
    return answers.of_request(request);
  }

  Answer look_up(const std::string& name, InodeNumber parent = root) {
    return ask<fusefs::Entry>([&](auto r) { fs.lookup(std::move(r), {parent, name}); });
  }
  // Follows `path`, which begins with '/'.
  Answer walk(const std::string& path);
  Answer get_attributes(InodeNumber inode, std::optional<HandleId> handle = {}) {
    return ask<fusefs::Attributes>([&](auto r) { fs.get_attributes(std::move(r), inode, handle); });
  }
  Answer set_attributes(InodeNumber inode, fusefs::AttributeChange change,
                        std::optional<HandleId> handle = {}) {
    return ask<fusefs::Attributes>(
        [&](auto r) { fs.set_attributes(std::move(r), inode, change, handle); });
  }
  Answer open(InodeNumber inode, int flags) {
    return ask<fusefs::Opened>([&](auto r) { fs.open(std::move(r), inode, flags); });
  }
  Answer create(const std::string& name, int flags, InodeNumber parent = root) {
    return ask<fusefs::Created>([&](auto r) { fs.create(std::move(r), {parent, name}, flags); });
  }
  Answer read(HandleId handle, std::size_t offset = 0, std::size_t size = 1 << 20) {
    return ask<fusefs::Content>([&](auto r) { fs.read(std::move(r), handle, offset); }, size);
  }
  Answer write(HandleId handle, std::size_t offset, const std::string& text) {
    return ask<fusefs::Written>(
        [&](auto r) { fs.write(std::move(r), handle, offset, replication::bytes_of(text)); });
  }
  Answer flush(HandleId handle) {
    return ask<fusefs::Done>([&](auto r) { fs.flush(std::move(r), handle); });
  }
  Answer sync(HandleId handle) {
    return ask<fusefs::Done>([&](auto r) { fs.sync(std::move(r), handle); });
  }
  Answer release(HandleId handle) {
    return ask<fusefs::Done>([&](auto r) { fs.release(std::move(r), handle); });
  }
  Answer make_file(const std::string& name, InodeNumber parent = root) {
    return ask<fusefs::Entry>([&](auto r) { fs.make_file(std::move(r), {parent, name}); });
  }
  Answer make_directory(const std::string& name, InodeNumber parent = root) {
    return ask<fusefs::Entry>([&](auto r) { fs.make_directory(std::move(r), {parent, name}); });
  }
  Answer remove_file(const std::string& name, InodeNumber parent = root) {
    return ask<fusefs::Done>([&](auto r) { fs.remove_file(std::move(r), {parent, name}); });
  }
  Answer remove_directory(const std::string& name, InodeNumber parent = root) {
    return ask<fusefs::Done>([&](auto r) { fs.remove_directory(std::move(r), {parent, name}); });
  }
  Answer rename(const fusefs::Place& from, const fusefs::Place& to, unsigned flags = 0) {
    return ask<fusefs::Done>([&](auto r) { fs.rename(std::move(r), from, to, flags); });
  }
  Answer get_extended_attribute(InodeNumber inode, const std::string& name) {
    return ask<fusefs::AttributeText>(
        [&](auto r) { fs.get_extended_attribute(std::move(r), inode, name); });
  }
  std::vector<std::string> list(InodeNumber directory);
  // Opens, reads and closes.
  std::string cat(const std::string& path);

  FakeEnsemble ensemble{};
  RecordedAnswers answers{};
  fusefs::Filesystem fs{ensemble, {.uid = 1000, .gid = 100}};
};

inline Answer MountedFake::walk(const std::string& path) {
  Answer answer{.inode = root};
  for (std::size_t at = 1; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    answer = look_up(path.substr(at, end - at), answer.inode);
    at = end + 1;
  }
  return answer;
}

inline std::vector<std::string> MountedFake::list(InodeNumber directory) {
  const auto opened =
      ask<fusefs::Opened>([&](auto r) { fs.open_directory(std::move(r), directory); });
  auto names = ask<fusefs::Listing>([&](auto r) {
                 fs.read_directory(std::move(r), opened.handle, 0);
               }).names;
  ask<fusefs::Done>([&](auto r) { fs.release_directory(std::move(r), opened.handle); });
  const auto in_order = [](const std::string& name) {
    return std::pair(name.starts_with('.') ? 0 : name == "@data" ? 2 : 1, name);
  };
  std::ranges::sort(names, {}, in_order);
  return names;
}

inline std::string MountedFake::cat(const std::string& path) {
  const auto opened = open(walk(path).inode, O_RDONLY);
  const std::string text = read(opened.handle).text;
  release(opened.handle);
  return text;
}

}  // namespace zabfs::test
