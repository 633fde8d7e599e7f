// Speaks to an ensemble without a mount: creates a znode, watches it, changes it, hears of the
// change, reads it, and says goodbye.
//
//   hello_client HOST:PORT[,HOST:PORT...][/CHROOT]
#include <iostream>

#include "fusefs/client/transport.hpp"

int main(int argc, char** argv) {
  namespace zk = zabfs::fusefs::client;
  using namespace zabfs::replication;
  using namespace zabfs::replication::protocol;

  const auto servers = zk::parse_connect_string(argc == 2 ? argv[1] : "");
  if (!servers) {
    std::cerr << "hello_client: " << servers.error().sentence << '\n';
    return 2;
  }
  boost::asio::io_context io;
  const auto client = zk::make_client(io, {.servers = *servers});
  bool ok = false;
  const auto say = [](const char* what) {
    return [what](const Result<zk::Reply>& reply) {
      std::cout << what << ": " << (reply ? ErrorCode::ok : reply.error()) << std::endl;
    };
  };

  client->on_event([](std::span<const zk::WatchNotice> notices) {
    for (const auto& notice : notices) {
      std::cout << "event " << static_cast<int>(notice.type) << " at " << notice.path << std::endl;
    }
  });
  // All four leave in one packet, and are answered in this order.
  client->submit(CreateRequest{.path = "/hello", .data = Bytes{'h', 'i'}, .acl = open_acl()},
                 say("create"));
  client->submit(ExistsRequest{.path = "/hello", .watch = true}, say("exists"));
  client->submit(SetDataRequest{.path = "/hello", .data = Bytes{'h', 'o'}}, say("set"));
  client->submit(GetDataRequest{.path = "/hello"}, [&](const Result<zk::Reply>& reply) {
    say("get")(reply);
    if (const auto* read = reply ? std::get_if<GetDataResponse>(&reply->body) : nullptr) {
      std::cout << "data: " << text_of(*read->data) << std::endl;
      ok = true;
    }
    client->close([&io] { io.stop(); });
  });
  io.run();
  return ok ? 0 : 1;
}
