// One cell of the service's benchmark, printed as one line of JSON; service.py runs the table.
//
//   service_load read|write PORTS SESSIONS WINDOW SECONDS     gets or sets of 100 bytes
//   service_load lock PORTS SESSIONS SECONDS                  the recipe of a lock: create what is
//                                                             sequential and ephemeral, list,
//                                                             delete
//   service_load fill PORT COUNT                              COUNT znodes of 100 bytes
//   service_load rewrite PORT SESSIONS WINDOW SECONDS COUNT   sets of any of those
//   service_load create|overwrite|flock PORT SECONDS         the writes of one such operation of
//                                                            mount_load.cpp, one after the other
//   service_load floor FILE                                   a bare loopback round trip, and a
//                                                             sync
//   service_load timeline PORTS SESSIONS WINDOW SECONDS       sets, counted for every 100 ms
//
// PORTS is one, or several with commas between them, over which the sessions are spread.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "replication/model/create_mode.hpp"
#include "replication/protocol/codec.hpp"
#include "tests/benchmark/distribution.hpp"
#include "tests/benchmark/echo.hpp"
#include "tests/benchmark/load.hpp"

namespace zabfs::benchmark {
namespace {

namespace protocol = replication::protocol;

constexpr std::size_t value_bytes = 100;
constexpr int rounds_of_floor = 5'000;
constexpr int znodes_per_directory = 1'000;

replication::Data value() { return replication::Bytes(value_bytes, 'v'); }

protocol::CreateRequest create(std::string path) {
  return {.path = std::move(path), .data = value(), .acl = replication::open_acl()};
}

void print(const LoadResult& result) {
  std::printf(
      "{\"operations\": %llu, \"errors\": %llu, \"per_second\": %.0f, \"median_us\": %.1f, "
      "\"p99_us\": %.1f, \"max_us\": %.1f}\n",
      static_cast<unsigned long long>(result.operations),
      static_cast<unsigned long long>(result.errors),
      static_cast<double>(result.operations) / result.seconds, result.latency_us.median,
      result.latency_us.p99, result.latency_us.max);
}

// Runs `count` requests through one session, keeping many in flight.
LoadResult run_all(std::uint16_t port, int count,
                   const std::function<protocol::Request(int)>& request) {
  int next = 0;
  return run_load({.ports = {port}, .sessions = 1, .window = 500}, 3'600,
                  [&](int) -> std::optional<protocol::Request> {
                    if (next == count) {
                      return std::nullopt;
                    }
                    return request(next++);
                  });
}

std::string bench_path(int session) { return "/bench/s" + std::to_string(session); }

// Makes what the sessions work on, and waits until every server has it.
void prepare(const LoadOptions& options) {
  run_all(options.ports.front(), 1, [](int) { return create("/bench"); });
  run_all(options.ports.front(), options.sessions, [](int i) { return create(bench_path(i)); });
  for (const auto port : options.ports) {
    run_all(port, 1, [](int) { return protocol::SyncRequest{.path = "/bench"}; });
  }
}

LoadResult cell(bool write, const LoadOptions& options, double seconds) {
  prepare(options);
  return run_load(options, seconds, [write](int session) -> std::optional<protocol::Request> {
    if (write) {
      return protocol::SetDataRequest{.path = bench_path(session), .data = value()};
    }
    return protocol::GetDataRequest{.path = bench_path(session)};
  });
}

void print_timeline(const LoadResult& result) {
  std::printf("{\"each_tenth\": [");
  for (std::size_t i = 0; i < result.each_tenth.size(); ++i) {
    std::printf("%s%u", i == 0 ? "" : ", ", result.each_tenth[i]);
  }
  std::printf("]}\n");
}

// One lock per session. A session that has been given a path lists, and deletes it next.
void lock(const LoadOptions& options, double seconds) {
  enum class Step { create, list, remove };
  struct Lock {
    Step next{Step::create};
    std::string path{};
  };
  prepare(options);
  std::vector<Lock> locks(static_cast<std::size_t>(options.sessions));
  const auto next = [&locks](int session) -> std::optional<protocol::Request> {
    const Lock& lock = locks[static_cast<std::size_t>(session)];
    switch (lock.next) {
      case Step::create: {
        auto request = create(bench_path(session) + "/lock-");
        request.flags = replication::CreateMode{.ephemeral = true, .sequential = true}.flags();
        return request;
      }
      case Step::list:
        return protocol::GetChildrenRequest{.path = bench_path(session)};
      case Step::remove:
        break;
    }
    return protocol::DeleteRequest{.path = lock.path};
  };
  print(run_load(options, seconds, next, [&locks](int session, replication::ByteView body) {
    Lock& lock = locks[static_cast<std::size_t>(session)];
    if (lock.next == Step::create) {
      const auto response = protocol::decode_response(protocol::OpCode::create, body);
      lock.path = std::get<protocol::PathResponse>(*response).path;
    }
    lock.next = lock.next == Step::create ? Step::list
                : lock.next == Step::list ? Step::remove
                                          : Step::create;
  }));
}

std::string filled_path(int i) {
  return "/fill/d" + std::to_string(i / znodes_per_directory) + "/n" + std::to_string(i);
}

void fill(std::uint16_t port, int count) {
  run_all(port, 1, [](int) { return create("/fill"); });
  const int directories = (count + znodes_per_directory - 1) / znodes_per_directory;
  run_all(port, directories, [](int i) { return create("/fill/d" + std::to_string(i)); });
  print(run_all(port, count, [](int i) { return create(filled_path(i)); }));
}

void rewrite(const LoadOptions& options, double seconds, int count) {
  std::minstd_rand random;
  std::uniform_int_distribution<int> any(0, count - 1);
  print(run_load(options, seconds, [&](int) -> std::optional<protocol::Request> {
    return protocol::SetDataRequest{.path = filled_path(any(random)), .data = value()};
  }));
}

// What zabfs has to write for each operation that changes something.
std::vector<protocol::Request> requests_of(const std::string& operation, const std::string& path) {
  const protocol::SetDataRequest commit{.path = path, .data = value()};
  if (operation == "overwrite") {
    return {commit};
  }
  if (operation == "flock") {
    const protocol::Create2Request contender{
        .path = path,
        .data = value(),
        .acl = replication::open_acl(),
        .flags = replication::CreateMode{.ephemeral = true}.flags()};
    return {contender, protocol::DeleteRequest{.path = path}};
  }
  const protocol::Create2Request made{
      .path = path, .data = replication::Bytes{}, .acl = replication::open_acl()};
  return {made, commit, protocol::DeleteRequest{.path = path}};
}

// Sends a request and waits for its reply.
void ask(Session& session, const protocol::Request& request) {
  session.submit(request);
  session.flush();
  for (bool is_answered = false; !is_answered;) {
    pollfd wait{.fd = session.descriptor(), .events = POLLIN, .revents = 0};
    poll(&wait, 1, -1);
    session.receive([&is_answered](std::int32_t, replication::ByteView) { is_answered = true; });
  }
}

// The time of one operation's requests, and how many they are.
void converse(const std::string& operation, std::uint16_t port, double seconds) {
  const std::string path = "/" + operation + "-alone";
  if (operation == "overwrite") {
    run_all(port, 1, [&path](int) { return create(path); });
  }
  const auto requests = requests_of(operation, path);
  Session session(port);
  std::vector<float> times;
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  for (auto begin = std::chrono::steady_clock::now(); begin < end;) {
    for (const auto& request : requests) {
      ask(session, request);
    }
    const auto now = std::chrono::steady_clock::now();
    times.push_back(std::chrono::duration<float, std::micro>(now - begin).count());
    begin = now;
  }
  const auto writes = std::ranges::count_if(
      requests, [](const auto& request) { return protocol::is_write(op_of(request)); });
  std::printf("{\"median_us\": %.1f, \"reads\": %d, \"writes\": %d}\n",
              distribution_of(std::move(times)).median,
              static_cast<int>(requests.size()) - static_cast<int>(writes),
              static_cast<int>(writes));
}

double median_us(const std::function<void()>& step) {
  std::vector<float> times;
  for (int i = 0; i < rounds_of_floor; ++i) {
    const auto start = std::chrono::steady_clock::now();
    step();
    times.push_back(
        std::chrono::duration<float, std::micro>(std::chrono::steady_clock::now() - start).count());
  }
  return distribution_of(std::move(times)).median;
}

double round_trip_us() {
  const EchoServer server;
  const int client = connect_to(server.port());
  std::array<char, 140> message{};
  const double result = median_us([client, &message] {
    if (send(client, message.data(), message.size(), MSG_NOSIGNAL) < 0 ||
        recv(client, message.data(), message.size(), MSG_WAITALL) < 0) {
      std::exit(1);
    }
  });
  close(client);
  return result;
}

double sync_us(const char* file) {
  const int descriptor = open(file, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  const std::vector<char> zeros(16UL << 20);
  if (write(descriptor, zeros.data(), zeros.size()) < 0 || fsync(descriptor) != 0) {
    std::perror(file);
    std::exit(1);
  }
  lseek(descriptor, 0, SEEK_SET);
  const std::array<char, 200> record{1};
  const double result = median_us([descriptor, &record] {
    if (write(descriptor, record.data(), record.size()) < 0 || fdatasync(descriptor) != 0) {
      std::exit(1);
    }
  });
  close(descriptor);
  unlink(file);
  return result;
}

std::vector<std::uint16_t> ports_of(const std::string& list) {
  std::vector<std::uint16_t> ports;
  std::istringstream words(list);
  for (std::string word; std::getline(words, word, ',');) {
    ports.push_back(static_cast<std::uint16_t>(std::atoi(word.c_str())));
  }
  return ports;
}

int run(const std::vector<std::string>& arguments) {
  const auto number = [&arguments](std::size_t i) { return std::atoi(arguments.at(i).c_str()); };
  const auto& mode = arguments.at(0);
  if (mode == "floor") {
    std::printf("{\"round_trip_us\": %.1f, \"sync_us\": %.1f}\n", round_trip_us(),
                sync_us(arguments.at(1).c_str()));
  } else if (mode == "fill") {
    fill(static_cast<std::uint16_t>(number(1)), number(2));
  } else if (mode == "create" || mode == "overwrite" || mode == "flock") {
    converse(mode, static_cast<std::uint16_t>(number(1)), std::atof(arguments.at(2).c_str()));
  } else if (mode == "lock") {
    lock({.ports = ports_of(arguments.at(1)), .sessions = number(2)},
         std::atof(arguments.at(3).c_str()));
  } else {
    const LoadOptions options{
        .ports = ports_of(arguments.at(1)), .sessions = number(2), .window = number(3)};
    const double seconds = std::atof(arguments.at(4).c_str());
    if (mode == "rewrite") {
      rewrite(options, seconds, number(5));
    } else if (mode == "timeline") {
      print_timeline(cell(true, options, seconds));
    } else {
      print(cell(mode == "write", options, seconds));
    }
  }
  return 0;
}

}  // namespace
}  // namespace zabfs::benchmark

int main(int argc, char** argv) {
  try {
    return zabfs::benchmark::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "service_load: " << error.what() << '\n';
    return 1;
  }
}
