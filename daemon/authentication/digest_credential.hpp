// Scheme "digest": a client is who it says, and that it knows the password is a hash.
//
//   credential   user:password
//   identity     user:base64(hash("user:password"))
//
// Nothing is verified: whoever shows a credential gains its identity, and ACLs say what that is
// worth. The hash is the same on every server, because ACLs hold it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "replication/model/bytes.hpp"

namespace zabfs::daemon::authentication {

inline constexpr std::string_view default_digest_algorithm = "SHA1";

// The hash functions that may be configured, as a list for messages.
std::string digest_algorithms();

// The name of `text` as digest_id() takes it; nullopt if there is no such function. Capitals and
// hyphens do not matter.
std::optional<std::string> digest_algorithm(std::string_view text);

// The id of identity "digest" for `credential`; `algorithm` came from digest_algorithm().
std::string digest_id(replication::ByteView credential, const std::string& algorithm);

// True if `text` could be an id that digest_id() makes.
bool is_digest_id(std::string_view text, const std::string& algorithm);

}  // namespace zabfs::daemon::authentication
