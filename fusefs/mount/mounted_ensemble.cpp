#include "fusefs/mount/mounted_ensemble.hpp"

#include <spdlog/fmt/chrono.h>
#include <spdlog/sinks/syslog_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <chrono>
#include <csignal>
#include <ctime>
#include <string_view>
#include <utility>

#include "fusefs/mount/background.hpp"
#include "fusefs/mount/mount_point.hpp"
#include "fusefs/supervisor/limits.hpp"

namespace zabfs::fusefs::mount {

using client::SessionState;

namespace {

client::SessionIdentity identity_of(const Succession& succession) {
  if (!succession.inherited) {
    return {};
  }
  const auto& state = *succession.inherited;
  return {.session = {state.session.id},
          .password = state.session.password,
          .last_zxid = replication::Zxid::from_wire(state.zxid)};
}

// `text` as the value of a mount option.
std::string escaped(std::string text) {
  for (std::size_t at = 0; (at = text.find_first_of(",\\", at)) != text.npos; at += 2) {
    text.insert(at, "\\");
  }
  return text;
}

std::string schemes_of(const client::Credentials& credentials) {
  std::string schemes;
  for (const auto& credential : credentials) {
    schemes += (schemes.empty() ? "" : ", ") + credential.scheme;
  }
  return schemes;
}

}  // namespace

MountedEnsemble::MountedEnsemble(boost::asio::io_context& io, Options options,
                                 client::ConnectString servers, Succession& succession,
                                 Assistants assistants)
    : io_(io),
      options_(std::move(options)),
      servers_(std::move(servers)),
      succession_(succession),
      signals_(io, SIGINT, SIGTERM, SIGHUP),
      deadline_(io),
      loss_(io),
      handing_over_(io),
      client_(connect(identity_of(succession))),
      processes_(options_.signal_on_loss != 0),
      filesystem_(*client_, options_.appearance) {
  answers_.forget_in(filesystem_);
  filesystem_.journal().use(
      [] { return fmt::format("{:%FT%TZ}", fmt::gmtime(std::time(nullptr))); },
      [](std::string_view sentence) { spdlog::warn("{}", sentence); });
  filesystem_.use(processes_, [this](const Lock& lock) { lock_is_lost(lock); });
  if (!options_.remembers) {
    filesystem_.ensemble().remember_nothing();
  }
  if (options_.tells_inotify) {
    notification_.emplace(io_, filesystem_, std::move(assistants));
  }
  signals_.add(SIGUSR2);
  await_signal();
  continuation_.emplace(succession_.ledger, filesystem_, succession_.inherited,
                        succession_.is_partial);
  succession_.ledger.write(continuity::Worker{
      .replayer = notification_ ? notification_->replayer() : 0, .port = options_.embedded_port});
  if (succession_.inherited) {
    take_over();
    return;
  }
  continuation_->when_begun([this](std::string_view init) { succession_.link.tell_begun(init); });
  deadline_.expires_after(std::chrono::milliseconds(options_.session_timeout_ms));
  deadline_.async_wait([this](const boost::system::error_code& error) {
    if (!error) {
      problem_ = "No server of " + options_.source() + " has answered within " +
                 std::to_string(options_.session_timeout_ms / 1000) +
                 " seconds. Check the addresses, and that the servers run and have a quorum.";
      end();
    }
  });
}

std::unique_ptr<client::Client> MountedEnsemble::connect(client::SessionIdentity resumed) {
  auto made = client::make_client(io_, {.servers = servers_,
                                        .timeout_ms = options_.session_timeout_ms,
                                        .credentials = options_.credentials,
                                        .resumed = std::move(resumed)});
  made->on_state([this](SessionState state) { on_state(state); });
  return made;
}

void MountedEnsemble::on_state(SessionState state) {
  if (is_ending_) {
    return;  // The client connects once more at most, to close the session.
  }
  switch (state) {
    case SessionState::connected:
      spdlog::info("connected to {}", client_->server());
      loss_.cancel();
      write_down_session();
      ask_who_we_are();
      filesystem_.connected();
      if (!session_) {
        deadline_.cancel();
        mount();
      }
      break;
    case SessionState::connecting:
      filesystem_.connection_lost();
      filesystem_.journal().note("the connection is lost; trying all servers");
      lose_locks_in_time();
      break;
    case SessionState::expired:
      boost::asio::post(io_, [this] { renew_session(); });
      break;
    case SessionState::refused:
      problem_ = "The servers do not accept the credentials. Check the scheme of each: " +
                 schemes_of(options_.credentials) + ".";
      boost::asio::post(io_, [this] { end(); });
      break;
    case SessionState::closed:
      break;
  }
}

void MountedEnsemble::mount() {
  session_.emplace(filesystem_, answers_);
  std::string mount_options = "subtype=zabfs,fsname=" + escaped(options_.source());
  if (!options_.mount_options.empty()) {
    mount_options += "," + options_.mount_options;
  }
  problem_ = session_->mount(options_.mount_point, mount_options);
  if (problem_) {
    end();
    return;
  }
  session_->keep_with(*continuation_);
  succession_.link.tell_mounted(session_->device());
  serve();
}

void MountedEnsemble::take_over() {
  session_.emplace(filesystem_, answers_);
  problem_ = session_->resume(succession_.link.device, *continuation_);
  if (problem_) {
    boost::asio::post(io_, [this] { io_.stop(); });
    return;
  }
  if (options_.signal_on_loss != 0) {
    // Until a server is heard: the process before may have heard none for long.
    loss_.expires_after(std::chrono::milliseconds(options_.session_timeout_ms / 3));
    loss_.async_wait([this](const boost::system::error_code& error) {
      if (!error) {
        filesystem_.lose_locks();
      }
    });
  }
  serve();
  filesystem_.journal().note("the mount goes on in a new process");
}

void MountedEnsemble::serve() {
  loop_.emplace(
      io_, *session_, [this] { client_->send_now(); },
      [this] { boost::asio::post(io_, [this] { end(); }); });
  if (!options_.stays_in_foreground) {
    leave_terminal();
    spdlog::set_default_logger(spdlog::syslog_logger_mt("syslog", "zabfs", LOG_PID, LOG_DAEMON));
    spdlog::set_level(spdlog::level::info);
  }
  if (notification_) {
    notification_->begin(*session_, options_.mount_point);
  }
  succession_.link.tell_serving();
}

void MountedEnsemble::write_down_session() {
  client::SessionIdentity identity = client_->identity();
  if (identity.session.value != written_session_) {
    written_session_ = identity.session.value;
    succession_.ledger.write(continuity::SessionHeld{.id = identity.session.value,
                                                     .password = std::move(identity.password)});
  }
}

void MountedEnsemble::hand_over() {
  loop_.reset();  // The next process reads on.
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(limits::handover_ms_max);
  // What this process has not answered, the kernel asks the next one.
  const auto end_if_idle = [this, deadline](const auto& again) -> void {
    if (filesystem_.changes_underway() == 0 || std::chrono::steady_clock::now() >= deadline) {
      ::_exit(supervisor::handed_over);
    }
    handing_over_.expires_after(std::chrono::milliseconds(1));
    handing_over_.async_wait([again](const boost::system::error_code&) { again(again); });
  };
  end_if_idle(end_if_idle);
}

// Before anything else: what is asked later is answered later. Servers before ZooKeeper 3.7 do not
// say it, so what the credentials tell has to do.
void MountedEnsemble::ask_who_we_are() {
  using namespace replication;
  client_->submit(protocol::WhoAmIRequest{}, [this](Result<client::Reply> reply) {
    Identities identities;
    if (const auto* known = reply ? std::get_if<protocol::WhoAmIResponse>(&reply->body) : nullptr) {
      identities = known->identities;
    }
    for (const auto& credential : options_.credentials) {
      identities.push_back({credential.scheme, credential.secret});
    }
    filesystem_.use(std::move(identities));
  });
}

void MountedEnsemble::renew_session() {
  filesystem_.journal().note(
      "the session has expired and its ephemeral znodes are gone; opening a new one");
  expired_client_ = std::move(client_);
  client_ = connect({});
  filesystem_.use(*client_);
}

// Those that are lost at one moment are looked after together: all go with one session.
void MountedEnsemble::lock_is_lost(const Lock& lock) {
  lost_locks_.push_back(
      {.path = lock.wanted.path, .inode = lock.wanted.key.inode, .taker = lock.wanted.taker});
  if (lost_locks_.size() == 1) {
    boost::asio::post(io_, [this] { signal_loss(); });
  }
}

void MountedEnsemble::signal_loss() {
  const auto lost = std::exchange(lost_locks_, {});
  const auto holders = options_.signal_on_loss == 0 ? std::vector<int>(lost.size())
                                                    : signal_holders(lost, options_.signal_on_loss);
  for (std::size_t i = 0; i < lost.size(); ++i) {
    spdlog::error("the lock of {} ({}, process {}) is lost; processes that got a signal: {}",
                  lost[i].path, lost[i].taker.command, lost[i].taker.process.pid, holders[i]);
  }
}

// Whoever is to be ended has to be when somebody else may have the lock, and not when we hear of
// it.
void MountedEnsemble::lose_locks_in_time() {
  if (options_.signal_on_loss == 0) {
    return;
  }
  loss_.expires_after(std::chrono::milliseconds(client_->timeout_ms() - client_->silence_ms()));
  loss_.async_wait([this](const boost::system::error_code& error) {
    if (!error) {
      filesystem_.lose_locks();
    }
  });
}

void MountedEnsemble::await_signal() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (!error && signal == SIGUSR2) {
      hand_over();
    } else if (!error) {
      end();
    }
  });
}

void MountedEnsemble::end() {
  is_ending_ = true;
  signals_.cancel();
  deadline_.cancel();
  loss_.cancel();
  loop_.reset();
  if (session_ && session_->is_mounted()) {
    unmount(options_.mount_point);
  }
  session_.reset();
  client_->close([this] { io_.stop(); });
}

}  // namespace zabfs::fusefs::mount
