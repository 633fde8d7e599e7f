// `@mount/txn`: a transaction that is written as lines (views/transaction_text.hpp), all or
// nothing.
//
// A line is tried when it is written, together with those in front of it: the server is asked for
// the transaction so far and something impossible. What it refuses is refused by the write, and
// nothing of the transaction happens then.
//
// It is sent at the close or fsync that follows the lines, or at a line `commit`, whose write then
// tells the error; after a line `begin` only there, so that what several processes write is one
// transaction, and what one that is killed has begun is none. It is never sent twice. What became
// of it can be read through the same descriptor, and from `@mount/txn` until the next:
//
//   done VERB PATH [VERSION]     the path a sequential znode really got; the version that was made
//   failed VERB PATH: REASON     this one was refused, so none was done
//   not done VERB PATH
//   failed: REASON               nothing is known but that
#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "fusefs/filesystem.hpp"
#include "fusefs/transactions.hpp"
#include "fusefs/views/transaction_text.hpp"
#include "replication/model/create_mode.hpp"
#include "replication/model/limits.hpp"

namespace zabfs::fusefs {

using handles::Handle;
using handles::TransactionHandle;
using naming::View;
using replication::Bytes;
using replication::Data;
using replication::ErrorCode;
using replication::limits::transaction_text_bytes_max;
using replication::protocol::CheckRequest;
using replication::protocol::CreateContainerRequest;
using replication::protocol::CreateRequest;
using replication::protocol::CreateTtlRequest;
using replication::protocol::DeleteRequest;
using replication::protocol::MultiError;
using replication::protocol::MultiOperation;
using replication::protocol::MultiRequest;
using replication::protocol::MultiResponse;
using replication::protocol::MultiResult;
using replication::protocol::PathResponse;
using replication::protocol::PathStatResponse;
using replication::protocol::SetDataRequest;
using replication::protocol::StatResponse;
using views::NoTransactionLine;
using views::parse_transaction_line;
using views::TransactionLine;
using Verb = TransactionLine::Verb;

namespace {

// Of a line that is refused, in the sentence that says so.
constexpr std::size_t shown_bytes_max = 200;

MultiOperation creation_of(const TransactionLine& line) {
  const Data data = line.verb == Verb::create ? Data(line.data) : Data();
  const auto acl = replication::open_acl();
  if (line.creation.container) {
    return CreateContainerRequest{
        .path = line.path, .data = data, .acl = acl, .flags = replication::container_flags};
  }
  if (line.creation.ttl_ms != 0) {
    return CreateTtlRequest{.path = line.path,
                            .data = data,
                            .acl = acl,
                            .flags = replication::ttl_flags,
                            .ttl_ms = line.creation.ttl_ms};
  }
  const replication::CreateMode mode{.ephemeral = line.creation.ephemeral,
                                     .sequential = line.creation.sequential};
  return CreateRequest{.path = line.path, .data = data, .acl = acl, .flags = mode.flags()};
}

MultiOperation operation_of(const TransactionLine& line) {
  const auto version = line.version.value_or(any_version);
  switch (line.verb) {
    case Verb::set:
      return SetDataRequest{.path = line.path, .data = line.data, .version = version};
    case Verb::remove:
      return DeleteRequest{.path = line.path, .version = version};
    case Verb::check:
      return CheckRequest{.path = line.path, .version = version};
    default:
      return creation_of(line);
  }
}

std::string result_line(const TransactionLine& line, const MultiResult* result, bool has_failed) {
  const std::string what = std::string(views::word_of(line.verb)) + " ";
  const auto* error = result == nullptr ? nullptr : std::get_if<MultiError>(&result->body);
  if (error != nullptr && error->error != ErrorCode::ok &&
      error->error != ErrorCode::runtime_inconsistency) {
    return "failed " + what + line.path + ": " + std::string(reason_of(Failure::of(error->error))) +
           '\n';
  }
  if (has_failed || result == nullptr) {
    return "not done " + what + line.path + '\n';
  }
  if (const auto* made = std::get_if<PathStatResponse>(&result->body)) {
    return "done " + what + made->path + '\n';
  }
  if (const auto* made = std::get_if<PathResponse>(&result->body)) {
    return "done " + what + made->path + '\n';
  }
  if (const auto* set = std::get_if<StatResponse>(&result->body)) {
    return "done " + what + line.path + " " + std::to_string(set->stat.version) + '\n';
  }
  return "done " + what + line.path + '\n';
}

// Takes the whole lines off the beginning of `text`.
std::vector<std::string> take_lines(std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = text.find('\n', begin)) != text.npos; begin = end + 1) {
    lines.push_back(text.substr(begin, end - begin));
  }
  text.erase(0, begin);
  return lines;
}

}  // namespace

Outcome<Done> Filesystem::check_transaction_line(const std::string& line) {
  const auto parsed = parse_transaction_line(line);
  if (const auto* refused = std::get_if<NoTransactionLine>(&parsed)) {
    journal_.note("a line of a transaction means nothing: " + refused->sentence + ": " +
                  line.substr(0, shown_bytes_max));
    return Failure::of(EINVAL);
  }
  return Done{};
}

Detached Filesystem::write_transaction(Reply<Written> reply, HandleId id, std::string text) {
  Operation operation(operations_, reply.ticket());
  Handle& handle = *handles_.find(id);
  auto& transaction = std::get<TransactionHandle>(handle.body);
  const std::size_t size = text.size();
  text.insert(0, transaction.unfinished);
  if (transaction.bytes + text.size() > transaction_text_bytes_max) {
    co_return std::move(reply).error(EFBIG);
  }
  const std::vector<std::string> lines = take_lines(text);
  for (const auto& line : lines) {
    if (const auto checked = check_transaction_line(line); !checked) {
      transaction.lines.clear();
      transaction.refusal = checked.error().errno_value;
      co_return std::move(reply).refuse(checked.error());
    }
  }
  transaction.unfinished = std::move(text);
  const std::vector<std::string> before = transaction.lines;
  Outcome<Done> done = Done{};
  for (const auto& line : lines) {
    done = co_await take_transaction_line(operation, handle, line);
    if (!done) {
      break;
    }
  }
  if (done && !transaction.waits_for_commit && !transaction.lines.empty() && !lines.empty()) {
    // A shell looks at the error of a write, and not at that of a close.
    done = co_await send_transaction(operation, handle, Sending::trial);
    if (!done && done.error().code == ErrorCode::ok) {
      transaction.lines = before;  // Interrupted: it will be written again.
    } else if (!done) {
      transaction.lines.clear();
      transaction.refusal = done.error().errno_value;
    }
  }
  if (!done) {
    co_return std::move(reply).refuse(done.error());
  }
  std::move(reply).with(Written{size});
}

Task<Outcome<Done>> Filesystem::take_transaction_line(Operation& operation, Handle& handle,
                                                      std::string line) {
  auto& transaction = std::get<TransactionHandle>(handle.body);
  const auto parsed = parse_transaction_line(line);
  const Verb verb = std::get<TransactionLine>(parsed).verb;
  if (verb == Verb::begin) {
    transaction.waits_for_commit = true;
    transaction.refusal = 0;
    co_return Done{};
  }
  const int refusal = transaction.refusal;
  if (verb == Verb::commit) {
    transaction.waits_for_commit = false;
    transaction.refusal = 0;
    if (refusal == 0) {
      co_return co_await send_transaction(operation, handle, Sending::earnest);
    }
  }
  if (refusal != 0 && verb != Verb::nothing) {
    co_return Failure::of(refusal);
  }
  if (verb != Verb::nothing) {
    transaction.bytes += line.size();
    transaction.lines.push_back(std::move(line));
  }
  co_return Done{};
}

Task<Outcome<Done>> Filesystem::send_transaction(Operation& operation, Handle& handle,
                                                 Sending sending) {
  auto& transaction = std::get<TransactionHandle>(handle.body);
  const bool is_trial = sending == Sending::trial;
  std::vector<std::string> texts = transaction.lines;
  if (!is_trial) {
    transaction.lines.clear();
    transaction.bytes = 0;
  }
  std::vector<TransactionLine> lines;
  MultiRequest request;
  std::vector<std::size_t> places;  // of the lines, in the request
  for (const auto& text : texts) {
    auto parsed = parse_transaction_line(text);
    auto& line = std::get<TransactionLine>(parsed);
    if (line.verb == Verb::set) {
      // Data do not turn a directory into a file; of what is not there, the server says so.
      const Target target{line.path, View::plain};
      const auto node = co_await inspect(operation, target);
      if (node && is_directory_by_null_data_only(line.path, *node)) {
        for (auto& mark : mark_as_directory(line.path)) {
          request.operations.push_back(std::move(mark));
        }
      }
    }
    places.push_back(request.operations.size());
    request.operations.push_back(operation_of(line));
    lines.push_back(std::move(line));
  }
  if (lines.empty()) {
    co_return Done{};
  }
  const std::size_t count = request.operations.size();
  if (is_trial) {
    request.operations.emplace_back(CheckRequest{.path = "/", .version = impossible_version});
  }
  Ask<MultiResponse> question(ensemble_, operation, std::move(request));
  auto response = co_await question;
  if (!response) {
    if (!is_trial) {
      last_result_ = transaction.unread =
          "failed: " + std::string(reason_of(response.error())) + '\n';
    }
    co_return response.error();
  }
  response->results.resize(std::min(response->results.size(), count));
  const ErrorCode code = error_of(*response);
  if (is_trial && code == ErrorCode::ok) {
    co_return Done{};  // Only what was added to it was refused.
  }
  std::string result;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto place = places[i];
    const auto* said = place < response->results.size() ? &response->results[place] : nullptr;
    result += result_line(lines[i], said, code != ErrorCode::ok);
  }
  last_result_ = transaction.unread = std::move(result);
  co_return code == ErrorCode::ok ? Outcome<Done>(Done{}) : Failure::of(code);
}

// The end of what was written may be a line without its line break.
Task<Outcome<Done>> Filesystem::end_transaction(Operation& operation, Handle& handle) {
  auto& transaction = std::get<TransactionHandle>(handle.body);
  if (transaction.waits_for_commit) {
    co_return Done{};
  }
  const std::string last = std::exchange(transaction.unfinished, {});
  if (std::exchange(transaction.refusal, 0) != 0) {
    co_return Done{};  // A write has told so.
  }
  const auto checked = check_transaction_line(last);
  if (!checked) {
    transaction.lines.clear();
    transaction.bytes = 0;
    co_return checked.error();
  }
  const auto parsed = parse_transaction_line(last);
  const Verb verb = std::get<TransactionLine>(parsed).verb;
  if (verb != Verb::nothing && verb != Verb::begin && verb != Verb::commit) {
    transaction.lines.push_back(last);
  }
  const auto done = co_await send_transaction(operation, handle, Sending::earnest);
  co_return done;
}

Detached Filesystem::end_transaction_and_answer(Reply<Done> reply, HandleId id) {
  Operation operation(operations_, reply.ticket());
  const auto done = co_await end_transaction(operation, *handles_.find(id));
  std::move(reply).with_outcome(done);
}

}  // namespace zabfs::fusefs
