// Addresses with and without bits: what is one, and who is in it.
#include "replication/pipeline/address_range.hpp"

#include <gtest/gtest.h>

#include <string>

namespace zabfs::replication::pipeline {
namespace {

TEST(AddressRange, IsAnAddressAndPerhapsHowManyBitsCount) {
  for (const char* good : {"10.0.0.7", "10.0.0.0/8", "0.0.0.0/0", "1.2.3.4/32", "::1", "::/0",
                           "2001:db8::/32", "fe80::1/128", "::ffff:10.0.0.1"}) {
    EXPECT_TRUE(is_address_range(good)) << good;
  }
  for (const char* bad :
       {"", "/", "/8", "10.0.0", "10.0.0.256", "10.0.0.7/", "10.0.0.7/33", "10.0.0.7/-1",
        "10.0.0.7/8/8", "10.0.0.7/8 ", " 10.0.0.7", "10.0.0.7/+8", "localhost", "::1/129",
        ":::", "[::1]", "10.0.0.7/99999999999999999999"}) {
    EXPECT_FALSE(is_address_range(bad)) << bad;
  }
  EXPECT_FALSE(is_address_range(std::string("10.0.0.7\0/8", 11)));
  EXPECT_FALSE(is_address_range(std::string(100'000, '1')));
}

TEST(AddressRange, HoldsWhoseFirstBitsAreTheSame) {
  struct Row {
    const char* address;
    const char* range;
    bool want;
  };
  for (const auto& [address, range, want] : {
           Row{"10.1.2.3", "10.1.2.3", true},
           Row{"10.1.2.3", "10.1.2.4", false},
           Row{"10.1.2.3", "10.0.0.0/8", true},
           Row{"11.1.2.3", "10.0.0.0/8", false},
           Row{"10.1.2.3", "99.0.0.0/0", true},
           Row{"10.1.2.3", "10.1.2.2/31", true},
           Row{"10.1.2.4", "10.1.2.2/31", false},
           Row{"10.127.0.1", "10.0.0.0/9", true},
           Row{"10.128.0.1", "10.0.0.0/9", false},
           Row{"2001:db8::7", "2001:db8::/32", true},
           Row{"2001:db9::7", "2001:db8::/32", false},
           Row{"2001:db8::7", "2001:db8:0:0:0:0:0:7", true},
           Row{"10.1.2.3", "::/0", false},
           Row{"::1", "0.0.0.0/0", false},
           Row{"not an address", "0.0.0.0/0", false},
           Row{"10.1.2.3", "not an address", false},
       }) {
    EXPECT_EQ(is_in_range(address, range), want) << address << " in " << range;
  }
}

}  // namespace
}  // namespace zabfs::replication::pipeline
