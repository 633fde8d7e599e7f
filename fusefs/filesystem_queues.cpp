// `N@queue`: who holds and who waits, a line per contender in the order of the queue.
//
//   holds write-0000000003 0x1000049f0c20001 web1 4242 2026-11-21T17:44:26Z flock
//   waits read-0000000004 0x1000049f0c20002 web2 977 2026-11-21T17:44:31Z backup
//
//   state, name, session, host, process, since when (by the ensemble's clock), command
//
// The locks of flock(2) come first, then those of fcntl(2), then the children of N in which any
// client of the ensemble may queue by itself: those that end in a sequence number. What those say
// of themselves is their own business: host and process are `-`, the command is the first line of
// their data. Of readers and writers among them the names tell, as far as recipes agree on them.
//
// `N@locks` is the directory of the contenders for N's locks, and needs no code but its name.
#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <memory>
#include <utility>
#include <vector>

#include "fusefs/filesystem.hpp"
#include "fusefs/limits.hpp"

namespace zabfs::fusefs {

using limits::queue_questions_max;
using locks::Family;
using locks::Mode;
using locks::QueueRow;
using replication::ErrorCode;
using replication::protocol::GetChildren2Request;
using replication::protocol::GetChildren2Response;
using replication::protocol::GetDataRequest;

namespace {

std::string utc(std::int64_t milliseconds) {
  const auto seconds = static_cast<std::time_t>(milliseconds / 1000);
  std::tm parts{};
  if (::gmtime_r(&seconds, &parts) == nullptr) {
    return "-";
  }
  std::array<char, 64> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%FT%TZ", &parts)};
}

std::string session_text(std::int64_t session) {
  std::array<char, 24> text{};
  const int size =
      std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(session));
  return {text.data(), static_cast<std::size_t>(size)};
}

std::string word(std::string text) { return text.empty() ? "-" : text; }

// Takes apart what `row` says of itself.
locks::Description describe(const QueueRow& row, std::string_view data) {
  auto description = locks::read_description(data, row.mode);
  if (!row.is_lock && description.host.empty()) {
    const auto first_line = data.substr(0, data.find('\n'));
    description = locks::read_description("command " + std::string(first_line), row.mode);
  }
  if (!row.is_lock) {
    description.mode = row.mode;
  }
  return description;
}

// The rows of contenders that wait for one another.
std::vector<QueueRow> rows_of(const std::vector<std::string>& names, Family family) {
  std::vector<QueueRow> rows;
  for (auto& contender : locks::queue_in(names, family)) {
    rows.push_back({.name = std::move(contender.name), .mode = contender.mode, .is_lock = true});
  }
  return rows;
}

std::vector<QueueRow> rows_of_other_clients(const std::vector<std::string>& names) {
  std::vector<QueueRow> rows;
  for (auto& name : locks::sequential_names(names)) {
    const bool shares = locks::is_shared_by_name(name);
    rows.push_back({.name = std::move(name), .mode = shares ? Mode::shared : Mode::exclusive});
  }
  return rows;
}

}  // namespace

Task<Outcome<std::string>> Filesystem::text_of_rows(Operation& operation, std::string directory,
                                                    std::vector<QueueRow> rows) {
  std::string text;
  bool is_anybody_before = false;
  bool is_writer_before = false;
  for (std::size_t begin = 0; begin < rows.size(); begin += queue_questions_max) {
    const std::size_t end = std::min(begin + queue_questions_max, rows.size());
    std::vector<std::unique_ptr<Ask<Version>>> questions;
    for (std::size_t i = begin; i < end; ++i) {
      GetDataRequest request{.path = child_path(directory, rows[i].name)};
      questions.push_back(std::make_unique<Ask<Version>>(ensemble_, operation, std::move(request)));
    }
    for (std::size_t i = begin; i < end; ++i) {
      auto& question = *questions[i - begin];
      const auto found = co_await question;
      if (!found && found.error().code == ErrorCode::no_node) {
        continue;  // It has gone since.
      }
      if (!found) {
        co_return found.error();
      }
      const std::string_view data = found->data ? replication::text_of(*found->data) : "";
      const auto description = describe(rows[i], data);
      const bool is_exclusive = description.mode == Mode::exclusive;
      const bool waits = is_exclusive ? is_anybody_before : is_writer_before;
      is_anybody_before = true;
      is_writer_before = is_writer_before || is_exclusive;
      text.append(waits ? "waits " : "holds ").append(rows[i].name);
      text.append(" ").append(session_text(found->stat.ephemeral_owner));
      text.append(" ").append(word(description.host));
      text.append(" ").append(description.pid == 0 ? "-" : std::to_string(description.pid));
      text.append(" ").append(utc(found->stat.ctime));
      text.append(" ").append(word(description.command)) += '\n';
    }
  }
  co_return text;
}

Task<Outcome<std::string>> Filesystem::text_of_queue(Operation& operation, std::string path) {
  const std::string queue = locker_.queue_for(path);
  Ask<GetChildren2Response> locks_question(ensemble_, operation,
                                           GetChildren2Request{.path = queue});
  Ask<GetChildren2Response> others_question(ensemble_, operation,
                                            GetChildren2Request{.path = path});
  const auto contenders = co_await locks_question;
  const auto others = co_await others_question;
  if (!contenders && contenders.error().code != ErrorCode::no_node) {
    co_return contenders.error();
  }
  if (!others && (!contenders || others.error().code != ErrorCode::no_node)) {
    co_return others.error();
  }
  std::string text;
  for (const Family family : {Family::flock, Family::fcntl}) {
    if (contenders) {
      auto rows = rows_of(contenders->children, family);
      const auto part = co_await text_of_rows(operation, queue, std::move(rows));
      if (!part) {
        co_return part.error();
      }
      text += *part;
    }
  }
  if (others) {
    auto rows = rows_of_other_clients(others->children);
    const auto part = co_await text_of_rows(operation, path, std::move(rows));
    if (!part) {
      co_return part.error();
    }
    text += *part;
  }
  co_return text;
}

}  // namespace zabfs::fusefs
