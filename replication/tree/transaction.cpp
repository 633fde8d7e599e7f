#include "replication/tree/transaction.hpp"

#include <utility>

#include "replication/jute/jute_archive.hpp"
#include "replication/model/limits.hpp"

namespace zabfs::replication::tree {
namespace {

using jute::JuteReader;
using jute::JuteWriter;

template <class Body>
void write(JuteWriter& to, const Body& body) {
  to(body);
}

void write(JuteWriter& to, const MultiChange& multi);

template <class Body>
void write_tagged(JuteWriter& to, const Body& body) {
  to.integer(static_cast<std::int32_t>(Body::kind));
  write(to, body);
}

void write(JuteWriter& to, const MultiChange& multi) {
  to.integer(static_cast<std::int32_t>(multi.changes.size()));
  for (const NodeChange& change : multi.changes) {
    std::visit([&to](const auto& body) { write_tagged(to, body); }, change);
  }
}

template <class Body>
void read(JuteReader& from, Body& body) {
  from(body);
}

void read(JuteReader& from, MultiChange& multi);

// The alternative of `Variant` whose number comes next, and its body.
template <class Variant, std::size_t index = 0>
Variant read_tagged(JuteReader& from, TransactionKind kind) {
  if constexpr (index == std::variant_size_v<Variant>) {
    throw cereal::Exception("no such kind of change");
  } else if (std::variant_alternative_t<index, Variant>::kind != kind) {
    return read_tagged<Variant, index + 1>(from, kind);
  } else {
    Variant read_body{std::in_place_index<index>};
    read(from, std::get<index>(read_body));
    return read_body;
  }
}

void read(JuteReader& from, MultiChange& multi) {
  const std::size_t count = from.element_count().value_or(0);
  if (count > limits::multi_operations_max) {
    throw cereal::Exception("multi of too many changes");
  }
  for (std::size_t i = 0; i < count; ++i) {
    const TransactionKind kind{from.integer<std::int32_t>()};
    multi.changes.push_back(read_tagged<NodeChange>(from, kind));
  }
}

}  // namespace

void append_transaction(Bytes& out, const Transaction& transaction) {
  JuteWriter to{out};
  to(transaction.header);
  std::visit([&to](const auto& body) { write_tagged(to, body); }, transaction.body);
}

Result<Transaction> decode_transaction(ByteView bytes) {
  try {
    JuteReader from{bytes};
    Transaction transaction{};
    from(transaction.header);
    const TransactionKind kind{from.integer<std::int32_t>()};
    transaction.body = read_tagged<TransactionBody>(from, kind);
    if (!from.rest().empty()) {
      return ErrorCode::marshalling_error;
    }
    return transaction;
  } catch (const cereal::Exception&) {
    return ErrorCode::marshalling_error;
  }
}

// The leader and every learner ask this of every transaction: its kind says it for nearly all.
std::optional<std::string> ensemble_text_in(ByteView bytes) {
  constexpr std::size_t header_bytes = 3 * sizeof(std::int64_t);
  constexpr std::size_t kind_bytes = sizeof(std::int32_t);
  if (bytes.size() < header_bytes + kind_bytes ||
      JuteReader{bytes.subspan(header_bytes)}.integer<std::int32_t>() !=
          static_cast<std::int32_t>(TransactionKind::set_ensemble)) {
    return std::nullopt;
  }
  auto transaction = decode_transaction(bytes);
  if (!transaction) {
    return std::nullopt;
  }
  return std::move(std::get<SetEnsemble>(transaction->body).text);
}

}  // namespace zabfs::replication::tree
