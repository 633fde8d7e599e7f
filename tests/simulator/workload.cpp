#include "tests/simulator/workload.hpp"

#include <utility>

#include "replication/model/create_mode.hpp"
#include "replication/model/limits.hpp"

namespace zabfs::test {

using namespace replication;
using namespace replication::protocol;

Request Workload::write() {
  std::string at = path();
  const auto flags = static_cast<std::int32_t>(chance_.below(4));
  switch (chance_.below(10)) {
    case 0:
    case 1:
      return CreateRequest{
          .path = std::move(at), .data = data(), .acl = open_acl(), .flags = flags};
    case 2:
      return Create2Request{
          .path = std::move(at), .data = data(), .acl = open_acl(), .flags = flags & 2};
    case 3: {
      const std::int32_t version = version_of(at);
      return DeleteRequest{.path = std::move(at), .version = version};
    }
    case 4:
    case 5: {
      const std::int32_t version = version_of(at);
      return SetDataRequest{.path = std::move(at), .data = data(), .version = version};
    }
    case 6: {
      const Model::Znode* znode = model_.find(at);
      const std::int32_t aversion = znode == nullptr || chance_.below(2) == 0
                                        ? -1
                                        : znode->stat.aversion + (chance_.below(4) == 0 ? 1 : 0);
      return SetAclRequest{.path = std::move(at), .acl = open_acl(), .version = aversion};
    }
    case 7:
      return CreateContainerRequest{
          .path = std::move(at), .data = data(), .acl = open_acl(), .flags = container_flags};
    case 8:
      return CreateTtlRequest{.path = std::move(at),
                              .data = data(),
                              .acl = open_acl(),
                              .flags = ttl_flags + (flags & 1),
                              .ttl_ms = limits::ttl_ms_max};
    default:
      return multi();
  }
}

Request Workload::multi() {
  MultiRequest multi;
  for (auto operations = chance_.below(5); operations > 0; --operations) {
    multi.operations.push_back(operation());
  }
  return multi;
}

MultiOperation Workload::operation() {
  std::string at = path();
  const std::int32_t version = version_of(at);
  switch (chance_.below(5)) {
    case 4:
      return CreateContainerRequest{
          .path = std::move(at), .data = data(), .acl = open_acl(), .flags = container_flags};
    case 0:
      return CreateRequest{.path = std::move(at),
                           .data = data(),
                           .acl = open_acl(),
                           .flags = static_cast<std::int32_t>(chance_.below(4))};
    case 1:
      return DeleteRequest{.path = std::move(at), .version = version};
    case 2:
      return SetDataRequest{.path = std::move(at), .data = data(), .version = version};
    default:
      return CheckRequest{.path = std::move(at), .version = version};
  }
}

std::string Workload::path() {
  std::string path;
  for (auto levels = 1 + chance_.below(3); levels > 0; --levels) {
    path += '/';
    path += static_cast<char>('a' + chance_.below(4));
  }
  if (chance_.below(3) == 0) {
    if (chance_.below(2) == 0) {
      path = sequential_name();
    }
    const std::string present = model_.path_after(path);
    return present == "/" || present.starts_with("/zookeeper") ? path : present;
  }
  return path;
}

// One that the root may have given out.
std::string Workload::sequential_name() {
  const auto creates = static_cast<std::uint64_t>(model_.find("/")->creates);
  const std::string digits = std::to_string(chance_.below(creates + 1));
  return "/a" + std::string(10 - digits.size(), '0') + digits;
}

std::int32_t Workload::version_of(const std::string& path) {
  const Model::Znode* znode = model_.find(path);
  if (znode == nullptr || chance_.below(2) == 0) {
    return -1;
  }
  return znode->stat.version + (chance_.below(4) == 0 ? 1 : 0);
}

// Null, short, or large enough to fill segments.
Data Workload::data() {
  const std::uint64_t kind = chance_.below(16);
  if (kind == 0) {
    return std::nullopt;
  }
  return Bytes(kind == 1 ? chance_.below(6000) : chance_.below(40),
               static_cast<std::uint8_t>(chance_.next()));
}

}  // namespace zabfs::test
