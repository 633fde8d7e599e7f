#include "fusefs/inodes/stat_text.hpp"

#include <array>
#include <charconv>
#include <cstdint>

namespace zabfs::fusefs::inodes {
namespace {

using replication::Stat;

template <auto member>
std::string decimal(const Stat& stat) {
  return std::to_string(stat.*member);
}

std::string owner(const Stat& stat) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.begin(), digits.end(),
                                 static_cast<std::uint64_t>(stat.ephemeral_owner), 16);
  return "0x" + std::string(digits.begin(), end.ptr);
}

constexpr std::array fields{
    StatField{"czxid", decimal<&Stat::czxid>},
    StatField{"mzxid", decimal<&Stat::mzxid>},
    StatField{"ctime", decimal<&Stat::ctime>},
    StatField{"mtime", decimal<&Stat::mtime>},
    StatField{"version", decimal<&Stat::version>},
    StatField{"cversion", decimal<&Stat::cversion>},
    StatField{"aversion", decimal<&Stat::aversion>},
    StatField{"ephemeralOwner", owner},
    StatField{"dataLength", decimal<&Stat::data_length>},
    StatField{"numChildren", decimal<&Stat::num_children>},
    StatField{"pzxid", decimal<&Stat::pzxid>},
};

}  // namespace

std::span<const StatField> stat_fields() { return fields; }

std::string stat_text(const Stat& stat) {
  std::string text;
  for (const auto& field : fields) {
    text.append(field.name).append(" ").append(field.value(stat)).append("\n");
  }
  return text;
}

}  // namespace zabfs::fusefs::inodes
