// What the configuration says about who may connect, who is believed to be whom, and what is
// encrypted.
//
// ZooKeeper's keys configure its Java providers; here each has the one meaning that they share.
// docs/zabd.md lists them. Secrets come in here and go to those who need them; no message may
// contain one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/authentication/digest_credential.hpp"
#include "daemon/tls/options.hpp"

namespace zabfs::daemon {

struct SecurityConfig {
  // Clients.
  std::string digest_algorithm{authentication::default_digest_algorithm};
  std::string super_digest{};                   // empty: there is no superuser
  std::string super_certificate{};              // the superuser's subject; empty: none
  bool skips_acls{};                            // whoever connects may do everything
  bool enforces_authentication{};               // nobody is served who has not proved one of
  std::vector<std::string> required_schemes{};  // these
  std::optional<std::uint16_t> secure_port{};   // where clients connect with TLS
  std::string secure_address{};                 // empty: all
  tls::Options client_tls{};                    // keys that begin with ssl.

  // Servers.
  bool encrypts_peers{};
  bool allows_plaintext_peers{};  // on addresses that are not loopback ones
  tls::Options peer_tls{};        // keys that begin with ssl.quorum.

  // Every change that clients ask for, in a file of its own or else on standard error.
  bool audits{};
  std::string audit_file{};

  bool operator==(const SecurityConfig&) const = default;
};

}  // namespace zabfs::daemon
