#include "fusefs/views/journal.hpp"

#include <gtest/gtest.h>

#include "replication/model/limits.hpp"

namespace zabfs::fusefs::views {
namespace {

TEST(Journal, KeepsSentencesWithTheirTimesAndHandsThemOn) {
  Journal journal;
  std::string heard;
  journal.use([] { return "12:00"; }, [&heard](std::string_view sentence) { heard = sentence; });
  journal.note("first");
  journal.note("second");
  EXPECT_EQ(journal.text(), "12:00 first\n12:00 second\n");
  EXPECT_EQ(heard, "second");
}

TEST(Journal, KeepsTheNewestOnly) {
  Journal journal;
  for (std::size_t i = 0; i <= replication::limits::journal_lines_max; ++i) {
    journal.note(std::to_string(i));
  }
  EXPECT_TRUE(journal.text().starts_with("1\n"));
  EXPECT_TRUE(
      journal.text().ends_with(std::to_string(replication::limits::journal_lines_max) + "\n"));
}

}  // namespace
}  // namespace zabfs::fusefs::views
