#include "fusefs/handles/data_handle.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <string>

#include "replication/model/limits.hpp"

namespace zabfs::fusefs::handles {
namespace {

using replication::bytes_of;
using replication::limits::value_bytes_max;

replication::Bytes bytes(const std::string& text) { return {text.begin(), text.end()}; }

std::string content(const DataHandle& handle) {
  return std::string(replication::text_of(handle.content()));
}

DataHandle writer() { return DataHandle({.reads = true, .writes = true}); }

TEST(DataHandle, ReadsOneVersionToItsEnd) {
  DataHandle handle({.reads = true});
  EXPECT_TRUE(handle.is_stale_for_read(0, 1));
  handle.load(bytes("hello"), {.mzxid = 1});
  EXPECT_FALSE(handle.is_stale_for_read(0, 1));
  EXPECT_TRUE(handle.is_stale_for_read(0, 2)) << "fstat may have told of it";
  EXPECT_EQ(replication::text_of(handle.read(0, 3)), "hel");
  EXPECT_FALSE(handle.is_stale_for_read(3, 2)) << "in the middle of a value, nothing newer";
  EXPECT_EQ(replication::text_of(handle.read(3, 99)), "lo");
  EXPECT_FALSE(handle.is_stale_for_read(5, 2)) << "its end belongs to the value";
  EXPECT_EQ(handle.read(99, 5).size(), 0U);
}

TEST(DataHandle, IsStaleWhenReadAgainOrBehindTheEndOfAnOldVersion) {
  DataHandle handle({.reads = true});
  handle.load(bytes("hello"), {.mzxid = 1});
  handle.read(0, 99);
  EXPECT_TRUE(handle.is_stale_for_read(0, 1));
  handle.read(5, 99);
  EXPECT_FALSE(handle.is_stale_for_read(5, 1));
  EXPECT_TRUE(handle.is_stale_for_read(5, 2)) << "`tail -f` reads on behind the end it was told of";
}

TEST(DataHandle, OwnsWhatItHasWritten) {
  DataHandle handle = writer();
  handle.load(bytes("hello"), {});
  EXPECT_TRUE(handle.needs_load_before_change());
  EXPECT_TRUE(handle.write(1, bytes_of("EL")));
  handle.load(bytes("other"), {.mzxid = 9});
  EXPECT_EQ(content(handle), "hELlo");
  EXPECT_FALSE(handle.is_stale_for_read(0, 9));
}

TEST(DataHandle, AHoleIsFilledWithZeros) {
  DataHandle handle = writer();
  EXPECT_TRUE(handle.write(2, bytes_of("x")));
  EXPECT_EQ(content(handle), std::string("\0\0x", 3));
}

TEST(DataHandle, RefusesMoreThanAValueHolds) {
  DataHandle handle = writer();
  EXPECT_FALSE(handle.write(value_bytes_max, bytes_of("x")));
  EXPECT_FALSE(handle.write(~std::size_t{0}, bytes_of("x")));
  EXPECT_FALSE(handle.truncate(value_bytes_max + 1));
  EXPECT_FALSE(handle.close_commits());
  EXPECT_TRUE(handle.write(value_bytes_max - 1, bytes_of("x")));
}

TEST(DataHandle, CommitsAsTheTableSays) {
  DataHandle handle = writer();
  EXPECT_FALSE(handle.close_commits());
  handle.truncate(0);
  EXPECT_FALSE(handle.flush_commits());
  EXPECT_TRUE(handle.close_commits());
  handle.write(0, bytes_of("x"));
  EXPECT_TRUE(handle.flush_commits());
  handle.mark_committed();
  EXPECT_FALSE(handle.flush_commits());
  EXPECT_FALSE(handle.close_commits());
}

TEST(DataHandle, AFileJustCreatedIsOwnedByWhoOnlyWritesIt) {
  DataHandle only_writes({.writes = true});
  only_writes.start_empty({});
  EXPECT_TRUE(only_writes.is_owned());
  EXPECT_FALSE(only_writes.close_commits());
  DataHandle reads_too = writer();
  reads_too.start_empty({});
  EXPECT_FALSE(reads_too.is_owned());
}

TEST(DataHandle, ModeFollowsTheFlagsOfOpen) {
  EXPECT_FALSE(mode_of(O_RDONLY | O_APPEND).appends);
  EXPECT_TRUE(mode_of(O_WRONLY | O_APPEND).appends);
  EXPECT_TRUE(mode_of(O_RDWR | O_DSYNC).is_written_through);
  EXPECT_TRUE(mode_of(O_WRONLY | O_SYNC).is_written_through);
  EXPECT_FALSE(mode_of(O_WRONLY).reads);
  EXPECT_TRUE(mode_of(O_RDWR).reads);
}

}  // namespace
}  // namespace zabfs::fusefs::handles
