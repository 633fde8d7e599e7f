#include "daemon/zabctl/replica_questions.hpp"

#include <algorithm>
#include <array>
#include <boost/asio.hpp>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <variant>

#include "daemon/config.hpp"
#include "daemon/config_value.hpp"
#include "daemon/zabctl/failure.hpp"
#include "daemon/zabctl/read_only_directory.hpp"
#include "replication/model/bytes.hpp"
#include "replication/model/limits.hpp"

namespace zabfs::daemon::zabctl {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::uint16_t default_port = 2181;

// One word to one server: connects, asks, reads to the end. Keeps itself alive until then.
class Question : public std::enable_shared_from_this<Question> {
 public:
  using OnDone = std::function<void(const error_code&, const std::string& answer)>;

  Question(asio::io_context& context, std::string word, OnDone on_done)
      : resolver_(context),
        socket_(context),
        word_(std::move(word)),
        on_done_(std::move(on_done)) {}

  void ask(const Address& address) {
    resolver_.async_resolve(
        address.host, std::to_string(address.port),
        [self = shared_from_this()](const error_code& error, const auto& found) {
          if (error) {
            return self->on_done_(error, "");
          }
          asio::async_connect(self->socket_, found,
                              [self](const error_code& refused, const auto& /*endpoint*/) {
                                return refused ? self->on_done_(refused, "") : self->send();
                              });
        });
  }

 private:
  void send() {
    asio::async_write(socket_, asio::buffer(word_),
                      [self = shared_from_this()](const error_code& error, std::size_t /*sent*/) {
                        return error ? self->on_done_(error, "") : self->receive();
                      });
  }

  void receive() {
    asio::async_read(socket_,
                     asio::dynamic_buffer(answer_, replication::limits::status_answer_bytes_max),
                     [self = shared_from_this()](const error_code& error, std::size_t /*got*/) {
                       const bool is_whole = !error || error == asio::error::eof;
                       self->on_done_(is_whole ? error_code{} : error, self->answer_);
                     });
  }

  asio::ip::tcp::resolver resolver_;
  asio::ip::tcp::socket socket_;
  std::string word_;
  std::string answer_{};
  OnDone on_done_;
};

Address parse_address(std::string_view text) {
  Address address{.port = default_port};
  std::string_view port;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end != std::string_view::npos) {
      address.host = text.substr(1, end - 1);
      port = text.substr(end + 1);
    }
  } else {
    const auto colon = std::min(text.find(':'), text.size());
    address.host = text.substr(0, colon);
    port = text.substr(colon);
  }
  const auto number = port.starts_with(':') ? number_in(port.substr(1), {1, 65'535}) : std::nullopt;
  if (address.host.empty() || (!port.empty() && !number)) {
    throw UsageError(quoted(text) + " is no server: write host:port, or [address]:port for IPv6.");
  }
  address.port = number ? static_cast<std::uint16_t>(*number) : default_port;
  return address;
}

// The lines that say which servers there are; the others are blank, so that errors have their line.
// What else there is may be ZooKeeper's alone, and is no business of one who only asks.
std::string lines_about_servers(std::string_view text) {
  std::string kept;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    const bool is_kept = std::ranges::any_of(
        std::array<std::string_view, 4>{"dataDir", "clientPort", "server.", "tickTime"},
        [&](std::string_view key) { return line.starts_with(key); });
    kept += (is_kept ? std::string(line) : "") + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return kept + "zabfs.allowUnauthenticatedPeers=true\n";
}

// Empty if there is none but the one that the servers began with.
replication::Ensemble newest_ensemble(const std::vector<ReplicaView>& replicas) {
  replication::Ensemble newest;
  for (const ReplicaView& replica : replicas) {
    if (replica.ensemble.version > newest.version) {
      newest = replica.ensemble;
    }
  }
  return newest;
}

// Port 0 if the ensemble does not say it.
Address place_of(const replication::Member& member) {
  return {.host = member.client_address.empty() ? member.host : member.client_address,
          .port = member.client_port.value_or(0)};
}

}  // namespace

std::string Address::text() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::vector<Address> parse_addresses(const std::string& text) {
  std::vector<Address> addresses;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find(',', at), text.size());
    addresses.push_back(parse_address(trimmed(std::string_view(text).substr(at, end - at))));
    at = end + 1;
  }
  return addresses;
}

std::vector<Address> addresses_of_config(const std::string& file) {
  const auto bytes = bytes_of_file(file);
  const auto parsed = parse_config(lines_about_servers(replication::text_of(bytes)), file);
  if (const auto* errors = std::get_if<ConfigErrors>(&parsed)) {
    throw Failure(errors->front());
  }
  const auto& config = std::get<Config>(parsed);
  std::vector<Address> addresses;
  for (const auto& [id, member] : config.ensemble.members) {
    addresses.push_back({member.host, member.client_port.value_or(config.client_port), id});
  }
  if (addresses.empty()) {
    addresses.push_back(
        {config.client_address.empty() ? "localhost" : config.client_address, config.client_port});
  }
  return addresses;
}

std::vector<Address> members_not_asked(const std::vector<ReplicaView>& replicas) {
  std::vector<Address> unasked;
  for (const auto& member : newest_ensemble(replicas).members) {
    const Address place = place_of(member);
    const bool is_asked = std::ranges::any_of(replicas, [&](const ReplicaView& replica) {
      return replica.id == member.id || replica.name == place.text();
    });
    if (place.port != 0 && !is_asked) {
      unasked.push_back(place);
    }
  }
  return unasked;
}

bool is_missed(const Address& place, const std::vector<ReplicaView>& replicas) {
  const auto ensemble = newest_ensemble(replicas);
  return ensemble.members.empty() || place.id == replication::ServerId{} ||
         replication::find_member(ensemble, place.id) != nullptr;
}

std::vector<ReplicaView> ask(const std::vector<Address>& addresses,
                             std::chrono::milliseconds limit) {
  struct Word {
    const char* text{};
    void (*read)(std::string_view, ReplicaView&){};
  };
  static constexpr std::array<Word, 4> words{
      {{"srvr", read_srvr}, {"mntr", read_mntr}, {"hash", read_hash}, {"conf", read_conf}}};
  std::vector<ReplicaView> views(addresses.size());
  asio::io_context context(1);
  for (std::size_t at = 0; at < addresses.size(); ++at) {
    ReplicaView& view = views[at];
    view.name = addresses[at].text();
    view.trouble = "does not answer within " + std::to_string(limit.count()) + " ms";
    for (const Word& word : words) {
      const bool is_first = &word == &words[0];
      const auto on_done = [&view, read = word.read, is_first](const error_code& error,
                                                               const std::string& answer) {
        if (!error) {
          view.trouble = is_first ? "" : view.trouble;
          read(answer, view);
        } else if (is_first) {
          view.trouble = "cannot be asked: " + error.message();
        }
      };
      std::make_shared<Question>(context, word.text, on_done)->ask(addresses[at]);
    }
  }
  context.run_for(limit);
  return views;
}

}  // namespace zabfs::daemon::zabctl
