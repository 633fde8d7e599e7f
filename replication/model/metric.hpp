// What a server counts and measures of itself: the kinds of metrics. metrics.hpp lists them all.
//
//   Counter        how often something has happened
//   Distribution   how long something takes, or how many there are of something at a time
//   Extent         the last, the least and the largest of something, without a history
//
// They are filled on the loop's thread, in the middle of the work: an addition or two, no memory,
// no lock. Each enters itself into the list it belongs to, under the name that ZooKeeper has for
// it.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

namespace zabfs::replication {

class Counter;
class Distribution;
class Extent;

// Every metric of one server, in the order of their declaration.
class MetricList {
 public:
  MetricList() = default;
  MetricList(const MetricList&) = delete;
  MetricList& operator=(const MetricList&) = delete;

  const std::vector<Counter*>& counters() const { return counters_; }
  const std::vector<Distribution*>& distributions() const { return distributions_; }
  const std::vector<Extent*>& extents() const { return extents_; }

  // As if the server had just been started.
  inline void reset();

  // To be called once a minute; see Distribution::percentile().
  inline void begin_minute();

 private:
  friend class Counter;
  friend class Distribution;
  friend class Extent;

  std::vector<Counter*> counters_{};
  std::vector<Distribution*> distributions_{};
  std::vector<Extent*> extents_{};
};

class Counter {
 public:
  // `name` and `meaning` outlive the counter.
  Counter(MetricList& list, std::string_view name, std::string_view meaning)
      : name_(name), meaning_(meaning) {
    list.counters_.push_back(this);
  }
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;

  void add(std::uint64_t count = 1) { value_ += count; }
  void reset() { value_ = 0; }

  std::uint64_t value() const { return value_; }
  std::string_view name() const { return name_; }
  std::string_view meaning() const { return meaning_; }

 private:
  std::string_view name_;
  std::string_view meaning_;
  std::uint64_t value_{};
};

class Extent {
 public:
  Extent(MetricList& list, std::string_view name, std::string_view meaning)
      : name_(name), meaning_(meaning) {
    list.extents_.push_back(this);
  }
  Extent(const Extent&) = delete;
  Extent& operator=(const Extent&) = delete;

  void add(std::uint64_t value) {
    last_ = static_cast<std::int64_t>(value);
    min_ = min_ < 0 ? last_ : std::min(min_, last_);
    max_ = std::max(max_, last_);
  }
  void reset() { last_ = min_ = max_ = -1; }

  // -1 before the first.
  std::int64_t last() const { return last_; }
  std::int64_t min() const { return min_; }
  std::int64_t max() const { return max_; }
  std::string_view name() const { return name_; }
  std::string_view meaning() const { return meaning_; }

 private:
  std::string_view name_;
  std::string_view meaning_;
  std::int64_t last_{-1};
  std::int64_t min_{-1};
  std::int64_t max_{-1};
};

enum class Unit : std::uint8_t { microseconds, pieces };

// Whether operators are shown percentiles of it.
enum class Detail : std::uint8_t { plain, percentiles };

class Distribution {
 public:
  Distribution(MetricList& list, std::string_view name, std::string_view meaning,
               Unit unit = Unit::microseconds, Detail detail = Detail::plain)
      : name_(name), meaning_(meaning), unit_(unit), detail_(detail) {
    list.distributions_.push_back(this);
  }
  Distribution(const Distribution&) = delete;
  Distribution& operator=(const Distribution&) = delete;

  // Negative values count as 0: clocks of two machines differ.
  void add(std::int64_t value) {
    const auto positive = static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0));
    ++count_;
    sum_ += positive;
    min_ = std::min(min_, positive);
    max_ = std::max(max_, positive);
    ++minutes_[0][bucket_of(positive)];
  }

  void reset() {
    count_ = sum_ = max_ = 0;
    min_ = std::numeric_limits<std::uint64_t>::max();
    minutes_ = {};
  }

  void begin_minute() {
    minutes_[1] = minutes_[0];
    minutes_[0] = {};
  }

  // All since the start, or the last reset(); 0 without a value.
  std::uint64_t count() const { return count_; }
  std::uint64_t sum() const { return sum_; }
  std::uint64_t min() const { return count_ == 0 ? 0 : min_; }
  std::uint64_t max() const { return max_; }
  double average() const {
    return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_);
  }

  // What the share `part` (0 to 1) of the values of this minute and the one before does not exceed,
  // at most an eighth too large; 0 if there were none.
  std::uint64_t percentile(double part) const {
    std::uint64_t values = 0;
    for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
      values += in_both_minutes(bucket);
    }
    const double wanted = part * static_cast<double>(values);
    std::uint64_t passed = 0;
    for (std::size_t bucket = 0; values > 0 && bucket < buckets; ++bucket) {
      passed += in_both_minutes(bucket);
      if (static_cast<double>(passed) >= wanted && passed > 0) {
        return std::min(largest_in(bucket), max_);
      }
    }
    return 0;
  }

  std::string_view name() const { return name_; }
  std::string_view meaning() const { return meaning_; }
  Unit unit() const { return unit_; }
  Detail detail() const { return detail_; }

 private:
  // Values below 16 have a bucket each; above, each power of two has eight, up to twelve days.
  static constexpr std::size_t exact = 16;
  static constexpr std::size_t steps = 8;
  static constexpr std::size_t bits_max = 40;
  static constexpr std::size_t buckets = exact + (bits_max - 4) * steps;

  static std::size_t bucket_of(std::uint64_t value) {
    if (value < exact) {
      return value;
    }
    const auto capped = std::min<std::uint64_t>(value, (std::uint64_t{1} << bits_max) - 1);
    const auto top = static_cast<std::size_t>(std::bit_width(capped)) - 1;
    return exact + (top - 4) * steps + ((capped >> (top - 3)) & (steps - 1));
  }
  static std::uint64_t largest_in(std::size_t bucket) {
    if (bucket < exact) {
      return bucket;
    }
    const std::size_t top = (bucket - exact) / steps + 4;
    const std::uint64_t step = (bucket - exact) % steps;
    return ((steps + step + 1) << (top - 3)) - 1;
  }
  std::uint64_t in_both_minutes(std::size_t bucket) const {
    return std::uint64_t{minutes_[0][bucket]} + minutes_[1][bucket];
  }

  std::string_view name_;
  std::string_view meaning_;
  Unit unit_;
  Detail detail_;
  std::uint64_t count_{};
  std::uint64_t sum_{};
  std::uint64_t min_{std::numeric_limits<std::uint64_t>::max()};
  std::uint64_t max_{};
  std::array<std::array<std::uint32_t, buckets>, 2> minutes_{};  // this one, the one before
};

inline void MetricList::reset() {
  for (auto* counter : counters_) {
    counter->reset();
  }
  for (auto* distribution : distributions_) {
    distribution->reset();
  }
  for (auto* extent : extents_) {
    extent->reset();
  }
}

inline void MetricList::begin_minute() {
  for (auto* distribution : distributions_) {
    distribution->begin_minute();
  }
}

}  // namespace zabfs::replication
