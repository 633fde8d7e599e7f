// One kernel request while it waits for the ensemble, and the questions it asks there.
//
//   Operation operation(operations, reply.ticket());
//   Ask<StatResponse> found(ensemble, operation, ExistsRequest{path});   // leaves at once
//   const auto stat = co_await found;                                  // waits
//
// Several questions may be asked before the first is awaited: they travel together. Interrupting an
// operation forgets what it asked and lets whatever it awaits, now or later, fail with EINTR. An
// Operation and its questions live in the frame of the coroutine that answers the request.
//
// What has to be done whether or not anybody still waits for it runs as an operation of its own,
// under a ticket without a request of the kernel; who waits for it awaits a Wake.
#pragma once

#include <cerrno>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <utility>
#include <variant>

#include "fusefs/cache/coherence.hpp"
#include "fusefs/client/client.hpp"
#include "fusefs/failure.hpp"
#include "fusefs/reply.hpp"

namespace zabfs::fusefs {

class Operation;

// The operations that wait, by the request they answer.
class OperationTable {
 public:
  // True while the request has no answer yet.
  bool is_waiting(const void* request) const { return operations_.contains(request); }

  // The process that waits for `request` got a signal. Unknown requests are ignored: the answer
  // and the interruption crossed.
  void interrupt(const void* request);

  // Ends everything that waits, when the mount ends.
  void interrupt_all();

  std::size_t size() const { return operations_.size(); }

  // `tell` is called with the number of a request before anything that it changes leaves for the
  // ensemble.
  void before_changes(std::function<void(std::uint64_t)> tell) {
    tell_of_change_ = std::move(tell);
  }

  // The requests that have begun a change and are not answered.
  std::size_t changing() const { return changing_; }

 private:
  friend class Operation;

  std::unordered_map<const void*, Operation*> operations_{};
  std::function<void(std::uint64_t)> tell_of_change_{};
  std::size_t changing_{};
};

class Awaited;

class Operation {
 public:
  Operation(OperationTable& table, Ticket ticket);
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  ~Operation();

  bool is_interrupted() const { return interrupted_; }
  void interrupt();

  // What it changes from now on is not what the kernel sees changing: it goes by another name
  // (job-@s, n@v=7). So whoever watches the files by inotify has yet to be told.
  void change_unseen() { changes_unseen_ = true; }
  bool changes_unseen() const { return changes_unseen_; }

  // Something that it changes is about to leave for the ensemble.
  void begin_change();

 private:
  friend class Awaited;

  OperationTable& table_;
  const void* request_;
  std::uint64_t number_;
  Awaited* awaited_{};
  bool interrupted_{};
  bool changes_unseen_{};
  bool has_begun_change_{};
};

// What an operation waits for. Awaited by one coroutine, which runs on when resume() is called: by
// what it waits for, or by the interruption of the operation.
class Awaited {
 public:
  explicit Awaited(Operation& operation) : operation_(operation) {}
  Awaited(const Awaited&) = delete;
  Awaited& operator=(const Awaited&) = delete;
  ~Awaited() = default;

  void await_suspend(std::coroutine_handle<> waiting);

 protected:
  friend class Operation;

  bool is_interrupted() const { return operation_.is_interrupted(); }
  bool is_awaited() const { return static_cast<bool>(waiting_); }
  void resume();

 private:
  Operation& operation_;
  std::coroutine_handle<> waiting_{};
};

// A wait for something that happens in the mount itself, which then calls ring().
class Wake : public Awaited {
 public:
  using Awaited::Awaited;

  bool await_ready() const { return has_rung_ || is_interrupted(); }
  // EINTR if the operation was interrupted first.
  Outcome<Done> await_resume() const;

  // Whoever waits runs on, before ring() returns. Rung before that, nobody will wait.
  void ring();

 private:
  bool has_rung_{};
};

// A request to the ensemble, and its answer once that has come.
class Question : public Awaited {
 public:
  // `is_patient`: nobody waits for it, and it may leave with the next that somebody waits for.
  Question(cache::Coherence& ensemble, Operation& operation, replication::protocol::Request request,
           bool is_patient = false);
  ~Question();

  bool await_ready() const { return outcome_.has_value() || is_interrupted(); }

  // The write behind which this was asked has just been answered.
  void write_answered() { underway_.write_answered(); }

 protected:
  // The answer; EINTR if the operation was interrupted before it came.
  Outcome<replication::protocol::Response> take();

 private:
  client::Client& client_;
  cache::Underway underway_;
  client::RequestId id_{};
  std::optional<replication::Result<client::Reply>> outcome_{};
};

// A question whose answer has the type `Body`.
template <class Body>
class Ask : public Question {
 public:
  using Question::Question;

  // Awaited once.
  Outcome<Body> await_resume() {
    auto response = take();
    if (!response) {
      return response.error();
    }
    if (Body* body = std::get_if<Body>(&*response)) {
      return std::move(*body);
    }
    // The server answered another question than it was asked.
    return Failure::of(replication::ErrorCode::marshalling_error);
  }
};

}  // namespace zabfs::fusefs
