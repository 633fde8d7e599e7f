#include "fusefs/inodes/rights.hpp"

#include <gtest/gtest.h>

#include "fusefs/inodes/acl_text.hpp"

namespace zabfs::fusefs::inodes {
namespace {

using replication::Identities;

const Identities nobody{{"ip", "10.0.0.7"}};
const Identities bob{{"ip", "10.0.0.7"}, {"digest", "bob"}};

struct Row {
  const char* acl;
  mode_t file_of_bob, directory_of_bob, file_of_nobody, directory_of_nobody;
};

TEST(Rights, FollowFromTheAcl) {
  const Row rows[] = {
      {"world:anyone:cdrwa", 0666, 0777, 0666, 0777},
      {"world:anyone:r", 0444, 0555, 0444, 0555},
      {"world:anyone:w", 0222, 0000, 0222, 0000},
      {"world:anyone:d", 0000, 0222, 0000, 0222},
      {"digest:bob:HASH:cdrwa", 0600, 0700, 0000, 0000},
      {"digest:bob:HASH:rw\nworld:anyone:r", 0644, 0555, 0444, 0555},
      {"digest:eve:HASH:cdrwa", 0000, 0000, 0000, 0000},
      {"ip:10.0.0.7:rw", 0600, 0500, 0600, 0500},
      {"", 0666, 0777, 0666, 0777},
  };
  for (const Row& row : rows) {
    const auto acl = *parse_acl(row.acl);
    EXPECT_EQ(permissions_of_file(rights_in(acl, bob)), row.file_of_bob) << row.acl;
    EXPECT_EQ(permissions_of_directory(rights_in(acl, bob)), row.directory_of_bob) << row.acl;
    EXPECT_EQ(permissions_of_file(rights_in(acl, nobody)), row.file_of_nobody) << row.acl;
    EXPECT_EQ(permissions_of_directory(rights_in(acl, nobody)), row.directory_of_nobody) << row.acl;
  }
}

TEST(Rights, OfWhoeverIsAboveAllAreAll) {
  EXPECT_EQ(permissions_of_file(rights_in(*parse_acl("digest:eve:HASH:r"), {{"super", ""}})),
            0600U);
}

// A network is compared by the server alone.
TEST(Rights, MayBeAGuess) {
  EXPECT_TRUE(rights_in(*parse_acl("ip:10.0.0.0/8:rw"), bob).is_guess);
  EXPECT_FALSE(rights_in(*parse_acl("world:anyone:r"), bob).is_guess);
  EXPECT_EQ(permissions_of_file(unreadable()), 0200U);
}

struct Change {
  const char* acl;
  mode_t wanted, mask;
  const char* by_bob;
  const char* by_nobody;
};

TEST(Rights, AreChangedByChmodWhereAnAclCanSayIt) {
  constexpr mode_t usual = 0644;
  const char* no = "no";
  const Change changes[] = {
      {"world:anyone:cdrwa", 0600, usual, "auth::cdrwa", no},
      {"world:anyone:cdrwa", 0644, usual, "auth::cdrwa\nworld:anyone:r", "world:anyone:cdrwa"},
      {"world:anyone:cdrwa", 0444, usual, "auth::ra\nworld:anyone:r", "world:anyone:ra"},
      {"world:anyone:ra", 0666, 0666, "auth::cdrwa\nworld:anyone:cdrw", "world:anyone:cdrwa"},
      {"world:anyone:cdrwa", 0640, usual, no, no},
      {"world:anyone:cdrwa", 0640, 0640, "auth::cdrwa\nworld:anyone:r", "world:anyone:cdrwa"},
      {"digest:bob:H:cdrwa\ndigest:eve:H:r", 0644, usual,
       "digest:eve:H:r\nauth::cdrwa\nworld:anyone:r",
       "digest:bob:H:cdrwa\ndigest:eve:H:r\nworld:anyone:cdrw"},
      {"world:anyone:cdrw", 0000, usual, "auth::a", ""},
  };
  for (const Change& change : changes) {
    const auto by = [&](const Identities& identities) {
      const auto acl = changed_acl(*parse_acl(change.acl), identities, change.wanted, change.mask);
      return acl ? *acl : replication::Acl{{0, {"no", "no"}}};
    };
    const auto expected = [&](const char* text) {
      return text == no ? replication::Acl{{0, {"no", "no"}}} : *parse_acl(text);
    };
    EXPECT_EQ(by(bob), expected(change.by_bob)) << change.acl << " " << change.wanted;
    EXPECT_EQ(by(nobody), expected(change.by_nobody)) << change.acl << " " << change.wanted;
  }
}

}  // namespace
}  // namespace zabfs::fusefs::inodes
