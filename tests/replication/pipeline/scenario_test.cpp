// Scenarios of the client protocol: one claim of it per file in scenarios/, in the language of
// scenario_text.hpp, to a replica on a simulated disk.
//
//   NAME connect        timeout=MS  session=NAME (whose)  password=wrong  seen=EPOCH.COUNTER noflag
//   NAME connect later  connects and says nothing
//   NAME REQUEST
//   NAME request OP HEX an operation by its number, with any body
//   NAME raw HEX        any frame
//   NAME disconnect
//   hold, release       what the disk is given to do waits, or goes on
//   disk N              the turn ends, and it does N jobs nevertheless
//   wait MS             the clock moves, then a tick
//   kill, crash         the process dies, or the power fails; it starts again at once
//   trace               prints what the diary recorded since the last time
//
// A step is one turn of the replica; then the disk works until nothing moves, and what every client
// heard is printed, "NAME: what", after every command and job. Clients that hear something at the
// same time are printed by name.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "replication/model/check.hpp"
#include "tests/replication/pipeline/scenario_text.hpp"
#include "tests/support/data_driven.hpp"
#include "tests/support/hex.hpp"
#include "tests/support/replica_world.hpp"
#include "tests/support/wire_client.hpp"

namespace zabfs::test {
namespace {

using namespace replication;
using namespace replication::protocol;

constexpr ReplicaOptions options{
    .log_segment_bytes = 64 << 10, .removal_check_ms = 2'000, .enforces_quota = true};

class Scenario {
 public:
  Scenario() {
    start();
    world_.settle();
    world_.take_trace();
  }

  std::string run(const std::vector<Command>& commands) {
    for (const Command& command : commands) {
      if (!run_on_world(command.name, Words(command.arguments))) {
        run_on_client(command);
      }
      listen();
    }
    if (world_.is_running()) {
      world_.end_turn();
    }
    listen();
    while (!holding_ && world_.step_disk()) {
      listen();
    }
    return std::exchange(printed_, "");
  }

 private:
  struct Person {
    explicit Person(ReplicaWorld& world) : client(world) {}
    WireClient client;
    ConnectResponse session{};
  };

  bool run_on_world(const std::string& name, const Words& words) {
    if (name == "hold" || name == "release") {
      holding_ = name == "hold";
    } else if (name == "wait") {
      world_.advance(std::stoll(words.at(0)));
    } else if (name == "disk") {
      world_.end_turn();
      for (auto jobs = std::stoll(words.at(0)); jobs > 0 && world_.step_disk(); --jobs) {
        listen();
      }
    } else if (name == "kill") {
      world_.kill();
      start();
    } else if (name == "crash") {
      world_.crash(chance_);
      start();
    } else if (name == "trace") {
      for (const TraceEvent& event : world_.take_trace()) {
        printed_ += "trace: " + to_text(event) + '\n';
      }
    } else {
      return false;
    }
    return true;
  }

  void run_on_client(const Command& command) {
    Person& person =
        *people_.try_emplace(command.name, std::make_unique<Person>(world_)).first->second;
    const Words words(command.arguments);
    const std::string verb = words.at(0);
    if (verb == "connect") {
      connect(person, words);
    } else if (verb == "request") {
      person.client.ask_raw(std::stoi(words.at(1)), hex_of(words, 2));
    } else if (verb == "raw") {
      person.client.send(hex_of(words, 1));
    } else if (verb == "disconnect") {
      person.client.disconnect();
    } else {
      const auto request = request_of(verb, Words(words.from(1)));
      CHECK(request, "line ", command.line, ": no such request: ", verb);
      person.client.ask(*request);
    }
  }

  void connect(Person& person, const Words& words) {
    if (words.has("later")) {
      person.client.connect_silently();
      return;
    }
    ConnectRequest handshake{
        .last_zxid_seen = zxid_of(words.value("seen").value_or("0.0")).wire(),
        .timeout_ms = static_cast<std::int32_t>(words.number("timeout", 10'000)),
        .password = Bytes(limits::session_password_bytes),
        .has_read_only_flag = !words.has("noflag")};
    if (const auto whose = words.value("session")) {
      const ConnectResponse& session = people_.at(*whose)->session;
      handshake.session_id = session.session_id;
      handshake.password = session.password;
    }
    if (words.value("password") == "wrong") {
      handshake.password->back() ^= 1;
    }
    person.client.connect(handshake);
  }

  static Bytes hex_of(const Words& words, std::size_t from) {
    std::string digits;
    for (const auto& word : words.from(from)) {
      digits += word + ' ';
    }
    return from_hex(digits);
  }

  void start() {
    const auto refusal = world_.start();
    CHECK(!refusal, "the replica refuses to start: ", *refusal);
  }

  void listen() {
    for (auto& [name, person] : people_) {
      for (const Heard& heard : person->client.hear()) {
        printed_ += name + ": " + text_of(heard) + '\n';
        if (const auto* session = std::get_if<ConnectResponse>(&heard)) {
          person->session = session->session_id == 0 ? person->session : *session;
        }
      }
    }
  }

  ReplicaWorld world_{options, 1};
  Random chance_{1};
  std::map<std::string, std::unique_ptr<Person>> people_;
  bool holding_{};
  std::string printed_;
};

Interpreter fresh_scenario() {
  auto scenario = std::make_shared<Scenario>();
  return [scenario](const std::vector<Command>& commands) { return scenario->run(commands); };
}

[[maybe_unused]] const int registered = register_transcripts(
    "ClientProtocol", std::string(SOURCE_ROOT) + "/tests/replication/pipeline/scenarios",
    fresh_scenario);

}  // namespace
}  // namespace zabfs::test
