// ACLs as clients may set them: what is stored can be checked, means the same when it is stored
// again, and is never asked for a client in a way that could end the process.
#include "replication/jute/jute_archive.hpp"
#include "replication/model/check.hpp"
#include "replication/pipeline/access.hpp"

using namespace zabfs::replication;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Acl acl;
  try {
    jute::JuteReader from{ByteView(data, size)};
    from(acl);
  } catch (const cereal::Exception&) {
    return 0;
  }
  const Identities client{{"ip", "10.0.0.7"}, {"digest", "bob:hash"}, {"x509", "CN=bob"}};
  pipeline::is_allowed(acl, permission::all, client);
  const auto stored = pipeline::storable(acl, client, true);
  if (stored) {
    const auto again = pipeline::storable(*stored, {}, true);
    CHECK(again.has_value(), "what is stored could not be stored");
    pipeline::is_allowed(*stored, permission::read, client);
    for (const AclEntry& entry : *stored) {
      CHECK(entry.identity.scheme != "auth", "auth is stored");
    }
  }
  return 0;
}
