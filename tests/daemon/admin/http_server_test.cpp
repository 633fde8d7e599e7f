// Whoever reaches an operator's port may say anything, or nothing.
#include "daemon/admin/http_server.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tests/daemon/clients/loopback_client.hpp"
#include "tests/support/hostile_bytes.hpp"
#include "tests/support/temporary_directory.hpp"

namespace zabfs::daemon::admin {
namespace {

using replication::text_of;
using test::LoopbackClient;

class HttpServerTest : public testing::Test {
 protected:
  void start(std::int64_t idle_ms = 30'000) {
    server_.emplace(
        context_, HttpOptions{.address = "127.0.0.1", .port = 0, .idle_ms = idle_ms},
        [this](const HttpRequest& request, HttpServer::Respond respond) {
          last_ = request;
          if (request.path == "/later") {
            later_ = std::move(respond);
          } else if (request.path == "/file") {
            respond({.file = file_});
          } else {
            respond({.body = "hello", .headers = {{"last_zxid", "7"}}});
          }
        },
        [](const HttpRequest& head) -> std::variant<std::uint64_t, HttpReply> {
          if (head.path == "/refused") {
            return HttpReply{.status = 403, .body = "no"};
          }
          return head.path == "/large" ? 1U << 20 : HttpServer::body_bytes_max;
        });
    ASSERT_EQ(server_->start("admin.serverPort"), std::nullopt);
  }

  // All that comes back for `request`, until the server closes.
  std::string answer_to(const std::string& request) {
    LoopbackClient client(context_, server_->port());
    client.send(request);
    EXPECT_TRUE(client.sees_the_end());
    return std::string(text_of(client.received()));
  }

  boost::asio::io_context context_{1};
  std::optional<HttpServer> server_;
  HttpRequest last_;
  HttpServer::Respond later_;
  std::string file_;
};

TEST_F(HttpServerTest, ARequestIsAnsweredAndTheConnectionClosed) {
  start();
  const std::string answer = answer_to(
      "GET /commands/stats?a=b%20c HTTP/1.1\r\nHost: x\r\nAuthorization: digest "
      "root:secret\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_NE(answer.find("last_zxid: 7\r\n"), std::string::npos) << answer;
  EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\nhello")) << answer;
  EXPECT_EQ(last_.path, "/commands/stats");
  EXPECT_EQ(last_.parameters.front().second, "b c");
  EXPECT_EQ(last_.authorization, "digest root:secret");
  EXPECT_EQ(last_.address, "127.0.0.1");
  EXPECT_FALSE(last_.is_post);
}

TEST_F(HttpServerTest, WhatIsTooLargeIsRefused) {
  start();
  EXPECT_NE(answer_to("POST / HTTP/1.1\r\nContent-Length: 99999\r\n\r\n").find(" 413 "),
            std::string::npos);
  EXPECT_NE(answer_to("GET /" + std::string(20'000, 'x') + " HTTP/1.1\r\n\r\n").find(" 413 "),
            std::string::npos);
  EXPECT_NE(answer_to("DELETE / HTTP/1.1\r\n\r\n").find(" 405 "), std::string::npos);
}

TEST_F(HttpServerTest, WhoIsAdmittedMaySendMore) {
  start();
  const std::string body(900'000, 'b');
  const auto request = [&](const std::string& path) {
    return "POST " + path + " HTTP/1.1\r\nContent-Length: 900000\r\n\r\n" + body;
  };
  EXPECT_TRUE(answer_to(request("/large")).ends_with("hello"));
  EXPECT_EQ(last_.body, body);
  EXPECT_NE(answer_to(request("/other")).find(" 413 "), std::string::npos);
  EXPECT_TRUE(answer_to(request("/refused")).ends_with("no"));
  EXPECT_NE(answer_to("POST /large HTTP/1.1\r\nContent-Length: 2000000\r\n\r\n").find(" 413 "),
            std::string::npos);
  const auto asked =
      answer_to("POST /large HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\ny");
  EXPECT_TRUE(asked.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")) << asked;
}

TEST_F(HttpServerTest, AnAnswerMayComeLater) {
  start();
  LoopbackClient patient(context_, server_->port());
  patient.send("GET /later HTTP/1.1\r\n\r\n");
  while (!later_) {
    context_.run_one();
  }
  EXPECT_TRUE(answer_to("GET / HTTP/1.1\r\n\r\n").ends_with("hello"));
  later_({.body = "at last"});
  EXPECT_TRUE(patient.sees_the_end());
  EXPECT_TRUE(text_of(patient.received()).ends_with("at last"));
}

TEST_F(HttpServerTest, AnAnswerMayComeTooLate) {
  start();
  {
    LoopbackClient gone(context_, server_->port());
    gone.send("GET /later HTTP/1.1\r\n\r\n");
    while (!later_) {
      context_.run_one();
    }
  }
  later_({.body = std::string(1 << 20, 'x')});
  later_ = {};
  EXPECT_TRUE(answer_to("GET / HTTP/1.1\r\n\r\n").ends_with("hello"));
  LoopbackClient client(context_, server_->port());
  client.send("GET /later HTTP/1.1\r\n\r\n");
  while (!later_) {
    context_.run_one();
  }
  server_.reset();
  later_({.body = "nobody is there"});
  EXPECT_TRUE(client.sees_the_end());
}

TEST_F(HttpServerTest, AFileIsSentAsItIs) {
  start();
  const test::TemporaryDirectory directory;
  file_ = directory.at("file");
  std::string bytes(300'001, 'f');
  bytes[7] = '\0';
  std::ofstream(file_) << bytes;
  const auto answer = answer_to("GET /file HTTP/1.1\r\n\r\n");
  EXPECT_NE(answer.find("Content-Length: 300001\r\n"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\n" + bytes));
  file_ = directory.at("absent");
  EXPECT_NE(answer_to("GET /file HTTP/1.1\r\n\r\n").find(" 500 "), std::string::npos);
}

TEST_F(HttpServerTest, HostileBytesDisturbNobodyElse) {
  start();
  const std::string valid = "POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\ny";
  auto inputs = test::mutations_of(replication::bytes_of(valid), 1, 300);
  for (auto& run : test::random_runs(2, 100, 200)) {
    inputs.push_back(std::move(run));
  }
  for (const auto& bytes : inputs) {
    LoopbackClient client(context_, server_->port());
    client.send(bytes);
    client.close();
    context_.poll();
  }
  EXPECT_TRUE(answer_to("GET / HTTP/1.1\r\n\r\n").ends_with("hello"));
}

TEST_F(HttpServerTest, WhoSaysNothingIsClosed) {
  start(50);
  LoopbackClient silent(context_, server_->port());
  EXPECT_TRUE(silent.sees_the_end());
}

TEST_F(HttpServerTest, OneConnectionTooManyIsClosedAndTheOthersStay) {
  start();
  std::vector<LoopbackClient> idle;
  for (int i = 0; i < 32; ++i) {
    idle.emplace_back(context_, server_->port());
  }
  LoopbackClient one_too_many(context_, server_->port());
  EXPECT_TRUE(one_too_many.sees_the_end());
  idle.front().send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(idle.front().sees_the_end());
  EXPECT_TRUE(text_of(idle.front().received()).ends_with("hello"));
  EXPECT_TRUE(answer_to("GET / HTTP/1.1\r\n\r\n").ends_with("hello"));
}

TEST_F(HttpServerTest, APortThatIsTakenIsNamed) {
  start();
  HttpServer second(context_, {.address = "127.0.0.1", .port = server_->port()},
                    [](const HttpRequest&, const HttpServer::Respond&) {});
  const auto why = second.start("admin.serverPort");
  ASSERT_TRUE(why);
  EXPECT_NE(why->find("Address already in use (check admin.serverPort)"), std::string::npos)
      << *why;
}

TEST_F(HttpServerTest, ItMayEndAtAnyTime) {
  start();
  LoopbackClient client(context_, server_->port());
  client.send("GET / HT");
  context_.poll();
  server_.reset();
  context_.poll();
  EXPECT_TRUE(client.sees_the_end());
}

}  // namespace
}  // namespace zabfs::daemon::admin
