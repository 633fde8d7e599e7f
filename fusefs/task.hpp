// Coroutines in which an operation of the mount waits for the ensemble without holding up another.
//
//   Detached   runs at once, up to its first wait; nobody waits for it; its frame ends with it
//   Task<T>    runs when awaited, and resumes whoever awaits it with its value
//
// What an awaited call is given by value has a name or is moved: g++ 12 destroys a temporary made
// by braces inside a co_await expression twice.
//
// Everything happens on the thread of the event loop. An exception that leaves a coroutine ends the
// process: there is none that an operation could carry on after.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace zabfs::fusefs {

struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    [[noreturn]] void unhandled_exception() { std::terminate(); }
  };
};

template <class T>
class [[nodiscard]] Task {
 public:
  struct promise_type;
  using Coroutine = std::coroutine_handle<promise_type>;

  // Passes control to whoever awaited the task.
  struct Resume {
    bool await_ready() noexcept { return false; }
    std::coroutine_handle<> await_suspend(Coroutine done) noexcept {
      return done.promise().awaiting;
    }
    void await_resume() noexcept {}
  };

  struct promise_type {
    std::coroutine_handle<> awaiting{};
    std::optional<T> value{};

    Task get_return_object() { return Task(Coroutine::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    Resume final_suspend() noexcept { return {}; }
    void return_value(T result) { value.emplace(std::move(result)); }
    [[noreturn]] void unhandled_exception() { std::terminate(); }
  };

  Task(Task&& other) noexcept : coroutine_(std::exchange(other.coroutine_, {})) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (coroutine_) {
      coroutine_.destroy();
    }
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
    coroutine_.promise().awaiting = awaiting;
    return coroutine_;
  }
  T await_resume() { return std::move(*coroutine_.promise().value); }

 private:
  explicit Task(Coroutine coroutine) : coroutine_(coroutine) {}

  Coroutine coroutine_;
};

}  // namespace zabfs::fusefs
