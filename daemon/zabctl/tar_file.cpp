// Backups as tar files: POSIX ustar, regular files without directories, as every tar reads them.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "daemon/zabctl/backup.hpp"
#include "daemon/zabctl/new_file.hpp"
#include "replication/model/limits.hpp"

namespace zabfs::daemon::zabctl {

using replication::Bytes;
using replication::ByteView;

namespace {

constexpr std::size_t block_bytes = 512;
constexpr std::uint64_t piece_bytes = 1UL << 20;

using Block = std::array<std::uint8_t, block_bytes>;

// A field of the header: where it begins, and its bytes.
struct Field {
  std::size_t at{};
  std::size_t size{};
};
constexpr Field name_field{0, 100};
constexpr Field mode_field{100, 8};
constexpr Field size_field{124, 12};
constexpr Field checksum_field{148, 8};
constexpr Field type_field{156, 1};
constexpr Field magic_field{257, 8};

void put(Block& block, Field field, std::string_view text) {
  std::copy_n(text.begin(), std::min(text.size(), field.size),
              block.begin() + static_cast<std::ptrdiff_t>(field.at));
}

void put_octal(Block& block, Field field, std::uint64_t value) {
  std::array<char, 16> digits{};
  std::snprintf(digits.data(), digits.size(), "%0*llo", static_cast<int>(field.size) - 1,
                static_cast<unsigned long long>(value));
  put(block, field, digits.data());
}

std::string_view get(const Block& block, Field field) {
  const std::string_view text = replication::text_of(ByteView(block).subspan(field.at, field.size));
  return text.substr(0, std::min(text.find('\0'), text.size()));
}

std::uint64_t get_octal(const Block& block, Field field) {
  std::string_view text = get(block, field);
  text = text.substr(0, text.find_last_not_of(' ') + 1);
  std::uint64_t value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 8);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw Failure("The backup has a header that cannot be read.");
  }
  return value;
}

// Of the header, with blanks where the checksum itself stands.
std::uint64_t checksum_of(Block block) {
  put(block, checksum_field, std::string(checksum_field.size, ' '));
  std::uint64_t sum = 0;
  for (const auto byte : block) {
    sum += byte;
  }
  return sum;
}

std::uint64_t padding_of(std::uint64_t size) {
  return (block_bytes - size % block_bytes) % block_bytes;
}

Block header_of(const std::string& name, std::uint64_t size) {
  Block block{};
  put(block, name_field, name);
  put_octal(block, mode_field, 0640);
  put_octal(block, {108, 8}, 0);   // owner
  put_octal(block, {116, 8}, 0);   // group
  put_octal(block, {136, 12}, 0);  // time
  put_octal(block, size_field, size);
  put(block, type_field, "0");
  put(block, magic_field, std::string_view("ustar\00000", 8));
  put_octal(block, {checksum_field.at, 7}, checksum_of(block));
  block[checksum_field.at + 7] = ' ';
  return block;
}

class TarReader {
 public:
  TarReader(const std::string& from, const std::string& to)
      : directory_(std::filesystem::absolute(from).parent_path()),
        name_(std::filesystem::path(from).filename()),
        path_(from),
        to_(to) {}

  void run() {
    while (true) {
      const Bytes raw = next(block_bytes);
      Block header{};
      std::copy(raw.begin(), raw.end(), header.begin());
      if (std::ranges::all_of(header, [](std::uint8_t byte) { return byte == 0; })) {
        return;
      }
      if (get_octal(header, checksum_field) != checksum_of(header) ||
          !get(header, magic_field).starts_with("ustar")) {
        throw Failure(path_ + " is no tar file, or is damaged at offset " +
                      std::to_string(offset_ - block_bytes) + ".");
      }
      unpack(std::string(get(header, name_field)), std::string(get(header, type_field)),
             get_octal(header, size_field));
    }
  }

 private:
  // The next bytes; all of them, or the file is damaged.
  Bytes next(std::uint64_t size) {
    Bytes bytes = directory_.read(name_, offset_, size);
    offset_ += bytes.size();
    if (bytes.size() < size) {
      throw Failure(path_ + " ends too early, after " + std::to_string(offset_) + " bytes.");
    }
    return bytes;
  }

  void unpack(const std::string& name, const std::string& type, std::uint64_t size) {
    const bool is_plain = !name.empty() && name.find('/') == std::string::npos && name != "." &&
                          name != ".." && (type == "0" || type.empty());
    if (!is_plain) {
      throw Failure(path_ +
                    " holds what no backup of zabctl does. If it was packed again, unpack it "
                    "and name the directory instead.");
    }
    NewFile file(to_, name);
    for (std::uint64_t left = size; left > 0;) {
      const Bytes piece = next(std::min(left, piece_bytes));
      file.write(piece);
      left -= piece.size();
    }
    file.finish();
    next(padding_of(size));
  }

  ReadOnlyDirectory directory_;
  std::string name_;
  std::string path_;
  std::string to_;
  std::uint64_t offset_{};
};

}  // namespace

void write_tar(const std::string& from, const std::string& to) {
  const ReadOnlyDirectory directory(from);
  const auto path = std::filesystem::absolute(to);
  NewFile tar(path.parent_path(), path.filename());
  for (const auto& name : directory.list()) {
    const std::uint64_t size = directory.size(name);
    if (name.size() > name_field.size || size > replication::limits::archived_file_bytes_max) {
      throw Failure(name + " is too large for a tar file; make the backup a directory instead.");
    }
    tar.write(header_of(name, size));
    for (std::uint64_t offset = 0; offset < size; offset += piece_bytes) {
      tar.write(directory.read(name, offset, piece_bytes));
    }
    tar.write(Bytes(padding_of(size)));
  }
  tar.write(Bytes(2 * block_bytes));
  tar.finish();
}

void read_tar(const std::string& from, const std::string& to) {
  make_empty_directory(to);
  TarReader(from, to).run();
}

}  // namespace zabfs::daemon::zabctl
