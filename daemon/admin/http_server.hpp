// A small HTTP server for operators: one request, one reply, and the connection is closed.
//
// Bounded in every direction, because whoever reaches the port may be anybody: connections at a
// time, bytes of a request, and how long either side may take. A connection too many is closed
// without a word.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace zabfs::daemon::admin {

struct HttpRequest {
  bool is_post{};
  std::string path{};                                             // "/commands/stats"
  std::vector<std::pair<std::string, std::string>> parameters{};  // decoded, in order
  std::string authorization{};
  std::string address{};  // of the client
  std::string body{};
};

struct HttpReply {
  unsigned status{200};
  std::string type{"text/plain"};
  std::string body{};
  std::vector<std::pair<std::string, std::string>> headers{};
};

struct HttpOptions {
  std::string address{};  // empty: all of them
  std::uint16_t port{};   // 0: the kernel chooses
  std::int64_t idle_ms{30'000};
};

// "a=1&b=%20" as pairs; what is not well formed is taken as it stands. Safe on any input.
std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query);

class HttpServer {
 public:
  // Answers GET and POST; everything else is refused before.
  using Handler = std::function<HttpReply(const HttpRequest&)>;

  HttpServer(boost::asio::io_context& context, HttpOptions options, Handler handler);
  ~HttpServer();

  // Opens the port. Returns a sentence if that cannot be done; `key` names the port's line in the
  // configuration.
  std::optional<std::string> start(const std::string& key);
  void stop();

  std::uint16_t port() const;

 private:
  class Exchange;
  struct State;

  void accept();

  std::shared_ptr<State> state_;
};

}  // namespace zabfs::daemon::admin
