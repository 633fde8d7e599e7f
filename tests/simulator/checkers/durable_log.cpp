#include "tests/simulator/checkers/durable_log.hpp"

#include "replication/model/limits.hpp"
#include "replication/store/checksum.hpp"
#include "replication/store/recovery.hpp"

namespace zabfs::test {

using namespace replication;

namespace {

class Collector : public store::RecoverySink {
 public:
  explicit Collector(DurableLog& log) : log_(log) {}

  void on_snapshot(Zxid taken_at, Zxid /*reached*/) override { log_.base = taken_at; }
  std::optional<std::string> on_slice(ByteView /*slice*/) override { return std::nullopt; }
  std::optional<std::string> on_entry(Zxid zxid, ByteView payload) override {
    log_.entries.push_back({.zxid = zxid, .digest = store::checksum(payload, 0)});
    return std::nullopt;
  }

 private:
  DurableLog& log_;
};

}  // namespace

DurableLog read_log(const Disk& disk) {
  DurableLog log;
  Collector collector(log);
  const auto recovered = store::recover_directory(disk, limits::snapshots_kept_min, collector);
  if (!recovered) {
    log.refusal = recovered.error().sentence;
    return log;
  }
  for (const auto& [zxid, payload] : recovered->recovery.tail) {
    log.entries.push_back({.zxid = zxid, .digest = store::checksum(payload, 0)});
  }
  return log;
}

}  // namespace zabfs::test
