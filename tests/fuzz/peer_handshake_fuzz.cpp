// Any bytes as the first that a stranger says to a server, and as the answer to a server's own: he
// is never trusted, and nothing outside the input is looked at.
#include <cstdint>

#include "daemon/peers/handshake.hpp"
#include "replication/model/check.hpp"

using namespace zabfs::daemon::peers;
using namespace zabfs::replication;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Identity identity{.self = {2},
                          .others = {{1}, {3}},
                          .membership = digest_of("servers"),
                          .secret = Bytes(16, 's')};
  const ByteView received{data, size};
  for (auto handshake :
       {Handshake::from_stranger(identity, {}), Handshake::to(identity, {1}, {})}) {
    Bytes out;
    handshake.begin(out);
    CHECK(handshake.take(received, out) <= size);
    CHECK(handshake.state() != Handshake::State::done);
    CHECK((handshake.state() == Handshake::State::refused) == !handshake.refusal().empty());
  }
  return 0;
}
