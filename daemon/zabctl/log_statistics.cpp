#include "daemon/zabctl/log_statistics.hpp"

#include <algorithm>
#include <iomanip>
#include <utility>
#include <vector>

#include "daemon/zabctl/presentation.hpp"
#include "daemon/zabctl/transaction_text.hpp"

namespace zabfs::daemon::zabctl {
namespace {

constexpr std::size_t rows_shown = 10;

// The busiest entries, by number of transactions.
template <class Map>
std::vector<typename Map::value_type> busiest(const Map& map) {
  std::vector<std::pair<typename Map::key_type, typename Map::mapped_type>> rows(map.begin(),
                                                                                 map.end());
  const auto shown = std::min(rows.size(), rows_shown);
  std::ranges::partial_sort(rows, rows.begin() + static_cast<std::ptrdiff_t>(shown),
                            [](const auto& one, const auto& other) {
                              return std::pair(other.second.transactions, one.first) <
                                     std::pair(one.second.transactions, other.first);
                            });
  return {rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(shown)};
}

std::string second_text(std::int64_t second) {
  return time_text(second * 1000).substr(0, 19) + "Z";
}

void print_row(std::ostream& out, const std::string& name, std::uint64_t transactions,
               std::uint64_t bytes) {
  out << "  " << std::left << std::setw(22) << name << std::right << std::setw(12) << transactions
      << std::setw(15) << bytes << "\n";
}

}  // namespace

void LogStatistics::count(const replication::tree::Transaction& transaction, std::size_t bytes) {
  const auto& header = transaction.header;
  first_ = total_.transactions == 0 ? header.zxid : first_;
  last_ = header.zxid;
  total_.add(bytes);
  kinds_[kind_of(transaction)].add(bytes);
  sessions_[header.session].add(bytes);
  seconds_[header.time_ms / 1000].add(bytes);
}

void LogStatistics::print(std::ostream& out) const {
  out << std::left << std::setw(24) << "" << std::right << std::setw(12) << "transactions"
      << std::setw(15) << "bytes"
      << "\n";
  print_row(out, "all", total_.transactions, total_.bytes);
  if (total_.transactions == 0) {
    return;
  }
  out << "zxid " << hex(first_) << " to " << hex(last_) << "\n\nby kind\n";
  for (const auto& [kind, sum] : kinds_) {
    print_row(out, kind, sum.transactions, sum.bytes);
  }
  out << "\nby session (the busiest of " << sessions_.size() << ")\n";
  for (const auto& [session, sum] : busiest(sessions_)) {
    print_row(out, hex(session), sum.transactions, sum.bytes);
  }
  const std::int64_t seconds = seconds_.rbegin()->first - seconds_.begin()->first + 1;
  out << "\nby second ("
      << total_.transactions / static_cast<std::uint64_t>(std::max<std::int64_t>(seconds, 1))
      << " a second on the average of " << seconds << " s; the busiest of " << seconds_.size()
      << " with any)\n";
  for (const auto& [second, sum] : busiest(seconds_)) {
    print_row(out, second_text(second), sum.transactions, sum.bytes);
  }
}

boost::json::object LogStatistics::to_json() const {
  const auto sum_json = [](const Sum& sum) {
    return boost::json::object{{"transactions", sum.transactions}, {"bytes", sum.bytes}};
  };
  boost::json::object kinds;
  boost::json::object sessions;
  boost::json::object seconds;
  for (const auto& [kind, sum] : kinds_) {
    kinds[kind] = sum_json(sum);
  }
  for (const auto& [session, sum] : sessions_) {
    sessions[hex(session)] = sum_json(sum);
  }
  for (const auto& [second, sum] : seconds_) {
    seconds[second_text(second)] = sum_json(sum);
  }
  auto all = sum_json(total_);
  all["first"] = hex(first_);
  all["last"] = hex(last_);
  all["byKind"] = std::move(kinds);
  all["bySession"] = std::move(sessions);
  all["bySecond"] = std::move(seconds);
  return all;
}

}  // namespace zabfs::daemon::zabctl
