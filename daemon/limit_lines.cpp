#include "daemon/limit_lines.hpp"

#include <algorithm>
#include <limits>

namespace zabfs::daemon {
namespace {

namespace limits = replication::limits;

constexpr std::int64_t any_number = std::numeric_limits<std::int32_t>::max();

// A limit on a count, of which 0 means `unlimited`.
Complaint count(std::string_view value, std::size_t max, std::size_t unlimited, std::size_t& to) {
  auto complaint = number(value, {0, static_cast<std::int64_t>(max)}, to);
  to = to == 0 ? unlimited : to;
  return complaint;
}

// Of several keys that limit the same, the smallest number counts; 0 and less is no limit.
Complaint at_most(std::string_view value, Range range, std::size_t& to) {
  std::int64_t given{};
  auto complaint = number(value, range, given);
  if (!complaint && given > 0) {
    to = std::min(to, static_cast<std::size_t>(given));
  }
  return complaint;
}

// Checked as ZooKeeper does, and not used.
Complaint unused(std::string_view value, Range range) {
  std::int64_t ignored{};
  return number(value, range, ignored);
}

Complaint unused_truth(std::string_view value, ClientLimits&) {
  bool ignored{};
  return truth(value, ignored);
}

// The size of one frame; ZooKeeper reads hexadecimal too.
Complaint frame_bytes(std::string_view value, std::size_t& to) {
  std::string decimal(value);
  if (value.starts_with("0x") || value.starts_with("0X")) {
    std::uint32_t bytes{};
    const auto* const end = value.data() + value.size();
    const auto [last, error] = std::from_chars(value.data() + 2, end, bytes, 16);
    if (error == std::errc{} && last == end) {
      decimal = std::to_string(bytes);
    }
  }
  return number(decimal, {limits::client_frame_bytes_min, limits::client_frame_bytes_max}, to);
}

}  // namespace

const std::map<std::string_view, LimitSetter>& limit_keys() {
  using V = std::string_view;
  using L = ClientLimits;
  static const std::map<std::string_view, LimitSetter> table{
      {"maxClientCnxns",
       [](V v, L& l) {
         return count(v, limits::connections_max, 0, l.connections_per_address_max);
       }},
      {"maxCnxns",
       [](V v, L& l) {
         return count(v, limits::connections_max, limits::connections_max, l.connections_max);
       }},
      {"jute.maxbuffer", [](V v, L& l) { return frame_bytes(v, l.frame_bytes_max); }},
      {"jute.maxbuffer.extrasize",
       [](V v, L&) {
         return unused(v, {0, any_number});
       }},
      {"globalOutstandingLimit",
       [](V v, L& l) {
         return at_most(v, {1, limits::requests_in_flight_max}, l.requests_max);
       }},
      {"requestThrottleLimit",
       [](V v, L& l) {
         return at_most(v, {0, limits::requests_in_flight_max}, l.requests_max);
       }},
      {"requestThrottleStallTime",
       [](V v, L&) {
         return unused(v, {0, any_number});
       }},
      {"requestThrottleDropStale", unused_truth},
      {"requestStaleLatencyCheck", unused_truth},
      {"requestStaleConnectionCheck", unused_truth},
      {"throttledOpWaitTime",
       [](V v, L&) {
         return unused(v, {0, any_number});
       }},
      {"largeRequestThreshold",
       [](V v, L&) {
         return unused(v, {-1, any_number});
       }},
      {"largeRequestMaxBytes",
       [](V v, L& l) {
         return at_most(v, {limits::client_frame_bytes_min, any_number}, l.request_bytes_max);
       }},
      {"nio.sessionlessCnxnTimeout",
       [](V v, L& l) {
         return number(v, {1, any_number}, l.sessionless_ms);
       }},
      {"clientTcpKeepAlive", [](V v, L& l) { return truth(v, l.keeps_alive); }},
  };
  return table;
}

}  // namespace zabfs::daemon
