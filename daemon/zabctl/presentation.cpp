#include "daemon/zabctl/presentation.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace zabfs::daemon::zabctl {

using replication::Acl;
using replication::ByteView;
using replication::Stat;

namespace {

// Bytes of the UTF-8 character that `text` begins with; 0 if it begins with none.
std::size_t character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(text[at]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) {
    return 1;
  }
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) {
    return 0;
  }
  for (std::size_t at = 1; at < length; ++at) {
    if ((byte(at) & 0xc0U) != 0x80) {
      return 0;
    }
  }
  const bool is_overlong = (lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xf0 && byte(1) < 0x90);
  const bool is_no_character =
      (lead == 0xed && byte(1) >= 0xa0) || (lead == 0xf4 && byte(1) > 0x8f);
  return is_overlong || is_no_character ? 0 : length;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = character_bytes(text);
    if (length == 0) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

std::string base64(ByteView bytes) {
  static constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const auto byte = [&](std::size_t next) {
      return at + next < bytes.size() ? std::uint32_t{bytes[at + next]} : 0U;
    };
    const std::uint32_t group = byte(0) << 16U | byte(1) << 8U | byte(2);
    for (std::size_t digit = 0; digit < 4; ++digit) {
      const bool is_there = at + digit <= bytes.size();
      text += is_there ? digits[group >> (18 - 6 * digit) & 63U] : '=';
    }
  }
  return text;
}

std::string permissions_text(std::int32_t permissions) {
  static constexpr std::array letters{std::pair{replication::permission::create, 'c'},
                                      std::pair{replication::permission::remove, 'd'},
                                      std::pair{replication::permission::read, 'r'},
                                      std::pair{replication::permission::write, 'w'},
                                      std::pair{replication::permission::admin, 'a'}};
  std::string text;
  for (const auto& [bit, letter] : letters) {
    if ((permissions & bit) != 0) {
      text += letter;
    }
  }
  return text;
}

}  // namespace

std::string hex(std::uint64_t number) {
  std::array<char, 19> text{};
  std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(number));
  return text.data();
}

std::string time_text(std::int64_t ms_since_1970) {
  std::int64_t ms = ms_since_1970 % 1000;
  auto seconds = static_cast<std::time_t>(ms_since_1970 / 1000);
  if (ms < 0) {
    ms += 1000;
    --seconds;
  }
  std::tm parts{};
  if (::gmtime_r(&seconds, &parts) == nullptr) {
    return std::to_string(ms_since_1970) + "ms";
  }
  std::array<char, 64> text{};
  const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text.data() + length, text.size() - length, ".%03dZ", static_cast<int>(ms));
  return text.data();
}

std::string counted(std::uint64_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto lead = static_cast<std::uint8_t>(text[0]);
    std::size_t length = character_bytes(text);
    if (length == 0 || lead < 0x20 || lead == 0x7f || lead == '\\') {
      std::array<char, 5> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\x%02x", lead);
      out += escaped.data();
      length = 1;
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return out;
}

std::string acl_text(const Acl& acl) {
  std::string text;
  for (const auto& entry : acl) {
    text += (text.empty() ? "" : ",") + printable(entry.identity.scheme) + ":" +
            printable(entry.identity.id) + ":" + permissions_text(entry.permissions);
  }
  return text;
}

boost::json::object json_of(const Stat& stat) {
  return {{"czxid", hex(static_cast<std::uint64_t>(stat.czxid))},
          {"mzxid", hex(static_cast<std::uint64_t>(stat.mzxid))},
          {"pzxid", hex(static_cast<std::uint64_t>(stat.pzxid))},
          {"ctime", stat.ctime},
          {"mtime", stat.mtime},
          {"version", stat.version},
          {"cversion", stat.cversion},
          {"aversion", stat.aversion},
          {"ephemeralOwner", hex(static_cast<std::uint64_t>(stat.ephemeral_owner))},
          {"dataLength", stat.data_length},
          {"numChildren", stat.num_children}};
}

boost::json::array json_of(const Acl& acl) {
  boost::json::array list;
  for (const auto& entry : acl) {
    list.push_back(boost::json::object{{"scheme", printable(entry.identity.scheme)},
                                       {"id", printable(entry.identity.id)},
                                       {"permissions", permissions_text(entry.permissions)}});
  }
  return list;
}

void set_data(boost::json::object& object, const std::optional<ByteView>& data) {
  if (!data) {
    object["data"] = nullptr;
  } else if (const auto text = replication::text_of(*data); is_utf8(text)) {
    object["data"] = text;
  } else {
    object["dataBase64"] = base64(*data);
  }
}

}  // namespace zabfs::daemon::zabctl
