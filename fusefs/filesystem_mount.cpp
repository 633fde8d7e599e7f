// `@mount`, a directory at the root of the mount: what the mount itself knows, told without asking
// the ensemble, and a file that takes transactions (filesystem_transaction.cpp).
//
//   file      is
//   -------   ----------------------------------------------------------------------------------
//   session   its number, as ZooKeeper's logs print it; another one after an expiry
//   server    host:port of the server it is connected to; empty without a connection
//   state     connecting, connected, expired
//   zxid      the newest transaction that the mount has heard of
//   stats     `key value` per line
//   errors    what went wrong lately, a sentence per line
//   txn       a transaction is written to it; read, the result of the last one
#include <array>
#include <cerrno>
#include <cstdio>
#include <string>
#include <utility>

#include "fusefs/filesystem.hpp"

namespace zabfs::fusefs {

using client::SessionState;
using handles::Handle;
using handles::TextHandle;
using handles::TransactionHandle;
using naming::View;

namespace {

// The parameter of an inode is the place here, counted from 1; that of the directory itself is 0.
constexpr std::array<std::string_view, 7> files{"errors", "server", "session", "state",
                                                "stats",  "txn",    "zxid"};

std::string_view name_of(std::int64_t parameter) {
  return files.at(static_cast<std::size_t>(parameter - 1));
}

std::string_view word_of(SessionState state) {
  switch (state) {
    case SessionState::connecting:
      return "connecting";
    case SessionState::connected:
      return "connected";
    case SessionState::expired:
      return "expired";
    case SessionState::refused:
      return "refused";
    case SessionState::closed:
      return "closed";
  }
  return "";
}

std::string hexadecimal(std::int64_t number) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(number));
  return text.data();
}

}  // namespace

Outcome<Filesystem::Target> Filesystem::mount_file(const std::string& name) {
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (files.at(i) == name) {
      return Target{"/", View::mount, static_cast<std::int64_t>(i + 1)};
    }
  }
  return Failure::of(ENOENT);
}

std::vector<std::string> Filesystem::names_of_mount_files() {
  std::vector<std::string> names{".", ".."};
  names.insert(names.end(), files.begin(), files.end());
  return names;
}

bool Filesystem::takes_transactions(const inodes::Inode& inode) {
  return inode.view == View::mount && inode.parameter > 0 && name_of(inode.parameter) == "txn";
}

std::string Filesystem::text_of_mount_file(std::int64_t parameter) const {
  if (parameter == 0) {
    return {};
  }
  const auto& client = ensemble_.client();
  const std::string_view name = name_of(parameter);
  if (name == "errors") {
    return journal_.text();
  }
  if (name == "txn") {
    return last_result_;
  }
  if (name == "stats") {
    std::string text;
    const auto add = [&text](std::string_view key, auto value) {
      text.append(key).append(" ").append(std::to_string(value)) += '\n';
    };
    add("session_timeout_ms", client.timeout_ms());
    add("watches", client.watches());
    add("known_znodes", ensemble_.known().size());
    add("known_bytes", ensemble_.known().bytes());
    add("open_files", handles_.size());
    add("inodes", inodes_.size());
    add("waiting", operations_.size());
    return text;
  }
  std::string value;
  if (name == "server") {
    value = client.server();
  } else if (name == "session") {
    value = hexadecimal(client.session().value);
  } else if (name == "state") {
    value = word_of(client.state());
  } else {
    value = std::to_string(client.last_zxid().wire());
  }
  return value + '\n';
}

Outcome<Handle> Filesystem::open_mount_file(const inodes::Inode& inode, bool writes) const {
  if (writes && !takes_transactions(inode)) {
    return Failure::of(EACCES);
  }
  if (writes) {
    return Handle{.inode = inode.number, .body = TransactionHandle{}};
  }
  return Handle{.inode = inode.number, .body = TextHandle{text_of_mount_file(inode.parameter)}};
}

}  // namespace zabfs::fusefs
