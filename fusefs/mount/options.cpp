#include "fusefs/mount/options.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <span>
#include <sstream>
#include <string_view>
#include <vector>

#include "daemon/version.hpp"

namespace zabfs::fusefs::mount {
namespace {

constexpr std::string_view description =
    "Mounts the tree of a ZooKeeper ensemble, of zabd or Apache ZooKeeper, as files.\n"
    "\n"
    "  zabfs [-f] [-o OPTION,...] HOST:PORT,...[/CHROOT] MOUNTPOINT\n"
    "  zabfs [-f] [-o OPTION,...] --embedded DIRECTORY MOUNTPOINT\n"
    "  zabfs --upgrade MOUNTPOINT\n";

constexpr std::string_view footer =
    "Options of -o:\n"
    "  uid=N, gid=N    the owner that files are shown with (default: yours)\n"
    "  umask=OCTAL     permissions that are not shown (default: 022)\n"
    "  timeout=SECONDS of the session: ephemeral files outlive this machine that long\n"
    "                  (default: 10)\n"
    "  onloss=SIGNAL   term or kill: what processes get whose lock is lost, as when the session\n"
    "                  expires (default: nothing; they learn it when they use the file)\n"
    "  authfile=FILE   credentials, one SCHEME:SECRET per line, as digest:user:password; nobody\n"
    "                  else may be allowed to read the file\n"
    "  auth=CREDENTIAL the same on the command line (a secret with a comma needs the file)\n"
    "  port=N          where ZooKeeper clients reach the embedded replica, on 127.0.0.1\n"
    "                  (default: any free port)\n"
    "  noinotify       programs that watch by inotify are told only what this machine changes\n"
    "  nocache         every system call asks the ensemble\n"
    "  ro, allow_other and others, as in mount.fuse3(8)\n"
    "\n"
    "To unmount: fusermount3 -u MOUNTPOINT";

constexpr std::string_view auth_key = "auth=";
constexpr std::string_view authfile_key = "authfile=";

// Words that fstab has for mount(8), which hands them on.
constexpr std::array<std::string_view, 12> words_for_mount{
    "rw",  "auto", "noauto", "user",    "nouser", "users",
    "dev", "suid", "exec",   "_netdev", "nofail", "defaults"};

template <class Number>
bool read_number(std::string_view text, Number& number, int base = 10) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, base);
  return error == std::errc{} && stop == end && !text.empty();
}

void mask_permissions(inodes::Appearance& appearance, mode_t mask) {
  appearance.file_mode = 0666 & ~mask;
  appearance.directory_mode = 0777 & ~mask;
}

// Takes one credential, or refuses it with a sentence that tells nothing of it.
std::optional<Exit> take_credential(std::string_view text, Options& options) {
  auto credential = client::parse_credential(text);
  if (!credential) {
    return Exit{2, "zabfs: " + credential.error().sentence + "\n"};
  }
  options.credentials.push_back(std::move(*credential));
  return std::nullopt;
}

std::optional<Exit> take_credentials(const std::string& path, Options& options) {
  auto credentials = client::read_credentials(path);
  if (!credentials) {
    return Exit{1, "zabfs: " + credentials.error().sentence + "\n"};
  }
  std::ranges::move(*credentials, std::back_inserter(options.credentials));
  return std::nullopt;
}

// Takes those of the environment, and nobody who is started later gets them from there.
std::optional<Exit> take_credentials_of_environment(Options& options) {
  const char* text = std::getenv(credentials_variable);
  if (text == nullptr) {
    return std::nullopt;
  }
  auto credentials = client::parse_credentials(text);
  ::unsetenv(credentials_variable);
  if (!credentials) {
    return Exit{2, std::string("zabfs: ") + credentials_variable + ": " +
                       credentials.error().sentence + "\n"};
  }
  std::ranges::move(*credentials, std::back_inserter(options.credentials));
  return std::nullopt;
}

// True if `word` is an option of ours; `is_legal` says whether its value means something.
bool take_own_option(std::string_view word, Options& options, bool& is_legal) {
  const auto equals = word.find('=');
  const std::string_view key = word.substr(0, equals);
  const std::string_view value = equals == word.npos ? "" : word.substr(equals + 1);
  if (key == "uid") {
    is_legal = read_number(value, options.appearance.uid);
  } else if (key == "gid") {
    is_legal = read_number(value, options.appearance.gid);
  } else if (key == "umask") {
    mode_t mask = 0;
    is_legal = read_number(value, mask, 8) && mask <= 0777;
    mask_permissions(options.appearance, mask);
  } else if (word == "noinotify") {
    options.tells_inotify = false;
  } else if (word == "nocache") {
    options.remembers = false;
  } else if (key == "port") {
    is_legal = read_number(value, options.embedded_port) && !options.embedded_directory.empty();
  } else if (key == "onloss") {
    options.signal_on_loss = value == "kill" ? SIGKILL : value == "term" ? SIGTERM : 0;
    is_legal = options.signal_on_loss != 0;
  } else if (key == "timeout") {
    std::int32_t seconds = 0;
    constexpr std::int32_t seconds_max = 24 * 3600;
    is_legal = read_number(value, seconds) && seconds > 0 && seconds <= seconds_max;
    options.session_timeout_ms = seconds * (is_legal ? 1000 : 0);
  } else {
    return false;
  }
  return true;
}

// True if the kernel must compare permissions with whoever asks. It need not where it lets nobody
// in but the owner of the mount, all files are shown as the owner's, and the owner may do
// everything with them: then the check would only cost it a request for the attributes of every
// directory on the way. What it still asks about (access(2), chdir(2), execve(2)) is answered by
// the file system.
bool needs_kernel_check(const inodes::Appearance& appearance, bool is_for_others) {
  constexpr mode_t directory_rights = S_IRWXU;
  constexpr mode_t file_rights = S_IRUSR | S_IWUSR;
  return is_for_others || appearance.uid != ::getuid() ||
         (appearance.directory_mode & directory_rights) != directory_rights ||
         (appearance.file_mode & file_rights) != file_rights;
}

std::optional<Exit> take_mount_options(const std::vector<std::string>& lists, Options& options) {
  std::string passed_on;
  bool is_for_others = false;
  for (const auto& list : lists) {
    std::istringstream words(list);
    for (std::string word; std::getline(words, word, ',');) {
      if (word.starts_with(auth_key) || word.starts_with(authfile_key)) {
        const auto refused = word.starts_with(auth_key)
                                 ? take_credential(word.substr(auth_key.size()), options)
                                 : take_credentials(word.substr(authfile_key.size()), options);
        if (refused) {
          return refused;
        }
        continue;
      }
      bool is_legal = true;
      const bool is_own = take_own_option(word, options, is_legal);
      if (!is_legal) {
        return Exit{2, "zabfs: the option -o " + word + " has no legal value; see zabfs --help\n"};
      }
      if (!is_own && !word.empty() &&
          std::ranges::find(words_for_mount, word) == words_for_mount.end()) {
        passed_on += (passed_on.empty() ? "" : ",") + word;
        is_for_others = is_for_others || word == "allow_other" || word == "allow_root";
      }
    }
  }
  options.mount_options = passed_on;
  if (needs_kernel_check(options.appearance, is_for_others)) {
    options.mount_options += passed_on.empty() ? "default_permissions" : ",default_permissions";
  }
  return std::nullopt;
}

}  // namespace

std::variant<Options, Exit> parse_options(int count, const char* const* arguments) {
  Options options;
  options.appearance.uid = ::getuid();
  options.appearance.gid = ::getgid();
  std::vector<std::string> words;
  std::vector<std::string> mount_options;
  std::vector<std::string> credentials;
  CLI::App app(std::string(description), "zabfs");
  app.footer(std::string(footer));
  app.set_version_flag("--version", "zabfs " + daemon::version());
  app.add_flag("-f,--foreground", options.stays_in_foreground,
               "stay in the foreground, with messages on standard error");
  app.add_option("--embedded", options.embedded_directory,
                 "run a replica inside this process, with its data in DIRECTORY")
      ->type_name("DIRECTORY");
  app.add_flag("--upgrade", options.asks_for_upgrade,
               "have the mount that is there served by the program as it is on the disk now");
  app.add_option("-o", mount_options, "mount options, see below")
      ->type_name("OPTION,...")
      ->allow_extra_args(false);
  app.add_option("--auth", credentials, "a credential, SCHEME:SECRET; the same as -o auth=")
      ->type_name("CREDENTIAL")
      ->allow_extra_args(false);
  app.add_option("words", words)->type_name("")->group("");
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream err;
    const int status = app.exit(error, out, err);
    return Exit{status == 0 ? 0 : 2, out.str() + err.str()};
  }
  const bool has_servers = options.embedded_directory.empty() && !options.asks_for_upgrade;
  const std::size_t expected = has_servers ? 2 : 1;
  if (words.size() != expected) {
    return Exit{2, expected == 2
                       ? "zabfs: name the servers and the mount point: zabfs HOST:PORT MOUNTPOINT "
                         "(more: zabfs --help)\n"
                   : options.asks_for_upgrade
                       ? "zabfs: name the mount point: zabfs --upgrade MOUNTPOINT\n"
                       : "zabfs: name the mount point: zabfs --embedded DIRECTORY MOUNTPOINT\n"};
  }
  options.mount_point = words.back();
  if (expected == 2) {
    options.servers = words.front();
  }
  if (auto refused = take_credentials_of_environment(options)) {
    return *refused;
  }
  for (const auto& credential : credentials) {
    if (auto refused = take_credential(credential, options)) {
      return *refused;
    }
  }
  if (auto refused = take_mount_options(mount_options, options)) {
    return *refused;
  }
  options.lists = mount_options;
  return options;
}

void hide_credentials(int count, char** arguments) {
  const auto hide = [](char* secret) {
    const std::span<char> text(secret, std::strcspn(secret, ","));
    std::ranges::fill(text, '*');
  };
  for (int i = 1; i < count; ++i) {
    const std::string_view before = i > 1 ? arguments[i - 1] : "";
    if (before == "--auth") {
      hide(arguments[i]);
      continue;
    }
    const std::string_view words = arguments[i];
    for (std::size_t at = 0; (at = words.find(auth_key, at)) != words.npos; at += auth_key.size()) {
      hide(arguments[i] + at + auth_key.size());
    }
  }
}

std::vector<std::string> Options::as_arguments() const {
  std::vector<std::string> arguments{"zabfs"};
  if (stays_in_foreground) {
    arguments.emplace_back("-f");
  }
  for (const auto& list : lists) {
    std::istringstream words(list);
    for (std::string word; std::getline(words, word, ',');) {
      if (!word.empty() && !word.starts_with(auth_key) && !word.starts_with(authfile_key)) {
        arguments.insert(arguments.end(), {"-o", word});
      }
    }
  }
  if (embedded_directory.empty()) {
    arguments.push_back(servers);
  } else {
    arguments.insert(arguments.end(), {"--embedded", embedded_directory});
  }
  arguments.push_back(mount_point);
  return arguments;
}

}  // namespace zabfs::fusefs::mount
