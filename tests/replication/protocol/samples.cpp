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
          CreateContainerRequest{"/a", bytes, acl, 4},
          CreateTtlRequest{"/a", std::nullopt, acl, 6, 0x1234567890},
          SetAclRequest{"/a", acl, 3},
          GetEphemeralsRequest{"/grü"},
          GetAllChildrenNumberRequest{"/a"},
          MultiRequest{{CreateContainerRequest{"/a", bytes, acl, 4},
                        CreateTtlRequest{"/b", Bytes{}, open_acl(), 5, 1}}},
          MultiReadRequest{},
          MultiReadRequest{.operations = {GetDataRequest{"/a", true}, GetChildrenRequest{"/b"}}},
          MultiReadRequest{.writes = {DeleteRequest{"/a", 1}, CheckRequest{"/b", 2}}},
          AuthRequest{0, "digest", bytes},
          AuthRequest{-1, "", std::nullopt},
          SaslRequest{bytes},
          SaslRequest{},
          WhoAmIRequest{},
          ReconfigRequest{"server.4=h:1:2;3", "2,3", "", 0x100000000},
          SetWatchesRequest{0x100000002, paths, std::vector<std::string>{}, paths},
          SetWatches2Request{-1, paths, paths, std::vector<std::string>{}, paths, paths},
          AddWatchRequest{"/a", 1},
          CheckWatchesRequest{"/a", 3},
          RemoveWatchesRequest{"/a", -2},
          CloseSessionRequest{}};
}

std::vector<SampleResponse> sample_responses() {
  const std::vector<std::string> children{"a", "grüße", ""};
  return {
      {OpCode::create, PathResponse{"/a0000000001"}},
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
      {OpCode::create_container, PathStatResponse{"/a", stat}},
      {OpCode::create_ttl, PathStatResponse{"/a", stat}},
      {OpCode::set_acl, StatResponse{stat}},
      {OpCode::get_ephemerals, GetEphemeralsResponse{children}},
      {OpCode::get_all_children_number, GetAllChildrenNumberResponse{-7}},
      {OpCode::auth, EmptyResponse{}},
      {OpCode::sasl, SaslResponse{}},
      {OpCode::sasl, SaslResponse{Bytes{1, 2}}},
      {OpCode::who_am_i, WhoAmIResponse{{{"ip", "127.0.0.1"}, {"digest", "bob"}}}},
      {OpCode::reconfig, GetDataResponse{Bytes{'x'}, stat}},
      {OpCode::set_watches2, EmptyResponse{}},
      {OpCode::add_watch, ErrorResponse{0}},
      {OpCode::check_watches, EmptyResponse{}},
      {OpCode::remove_watches, EmptyResponse{}},
      {OpCode::multi_read, MultiResponse{}},
      {OpCode::multi_read, MultiResponse{{{OpCode::get_data, GetDataResponse{std::nullopt, stat}},
                                          {OpCode::get_children, GetChildrenResponse{children}},
                                          {OpCode::error, MultiError{ErrorCode::no_node}}}}},
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
