#include "replication/protocol/multi_codec.hpp"

#include "replication/model/limits.hpp"

namespace zabfs::replication::protocol {
namespace {

using jute::JuteReader;
using jute::JuteWriter;

struct MultiHeader {
  std::int32_t op{};
  bool done{};
  std::int32_t error{};

  static auto fields(auto& h) { return std::tie(h.op, h.done, h.error); }
};

template <class Enumeration>
constexpr std::int32_t number(Enumeration e) {
  return static_cast<std::int32_t>(e);
}

constexpr MultiHeader end_of_multi{.op = number(OpCode::error), .done = true, .error = -1};

// The next header of a multi of which `count` operations or results have been read; nullopt at the
// end.
std::optional<MultiHeader> next_of_multi(JuteReader& from, std::size_t count) {
  MultiHeader header{};
  from(header);
  if (header.done) {
    return std::nullopt;
  }
  if (count == limits::multi_operations_max) {
    throw cereal::Exception("multi of too many operations");
  }
  return header;
}

// Adds operation `op` to `operations` if it is one of theirs.
template <class Operation>
bool read_into(std::vector<Operation>& operations, JuteReader& from, OpCode op) {
  auto operation =
      read_alternative<Operation>(from, op, [](JuteReader& r, auto& record) { r(record); });
  if (operation) {
    operations.push_back(std::move(*operation));
  }
  return operation.has_value();
}

template <class Operation>
void write_each(JuteWriter& to, const std::vector<Operation>& operations) {
  const auto write = [&to](const auto& o) {
    to(MultiHeader{.op = number(o.op), .done = false, .error = -1}, o);
  };
  for (const Operation& operation : operations) {
    std::visit(write, operation);
  }
}

template <class Body>
MultiResult read_as(JuteReader& from, OpCode op) {
  Body body{};
  from(body);
  return {op, std::move(body)};
}

MultiResult read_result(JuteReader& from, OpCode op) {
  switch (op) {
    case OpCode::create:
      return read_as<PathResponse>(from, op);
    case OpCode::create2:
      return read_as<PathStatResponse>(from, op);
    case OpCode::set_data:
      return read_as<StatResponse>(from, op);
    case OpCode::get_data:
      return read_as<GetDataResponse>(from, op);
    case OpCode::get_children:
      return read_as<GetChildrenResponse>(from, op);
    case OpCode::remove:
    case OpCode::check:
      return {op, EmptyResponse{}};
    case OpCode::error:
      return {op, MultiError{ErrorCode{from.integer<std::int32_t>()}}};
    default:
      throw cereal::Exception("result that does not belong into a multi");
  }
}

void write_result(JuteWriter& to, OpCode op, const auto& body) {
  to(MultiHeader{.op = number(op), .done = false, .error = number(ErrorCode::ok)}, body);
}

// A failure says its code twice, in the header and as a body.
void write_result(JuteWriter& to, OpCode, const MultiError& failure) {
  const auto error = number(failure.error);
  to(MultiHeader{.op = number(OpCode::error), .done = false, .error = error}, error);
}

}  // namespace

void read_operations(JuteReader& from, MultiRequest& request) {
  while (const auto header = next_of_multi(from, request.operations.size())) {
    if (!read_into(request.operations, from, OpCode{header->op})) {
      throw cereal::Exception("operation that may not be inside a multi");
    }
  }
}

void read_operations(JuteReader& from, MultiReadRequest& request) {
  while (const auto header =
             next_of_multi(from, request.operations.size() + request.writes.size())) {
    const OpCode op{header->op};
    if (!read_into(request.operations, from, op) && !read_into(request.writes, from, op)) {
      throw cereal::Exception("operation that may not be inside a multiRead");
    }
  }
  if (!request.operations.empty() && !request.writes.empty()) {
    throw cereal::Exception("reads and writes in one list");
  }
}

MultiResponse read_results(JuteReader& from) {
  MultiResponse response{};
  while (const auto header = next_of_multi(from, response.results.size())) {
    response.results.push_back(read_result(from, OpCode{header->op}));
  }
  return response;
}

void write_operations(JuteWriter& to, const MultiRequest& request) {
  write_each(to, request.operations);
  to(end_of_multi);
}

void write_operations(JuteWriter& to, const MultiReadRequest& request) {
  write_each(to, request.operations);
  write_each(to, request.writes);
  to(end_of_multi);
}

void write_results(JuteWriter& to, const MultiResponse& response) {
  for (const auto& result : response.results) {
    std::visit([&](const auto& body) { write_result(to, result.op, body); }, result.body);
  }
  to(end_of_multi);
}

}  // namespace zabfs::replication::protocol
