// Addresses as ACLs name them: 10.0.0.7, 10.0.0.0/8, 2001:db8::/32.
#pragma once

#include <string_view>

namespace zabfs::replication::pipeline {

// True if `range` is an address of IPv4 or IPv6, with the number of its leading bits that count
// behind a slash or without. Safe on any text, as the next is.
bool is_address_range(std::string_view range);

// True if the first bits of `address` are those of `range`. One of another family is not in it.
bool is_in_range(std::string_view address, std::string_view range);

}  // namespace zabfs::replication::pipeline
