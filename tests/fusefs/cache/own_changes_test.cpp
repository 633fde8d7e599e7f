// Which notices are of changes that others made.
#include "fusefs/cache/own_changes.hpp"

#include <gtest/gtest.h>

namespace zabfs::fusefs::cache {
namespace {

using client::WatchNotice;
using replication::Zxid;
using replication::protocol::EventType;

WatchNotice notice(const std::string& path, std::optional<std::uint64_t> zxid) {
  WatchNotice notice{.type = EventType::data_changed, .path = path};
  if (zxid) {
    notice.zxid = Zxid{*zxid};
  }
  return notice;
}

struct Heard {
  Heard() {
    own.listen([this](const WatchNotice& one) {
      text += one.path + ":" + (one.zxid ? std::to_string(one.zxid->wire()) : "-") + " ";
    });
  }
  OwnChanges own{};
  std::string text{};
};

TEST(OwnChanges, WhatOthersChangeIsHeardAtOnce) {
  Heard heard;
  heard.own.heard(notice("/a", 5));
  EXPECT_EQ(heard.text, "/a:5 ");
}

TEST(OwnChanges, TheZxidOfTheAnswerSaysWhichIsOwn) {
  Heard heard;
  heard.own.begin({"/a"});
  heard.own.heard(notice("/a", 5));
  heard.own.heard(notice("/a", 6));
  heard.own.heard(notice("/a", 7));
  heard.own.heard(notice("/b", 8));
  EXPECT_EQ(heard.text, "/b:8 ");
  heard.own.end({"/a"}, Zxid{6});
  EXPECT_EQ(heard.text, "/b:8 /a:5 /a:7 ");
}

TEST(OwnChanges, WithoutZxidsAsManyAreOwnAsSucceeded) {
  Heard heard;
  heard.own.begin({"/a"});
  heard.own.begin({"/a"});
  heard.own.heard(notice("/a", std::nullopt));
  heard.own.heard(notice("/a", std::nullopt));
  heard.own.end({"/a"}, std::nullopt);
  EXPECT_EQ(heard.text, "");
  heard.own.end({"/a"}, Zxid{6});
  EXPECT_EQ(heard.text, "/a:- ");
}

TEST(OwnChanges, AFailedWriteOwnsNothing) {
  Heard heard;
  heard.own.begin({"/a"});
  heard.own.heard(notice("/a", 5));
  heard.own.end({"/a"}, std::nullopt);
  EXPECT_EQ(heard.text, "/a:5 ");
}

TEST(OwnChanges, ATransactionOwnsAllItsPaths) {
  replication::protocol::MultiRequest request;
  request.operations.emplace_back(replication::protocol::DeleteRequest{.path = "/a"});
  request.operations.emplace_back(replication::protocol::SetDataRequest{.path = "/b"});
  EXPECT_EQ(paths_changed_by(request), (std::vector<std::string>{"/a", "/b"}));
  EXPECT_EQ(paths_changed_by(replication::protocol::Create2Request{.path = "/c"}),
            (std::vector<std::string>{"/c"}));
}

TEST(OwnChanges, WhoStopsListeningInTheMiddleHearsNothingMore) {
  Heard heard;
  heard.own.begin({"/a"});
  heard.own.heard(notice("/a", 5));
  heard.own.listen({});
  heard.own.end({"/a"}, std::nullopt);
  EXPECT_EQ(heard.text, "");
}

}  // namespace
}  // namespace zabfs::fusefs::cache
