#include "daemon/zabctl/zookeeper/data_directory.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <utility>

#include "daemon/zabctl/zookeeper/log_file.hpp"

namespace zabfs::daemon::zabctl::zookeeper {

using replication::ByteView;

namespace {

constexpr std::uint64_t progress_every = 50'000;

struct NumberedFile {
  std::uint64_t zxid{};
  std::string path{};

  auto operator<=>(const NumberedFile&) const = default;
};

std::string hex(std::int64_t zxid) {
  char text[20];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(zxid));
  return text;
}

std::string version_directory(const std::string& path) {
  const std::string inside = path + "/version-2";
  if (std::filesystem::is_directory(inside)) {
    return inside;
  }
  if (std::filesystem::is_directory(path)) {
    return path;
  }
  throw Damaged(path + ": there is no such directory.");
}

// Files `prefix` and a zxid, perhaps with one of the suffixes of compression; ascending.
std::vector<NumberedFile> files_of(const std::string& directory, std::string_view prefix) {
  std::vector<NumberedFile> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with(prefix)) {
      continue;
    }
    std::uint64_t zxid{};
    const auto [end, wrong] =
        std::from_chars(name.data() + prefix.size(), name.data() + name.size(), zxid, 16);
    const std::string_view suffix(end, static_cast<std::size_t>(name.data() + name.size() - end));
    if (wrong == std::errc{} && (suffix.empty() || suffix == ".gz" || suffix == ".snappy")) {
      files.push_back({zxid, entry.path()});
    }
  }
  if (error) {
    throw Damaged(directory + ": cannot be listed: " + error.message() + ".");
  }
  std::ranges::sort(files);
  return files;
}

std::uint32_t epoch_in(const std::string& path) {
  std::ifstream file(path);
  std::uint64_t epoch{};
  return file >> epoch && epoch <= std::numeric_limits<std::uint32_t>::max()
             ? static_cast<std::uint32_t>(epoch)
             : 0;
}

class Loading {
 public:
  explicit Loading(const LoadOptions& options) : options_(options) {}

  LoadedDirectory run() {
    const std::string data = version_directory(options_.data);
    const std::string log = options_.log.empty() ? data : version_directory(options_.log);
    load_snapshot(data);
    replay(log);
    check_digest();
    loaded_.tree->settle(loaded_.zxid);
    loaded_.epoch =
        std::max({epoch_in(data + "/acceptedEpoch"), epoch_in(data + "/currentEpoch"),
                  static_cast<std::uint32_t>(static_cast<std::uint64_t>(loaded_.zxid) >> 32)});
    return std::move(loaded_);
  }

 private:
  void progress(const std::string& what) const {
    if (options_.on_progress) {
      options_.on_progress(what);
    }
  }

  void load_snapshot(const std::string& directory) {
    const auto files = files_of(directory, "snapshot.");
    for (auto file = files.rbegin(); file != files.rend(); ++file) {
      if (file->path.ends_with(".snappy")) {
        loaded_.notes.push_back(
            file->path +
            " is compressed with snappy, which is not supported, and was passed over. To have it, "
            "start ZooKeeper once with -Dzookeeper.snapshot.compression.method=gz and let it write "
            "another.");
        continue;
      }
      try {
        progress("reading " + file->path);
        loaded_.tree = std::make_unique<ReplayedTree>();
        digest_ = read_snapshot(source_of_file(file->path), *loaded_.tree);
        loaded_.snapshot = file->path;
        loaded_.zxid = static_cast<std::int64_t>(file->zxid);
        return;
      } catch (const Damaged& damaged) {
        loaded_.notes.push_back(file->path + " " + damaged.what() + "; it was passed over.");
      }
    }
    std::string why = directory + ": there is no whole snapshot of ZooKeeper in it.";
    for (const auto& note : loaded_.notes) {
      why += " " + note;
    }
    throw Damaged(why);
  }

  void replay(const std::string& directory) {
    const auto files = files_of(directory, "log.");
    // Begin with the log in which the snapshot lies.
    auto first = files.begin();
    for (auto file = files.begin(); file != files.end(); ++file) {
      first = file->zxid <= static_cast<std::uint64_t>(loaded_.zxid) ? file : first;
    }
    for (auto file = first; file != files.end(); ++file) {
      try {
        progress("replaying " + file->path);
        const LogEnd end =
            read_log(source_of_file(file->path), [&](ByteView record) { return take(record); });
        if (end == LogEnd::torn) {
          loaded_.notes.push_back(file->path + " ends in the middle of a transaction after " +
                                  hex(loaded_.zxid) +
                                  ", which was being written when the server stopped; it was "
                                  "dropped.");
        }
      } catch (const Damaged& damaged) {
        throw Damaged(file->path + " " + damaged.what() +
                      ". Import the directory of another server of the ensemble, or a backup.");
      }
    }
  }

  bool take(ByteView record) {
    const Transaction transaction = decode_transaction(record);
    const std::int64_t zxid = transaction.header.zxid;
    if (zxid <= loaded_.zxid) {
      return true;
    }
    const bool follows =
        zxid == loaded_.zxid + 1 || (zxid >> 32 > loaded_.zxid >> 32 && (zxid & 0xffffffff) == 1);
    if (!follows && !options_.allows_gaps) {
      throw Damaged("has the transaction " + hex(zxid) + " directly after " + hex(loaded_.zxid) +
                    ": a log is missing, or its end (--log-dir says where logs are, --allow-gaps "
                    "takes what there is)");
    }
    loaded_.tree->apply(transaction);
    loaded_.zxid = zxid;
    stated_digest_ = transaction.digest;
    if (++loaded_.transactions % progress_every == 0) {
      progress(std::to_string(loaded_.transactions) + " transactions, " +
               std::to_string(loaded_.tree->znodes()) + " znodes");
    }
    return true;
  }

  // ZooKeeper states the digest of its tree beside every transaction (since 3.6).
  void check_digest() {
    if (loaded_.transactions == 0 && digest_ && digest_->version == known_digest_version &&
        digest_->zxid == loaded_.zxid) {
      stated_digest_ = digest_->digest;
    }
    if (!stated_digest_) {
      return;
    }
    progress("comparing the digest");
    loaded_.is_digest_checked = loaded_.tree->digest() == *stated_digest_;
    if (!loaded_.is_digest_checked && !options_.ignores_digest) {
      throw Damaged(options_.data + ": the state after " + hex(loaded_.zxid) +
                    " is not the one that ZooKeeper had: its digest differs. Import the directory "
                    "of another server, or say --ignore-digest to take it as it is.");
    }
  }

  const LoadOptions& options_;
  LoadedDirectory loaded_{};
  std::optional<StatedDigest> digest_{};         // of the snapshot
  std::optional<std::int64_t> stated_digest_{};  // of the last transaction
};

}  // namespace

LoadedDirectory load_directory(const LoadOptions& options) { return Loading(options).run(); }

}  // namespace zabfs::daemon::zabctl::zookeeper
