#include "daemon/tls/credentials.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "replication/model/check.hpp"

namespace zabfs::daemon::tls {
namespace {

std::string last_error() {
  const auto code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : code == 0 ? "no such file" : "error " + std::to_string(code);
}

int give_password(char* buffer, int size, int /*is_for_writing*/, void* password) {
  const auto& text = *static_cast<const std::string*>(password);
  const auto length = std::min(text.size(), static_cast<std::size_t>(std::max(size, 0)));
  std::memcpy(buffer, text.data(), length);
  return static_cast<int>(length);
}

std::string joined(const std::vector<std::string>& ciphers, bool of_tls_1_3) {
  std::string list;
  for (const auto& cipher : ciphers) {
    if (cipher.starts_with("TLS_") == of_tls_1_3) {
      list += (list.empty() ? "" : ":") + cipher;
    }
  }
  return list;
}

int verify_mode(Certificates wanted) {
  switch (wanted) {
    case Certificates::none:
      return SSL_VERIFY_NONE;
    case Certificates::wanted:
      return SSL_VERIFY_PEER;
    case Certificates::needed:
      break;
  }
  return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
}

// How it is spoken. A sentence if it cannot be.
std::optional<std::string> set_protocol(SSL_CTX* context, const Options& options) {
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  const auto speaks = [&](const char* version) {
    return options.protocols.empty() ||
           std::ranges::find(options.protocols, version) != options.protocols.end();
  };
  SSL_CTX_set_min_proto_version(context, speaks("TLSv1.2") ? TLS1_2_VERSION : TLS1_3_VERSION);
  SSL_CTX_set_max_proto_version(context, speaks("TLSv1.3") ? TLS1_3_VERSION : TLS1_2_VERSION);
  const std::string old_ciphers = joined(options.ciphers, false);
  const std::string new_ciphers = joined(options.ciphers, true);
  if ((!old_ciphers.empty() && SSL_CTX_set_cipher_list(context, old_ciphers.c_str()) != 1) ||
      (!new_ciphers.empty() && SSL_CTX_set_ciphersuites(context, new_ciphers.c_str()) != 1)) {
    return "no cipher of ciphersuites is known (openssl ciphers -stdname lists those that are; "
           "without the key, OpenSSL chooses)";
  }
  return std::nullopt;
}

// Who this server is. A sentence if the file does not say.
std::optional<std::string> set_key(SSL_CTX* context, const Options& options) {
  auto password = options.key_password;
  SSL_CTX_set_default_passwd_cb(context, give_password);
  SSL_CTX_set_default_passwd_cb_userdata(context, &password);
  const char* file = options.key_store.c_str();
  std::optional<std::string> why;
  if (SSL_CTX_use_certificate_chain_file(context, file) != 1) {
    why = "no certificate can be read: " + last_error() +
          " (it must be a PEM file with this server's certificate first)";
  } else if (SSL_CTX_use_PrivateKey_file(context, file, SSL_FILETYPE_PEM) != 1) {
    const bool is_anothers = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH;
    const std::string error = last_error();
    why = is_anothers
              ? "the private key is not that of the certificate (put the two that belong together "
                "into the file)"
              : "no private key can be read: " + error +
                    " (the PEM file must hold the key beside the certificate; keyStore.password "
                    "opens one that is encrypted)";
  }
  SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
  return why ? options.key_store + ": " + *why : why;
}

// Whom this server trusts. A sentence if the file does not say.
std::optional<std::string> set_trust(SSL_CTX* context, const Options& options) {
  SSL_CTX_set_verify(context, verify_mode(options.certificates), nullptr);
  if (options.trust_store.empty()) {
    return std::nullopt;
  }
  const char* file = options.trust_store.c_str();
  if (SSL_CTX_load_verify_locations(context, file, nullptr) != 1) {
    return options.trust_store + ": no certificate can be read: " + last_error() +
           " (it must be a PEM file with those of the authorities to trust)";
  }
  SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(file));
  return std::nullopt;
}

}  // namespace

std::variant<Credentials::Context, std::string> Credentials::make(const Options& options) {
  Context context(SSL_CTX_new(TLS_method()));
  CHECK(context != nullptr, "no TLS: ", last_error());
  for (const auto set : {set_protocol, set_key, set_trust}) {
    if (auto why = set(context.get(), options)) {
      return *std::move(why);
    }
  }
  return context;
}

std::variant<std::unique_ptr<Credentials>, std::string> Credentials::load(const Options& options) {
  auto credentials = std::unique_ptr<Credentials>(new Credentials(options));
  credentials->loaded_ = credentials->stamps();
  auto made = make(options);
  if (auto* why = std::get_if<std::string>(&made)) {
    return std::move(*why);
  }
  credentials->context_ = std::get<Context>(std::move(made));
  return credentials;
}

Credentials::Stamps Credentials::stamps() const {
  Stamps stamps;
  for (const auto& file : {options_.key_store, options_.trust_store}) {
    std::error_code ignored;  // A file that is gone has the least stamp there is.
    stamps.push_back(std::filesystem::last_write_time(file, ignored));
  }
  return stamps;
}

std::optional<Credentials::Refreshed> Credentials::refresh() {
  if (!options_.reloads) {
    return std::nullopt;
  }
  auto now = stamps();
  if (now == loaded_) {
    return std::nullopt;
  }
  loaded_ = std::move(now);
  auto made = make(options_);
  if (auto* why = std::get_if<std::string>(&made)) {
    return Refreshed{.changed = false,
                     .sentence = "certificates changed and stay as they were: " + *why};
  }
  context_ = std::get<Context>(std::move(made));
  return Refreshed{.changed = true,
                   .sentence = "certificates were read again: " + options_.key_store};
}

Session Credentials::accepted() const {
  Session session(SSL_new(context_.get()));
  CHECK(session != nullptr, "no TLS: ", last_error());
  SSL_set_accept_state(session.get());
  return session;
}

Session Credentials::connecting(const std::string& host) const {
  Session session(SSL_new(context_.get()));
  CHECK(session != nullptr, "no TLS: ", last_error());
  SSL_set_connect_state(session.get());
  SSL_set_verify(session.get(), SSL_VERIFY_PEER, nullptr);
  const bool is_address =
      options_.verifies_host_name &&
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session.get()), host.c_str()) == 1;
  if (options_.verifies_host_name && !is_address) {
    SSL_set1_host(session.get(), host.c_str());
    // The macro for it casts as C does.
    SSL_ctrl(session.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(host.c_str()));
  }
  ERR_clear_error();
  return session;
}

}  // namespace zabfs::daemon::tls
