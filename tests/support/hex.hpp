// Bytes as people write them down: hexadecimal, for the golden bytes of a protocol or a file
// format.
#pragma once

#include <string>
#include <string_view>

#include "replication/model/bytes.hpp"

namespace zabfs::test {

// The octets that `text` spells, two digits each; spaces and newlines are skipped, and "00*16" is
// sixteen times 00. Ends the test program with a sentence if it spells nothing.
replication::Bytes from_hex(std::string_view text);

// Two digits an octet, a space after every four octets.
std::string to_hex(replication::ByteView bytes);

}  // namespace zabfs::test
