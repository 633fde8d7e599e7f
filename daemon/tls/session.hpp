// TLS on one connection, as OpenSSL holds it: made by Credentials, driven by sockets::Channel.
#pragma once

#include <openssl/ssl.h>

#include <memory>

namespace zabfs::daemon::tls {

struct SessionDeleter {
  void operator()(SSL* session) const { SSL_free(session); }
};

using Session = std::unique_ptr<SSL, SessionDeleter>;

}  // namespace zabfs::daemon::tls
