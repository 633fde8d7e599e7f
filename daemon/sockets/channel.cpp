#include "daemon/sockets/channel.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>

#include "replication/model/check.hpp"

namespace zabfs::daemon::sockets {
namespace {

// OpenSSL's own sockets would end the process with SIGPIPE where nobody ignores it, and would need
// the descriptor not to block. The descriptor is the BIO's data.
int socket_of(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

int write_to(BIO* bio, const char* bytes, int count) {
  BIO_clear_retry_flags(bio);
  const auto sent =
      ::send(socket_of(bio), bytes, static_cast<std::size_t>(count), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
    BIO_set_retry_write(bio);
  }
  return static_cast<int>(sent);
}

int read_from(BIO* bio, char* into, int count) {
  BIO_clear_retry_flags(bio);
  const auto got = ::recv(socket_of(bio), into, static_cast<std::size_t>(count), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
    BIO_set_retry_read(bio);
  }
  return static_cast<int>(got);
}

long control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* without_signals() {
  struct Deleter {
    void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
  };
  static const std::unique_ptr<BIO_METHOD, Deleter> method = [] {
    std::unique_ptr<BIO_METHOD, Deleter> made(
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket"));
    BIO_meth_set_write(made.get(), write_to);
    BIO_meth_set_read(made.get(), read_from);
    BIO_meth_set_ctrl(made.get(), control);
    return made;
  }();
  return method.get();
}

int as_int(std::size_t bytes) {
  constexpr auto most = static_cast<std::size_t>(std::numeric_limits<int>::max());
  return static_cast<int>(std::min(bytes, most));
}

std::string reason_of(const SSL* session) {
  const auto verdict = SSL_get_verify_result(session);
  const auto code = ERR_peek_last_error();
  const int reason = ERR_GET_REASON(code);
  ERR_clear_error();
  if (verdict != X509_V_OK) {
    return std::string("shows a certificate that is not trusted: ") +
           X509_verify_cert_error_string(verdict);
  }
  if (ERR_GET_LIB(code) == ERR_LIB_SSL &&
      (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST ||
       reason == SSL_R_PACKET_LENGTH_TOO_LONG || reason == SSL_R_BAD_PACKET_LENGTH)) {
    return "does not speak TLS";
  }
  const char* text = ERR_reason_error_string(code);
  return text != nullptr ? std::string("fails at TLS: ") + text
                         : "ended the connection in the handshake of TLS";
}

}  // namespace

Channel::~Channel() = default;

void Channel::secure(tls::Session session) {
  BIO* bio = BIO_new(without_signals());
  CHECK(bio != nullptr && !session_, "no BIO, or a second TLS session");
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(socket_.native_handle())));
  BIO_set_init(bio, 1);
  SSL_set_bio(session.get(), bio, bio);
  session_ = std::move(session);
}

Outcome Channel::handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(session_.get());
  if (result == 1) {
    return Outcome::done;
  }
  const Outcome outcome = outcome_of(result);
  if (outcome == Outcome::ended) {
    failure_ = reason_of(session_.get());
  }
  return outcome;
}

Outcome Channel::outcome_of(int result) {
  switch (SSL_get_error(session_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Outcome::wait_readable;
    case SSL_ERROR_WANT_WRITE:
      return Outcome::wait_writable;
    default:
      return Outcome::ended;
  }
}

Transfer Channel::read_plain(std::span<std::uint8_t> into) {
  const auto got = ::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
  if (got > 0) {
    return {Outcome::done, static_cast<std::size_t>(got)};
  }
  return {got == 0 ? Outcome::ended : outcome_of_errno(Outcome::wait_readable), 0};
}

Outcome Channel::outcome_of_errno(Outcome if_early) {
  if (errno == EAGAIN || errno == EINTR) {
    return if_early;
  }
  failure_ = std::string("is lost: ") + std::strerror(errno);
  return Outcome::ended;
}

Transfer Channel::read(std::span<std::uint8_t> into) {
  if (!session_) {
    return read_plain(into);
  }
  std::size_t bytes = 0;
  while (bytes < into.size()) {
    ERR_clear_error();
    const int got = SSL_read(session_.get(), into.data() + bytes, as_int(into.size() - bytes));
    if (got <= 0) {
      const Outcome outcome = outcome_of(got);
      if (bytes == 0) {
        return {outcome, 0};
      }
      break;  // What ended it will be seen again.
    }
    bytes += static_cast<std::size_t>(got);
  }
  return {Outcome::done, bytes};
}

Transfer Channel::write(replication::ByteView bytes) {
  if (session_) {
    ERR_clear_error();
    const int sent = SSL_write(session_.get(), bytes.data(), as_int(bytes.size()));
    return sent > 0 ? Transfer{Outcome::done, static_cast<std::size_t>(sent)}
                    : Transfer{outcome_of(sent), 0};
  }
  const auto sent =
      ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0) {
    return {Outcome::done, static_cast<std::size_t>(sent)};
  }
  return {outcome_of_errno(Outcome::wait_writable), 0};
}

bool Channel::has_buffered() const { return session_ && SSL_has_pending(session_.get()) == 1; }

void Channel::finish() {
  if (session_) {
    ERR_clear_error();
    SSL_shutdown(session_.get());
    ERR_clear_error();
  }
  boost::system::error_code ignored;  // The other side may have closed its end first.
  socket_.shutdown(Socket::shutdown_send, ignored);
}

const X509* Channel::certificate() const {
  return session_ ? SSL_get0_peer_certificate(session_.get()) : nullptr;
}

}  // namespace zabfs::daemon::sockets
