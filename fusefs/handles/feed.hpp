// Text that comes while a file is open: lines for whoever reads, poll(2) and those who wait.
//
//   being fed --end()--> ended (what is unread can be read, then comes the end of the file)
//       |------fail()--> failed (what is unread can be read, then every read fails)
//
// A reader takes what there is. Everything happens on one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zabfs::fusefs::handles {

class Feed {
 public:
  Feed() = default;
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  // For whoever feeds it. Nothing comes behind an end or a failure. From begin() on, nothing is
  // missed.
  void begin();
  bool has_begun() const { return has_begun_; }
  void add(std::string_view text);
  void end();
  void fail(int errno_value);

  std::size_t unread_bytes() const { return unread_.size(); }

  // For a successor of this process: what there is to read, how many bytes have ever come in and
  // been taken, and what whoever feeds it wants to know again, to go on behind the last of them.
  const std::string& unread() const { return unread_; }
  std::uint64_t bytes_fed() const { return fed_; }
  std::uint64_t bytes_taken() const { return taken_; }
  const std::vector<std::int64_t>& progress() const { return progress_; }
  void note_progress(std::vector<std::int64_t> progress) { progress_ = std::move(progress); }
  bool has_ended() const { return has_ended_; }
  void restore(std::string unread) { unread_ = std::move(unread); }

  // Calls `call` once, when everything has been read; an empty function forgets an earlier one.
  void when_drained(std::function<void()> call) { when_drained_ = std::move(call); }

  // Calls `call` once, when it has begun, or has ended or failed before that; later, if not yet.
  // An empty function forgets an earlier one.
  void when_begun(std::function<void()> call);

  // For readers.
  bool is_ready() const { return !unread_.empty() || has_ended_ || error_ != 0; }
  // The next text, at most `size` bytes. Empty at the end, and if there is an error() instead.
  std::string take(std::size_t size);
  int error() const { return unread_.empty() ? error_ : 0; }

  // Calls `call` once, when it is_ready(). Returns its number, for forget().
  std::uint64_t when_ready(std::function<void()> call);
  void forget(std::uint64_t number) { waiting_.erase(number); }

 private:
  void wake();

  std::string unread_{};
  std::uint64_t fed_{};
  std::uint64_t taken_{};
  std::vector<std::int64_t> progress_{};
  bool has_begun_{};
  std::function<void()> when_begun_{};
  std::function<void()> when_drained_{};
  bool has_ended_{};
  int error_{};
  std::map<std::uint64_t, std::function<void()>> waiting_{};
  std::uint64_t last_number_{};
};

}  // namespace zabfs::fusefs::handles
