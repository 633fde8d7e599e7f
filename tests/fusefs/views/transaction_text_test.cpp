#include "fusefs/views/transaction_text.hpp"

#include <gtest/gtest.h>

namespace zabfs::fusefs::views {
namespace {

using Verb = TransactionLine::Verb;

TransactionLine parsed(std::string_view text) {
  const auto line = parse_transaction_line(text);
  const auto* refused = std::get_if<NoTransactionLine>(&line);
  EXPECT_EQ(refused, nullptr) << text << ": " << (refused != nullptr ? refused->sentence : "");
  return refused == nullptr ? std::get<TransactionLine>(line) : TransactionLine{};
}

std::string data(std::string_view text) {
  return std::string(replication::text_of(parsed(text).data));
}

TEST(TransactionText, EveryVerbIsRead) {
  EXPECT_EQ(parsed("create /a").verb, Verb::create);
  EXPECT_EQ(parsed("mkdir a/b").verb, Verb::make_directory);
  EXPECT_EQ(parsed("mkdir a/b").path, "/a/b");
  EXPECT_EQ(parsed("delete a@v=7").version, 7);
  EXPECT_EQ(parsed("set a@v=0 x").version, 0);
  EXPECT_EQ(parsed("check a@v=3").verb, Verb::check);
  EXPECT_EQ(parsed("  begin ").verb, Verb::begin);
  EXPECT_EQ(parsed("commit").verb, Verb::commit);
  for (const std::string_view text : {"", "   ", "# a remark"}) {
    EXPECT_EQ(parsed(text).verb, Verb::nothing);
  }
}

TEST(TransactionText, CreatingNamesSayWhatIsCreated) {
  EXPECT_EQ(parsed("create q/job-@s").path, "/q/job-");
  EXPECT_TRUE(parsed("create q/job-@s").creation.sequential);
  EXPECT_TRUE(parsed("create q/@s").creation.sequential);
  EXPECT_TRUE(parsed("create w@e").creation.ephemeral);
  EXPECT_EQ(parsed("create l@ttl=30s").creation.ttl_ms, 30'000);
  EXPECT_TRUE(parsed("mkdir d@c").creation.container);
}

TEST(TransactionText, DataIsWhatEchoWouldWriteOrWhatIsQuoted) {
  EXPECT_EQ(data("set a"), "");
  EXPECT_EQ(data("set a 42"), "42\n");
  EXPECT_EQ(data("set a two  words "), "two  words \n");
  EXPECT_EQ(data("set a \"42\""), "42");
  EXPECT_EQ(data("set a \"\""), "");
  EXPECT_EQ(data(R"(create a "a\n\t\"\\\x7Fb")"),
            "a\n\t\"\\\x7F"
            "b");
}

TEST(TransactionText, PathsAreThoseOfTheMount) {
  EXPECT_EQ(parsed("set \"with space\" 1").path, "/with space");
  EXPECT_EQ(parsed("set a@@stat 1").path, "/a@stat");
  EXPECT_EQ(parsed("set user@host 1").path, "/user@host");
}

TEST(TransactionText, WhatMeansNothingIsRefused) {
  for (const std::string_view text :
       {"frobnicate a",  "create",         "create /",       "create a//b", "create a@stat",
        "create a@h",    "create a@v=1",   "mkdir a@e",      "mkdir a 1",   "set a@s 1",
        "set a@v=-1 1",  "check a",        "delete a 1",     "commit now",  "set a \"open",
        "set a \"x\" y", R"(set a "\q")",  R"(set a "\x4")", "create .",    "create a/../b",
        "create a@ee",   "create a@stat/b"}) {
    const auto line = parse_transaction_line(text);
    ASSERT_TRUE(std::holds_alternative<NoTransactionLine>(line)) << text;
    EXPECT_FALSE(std::get<NoTransactionLine>(line).sentence.empty());
  }
}

}  // namespace
}  // namespace zabfs::fusefs::views
