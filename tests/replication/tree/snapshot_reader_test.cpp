#include "replication/tree/snapshot_reader.hpp"

#include <gtest/gtest.h>

#include <utility>

#include "replication/jute/jute_archive.hpp"
#include "replication/tree/snapshot_writer.hpp"
#include "tests/replication/tree/samples.hpp"
#include "tests/support/hostile_bytes.hpp"

namespace zabfs::replication::tree {
namespace {

// The sentence of whatever is wrong with `bytes`; "" if nothing is, and then they are a sound tree.
std::string objection(ByteView bytes) {
  SnapshotReader reader;
  if (const auto error = reader.append(bytes)) {
    return *error;
  }
  auto finished = std::move(reader).finish();
  if (const auto* error = std::get_if<std::string>(&finished)) {
    return *error;
  }
  const DataTree& tree = std::get<LoadedSnapshot>(finished).tree;
  EXPECT_EQ(tree.digest(), tree.recomputed_digest());
  return "";
}

struct Record {
  std::string name{};
  SnapshotNumbers numbers{};
};

Record node(std::string name, std::uint32_t rank, std::uint32_t parent) {
  return {.name = std::move(name), .numbers = {.rank = rank, .parent = parent}};
}

void append_kind(Bytes& out, RecordKind kind) { out.push_back(static_cast<std::uint8_t>(kind)); }

void append_header(Bytes& out, std::uint64_t count) {
  append_kind(out, RecordKind::header);
  jute::JuteWriter{out}(snapshot_format, SnapshotHeader{.node_count = count, .acls = {open_acl()}});
}

void append_nodes(Bytes& out, const std::vector<Record>& records) {
  for (const Record& record : records) {
    append_kind(out, RecordKind::node);
    jute::JuteWriter{out}(record.name, std::int32_t{-1}, record.numbers);
  }
}

void append_end(Bytes& out) { append_kind(out, RecordKind::end); }

void append_part(Bytes& out, bool is_last, ByteView bytes) {
  append_kind(out, RecordKind::part);
  jute::JuteWriter to{out};
  to(is_last);
  to.counted(bytes.data(), bytes.size());
}

struct Row {
  std::vector<Record> records;
  std::uint64_t count;
  const char* objection;
};

TEST(SnapshotReader, RefusesWhatIsNoTree) {
  const Record root = node("", 0, 0);
  Record owned = node("e", 1, 0);
  owned.numbers.ephemeral_owner = {7};
  Record owned_root = root;
  owned_root.numbers.ephemeral_owner = {7};
  Record unknown_acl = node("a", 1, 0);
  unknown_acl.numbers.acl = 1;
  const Row rows[] = {
      {{root, node("a", 1, 0), node("b", 2, 1)}, 3, "its digest is not the one"},
      {{node("b", 2, 1), node("a", 1, 0), root}, 3, "its digest is not the one"},
      {{}, 0, "as many znodes"},
      {{}, 1, "as many znodes"},
      {{root}, 2, "as many znodes"},
      {{root, node("a", 1, 0)}, 1, "beyond their count"},
      {{root, node("a", 1, 7)}, 2, "beyond their count"},
      {{root, node("a", 4'000'000'000, 0)}, 2, "beyond their count"},
      {{node("a", 1, 1), node("b", 2, 2)}, 3, "as many znodes"},
      {{root, root}, 2, "root cannot be one"},
      {{node("named", 0, 0)}, 1, "root cannot be one"},
      {{owned_root}, 1, "root cannot be one"},
      {{root, node("", 1, 0)}, 2, "not allowed"},
      {{root, node("a/b", 1, 0)}, 2, "not allowed"},
      {{root, node("..", 1, 0)}, 2, "not allowed"},
      {{root, unknown_acl}, 2, "not in the header"},
      {{root, node("a", 1, 0), node("b", 1, 0)}, 3, "have one number"},
      {{root, node("a", 1, 0), node("a", 2, 0)}, 3, "the same name"},
      {{root, owned, node("a", 2, 1)}, 3, "ephemeral znode has children"},
      {{root, node("a", 1, 1)}, 2, "their own ancestors"},
      {{root, node("a", 1, 2), node("b", 2, 1)}, 3, "their own ancestors"},
  };
  for (const Row& row : rows) {
    Bytes bytes;
    append_header(bytes, row.count);
    append_nodes(bytes, row.records);
    append_end(bytes);
    EXPECT_NE(objection(bytes).find(row.objection), std::string::npos)
        << objection(bytes) << ", not: " << row.objection;
  }
}

TEST(SnapshotReader, RefusesSlicesOutOfOrder) {
  const auto expect = [](void (*write)(Bytes&), const char* wanted) {
    Bytes bytes;
    write(bytes);
    EXPECT_NE(objection(bytes).find(wanted), std::string::npos) << objection(bytes);
  };
  expect([](Bytes&) {}, "ends too early");
  expect([](Bytes& out) { append_header(out, 1); }, "ends too early");
  expect([](Bytes& out) { append_nodes(out, {node("", 0, 0)}); }, "does not begin with a header");
  expect([](Bytes& out) { append_end(out); }, "does not begin with a header");
  expect(
      [](Bytes& out) {
        append_header(out, 1);
        append_header(out, 1);
      },
      "two headers");
  expect(
      [](Bytes& out) {
        append_header(out, 1);
        append_end(out);
        append_nodes(out, {node("", 0, 0)});
      },
      "something follows");
  expect(
      [](Bytes& out) {
        append_header(out, 1);
        out.push_back(5);
      },
      "unknown kind");
  expect(
      [](Bytes& out) {
        append_kind(out, RecordKind::header);
        jute::JuteWriter{out}(snapshot_format + 1);
      },
      "its format");
}

TEST(SnapshotReader, RefusesPartsThatMakeNoSlice) {
  Bytes header;
  append_header(header, 1);
  const ByteView begin = ByteView(header).first(5);
  const ByteView rest = ByteView(header).subspan(5);
  const auto expect = [](const Bytes& bytes, const char* wanted) {
    EXPECT_NE(objection(bytes).find(wanted), std::string::npos) << objection(bytes);
  };
  Bytes bytes;
  append_part(bytes, false, begin);
  expect(bytes, "ends too early");
  Bytes interrupted = bytes;
  append_nodes(interrupted, {node("", 0, 0)});
  expect(interrupted, "a part is missing");
  Bytes without_an_end = bytes;
  append_part(without_an_end, true, ByteView{});
  expect(without_an_end, "a part is empty");
  Bytes short_of_some = bytes;
  append_part(short_of_some, true, rest.first(rest.size() - 1));
  expect(short_of_some, "its frame");
  append_part(bytes, true, rest);
  Bytes behind_the_end = bytes;
  append_end(behind_the_end);
  append_part(behind_the_end, false, begin);
  expect(behind_the_end, "ends too early");
  append_part(behind_the_end, true, rest);
  expect(behind_the_end, "something follows");
  Bytes part_of_a_part;
  append_part(part_of_a_part, true, begin);
  append_part(bytes, true, part_of_a_part);
  expect(bytes, "cut into parts");
}

// Parts in parts would be calls in calls.
TEST(SnapshotReader, RefusesPartsInPartsHoweverMany) {
  Bytes bytes;
  for (int i = 0; i < 1'000; ++i) {
    Bytes outer;
    append_part(outer, true, bytes.empty() ? ByteView(Bytes{1}) : ByteView(bytes));
    bytes = std::move(outer);
  }
  Bytes all;
  append_header(all, 1);
  all.insert(all.end(), bytes.begin(), bytes.end());
  EXPECT_NE(objection(all).find("cut into parts"), std::string::npos) << objection(all);
}

// The snapshot of a small tree with something of everything, the longest of it in parts.
Bytes sample(std::size_t slice_bytes_max = 150) {
  Applying apply;
  CreateNode null_data = create("/null", 1);
  null_data.data.reset();
  null_data.acl = {{permission::read, {"digest", "bob:x"}}};
  apply(null_data);
  apply(create("/null/below", 1, "some data"));
  apply(create("/ephemeral", 2, "", 7));
  Bytes bytes;
  SnapshotWriter writer{
      apply.tree, Bytes{9, 9}, {.nodes = 2, .bytes = 1'000, .bytes_max = slice_bytes_max}};
  while (writer.next_slice(bytes)) {
  }
  return bytes;
}

TEST(SnapshotReader, TakesManySlicesAtOnce) {
  EXPECT_EQ(objection(sample()), "");
  EXPECT_GT(sample().size(), sample(1'000).size()) << "nothing was cut";
}

TEST(SnapshotReader, RefusesEveryTruncation) {
  for (const Bytes& truncation : test::truncations_of(sample())) {
    EXPECT_NE(objection(truncation), "") << truncation.size();
  }
}

TEST(SnapshotReader, RefusesEveryChangedOctetOfANode) {
  const Bytes whole = sample();
  std::size_t accepted = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    Bytes changed = whole;
    changed[at] ^= 0x10;
    accepted += objection(changed).empty() ? 1U : 0U;
  }
  // The digest does not cover what is no tree: the zxid and the caller's bytes. Of parts, true has
  // many faces.
  const std::size_t parts = sample().size() - sample(1'000).size();
  EXPECT_LE(accepted, sizeof(Zxid) + 2 + parts / part_overhead_bytes);
}

TEST(SnapshotReader, SurvivesHostileBytes) {
  for (const Bytes& lie : test::lies_about_counts_of(sample())) {
    objection(lie);
  }
  for (const Bytes& mutation : test::mutations_of(sample(), 1, 5'000)) {
    objection(mutation);
  }
  for (Bytes run : test::random_runs(2, 5'000, 300)) {
    objection(run);
    Bytes behind_a_header;
    append_header(behind_a_header, 3);
    append_kind(behind_a_header, RecordKind::node);
    behind_a_header.insert(behind_a_header.end(), run.begin(), run.end());
    objection(behind_a_header);
  }
}

}  // namespace
}  // namespace zabfs::replication::tree
