#include "daemon/admin/http_server.hpp"

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <set>
#include <string_view>
#include <utility>

namespace zabfs::daemon::admin {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::size_t exchanges_max = 32;
constexpr std::uint32_t header_bytes_max = 8'192;
constexpr std::chrono::milliseconds pause_without_descriptors{100};

int digit_of(char letter) {
  if (letter >= '0' && letter <= '9') {
    return letter - '0';
  }
  const char lower = static_cast<char>(letter | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? digit_of(text[i + 1]) : -1;
    const int low = high >= 0 ? digit_of(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> pairs;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    const auto equals = std::min(pair.find('='), pair.size());
    if (!pair.empty()) {
      pairs.emplace_back(decoded(pair.substr(0, equals)),
                         decoded(pair.substr(std::min(equals + 1, pair.size()))));
    }
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return pairs;
}

// What outlives the server while handlers are on their way.
struct HttpServer::State {
  State(boost::asio::io_context& context, HttpOptions given, Handler answers, Admission admits)
      : acceptor(context),
        pause(context),
        options(std::move(given)),
        handler(std::move(answers)),
        admission(std::move(admits)) {}

  tcp::acceptor acceptor;
  boost::asio::steady_timer pause;
  HttpOptions options;
  Handler handler;
  Admission admission;
  std::set<std::shared_ptr<Exchange>> exchanges{};
  bool is_stopped{};
};

// One connection: reads a request, answers it, closes.
class HttpServer::Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(std::shared_ptr<State> state, tcp::socket socket)
      : state_(std::move(state)), stream_(std::move(socket)) {
    parser_.header_limit(header_bytes_max);
    parser_.body_limit(boost::none);  // until the head is known: see on_head
  }

  void start() {
    error_code ignored;
    address_ = stream_.socket().remote_endpoint(ignored).address().to_string();
    wait_no_longer();
    http::async_read_header(stream_, buffer_, parser_, then(&Exchange::on_head));
  }

  void close() {
    error_code ignored;  // It is of no use any more.
    stream_.socket().close(ignored);
  }

 private:
  using Step = void (Exchange::*)(const error_code&);

  std::function<void(const error_code&, std::size_t)> then(Step step) {
    return [self = shared_from_this(), step](const error_code& error, std::size_t /*bytes*/) {
      ((*self).*step)(error);
    };
  }

  void wait_no_longer() {
    stream_.expires_after(std::chrono::milliseconds(state_->options.idle_ms));
  }

  // True if that is the end of the exchange.
  bool is_over(const error_code& error) {
    if (!state_->is_stopped && !error) {
      return false;
    }
    if (!state_->is_stopped &&
        (error == http::error::body_limit || error == http::error::header_limit)) {
      send({.status = 413, .body = "The request is too large.\n"});
    } else {
      end();
    }
    return true;
  }

  void on_head(const error_code& error) {
    if (is_over(error)) {
      return;
    }
    const auto& head = parser_.get();
    const bool is_post = head.method() == http::verb::post;
    if (!is_post && head.method() != http::verb::get) {
      send({.status = 405, .body = "Only GET and POST are answered.\n"});
      return;
    }
    const std::string_view target(head.target().data(), head.target().size());
    const auto question = std::min(target.find('?'), target.size());
    request_ = {.is_post = is_post,
                .path = decoded(target.substr(0, question)),
                .parameters = parse_query(target.substr(std::min(question + 1, target.size()))),
                .authorization = std::string(head[http::field::authorization]),
                .address = address_};
    auto admitted = state_->admission(request_);
    if (auto* refusal = std::get_if<HttpReply>(&admitted)) {
      send(std::move(*refusal));
      return;
    }
    body_bytes_max_ = std::get<std::uint64_t>(admitted);
    if (const auto length = parser_.content_length(); length && *length > body_bytes_max_) {
      send({.status = 413, .body = "The request is too large.\n"});
      return;
    }
    parser_.body_limit(body_bytes_max_);
    if (beast::iequals(head[http::field::expect], "100-continue")) {
      boost::asio::async_write(stream_, boost::asio::buffer(go_on), then(&Exchange::on_part));
    } else {
      on_part({});
    }
  }

  void on_part(const error_code& error) {
    if (is_over(error)) {
      return;
    }
    if (!parser_.is_done()) {
      if (body_bytes_max_ > body_bytes_max) {
        wait_no_longer();
      }
      http::async_read_some(stream_, buffer_, parser_, then(&Exchange::on_part));
      return;
    }
    request_.body = std::move(parser_.get().body());
    stream_.expires_never();
    state_->handler(request_, [self = shared_from_this()](HttpReply reply) {
      if (!self->state_->is_stopped) {
        self->send(std::move(reply));
      }
    });
  }

  template <class Response>
  void write_head(Response& response, const HttpReply& reply) {
    response.version(11);
    response.result(reply.status);
    response.set(http::field::content_type, reply.type);
    response.set(http::field::cache_control, "no-store");
    for (const auto& [name, value] : reply.headers) {
      response.set(name, value);
    }
    response.keep_alive(false);
    response.prepare_payload();
  }

  void send(HttpReply reply) {
    if (!reply.file.empty()) {
      send_file(reply);
      return;
    }
    response_.body() = std::move(reply.body);
    write_head(response_, reply);
    wait_no_longer();
    http::async_write(stream_, response_, then(&Exchange::on_sent));
  }

  void send_file(const HttpReply& reply) {
    error_code error;
    file_.body().open(reply.file.c_str(), beast::file_mode::scan, error);
    if (error) {
      send({.status = 500, .body = reply.file + ": " + error.message() + "\n"});
      return;
    }
    write_head(file_, reply);
    serializer_.emplace(file_);
    on_part_sent({});
  }

  void on_part_sent(const error_code& error) {
    if (error || serializer_->is_done()) {
      on_sent(error);
      return;
    }
    wait_no_longer();
    http::async_write_some(stream_, *serializer_, then(&Exchange::on_part_sent));
  }

  // What the client still sends is read, for a while: closing on it would take the answer back.
  void on_sent(const error_code& error) {
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    on_rest(error);
  }

  void on_rest(const error_code& error) {
    if (error || state_->is_stopped || parser_.is_done()) {
      end();
      return;
    }
    stream_.async_read_some(boost::asio::buffer(rest_), then(&Exchange::on_rest));
  }

  void end() {
    close();
    state_->exchanges.erase(shared_from_this());
  }

  static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";

  std::shared_ptr<State> state_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_{header_bytes_max + body_bytes_max};
  http::request_parser<http::string_body> parser_{};
  HttpRequest request_{};
  std::uint64_t body_bytes_max_{};
  http::response<http::string_body> response_{};
  http::response<http::file_body> file_{};
  std::optional<http::response_serializer<http::file_body>> serializer_{};  // of an open file
  std::array<char, 4096> rest_{};
  std::string address_{};
};

HttpServer::HttpServer(boost::asio::io_context& context, HttpOptions options, Handler handler,
                       Admission admission)
    : state_(std::make_shared<State>(context, std::move(options), std::move(handler),
                                     std::move(admission))) {}

HttpServer::~HttpServer() { stop(); }

std::optional<std::string> HttpServer::start(const std::string& key) {
  auto& acceptor = state_->acceptor;
  const auto& [address, port, idle] = state_->options;
  error_code error;
  tcp::endpoint endpoint(tcp::v6(), port);
  if (!address.empty()) {
    tcp::resolver resolver(acceptor.get_executor());
    const auto found = resolver.resolve(address, std::to_string(port), error);
    endpoint = error ? endpoint : found.begin()->endpoint();
  }
  if (!error) {
    acceptor.open(endpoint.protocol(), error);
    if (error && address.empty()) {  // a machine without IPv6
      endpoint = tcp::endpoint(tcp::v4(), port);
      acceptor.open(endpoint.protocol(), error);
    }
  }
  if (!error) {
    acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    acceptor.bind(endpoint, error);
  }
  if (!error) {
    acceptor.listen(static_cast<int>(exchanges_max), error);
  }
  if (error) {
    return "cannot listen on " + (address.empty() ? "port" : address + " port") + " " +
           std::to_string(port) + ": " + error.message() + " (check " + key + ")";
  }
  accept();
  return std::nullopt;
}

void HttpServer::accept() {
  auto state = state_;
  state->acceptor.async_accept([this, state](const error_code& error, tcp::socket socket) {
    if (state->is_stopped || error == boost::asio::error::operation_aborted) {
      return;
    }
    if (!error && state->exchanges.size() < exchanges_max) {
      const auto exchange = std::make_shared<Exchange>(state, std::move(socket));
      state->exchanges.insert(exchange);
      exchange->start();
    }
    if (!error) {
      accept();
      return;
    }
    state->pause.expires_after(pause_without_descriptors);
    state->pause.async_wait([this, state](const error_code& cancelled) {
      if (!cancelled && !state->is_stopped) {
        accept();
      }
    });
  });
}

void HttpServer::stop() {
  state_->is_stopped = true;
  error_code ignored;
  state_->acceptor.close(ignored);
  state_->pause.cancel();
  // What they still wait for keeps them, and they keep the state: it must not keep them too.
  for (const auto& exchange : std::exchange(state_->exchanges, {})) {
    exchange->close();
  }
}

std::uint16_t HttpServer::port() const {
  error_code ignored;
  return state_->acceptor.local_endpoint(ignored).port();
}

}  // namespace zabfs::daemon::admin
