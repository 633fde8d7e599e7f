// What the configuration says about one side of TLS: the side of clients, or that of the servers.
#pragma once

#include <string>
#include <vector>

namespace zabfs::daemon::tls {

// What a server wants of those that connect.
enum class Certificates { none, wanted, needed };

struct Options {
  std::string key_store{};  // a PEM file: this server's certificate, those above it, and its key
  std::string key_password{};
  std::string key_password_file{};
  std::string trust_store{};  // a PEM file: whom to trust
  Certificates certificates{Certificates::needed};
  bool verifies_host_name{true};          // of the server that this one connects to
  bool verifies_client_host_name{false};  // of those that connect
  std::vector<std::string> protocols{};   // TLSv1.2, TLSv1.3; empty: both
  std::vector<std::string> ciphers{};     // OpenSSL's names; empty: OpenSSL's choice
  bool reloads{};                         // when a file has changed

  bool operator==(const Options&) const = default;
};

}  // namespace zabfs::daemon::tls
