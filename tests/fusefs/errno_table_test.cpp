// The table has every error, agrees with its page in docs/, and keeps apart what a script must be
// able to tell apart.
#include "fusefs/errno_table.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace zabfs::fusefs {
namespace {

using naming::Refusal;
using replication::ErrorCode;

std::string errno_name(int number) {
  // Linux has one number for both names, and glibc knows it by the other one.
  return number == ENOTSUP ? "ENOTSUP" : strerrorname_np(number);
}

TEST(ErrnoTable, HasOneRowForEveryErrorCode) {
  std::set<ErrorCode> with_row;
  for (const ErrnoRow& row : errno_rows()) {
    EXPECT_TRUE(with_row.insert(row.code).second) << row.code << " twice";
    EXPECT_FALSE(row.reason.empty()) << row.code;
    EXPECT_EQ(errno_of(row.code), row.number) << row.code;
    EXPECT_EQ(row.number == 0, row.code == ErrorCode::ok) << row.code;
  }
  std::set<ErrorCode> named;
  for (std::int32_t number = -1'000; number <= 0; ++number) {
    if (name_of(ErrorCode{number}) != "Unknown") {
      named.insert(ErrorCode{number});
    }
  }
  EXPECT_EQ(with_row, named);
}

TEST(ErrnoTable, AnswersANumberItDoesNotKnowWithAnInputOutputError) {
  EXPECT_EQ(errno_of(ErrorCode{-999}), EIO);
  EXPECT_EQ(errno_of(ErrorCode{7}), EIO);
}

TEST(ErrnoTable, SaysWhatTheDesignPromises) {
  EXPECT_EQ(errno_of(ErrorCode::no_node), ENOENT);
  EXPECT_EQ(errno_of(ErrorCode::no_auth), EACCES);
  EXPECT_EQ(errno_of(ErrorCode::bad_version), ESTALE);
  EXPECT_EQ(errno_of(ErrorCode::node_exists), EEXIST);
  EXPECT_EQ(errno_of(ErrorCode::not_empty), ENOTEMPTY);
  EXPECT_EQ(errno_of(ErrorCode::session_expired), ENOLINK);
  // What happened to a request that the connection took with it is unknown; one that never left
  // did not happen.
  EXPECT_EQ(errno_of(ErrorCode::connection_loss), ETIMEDOUT);
  EXPECT_EQ(errno_of(ErrorCode::operation_timeout), EHOSTDOWN);
}

TEST(ErrnoTable, RefusesNamesAsThePageSays) {
  EXPECT_EQ(errno_of(Refusal::name_too_long), ENAMETOOLONG);
  EXPECT_EQ(errno_of(Refusal::illegal_combination), EINVAL);
  EXPECT_EQ(errno_of(Refusal::illegal_value), EINVAL);
  EXPECT_EQ(errno_of(Refusal::nothing_to_create), EINVAL);
  EXPECT_EQ(errno_of(Refusal::view_of_a_view), ENOENT);
  EXPECT_EQ(errno_of(Refusal::name_unknown), ENAMETOOLONG);
}

TEST(ErrnoTable, IsTheOneOfThePage) {
  std::ifstream file(SOURCE_ROOT "/docs/filesystem.md");
  ASSERT_TRUE(file.is_open());
  std::stringstream page;
  page << file.rdbuf();
  for (const ErrnoRow& row : errno_rows()) {
    if (row.number != 0) {
      std::stringstream line;
      line << "\n| " << row.code << " | " << errno_name(row.number) << " | " << row.reason
           << " |\n";
      EXPECT_NE(page.str().find(line.str()), std::string::npos) << "no row:" << line.str();
    }
  }
}

}  // namespace
}  // namespace zabfs::fusefs
