// What the certificate at the other end of a connection says.
#pragma once

#include <openssl/x509.h>

#include <string>

namespace zabfs::daemon::tls {

// Its subject as RFC 2253 and Java write it, which is the id of an identity "x509":
// CN=alice,OU=Research,O=Example. Attributes without a name there are shown as bytes.
std::string subject_of(const X509& certificate);

// True if it is for `host`: a name, or an address without brackets.
bool is_for_host(const X509& certificate, const std::string& host);

}  // namespace zabfs::daemon::tls
