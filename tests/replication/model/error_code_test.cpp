#include "replication/model/error_code.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

namespace zabfs::replication {
namespace {

struct Known {
  std::int32_t number{};
  std::string_view name{};
};

// KeeperException.Code of ZooKeeper.
constexpr Known known[] = {{0, "OK"},
                           {-1, "SystemError"},
                           {-2, "RuntimeInconsistency"},
                           {-3, "DataInconsistency"},
                           {-4, "ConnectionLoss"},
                           {-5, "MarshallingError"},
                           {-6, "Unimplemented"},
                           {-7, "OperationTimeout"},
                           {-8, "BadArguments"},
                           {-12, "UnknownSession"},
                           {-13, "NewConfigNoQuorum"},
                           {-14, "ReconfigInProgress"},
                           {-101, "NoNode"},
                           {-102, "NoAuth"},
                           {-103, "BadVersion"},
                           {-108, "NoChildrenForEphemerals"},
                           {-110, "NodeExists"},
                           {-111, "NotEmpty"},
                           {-112, "SessionExpired"},
                           {-113, "InvalidCallback"},
                           {-114, "InvalidACL"},
                           {-115, "AuthFailed"},
                           {-118, "SessionMoved"},
                           {-119, "NotReadOnly"},
                           {-120, "EphemeralOnLocalSession"},
                           {-121, "NoWatcher"},
                           {-122, "RequestTimeout"},
                           {-123, "ReconfigDisabled"},
                           {-124, "SessionClosedRequireSaslAuth"},
                           {-125, "QuotaExceeded"},
                           {-127, "ThrottledOp"}};

TEST(ErrorCode, HasZooKeepersNumbersAndNames) {
  for (const auto& [number, name] : known) {
    EXPECT_EQ(name_of(ErrorCode{number}), name) << number;
  }
}

TEST(ErrorCode, SaysASentenceForEveryNumber) {
  for (std::int32_t number = -130; number <= 1; ++number) {
    const std::string_view sentence = sentence_of(ErrorCode{number});
    EXPECT_GE(sentence.size(), 10U) << number;
    EXPECT_TRUE(sentence.ends_with('.')) << number;
  }
}

TEST(ErrorCode, IsUnknownWhereZooKeeperHasNone) {
  for (const std::int32_t number : {1, -9, -15, -100, -104, -126, -128, -2147483647 - 1}) {
    EXPECT_EQ(name_of(ErrorCode{number}), "Unknown") << number;
  }
}

TEST(ErrorCode, PrintsItsName) {
  std::ostringstream out;
  out << ErrorCode::no_node;
  EXPECT_EQ(out.str(), "NoNode");
}

}  // namespace
}  // namespace zabfs::replication
