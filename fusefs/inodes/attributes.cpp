#include "fusefs/inodes/attributes.hpp"

#include "fusefs/inodes/stat_text.hpp"

namespace zabfs::fusefs::inodes {
namespace {

// One READ and one WRITE then carry a whole value: `cat` and `cp` take this as their buffer.
constexpr blksize_t block_size = 1 << 20;

constexpr off_t sector_bytes = 512;
constexpr long nanoseconds_per_millisecond = 1'000'000;

constexpr mode_t writing = S_IWUSR | S_IWGRP | S_IWOTH;

timespec time_of(std::int64_t milliseconds) {
  return {.tv_sec = milliseconds / 1000,
          .tv_nsec = milliseconds % 1000 * nanoseconds_per_millisecond};
}

off_t size_of(const Inode& inode) {
  if (inode.view == naming::View::stat) {
    return static_cast<off_t>(stat_text(inode.node.stat).size());
  }
  if (inode.view == naming::View::acl || inode.view == naming::View::mount) {
    return static_cast<off_t>(inode.node.text_size);
  }
  return inode.kind == Kind::directory ? 0 : inode.node.stat.data_length;
}

// The bits that follow from the ACL, before the mask.
mode_t permissions_of(const Inode& inode) {
  using enum naming::View;
  constexpr mode_t everything = 0777;
  constexpr mode_t reading = S_IRUSR | S_IRGRP | S_IROTH;
  const Rights& rights = inode.rights.rights;
  switch (inode.view) {
    case acl:
      return permissions_of_file(rights_to_acl(rights));
    case sync:
      return permissions_of_file(rights) & reading;
    case plain:
    case data:
    case dir:
    case version:
    case cas:
      return inode.kind == Kind::directory ? permissions_of_directory(rights)
                                           : permissions_of_file(rights);
    default:
      return inode.is_writable || inode.kind == Kind::directory ? everything
                                                                : everything & ~writing;
  }
}

}  // namespace

struct stat attributes_of(const Inode& inode, const Appearance& appearance) {
  struct stat values {};
  values.st_ino = inode.number;
  values.st_mode = inode.kind == Kind::directory ? S_IFDIR | appearance.directory_mode
                                                 : S_IFREG | appearance.file_mode;
  values.st_mode &= S_IFMT | permissions_of(inode);
  values.st_nlink = inode.is_removed ? 0 : 1;
  values.st_uid = appearance.uid;
  values.st_gid = appearance.gid;
  values.st_size = size_of(inode);
  values.st_blksize = block_size;
  values.st_blocks = (values.st_size + sector_bytes - 1) / sector_bytes;
  values.st_mtim = time_of(inode.node.stat.mtime);
  if (inode.kind == Kind::directory && inode.view == naming::View::plain) {
    // The kernel takes a listing that it keeps for old when this time is another.
    values.st_mtim.tv_nsec +=
        static_cast<long>((appearance.listing_salt + inode.listings) % nanoseconds_per_millisecond);
  }
  values.st_ctim = values.st_mtim;
  values.st_atim = values.st_mtim;
  return values;
}

}  // namespace zabfs::fusefs::inodes
