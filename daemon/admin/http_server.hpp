// A small HTTP server for operators: one request, one reply, and the connection is closed.
//
// Bounded in every direction, because whoever reaches the port may be anybody: connections at a
// time, bytes of a request, and how long either side may take. A connection too many is closed
// without a word. Only who is asked for by the admission may send a large body, or be sent a file:
// then the time is for every part of it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
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
  std::string file{};  // a path: what is in it is the body instead, read as it is sent
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
  // To be called once, at any time; after the connection or the server is gone it does nothing.
  using Respond = std::function<void(HttpReply)>;

  // Answers GET and POST; everything else is refused before.
  using Handler = std::function<void(const HttpRequest&, Respond)>;

  // How many bytes the body of a request may have whose head this is; or a refusal without reading
  // it.
  using Admission = std::function<std::variant<std::uint64_t, HttpReply>(const HttpRequest& head)>;

  // Of a request that nobody has said more about.
  static constexpr std::uint64_t body_bytes_max = 16'384;

  HttpServer(
      boost::asio::io_context& context, HttpOptions options, Handler handler,
      Admission admission = [](const HttpRequest&) { return body_bytes_max; });
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
