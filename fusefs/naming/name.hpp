// What a file name of the mount means: a znode's own name, a view of a znode, or a way to create
// one.
//
//   file name             meaning
//   -------------------   ------------------------------------------------------------------------
//   job                   the znode `job`
//   job@stat, job@v=7     a view of the znode `job` (the tokens are the values of View)
//   job-@es, job@ttl=30s  creates; the letters e s h c in any order: e, s, es, h, hs, c, no others
//   @stat                 that view of the directory it is in; @s, @es, @hs create with an empty
//   stem
//   @mount                the mount's own directory; a token only at the root of the mount
//   user@host             a znode: `host` is not a token
//   job@@stat             the znode whose real name is `job@stat`; job@@@stat is `job@@stat`
//   stem@long=SHA256      the znode whose real name is too long to be shown
//   job@ee, job@v=x       refused: letters or a value that mean nothing are a mistake, and taking
//                         them as a name would create a lasting znode where a condition was meant
//
// The token is what follows the last '@'. A real name that ends in '@' and a token, or in a refused
// one, is shown with that last '@' doubled, and a file name with two or more '@' before its token
// is a real name with one '@' fewer. So `shown` and the plain half of `parse` are inverse to each
// other over all names: nothing in a listing is ambiguous and every znode has one name in it.
//
// Where the shown name would be longer than NAME_MAX, the short form stands for it: a stem cut
// between characters, and the SHA-256 of the real name's bytes in lower-case hex (what `sha256sum`
// prints). It is resolved against the listing, by `stands_for`. A view may be asked for by the
// short form of any name, which is the way to the views of a name that leaves no room for a suffix
// or ends in '@' (`a@` and `@stat` would read as the znode `a@stat`).
//
// Names are bytes here: that a real name is a legal segment of a path is the caller's to check. No
// function reads a clock, keeps state or takes more than linear time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "replication/model/ids.hpp"

namespace zabfs::fusefs::naming {

enum class View {
  plain,            // NAME          the znode itself
  create,           // @e @s @h @c @ttl=30s and their combinations: see Creation
  data,             // @data         its data, also where it is a directory
  dir,              // @dir          it as a directory, also where it is a file
  stat,             // @stat         every Stat field
  acl,              // @acl          its ACL
  version,          // @v=7          its data, on condition of the version
  cas,              // @cas          a compare-and-set conversation
  sync,             // @sync         its data after a sync
  watch,            // @watch        a stream of its changes
  watch_recursive,  // @watch=r      likewise of its subtree
  next,             // @next @next=ZXID  one change, after that zxid
  exists,           // @exists       blocks until it exists
  gone,             // @gone         blocks until it does not
  queue,            // @queue        who holds and who waits
  locks,            // @locks        the contenders as a directory
  mount,            // @mount        the directory about the mount
};

// What a creating name asks for.
struct Creation {
  bool ephemeral{};   // also of every held one
  bool sequential{};  // ten digits follow the name
  bool held{};        // gone with the last descriptor of the open that created it
  bool container{};
  std::int64_t ttl_ms{};  // 1 to limits::ttl_ms_max; 0: none

  bool operator==(const Creation&) const = default;
};

struct Name {
  // The znode's real name. Empty: the directory in which the name was looked up (or, where `view`
  // is create, a sequential child named by its digits alone). With `is_short`, the short form that
  // stands for it.
  std::string node{};
  bool is_short{};
  View view{};
  Creation creation{};  // of View::create
  // Of View::version. -1 is a version like any other here; on the wire it would mean "any version",
  // so a conditional request must never carry it.
  std::int32_t version{};
  std::optional<replication::Zxid> after{};  // of View::next

  bool operator==(const Name&) const = default;
};

// Why a name means nothing.
enum class Refusal {
  name_too_long,        // above limits::name_bytes_max
  illegal_combination,  // @ee, @ch, @cs: creating letters that go together with no meaning
  illegal_value,        // @v=x, @v=, @ttl=0s, @next=-1, @watch=q, @s,ttl=30s
  view_of_a_view,       // job@stat@data, job@s@stat: a view has no views
  nothing_to_create,    // @e, @h, @c, @ttl=30s alone: a name is missing before the '@'
  name_unknown,         // stem@long=SHA256@s: a digest tells no name to create
};

// What `file_name` means in a directory; `at_mount_root` says whether that is the mount's root.
std::variant<Name, Refusal> parse(std::string_view file_name, bool at_mount_root);

// The file name under which a listing shows the child `znode_name`: at most limits::name_bytes_max
// bytes, and parse() of it is View::plain of that child.
std::string shown(std::string_view znode_name, bool at_mount_root);

// True if `name`, which is_short, means the child `znode_name` of the directory it was looked up
// in. At most one child of a directory is meant by one short form.
bool stands_for(const Name& name, std::string_view znode_name);

}  // namespace zabfs::fusefs::naming
