// What a Server does when an operator replaces its whole state: it lets the disk finish and the
// clients go, replaces the history on the disk, and starts on it as if it had just been started.
// Meanwhile, for as long as the disk takes, it answers nobody.
#include <spdlog/spdlog.h>

#include <atomic>
#include <utility>
#include <variant>

#include "daemon/server.hpp"
#include "replication/restoration.hpp"

namespace zabfs::daemon {

using replication::Ticket;
using replication::Zxid;

namespace {

// Replaces what the directories hold; blocks until that is durable.
std::variant<Zxid, std::string> replace(const Config& config, replication::RestorableState state) {
  auto directories = disk::DataDirectories::open(config.data_directory, config.log_directory);
  if (auto* why = std::get_if<std::string>(&directories)) {
    return std::move(*why);
  }
  std::atomic<std::uint64_t> done{};
  disk::PosixDisk disk(std::get<disk::DataDirectories>(std::move(directories)),
                       [&done](Ticket ticket) {
                         done.store(ticket.value);
                         done.notify_one();
                       });
  std::uint64_t heard = 0;
  return replication::replace_state(disk, std::move(state), [&] {
    done.wait(heard);
    heard = done.load();
    return Ticket{heard};
  });
}

}  // namespace

std::variant<Zxid, std::string> Server::restore(replication::ByteView snapshot) {
  auto read = replication::read_state(snapshot);
  if (const auto* why = std::get_if<std::string>(&read)) {
    return "The body is no whole snapshot of zabd. " + *why;
  }
  auto& state = std::get<replication::RestorableState>(read);
  logger_->warn("an operator replaces the state by a snapshot of {} znodes, zxid 0x{:x}",
                state.tree.node_count(), state.tree.last_applied().value);
  disk_->finish();
  replica_->on_disk_done({disk_done_.load()});
  table_.close_all();
  replica_.reset();
  disk_.reset();
  disk_done_.store(0);

  const auto begun = replace(config_, std::move(state));
  auto directories = disk::DataDirectories::open(config_.data_directory, config_.log_directory);
  if (const auto* why = std::get_if<std::string>(&begun)) {
    end_with(*why);
  }
  if (const auto* why = std::get_if<std::string>(&directories)) {
    end_with(*why);
  }
  if (const auto why = start_replica(std::get<disk::DataDirectories>(std::move(directories)))) {
    end_with(*why);
  }
  logger_->info("the restored state begins with zxid 0x{:x}", std::get<Zxid>(begun).value);
  table_.schedule_turn_end();
  return std::get<Zxid>(begun);
}

}  // namespace zabfs::daemon
