// Any bytes as what a log has been through: transactions, truncations and marks of what is
// committed, in their order, over several segments. What a model of three lines allows is recovered
// exactly; what it forbids is refused, or at least in order.
#include <algorithm>
#include <map>
#include <string>

#include "replication/model/check.hpp"
#include "replication/store/log_reader.hpp"

namespace zabfs::test {
namespace {

using namespace replication;
using namespace replication::store;

class Files : public Disk {
 public:
  std::map<FileName, Bytes> files{};

  std::vector<FileName> list() const override { return {}; }
  std::uint64_t size(const FileName& file) const override { return files.at(file).size(); }
  Bytes read(const FileName& file, std::uint64_t offset, std::uint64_t length) const override {
    const ByteView bytes = files.at(file);
    const auto begin = std::min<std::size_t>(offset, bytes.size());
    const auto part = bytes.subspan(begin, std::min<std::size_t>(length, bytes.size() - begin));
    return {part.begin(), part.end()};
  }
  void submit(std::vector<DiskJob>, Ticket) override { CHECK(false, "reading changes nothing"); }
};

// The input, a byte at a time.
struct Script {
  ByteView left{};

  bool is_over() const { return left.empty(); }
  std::size_t next() {
    if (left.empty()) {
      return 0;
    }
    const auto byte = left.front();
    left = left.subspan(1);
    return byte;
  }
};

// What the records say, as long as it makes sense.
struct Model {
  std::vector<Zxid> history{{}};  // with the beginning, which is no transaction
  Zxid committed{};
  bool makes_sense{true};

  LogEntry next_transaction(Script& script) {
    const Zxid last = history.back();
    const bool same_epoch = last.counter() > 0 && script.next() % 4 > 0;
    const Zxid zxid = same_epoch ? Zxid{last.value + 1} : Zxid::at({last.epoch().value + 1}, 1);
    history.push_back(zxid);
    committed = std::max(committed, history[script.next() % history.size()]);
    return {.zxid = zxid, .committed = committed};
  }

  LogEntry next_truncation(Script& script) {
    const auto kept = script.next() % history.size();
    makes_sense = makes_sense && committed <= history[kept];
    history.resize(kept + 1);
    return {.kind = RecordKind::truncation, .zxid = history.back(), .committed = committed};
  }

  LogEntry next_nonsense(Script& script) {
    makes_sense = false;
    return {.kind = RecordKind{static_cast<std::uint32_t>(script.next() % 4)},
            .zxid = Zxid::at({static_cast<std::uint32_t>(script.next() % 4)},
                             static_cast<std::uint32_t>(script.next())),
            .committed = Zxid::at({static_cast<std::uint32_t>(script.next() % 4)},
                                  static_cast<std::uint32_t>(script.next()))};
  }
};

void check(Script script) {
  Files disk;
  Model model;
  std::vector<SegmentId> segments;
  std::uint64_t records = 0;
  while (!script.is_over()) {
    const auto what = script.next();
    if (segments.empty() || what % 16 == 0) {
      segments.push_back({.first = records});
      disk.files[segment_name(segments.back())] = encode(
          {.id = segments.back(), .previous = model.history.back(), .committed = model.committed});
    }
    const LogEntry entry = what / 16 == 15  ? model.next_nonsense(script)
                           : what / 16 > 10 ? model.next_truncation(script)
                                            : model.next_transaction(script);
    Bytes& file = disk.files[segment_name(segments.back())];
    const auto end = static_cast<std::uint32_t>(file.size());
    Bytes record;
    append_record(record, entry);
    seal_batch(record, {.segment = segments.back(),
                        .batch = end == segment_header_bytes ? 0 : end,
                        .offset = end});
    file.insert(file.end(), record.begin(), record.end());
    ++records;
  }
  std::vector<Zxid> found{{}};
  const auto log = read_log(disk, segments, {}, [&](Zxid zxid, ByteView) {
    CHECK(found.back() < zxid, "visited ", found.back(), " and then ", zxid);
    found.push_back(zxid);
    return std::nullopt;
  });
  CHECK(log || !log.error().sentence.empty());
  CHECK(log || !model.makes_sense, log.error().sentence);
  if (!log) {
    return;
  }
  const LogExtent& extent = log->contents.extent;
  CHECK(found.back() <= extent.committed() && extent.committed() <= extent.last());
  for (const auto& transaction : log->tail) {
    CHECK(found.back() < transaction.zxid && extent.committed() < transaction.zxid);
    found.push_back(transaction.zxid);
  }
  CHECK(found.back() == extent.last() && log->contents.records == records);
  CHECK(!model.makes_sense || (found == model.history && extent.committed() == model.committed));
}

}  // namespace
}  // namespace zabfs::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  zabfs::test::check({{data, size}});
  return 0;
}
