// What the checkers found wrong: sentences, each under the name of the property that does not hold.
//
// The first one matters most; what follows is often its consequence, so only the first few are
// kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zabfs::test {

class Findings {
 public:
  static constexpr std::size_t kept_max = 20;

  // `on_add` hears every sentence as it is found.
  explicit Findings(std::function<void(const std::string&)> on_add = nullptr)
      : on_add_(std::move(on_add)) {}

  // The parts make one sentence.
  template <class... Parts>
  void add(std::string_view property, const Parts&... parts) {
    if (sentences_.size() >= kept_max) {
      return;
    }
    std::ostringstream sentence;
    sentence << property << ": ";
    ((sentence << parts), ...);
    sentences_.push_back(sentence.str());
    if (on_add_) {
      on_add_(sentences_.back());
    }
  }

  bool empty() const { return sentences_.empty(); }
  const std::vector<std::string>& sentences() const { return sentences_; }

 private:
  std::vector<std::string> sentences_{};
  std::function<void(const std::string&)> on_add_;
};

}  // namespace zabfs::test
