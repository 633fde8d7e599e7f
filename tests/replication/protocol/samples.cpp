#include "tests/replication/protocol/samples.hpp"

namespace zabfs::replication::protocol {
namespace {

const Stat stat{.czxid = 1,
                .mzxid = 0x100000002,
                .ctime = 1'600'000'000'000,
                .mtime = -4,
                .version = 5,
                .cversion = -1,
                .aversion = 7,
                .ephemeral_owner = 0x100001,
                .data_length = 9,
                .num_children = 10,
                .pzxid = 11};

const Acl acl{{permission::all, {"world", "anyone"}}, {permission::read, {"digest", "bob:äöü="}}};

}  // namespace

std::vector<Request> sample_requests() {
  const std::vector<std::string> paths{"/a", "/b/c"};
  const Bytes bytes{0, 1, 0xff};
  return {CreateRequest{"/a", bytes, acl, 3},
          CreateRequest{"/null", std::nullopt, {}, 0},
          Create2Request{"/grüße", Bytes{}, open_acl(), -1},
          DeleteRequest{"/a", 7},
          ExistsRequest{"/a", true},
          GetDataRequest{"", false},
          SetDataRequest{"/a", bytes, -1},
          GetAclRequest{"/a"},
          GetChildrenRequest{"/", true},
          GetChildren2Request{"/a", false},
          SyncRequest{"/a"},
          PingRequest{},
          MultiRequest{},
          MultiRequest{{CreateRequest{"/a", bytes, acl, 1},
                        Create2Request{"/b", std::nullopt, open_acl(), 2}, DeleteRequest{"/c", -1},
                        SetDataRequest{"/d", Bytes{}, 3}, CheckRequest{"/e", 4}}},
          SetWatchesRequest{0x100000002, paths, std::vector<std::string>{}, paths},
          CloseSessionRequest{}};
}

std::vector<SampleResponse> sample_responses() {
  const std::vector<std::string> children{"a", "grüße", ""};
  return {{OpCode::create, PathResponse{"/a0000000001"}},
          {OpCode::sync, PathResponse{""}},
          {OpCode::create2, PathStatResponse{"/a", stat}},
          {OpCode::exists, StatResponse{stat}},
          {OpCode::set_data, StatResponse{}},
          {OpCode::get_data, GetDataResponse{Bytes{0, 1, 0xff}, stat}},
          {OpCode::get_data, GetDataResponse{Bytes{}, stat}},
          {OpCode::get_data, GetDataResponse{std::nullopt, stat}},
          {OpCode::get_acl, GetAclResponse{acl, stat}},
          {OpCode::get_children, GetChildrenResponse{children}},
          {OpCode::get_children, GetChildrenResponse{}},
          {OpCode::get_children2, GetChildren2Response{children, stat}},
          {OpCode::remove, EmptyResponse{}},
          {OpCode::ping, EmptyResponse{}},
          {OpCode::set_watches, EmptyResponse{}},
          {OpCode::close_session, EmptyResponse{}},
          {OpCode::multi, MultiResponse{}},
          {OpCode::multi, MultiResponse{{{OpCode::create, PathResponse{"/a"}},
                                         {OpCode::create2, PathStatResponse{"/b", stat}},
                                         {OpCode::remove, EmptyResponse{}},
                                         {OpCode::set_data, StatResponse{stat}},
                                         {OpCode::check, EmptyResponse{}}}}},
          {OpCode::multi,
           MultiResponse{{{OpCode::error, MultiError{ErrorCode::ok}},
                          {OpCode::error, MultiError{ErrorCode::bad_version}},
                          {OpCode::error, MultiError{ErrorCode::runtime_inconsistency}}}}}};
}

}  // namespace zabfs::replication::protocol
