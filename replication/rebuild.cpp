#include "replication/rebuild.hpp"

#include <sstream>
#include <utility>
#include <variant>

#include "replication/apply.hpp"

namespace zabfs::replication {

void Rebuild::on_snapshot(Zxid /*taken_at*/, Zxid /*reached*/) {
  reader_.emplace();
  bytes_applied_ = 0;
}

std::optional<std::string> Rebuild::on_slice(ByteView slice) { return reader_->append(slice); }

std::optional<std::string> Rebuild::on_entry(Zxid zxid, ByteView payload) {
  if (auto refusal = finish_snapshot()) {
    return refusal;
  }
  const auto transaction = tree::decode_transaction(payload);
  if (!transaction || transaction->header.zxid != zxid) {
    std::ostringstream sentence;
    sentence << "transaction " << zxid << " is not one this program wrote";
    return sentence.str();
  }
  apply(*transaction, tree_, sessions_, applied_);
  bytes_applied_ += payload.size();
  return std::nullopt;
}

// Takes the snapshot over, if there is one that has not been taken over yet.
std::optional<std::string> Rebuild::finish_snapshot() {
  if (!reader_) {
    return std::nullopt;
  }
  auto loaded = std::move(*reader_).finish();
  reader_.reset();
  if (auto* refusal = std::get_if<std::string>(&loaded)) {
    return std::move(*refusal);
  }
  auto& [tree, session_bytes] = std::get<tree::LoadedSnapshot>(loaded);
  auto sessions = session::SessionTable::from_bytes(session_bytes);
  if (!sessions) {
    return "the sessions of the snapshot cannot be read";
  }
  tree_ = std::move(tree);
  sessions_ = std::move(*sessions);
  return std::nullopt;
}

}  // namespace zabfs::replication
