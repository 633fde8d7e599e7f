#include "fusefs/client/credentials.hpp"

#include <gtest/gtest.h>

#include "fusefs/client/limits.hpp"

namespace zabfs::fusefs::client {
namespace {

TEST(Credentials, AreASchemeAndASecret) {
  EXPECT_EQ(*parse_credential("digest:bob:pass:word"), (Credential{"digest", "bob:pass:word"}));
  EXPECT_EQ(*parse_credential("ip:"), (Credential{"ip", ""}));
  for (const auto* text :
       {"", "digest", ":bob:secret", "digest:TellNobody", "digest::TellNobody"}) {
    const auto refused = parse_credential(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().sentence.find("TellNobody"), std::string::npos);
  }
  EXPECT_FALSE(parse_credential("digest:u:" + std::string(limits::credential_bytes_max, 'x')));
}

TEST(Credentials, AFileHasOnePerLine) {
  const auto read = parse_credentials("# who we are\n\ndigest:bob:secret\r\ndigest:eve:x");
  EXPECT_EQ(text_of(*read), "digest:bob:secret\ndigest:eve:x\n");
  EXPECT_FALSE(parse_credential("digest:bob:two\nlines"));
  EXPECT_EQ(*read, (Credentials{{"digest", "bob:secret"}, {"digest", "eve:x"}}));
  const auto refused = parse_credentials("digest:bob:secret\nTellNobody\n");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().sentence.find("Line 2"), std::string::npos);
  EXPECT_EQ(refused.error().sentence.find("TellNobody"), std::string::npos);
  std::string many;
  for (std::size_t i = 0; i <= limits::credentials_max; ++i) {
    many += "digest:bob:secret\n";
  }
  EXPECT_FALSE(parse_credentials(many));
}

}  // namespace
}  // namespace zabfs::fusefs::client
