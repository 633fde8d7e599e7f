#include "replication/store/epochs.hpp"

#include <cstddef>
#include <cstdint>

#include "replication/store/checksum.hpp"
#include "replication/store/layout.hpp"

namespace zabfs::replication::store {
namespace {

constexpr std::uint64_t magic = 0x7a61626673'65706fU;  // "zabfsepo"
constexpr std::uint32_t version = 2;
constexpr std::size_t file_bytes = 48;

struct File {
  std::uint64_t magic{};
  std::uint32_t version{};
  EpochRecord record{};

  static auto fields(auto& f) { return std::tie(f.magic, f.version, f.record); }
};

}  // namespace

Bytes encode(const EpochRecord& record) { return with_checksum(File{magic, version, record}, 0); }

Verdict<EpochRecord> decode_epochs(ByteView bytes) {
  constexpr auto advice =
      " Restore it from a backup, or empty the data directory and let this server begin anew as a "
      "copy of the others.";
  const auto file = checked<File>(bytes, 0);
  if (!file || file->magic != magic || bytes.size() != file_bytes) {
    return refusal("The file ", epochs_file, " is damaged: its checksum or its size is wrong.",
                   advice);
  }
  if (file->version != version) {
    return refusal("The file ", epochs_file, " has format ", file->version,
                   "; this program knows format ", version,
                   ". Start the version of the program that wrote it.");
  }
  if (file->record.epochs.accepted < file->record.epochs.current) {
    return refusal("The file ", epochs_file, " says that epoch ", file->record.epochs.current,
                   " was entered although only epoch ", file->record.epochs.accepted,
                   " had been accepted, which cannot be.", advice);
  }
  return file->record;
}

}  // namespace zabfs::replication::store
