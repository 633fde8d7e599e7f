// Who may do what: every kind of identity against every kind of ACL, and for which operations; and
// which ACLs are stored, and as what.
#include "replication/pipeline/access.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "replication/model/limits.hpp"

namespace zabfs::replication::pipeline {
namespace {

const Identity everybody{"world", "anyone"};
const Identity here{"ip", "10.0.0.7"};
const Identity bob{"digest", "bob:aGFzaA=="};
const Identity carol{"digest", "carol:aGFzaA=="};
const Identity alice{"x509", "CN=alice,O=Example"};
const Identity root{super_scheme, ""};

TEST(Access, AnyEntryThatMeansTheClientGivesItsPermissions) {
  struct Row {
    const char* what;
    Acl acl;
    Identities who;
    std::string want;  // of c, d, r, w, a
  };
  const Row rows[] = {
      {"everybody", open_acl(), {here}, "cdrwa"},
      {"everybody may read", read_only_acl(), {here, bob}, "r"},
      {"the address", {{permission::read, here}}, {here}, "r"},
      {"another address", {{permission::all, {"ip", "10.0.0.8"}}}, {here}, ""},
      {"a range", {{permission::write, {"ip", "10.0.0.0/24"}}}, {here}, "w"},
      {"another range", {{permission::all, {"ip", "10.0.1.0/24"}}}, {here}, ""},
      {"the user", {{permission::all, bob}}, {here, bob}, "cdrwa"},
      {"a stranger", {{permission::all, bob}}, {here}, ""},
      {"another user", {{permission::all, bob}}, {here, carol}, ""},
      {"one of two users", {{permission::create, bob}}, {here, carol, bob}, "c"},
      {"what two users may",
       {{permission::create, bob}, {permission::remove, carol}},
       {here, bob, carol},
       "cd"},
      {"bits of several entries",
       {{permission::read, everybody}, {permission::admin, bob}},
       {here, bob},
       "ra"},
      {"a certificate", {{permission::all, alice}}, {here, alice}, "cdrwa"},
      {"the same name in another scheme",
       {{permission::all, {"digest", alice.id}}},
       {here, alice},
       ""},
      {"an id that is no address", {{permission::all, {"ip", "x"}}}, {{"ip", "x"}}, ""},
      {"nobody", {{0, everybody}}, {here, bob}, ""},
      {"all bits there are", {{-1, everybody}}, {here}, "cdrwa"},
      {"the superuser", {{0, everybody}}, {here, root}, "cdrwa"},
      {"the superuser, in the middle", {{permission::read, bob}}, {here, root, carol}, "cdrwa"},
      {"what an ACL calls super", {{permission::all, {"super", ""}}}, {here}, ""},
      {"an ACL without entries", {}, {here}, "cdrwa"},
      {"a scheme of another time", {{permission::all, {"sasl", "bob"}}}, {here, bob}, ""},
      {"no identity at all", open_acl(), {}, "cdrwa"},
  };
  const std::map<char, std::int32_t> bits{{'c', permission::create},
                                          {'d', permission::remove},
                                          {'r', permission::read},
                                          {'w', permission::write},
                                          {'a', permission::admin}};
  for (const Row& row : rows) {
    std::string got;
    for (const char letter : std::string("cdrwa")) {
      got += is_allowed(row.acl, bits.at(letter), row.who) ? std::string(1, letter) : "";
    }
    EXPECT_EQ(got, row.want) << row.what;
  }
}

TEST(Access, OneOfSeveralPermissionsIsEnough) {
  EXPECT_TRUE(is_allowed(read_only_acl(), permission::read | permission::admin, {}));
  EXPECT_FALSE(is_allowed(read_only_acl(), permission::write | permission::admin, {}));
}

TEST(Storable, IsWhatCanBeChecked) {
  const Identities nobody_known{here};
  const auto verdict = [&](const std::string& scheme, const std::string& id, bool x509 = false) {
    return storable({{permission::all, {scheme, id}}}, nobody_known, x509).has_value();
  };
  EXPECT_TRUE(verdict("world", "anyone"));
  EXPECT_FALSE(verdict("world", "someone"));
  EXPECT_FALSE(verdict("world", ""));
  EXPECT_TRUE(verdict("ip", "10.0.0.0/8"));
  EXPECT_FALSE(verdict("ip", "10.0.0.0/33"));
  for (const char* good : {"bob:hash", ":hash", "bob:hash:", "bob:hash::"}) {
    EXPECT_TRUE(verdict("digest", good)) << good;
  }
  for (const char* bad : {"", ":", "::", "bob", "bob:", "bob::hash", "bob:hash:more"}) {
    EXPECT_FALSE(verdict("digest", bad)) << bad;
  }
  EXPECT_FALSE(verdict("x509", "CN=alice")) << "nobody can show a certificate";
  EXPECT_TRUE(verdict("x509", "CN=alice", true));
  EXPECT_FALSE(verdict("x509", "alice", true));
  EXPECT_FALSE(verdict("x509", "", true));
  for (const char* other : {"super", "sasl", "host", "", "WORLD", "kerberos"}) {
    EXPECT_FALSE(verdict(other, "anyone")) << other;
  }
  EXPECT_FALSE(storable({}, nobody_known, false).has_value());
}

TEST(Storable, DropsExactDuplicates) {
  const Acl given = {{permission::read, bob},
                     {permission::read, everybody},
                     {permission::read, bob},
                     {permission::write, bob}};
  const Acl want = {
      {permission::read, bob}, {permission::read, everybody}, {permission::write, bob}};
  EXPECT_EQ(*storable(given, {}, false), want);
}

TEST(Storable, ReplacesAuthByWhatTheClientHasProved) {
  const Acl mine = {{permission::all, {"auth", "anything"}}};
  EXPECT_EQ(storable(mine, Identities{here}, false).error(), ErrorCode::invalid_acl)
      << "an address is no proof";
  EXPECT_EQ(storable(mine, Identities{here, root}, false).error(), ErrorCode::invalid_acl)
      << "no ACL names the superuser";
  EXPECT_EQ(*storable(mine, Identities{here, bob}, false), (Acl{{permission::all, bob}}));
  EXPECT_EQ(*storable(mine, Identities{here, root, bob, alice}, false),
            (Acl{{permission::all, bob}, {permission::all, alice}}));
  const Acl with_others = {{permission::read, everybody}, {permission::write, {"auth", ""}}};
  EXPECT_EQ(
      *storable(with_others, Identities{here, bob, carol}, false),
      (Acl{{permission::read, everybody}, {permission::write, bob}, {permission::write, carol}}));
}

TEST(AclGrowth, CountsWhatReplacesAuth) {
  using namespace protocol;
  const Identities two{bob, carol};
  const std::size_t both =
      2 * 12 + 2 * std::string("digest").size() + bob.id.size() + carol.id.size();
  const CreateRequest create{.path = "/a", .acl = {{permission::all, {"auth", ""}}}};
  EXPECT_EQ(acl_growth(create, two), both);
  EXPECT_EQ(acl_growth(MultiRequest{{create, DeleteRequest{.path = "/b"}, create}}, two), 2 * both);
  EXPECT_EQ(acl_growth(CreateRequest{.path = "/a", .acl = open_acl()}, two), 0U);
  EXPECT_EQ(acl_growth(DeleteRequest{.path = "/a"}, two), 0U);
}

}  // namespace
}  // namespace zabfs::replication::pipeline
