#include "tests/support/sim_disk.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "replication/model/check.hpp"

namespace zabfs::test {

using replication::Bytes;
using replication::FileName;
using replication::Random;

std::vector<FileName> SimDisk::list() const {
  std::vector<FileName> names;
  for (const auto& [name, file] : visible_) {
    names.push_back(name);
  }
  return names;
}

std::uint64_t SimDisk::size(const FileName& file) const { return existing(file).visible.size(); }

Bytes SimDisk::read(const FileName& file, std::uint64_t offset, std::uint64_t length) const {
  const Bytes& bytes = existing(file).visible;
  const auto begin = std::min<std::uint64_t>(offset, bytes.size());
  const auto end = begin + std::min<std::uint64_t>(length, bytes.size() - begin);
  return {bytes.begin() + static_cast<std::ptrdiff_t>(begin),
          bytes.begin() + static_cast<std::ptrdiff_t>(end)};
}

void SimDisk::submit(std::vector<replication::DiskJob> jobs, replication::Ticket ticket) {
  CHECK(!jobs.empty(), "a submission has at least one job");
  for (auto& job : jobs) {
    jobs_.push_back({std::move(job), std::nullopt});
  }
  jobs_.back().ticket = ticket;
}

bool SimDisk::step() {
  if (jobs_.empty()) {
    return false;
  }
  const Job job = std::move(jobs_.front());
  jobs_.pop_front();
  std::visit([this](const auto& one) { perform(one); }, job.job);
  if (job.ticket && listener_) {
    listener_(*job.ticket);
  }
  return true;
}

void SimDisk::run() {
  while (step()) {
  }
}

void SimDisk::kill() {
  jobs_.clear();
  listener_ = nullptr;
}

void SimDisk::crash(Random& chance) {
  kill();
  const auto kept_of_10 = chance.below(11);
  for (const auto& change : unsynced_) {
    if (chance.below(10) < kept_of_10) {
      apply(change, durable_);
    }
  }
  unsynced_.clear();
  std::set<std::shared_ptr<File>> crashed;
  for (const auto& [name, file] : durable_) {
    if (crashed.insert(file).second) {
      crash_file(*file, kept_of_10, chance);
    }
  }
  visible_ = durable_;
}

SimDisk SimDisk::durable_copy() const {
  SimDisk copy;
  for (const auto& [name, file] : durable_) {
    copy.put(name, file->durable);
  }
  return copy;
}

void SimDisk::crash_file(File& file, std::uint64_t kept_of_10, Random& chance) {
  Bytes state = file.durable;
  Bytes& medium = file.durable;
  for (const auto& change : file.unsynced) {
    apply(change, state);
    if (change.size) {
      if (chance.below(10) < kept_of_10) {
        medium.resize(*change.size);
      }
      continue;
    }
    const auto end = change.offset + change.bytes.size();
    if (chance.below(10) < kept_of_10) {
      medium.resize(std::max<std::size_t>(medium.size(), end));
    }
    for (auto at = change.offset / sector_bytes * sector_bytes; at < end; at += sector_bytes) {
      const auto stop = std::min<std::size_t>(at + sector_bytes, state.size());
      const bool is_kept = chance.below(10) < kept_of_10;
      const bool was_blank =
          at >= change.offset &&
          std::all_of(medium.begin() + static_cast<std::ptrdiff_t>(std::min(at, medium.size())),
                      medium.begin() + static_cast<std::ptrdiff_t>(std::min(stop, medium.size())),
                      [](std::uint8_t byte) { return byte == 0; });
      const bool is_garbage = !is_kept && was_blank && chance.below(20) == 0;
      if (!is_kept && !is_garbage) {
        continue;
      }
      medium.resize(std::max(medium.size(), stop));
      for (auto i = at; i < stop; ++i) {
        medium[i] = is_kept ? state[i] : static_cast<std::uint8_t>(chance.next());
      }
    }
  }
  file.unsynced.clear();
  file.visible = medium;
}

void SimDisk::put(const FileName& file, const Bytes& bytes) {
  const auto made =
      std::make_shared<File>(File{.visible = bytes, .durable = bytes, .unsynced = {}});
  visible_[file] = made;
  durable_[file] = made;
}

void SimDisk::erase(const FileName& file) {
  visible_.erase(file);
  durable_.erase(file);
}

void SimDisk::perform(const replication::CreateFile& job) {
  CHECK(!visible_.contains(job.file), job.file, " exists");
  const auto file = std::make_shared<File>();
  change_directory({.removed = {}, .added = job.file, .file = file});
  change(*file, {.offset = 0, .bytes = {}, .size = job.preallocated_bytes});
}

void SimDisk::perform(const replication::WriteFile& job) {
  change(existing(job.file), {.offset = job.offset, .bytes = job.bytes, .size = {}});
}

void SimDisk::perform(const replication::SyncFile& job) {
  File& file = existing(job.file);
  file.durable = file.visible;
  file.unsynced.clear();
}

void SimDisk::perform(const replication::TruncateFile& job) {
  change(existing(job.file), {.offset = 0, .bytes = {}, .size = job.size});
}

void SimDisk::perform(const replication::RenameFile& job) {
  existing(job.from);
  change_directory({.removed = job.from, .added = job.to, .file = visible_.at(job.from)});
}

void SimDisk::perform(const replication::RemoveFile& job) {
  existing(job.file);
  change_directory({.removed = job.file, .added = {}, .file = nullptr});
}

void SimDisk::perform(const replication::SyncDirectory&) {
  durable_ = visible_;
  unsynced_.clear();
}

SimDisk::File& SimDisk::existing(const FileName& file) const {
  const auto found = visible_.find(file);
  CHECK(found != visible_.end(), file, " does not exist");
  return *found->second;
}

void SimDisk::change(File& file, Change change) {
  apply(change, file.visible);
  file.unsynced.push_back(std::move(change));
}

void SimDisk::change_directory(DirectoryChange change) {
  apply(change, visible_);
  unsynced_.push_back(std::move(change));
}

void SimDisk::apply(const Change& change, Bytes& bytes) {
  if (change.size) {
    bytes.resize(*change.size);
    return;
  }
  bytes.resize(std::max<std::size_t>(bytes.size(), change.offset + change.bytes.size()));
  std::ranges::copy(change.bytes, bytes.begin() + static_cast<std::ptrdiff_t>(change.offset));
}

void SimDisk::apply(const DirectoryChange& change, Directory& directory) {
  if (!change.removed.empty()) {
    directory.erase(change.removed);
  }
  if (!change.added.empty()) {
    directory[change.added] = change.file;
  }
}

}  // namespace zabfs::test
