// Numbers and times as Java writes them, because ZooKeeper's readers expect them so.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <string>

namespace zabfs::daemon::admin {

// Rounded to four digits behind the point, of which trailing zeros are left out: "0.0", "3.1429".
inline std::string decimal(double value) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.4f", value);
  std::string shown(text);
  while (shown.ends_with('0') && !shown.ends_with(".0")) {
    shown.pop_back();
  }
  return shown;
}

inline std::string hexadecimal(std::uint64_t value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%llx", static_cast<unsigned long long>(value));
  return text;
}

// "Sat Nov 21 14:56:18 UTC 2026".
inline std::string date(std::int64_t wall_ms) {
  const std::time_t seconds = wall_ms / 1'000;
  std::tm local{};
  ::localtime_r(&seconds, &local);
  char text[64];
  const auto length = std::strftime(text, sizeof(text), "%a %b %d %H:%M:%S %Z %Y", &local);
  return {text, length};
}

}  // namespace zabfs::daemon::admin
