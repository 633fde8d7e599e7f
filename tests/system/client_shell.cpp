// Lets a test drive our client library by lines: commands in, what the callbacks say out.
//
//   client_shell CONNECT-STRING TIMEOUT-MS
//
//   create PATH DATA | ephemeral PATH | set PATH DATA | delete PATH | multi PATH PATH
//   get PATH | exists PATH | children PATH | watch-get PATH | watch-exists PATH
//   watch-children PATH | add-watch PATH MODE | remove-watches PATH TYPE | sync PATH
//   burst COUNT PATH | close
//
//   COMMAND PATH: CODE [DATA]      one for every command, in order; of a burst one for each write
//   event TYPE PATH
//   state STATE SESSION            TYPE and STATE are numbers
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <iostream>
#include <sstream>
#include <string>

#include "fusefs/client/transport.hpp"

namespace {

namespace asio = boost::asio;
using namespace zabfs::replication;
using namespace zabfs::replication::protocol;
namespace client = zabfs::fusefs::client;

std::string text_of_reply(const client::Reply& reply) {
  if (const auto* path = std::get_if<PathResponse>(&reply.body)) {
    return path->path;
  }
  if (const auto* data = std::get_if<GetDataResponse>(&reply.body)) {
    return std::string(text_of(data->data.value_or(Bytes{})));
  }
  if (const auto* children = std::get_if<GetChildrenResponse>(&reply.body)) {
    std::string names;
    for (const auto& name : children->children) {
      names += name + " ";
    }
    return names;
  }
  return "";
}

class Shell {
 public:
  Shell(asio::io_context& io, client::ClientOptions options)
      : client_(client::make_client(io, std::move(options))), input_(io, ::dup(STDIN_FILENO)) {
    client_->on_event([](std::span<const client::WatchNotice> notices) {
      for (const auto& notice : notices) {
        std::cout << "event " << static_cast<int>(notice.type) << ' ' << notice.path << std::endl;
      }
    });
    client_->on_state([this](client::SessionState state) {
      std::cout << "state " << static_cast<int>(state) << ' ' << client_->session().value
                << std::endl;
    });
    read_line();
  }

 private:
  void read_line() {
    asio::async_read_until(input_, buffer_, '\n',
                           [this](boost::system::error_code error, std::size_t) {
                             if (error) {
                               return;
                             }
                             std::istream stream(&buffer_);
                             std::string line;
                             std::getline(stream, line);
                             obey(line);
                             read_line();
                           });
  }

  void ask(const std::string& what, Request request) {
    client_->submit(std::move(request), [what](const Result<client::Reply>& reply) {
      std::cout << what << ": " << (reply ? ErrorCode::ok : reply.error())
                << (reply ? " " + text_of_reply(*reply) : "") << std::endl;
    });
  }

  void obey(const std::string& line) {
    std::istringstream words(line);
    std::string command;
    std::string path;
    std::string rest;
    words >> command >> path >> rest;
    const auto what = command + " " + path;
    const Bytes data(rest.begin(), rest.end());
    if (command == "create") {
      ask(what, CreateRequest{.path = path, .data = data, .acl = open_acl()});
    } else if (command == "ephemeral") {
      ask(what, CreateRequest{.path = path, .data = data, .acl = open_acl(), .flags = 1});
    } else if (command == "set") {
      ask(what, SetDataRequest{.path = path, .data = data});
    } else if (command == "delete") {
      ask(what, DeleteRequest{.path = path});
    } else if (command == "multi") {
      ask(what, MultiRequest{{CreateRequest{.path = path, .acl = open_acl()},
                              CreateRequest{.path = rest, .acl = open_acl()}}});
    } else if (command == "get" || command == "watch-get") {
      ask(what, GetDataRequest{.path = path, .watch = command != "get"});
    } else if (command == "exists" || command == "watch-exists") {
      ask(what, ExistsRequest{.path = path, .watch = command != "exists"});
    } else if (command == "children" || command == "watch-children") {
      ask(what, GetChildrenRequest{.path = path, .watch = command != "children"});
    } else if (command == "add-watch") {
      ask(what, AddWatchRequest{.path = path, .mode = std::stoi(rest)});
    } else if (command == "remove-watches") {
      ask(what, RemoveWatchesRequest{.path = path, .type = std::stoi(rest)});
    } else if (command == "sync") {
      ask(what, SyncRequest{.path = path});
    } else if (command == "burst") {
      for (int i = std::stoi(path); i > 0; --i) {
        ask(what, SetDataRequest{.path = rest, .data = Bytes{}});
      }
    } else if (command == "close") {
      client_->close([this] {
        std::cout << "close : OK" << std::endl;
        input_.close();
        client_.reset();
      });
    }
  }

  std::unique_ptr<client::Client> client_;
  asio::posix::stream_descriptor input_;
  asio::streambuf buffer_;
};

}  // namespace

int main(int argc, char** argv) {
  const auto servers = client::parse_connect_string(argc == 3 ? argv[1] : "");
  if (!servers) {
    std::cerr << "client_shell: " << servers.error().sentence << '\n';
    return 2;
  }
  asio::io_context io;
  Shell shell(io, {.servers = *servers, .timeout_ms = std::stoi(argv[2])});
  io.run();
  return 0;
}
