// What one side of TLS needs to begin: this server's certificate and key, and whom it trusts.
//
// Read from PEM files; read again when they change, if that is configured. Connections that are
// open keep what they began with.
#pragma once

#include <openssl/ssl.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "daemon/tls/options.hpp"
#include "daemon/tls/session.hpp"

namespace zabfs::daemon::tls {

class Credentials {
 public:
  // Reads the files (blocking). A sentence if they cannot be used; it names the file.
  static std::variant<std::unique_ptr<Credentials>, std::string> load(const Options& options);

  const Options& options() const { return options_; }

  // For a connection that was accepted.
  Session accepted() const;

  // For a connection to `host`, a name or an address, which its certificate must be for.
  Session connecting(const std::string& host) const;

  // Reads the files again if they have changed and that is configured. A sentence for the log if
  // something came of it: `changed` tells whether the new ones are used from now on.
  struct Refreshed {
    bool changed{};
    std::string sentence{};
  };
  std::optional<Refreshed> refresh();

 private:
  struct ContextDeleter {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  using Context = std::unique_ptr<SSL_CTX, ContextDeleter>;
  using Stamps = std::vector<std::filesystem::file_time_type>;

  explicit Credentials(const Options& options) : options_(options) {}

  static std::variant<Context, std::string> make(const Options& options);
  Stamps stamps() const;

  const Options options_;
  Context context_;
  Stamps loaded_;  // when the files that are in use were written
};

}  // namespace zabfs::daemon::tls
