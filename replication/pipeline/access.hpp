// Who may do what: one question, asked of an ACL. And which ACLs may be stored at all.
//
//   scheme    id                                    who that is
//   --------  ------------------------------------  -------------------------------------------
//   world     anyone                                everybody
//   ip        10.0.0.7, 10.0.0.0/8, 2001:db8::/32   whose address begins with these bits
//   digest    user:base64 of a hash                 who has shown the password
//   x509      the subject of a certificate          who has shown the certificate
//   auth      anything                              never stored: stands for the client that sets
//                                                   the ACL, with every identity it has proved
//   super                                           never stored: that client may do everything
//
// An ACL can name only what can be checked, so no znode is ever more open, or more closed, than its
// creator asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "replication/model/acl.hpp"
#include "replication/model/result.hpp"
#include "replication/protocol/requests.hpp"

namespace zabfs::replication::pipeline {

// The identity as it may be shown: of a digest the user, without the hash; of others all.
std::string user_of(const Identity& identity);

// True if one of `identities`, or everybody, has at least one of the `permissions` bits; or if the
// ACL is empty (no ACL that was set is).
bool is_allowed(const Acl& acl, std::int32_t permissions, IdentitiesView identities);

// The ACL as it is stored: exact duplicates dropped, `auth` replaced by what the client has proved
// to be. invalid_acl if it is empty, names what cannot be checked, or says `auth` for a client who
// has proved nothing. `knows_certificates` admits x509. (ZooKeeper, PrepRequestProcessor.fixupACL.)
Result<Acl> storable(const Acl& acl, IdentitiesView identities, bool knows_certificates);

// How many bytes `request` grows by what replaces `auth` in its ACLs. More than
// limits::acl_growth_bytes_max would not fit into the log.
std::size_t acl_growth(const protocol::Request& request, IdentitiesView identities);

}  // namespace zabfs::replication::pipeline
