#include "tests/simulator/sim_operator.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "replication/model/ensemble_text.hpp"

namespace zabfs::test {

using namespace replication;
using namespace replication::protocol;

namespace {

constexpr Micros patience = 8 * second;

}  // namespace

SimOperator::SimOperator(const OperatorOptions& options, EnsembleWorld& world)
    : options_(options),
      world_(world),
      chance_(world.chance().next()),
      wire_(*this, [](const std::string&) {}) {}

ConnectionId SimOperator::connect() {
  return world_.connections().open(server_, [this] { listen(); });
}
void SimOperator::deliver(ConnectionId connection, ByteView payload) {
  world_.connections().send(connection, payload);
}
void SimOperator::disconnect(ConnectionId connection) { world_.connections().hang_up(connection); }
bool SimOperator::is_open(ConnectionId connection) const {
  return world_.connections().is_open(connection);
}
Bytes SimOperator::take_sent(ConnectionId connection) {
  return world_.connections().take_received(connection);
}

void SimOperator::plan() {
  world_.events().after(draw_between(chance_, 0, options_.think_max), [this] {
    if (!is_resting_) {
      act();
      plan();
    }
  });
}

void SimOperator::act() {
  if (!wire_.is_open() || (is_asking_ && world_.now() - asked_at_ > patience)) {
    open_connection();
  } else if (is_greeted_ && !is_asking_) {
    ask_change();
  }
}

void SimOperator::open_connection() {
  server_ = anybody();
  is_greeted_ = false;
  is_asking_ = true;
  asked_at_ = world_.now();
  wire_.connect({.last_zxid_seen = seen_,
                 .timeout_ms = options_.timeout_ms,
                 .session_id = session_.session_id,
                 .password = session_.session_id == 0 ? Bytes(16) : session_.password});
}

void SimOperator::listen() {
  for (const Heard& heard : wire_.hear()) {
    if (const auto* greeting = std::get_if<ConnectResponse>(&heard)) {
      session_ = *greeting;
      is_greeted_ = greeting->session_id != 0;
      is_asking_ = false;
      if (is_greeted_) {
        const auto credentials = bytes_of("super:secret");
        wire_.ask(AuthRequest{.scheme = "digest",
                              .credentials = Bytes(credentials.begin(), credentials.end())});
      }
    } else if (const auto* reply = std::get_if<Reply>(&heard)) {
      on_reply(*reply);
    } else if (std::holds_alternative<Closed>(heard)) {
      is_asking_ = false;
    }
  }
}

void SimOperator::on_reply(const Reply& reply) {
  if (reply.op == static_cast<std::int32_t>(OpCode::auth)) {
    return;
  }
  is_asking_ = false;
  seen_ = std::max(seen_, reply.header.zxid);
  if (!reply.body) {
    world_.note("the operator is told error ", reply.header.error);
    return;
  }
  const auto& data = std::get<GetDataResponse>(*reply.body).data;
  auto parsed = parse_ensemble(data ? std::string(data->begin(), data->end()) : std::string());
  if (auto* ensemble = std::get_if<Ensemble>(&parsed); ensemble && !ensemble->members.empty()) {
    known_ = std::move(*ensemble);
  }
  if (reply.op != static_cast<std::int32_t>(OpCode::reconfig)) {
    return;
  }
  unanswered_ = 0;  // it would have been refused while an earlier one is on its way
  ++changes_;
  told_ = known_->version;
  world_.note("the operator is told that version ", known_->version, " is in force");
  for (const ServerId server : world_.servers()) {
    if (!is_resting_ && find_member(*known_, server) == nullptr &&
        draw(chance_, options_.switches_off_of_1000)) {
      world_.cut_power(server);
    }
  }
}

ServerId SimOperator::anybody() { return world_.servers()[chance_.below(world_.servers().size())]; }

ServerId SimOperator::somebody_in() {
  return known_->members[chance_.below(known_->members.size())].id;
}

std::string SimOperator::line_of(ServerId server, bool is_observer) {
  const auto port = std::to_string(3000 + 10 * server.value + draw_between(chance_, 0, 4));
  return "server." + std::to_string(server.value) + "=host:" + port + ":" +
         std::to_string(4000 + server.value) + (is_observer ? ":observer" : ":participant") +
         ";2181";
}

void SimOperator::ask_change() {
  is_asking_ = true;
  asked_at_ = world_.now();
  if (!known_ || draw(chance_, 300)) {
    wire_.ask(GetDataRequest{.path = "/zookeeper/config"});
  } else {
    ++unanswered_;
    wire_.ask(draw_change());
  }
}

ReconfigRequest SimOperator::draw_change() {
  ReconfigRequest request;
  if (draw(chance_, 500)) {
    request.config_version = known_->version.wire();
  }
  switch (chance_.below(6)) {
    case 0:
    case 1:
      request.joining = line_of(anybody(), draw(chance_, 250));
      break;
    case 2:
      request.leaving = std::to_string(somebody_in().value);
      break;
    case 3: {  // one for another
      request.leaving = std::to_string(somebody_in().value);
      request.joining = line_of(anybody(), false);
      break;
    }
    case 4: {
      for (const ServerId server : world_.servers()) {
        if (world_.is_serving(server) &&
            world_.server(server).replica().status().role == ServerRole::leading) {
          request.leaving = std::to_string(server.value);
        }
      }
      break;
    }
    default:
      for (const ServerId server : world_.servers()) {
        if (draw(chance_, 600)) {
          request.new_members +=
              (request.new_members.empty() ? "" : ",") + line_of(server, draw(chance_, 200));
        }
      }
  }
  world_.note("the operator asks: joining ", request.joining, " leaving ", request.leaving, " all ",
              request.new_members, " version ", request.config_version);
  return request;
}

}  // namespace zabfs::test
