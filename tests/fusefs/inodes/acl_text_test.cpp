#include "fusefs/inodes/acl_text.hpp"

#include <gtest/gtest.h>

#include "replication/model/limits.hpp"

namespace zabfs::fusefs::inodes {
namespace {

using replication::Acl;
namespace permission = replication::permission;

TEST(AclText, IsReadAsItIsWritten) {
  const Acl acl{{permission::all, {"world", "anyone"}},
                {permission::read | permission::write, {"digest", "bob:x1+/="}},
                {permission::read, {"ip", "fe80::1/64"}},
                {permission::create | permission::remove, {"auth", ""}},
                {0, {"x509", "CN=a b"}}};
  const std::string text =
      "world:anyone:cdrwa\ndigest:bob:x1+/=:rw\nip:fe80::1/64:r\nauth::cd\nx509:CN=a b:\n";
  EXPECT_EQ(acl_text(acl), text);
  EXPECT_EQ(parse_acl(text), acl);
}

TEST(AclText, EmptyLinesAndAMissingLastLineBreakDoNotMatter) {
  EXPECT_EQ(parse_acl("\nworld:anyone:awrdc\n\n"), replication::open_acl());
  EXPECT_EQ(parse_acl("world:anyone:cdrwa"), replication::open_acl());
  EXPECT_EQ(parse_acl(""), Acl{});
}

TEST(AclText, WhatIsNoEntryIsRefused) {
  for (const std::string line : {"world", "world:anyone", ":anyone:r", "world:anyone:x",
                                 "world:anyone:rr", "world:anyone:r ", "world:anyone:R", ":"}) {
    EXPECT_FALSE(parse_acl(line)) << line;
    EXPECT_FALSE(parse_acl("world:anyone:r\n" + line + "\n")) << line;
  }
}

TEST(AclText, HasABound) {
  std::string text;
  for (std::size_t i = 0; i < replication::limits::acl_entries_max; ++i) {
    text += "world:anyone:r\n";
  }
  EXPECT_TRUE(parse_acl(text));
  EXPECT_FALSE(parse_acl(text + "world:anyone:r\n"));
}

}  // namespace
}  // namespace zabfs::fusefs::inodes
