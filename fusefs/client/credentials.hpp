// What a client proves who it is with: ZooKeeper's schemes of authentication, and a secret for
// each.
//
// As text, a credential is SCHEME:SECRET; for the scheme digest the secret is USER:PASSWORD. A file
// of credentials has one per line; empty lines and those that begin with `#` say nothing. A
// sentence about a refused text never contains any of it.
#pragma once

#include <boost/system/result.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace zabfs::fusefs::client {

struct Credential {
  std::string scheme{};
  std::string secret{};

  bool operator==(const Credential&) const = default;
};

using Credentials = std::vector<Credential>;

// What is wrong, and what to write instead.
struct CredentialError {
  std::string sentence{};
};

boost::system::result<Credential, CredentialError> parse_credential(std::string_view text);

// The text of a file; at most limits::credentials_max of them.
boost::system::result<Credentials, CredentialError> parse_credentials(std::string_view text);

// What parse_credentials reads as `credentials`.
std::string text_of(const Credentials& credentials);

// What parse_credentials says of the file at `path`, which nobody but its owner may be allowed to
// read.
boost::system::result<Credentials, CredentialError> read_credentials(const std::string& path);

}  // namespace zabfs::fusefs::client
