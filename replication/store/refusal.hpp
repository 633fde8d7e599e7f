// Why a data directory cannot be trusted, as a sentence for its operator.
//
// A refusal names the file, the transactions concerned and what to do. Nothing is repaired by
// guessing: what a crash can leave behind is recovered without a word, and everything else stops
// here, before anything is overwritten.
#pragma once

#include <boost/system/result.hpp>
#include <sstream>
#include <string>

namespace zabfs::replication::store {

struct Refusal {
  std::string sentence{};
};

// A value, or the refusal. Test it as a condition; value() is not used.
template <class T>
using Verdict = boost::system::result<T, Refusal>;

// The parts, printed one after the other.
template <class... Parts>
Refusal refusal(const Parts&... parts) {
  std::ostringstream sentence;
  (sentence << ... << parts);
  return {sentence.str()};
}

}  // namespace zabfs::replication::store
