// A Filesystem on a FakeEnsemble with a Notifier; the replayer is a list of what it was given.
//
//   NotifiedFake m;
//   m.watch("/d");                 // a program watches it
//   m.ensemble.create("/d/f", bytes("1"));
//   m.settle();
//   m.told()                       // "make_file /d/f"
#pragma once

#include <deque>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fusefs/notify/notifier.hpp"
#include "tests/fusefs/filesystem/mounted_fake.hpp"

namespace zabfs::test {

struct NotifiedFake : MountedFake {
  // From now on programs watch exactly these, which exist.
  void watch(const std::vector<std::string>& paths) {
    std::set<InodeNumber> numbers;
    for (const auto& path : paths) {
      numbers.insert(walk(path).inode);
    }
    notifier.watched(numbers);
    settle();
  }

  // Until nothing is left to do.
  void settle() {
    ensemble.deliver();
    while (!calls.empty()) {
      const auto call = std::move(calls.front());
      calls.pop_front();
      call();
      ensemble.deliver();
    }
  }

  // What the replayer was given since the last call, in words.
  std::string told() {
    std::string text;
    for (const auto& replay : std::exchange(replays, {})) {
      text += (text.empty() ? "" : ", ") + word(replay.deed) + " " + replay.path +
              (replay.to.empty() ? "" : " " + replay.to);
    }
    return text;
  }

  static std::string word(fusefs::notify::Deed deed) {
    static const std::vector<std::string> words{"make_file",   "make_directory",   "write", "touch",
                                                "remove_file", "remove_directory", "move"};
    return words.at(static_cast<std::size_t>(deed));
  }

  // Another client's transaction.
  void transact(replication::protocol::MultiRequest request) {
    ensemble.submit(std::move(request), [](const auto&) {});
    settle();
  }

  std::vector<fusefs::notify::Replay> replays{};
  std::deque<std::function<void()>> calls{};
  fusefs::notify::Notifier notifier{
      fs.insides(),
      {.perform =
           [this](const fusefs::notify::Replay& replay) {
             replays.push_back(replay);
             calls.emplace_back([this] { notifier.replayed(); });
           },
       .later = [this](std::function<void()> call) { calls.push_back(std::move(call)); }}};
};

}  // namespace zabfs::test
