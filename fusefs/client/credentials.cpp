#include "fusefs/client/credentials.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "fusefs/client/limits.hpp"

namespace zabfs::fusefs::client {
namespace {

constexpr std::string_view usage =
    "write scheme:secret, for example digest:user:password (zabfs --help)";

std::string sentence_of(const char* what) {
  return std::string(what) + "; " + std::string(usage) + ".";
}

}  // namespace

boost::system::result<Credential, CredentialError> parse_credential(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == text.npos || colon == 0) {
    return CredentialError{sentence_of("A credential has no scheme")};
  }
  if (text.find_first_of("\r\n") != text.npos) {
    return CredentialError{"A credential has a line break."};
  }
  if (text.size() > limits::credential_bytes_max) {
    return CredentialError{"A credential is longer than " +
                           std::to_string(limits::credential_bytes_max) + " bytes."};
  }
  Credential credential{.scheme = std::string(text.substr(0, colon)),
                        .secret = std::string(text.substr(colon + 1))};
  if (credential.scheme == "digest" &&
      (credential.secret.find(':') == std::string::npos || credential.secret.starts_with(':'))) {
    return CredentialError{sentence_of("A digest credential has no user or no password")};
  }
  return credential;
}

boost::system::result<Credentials, CredentialError> parse_credentials(std::string_view text) {
  Credentials credentials;
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    if (line.empty() || line.starts_with('#')) {
      continue;
    }
    auto credential = parse_credential(line);
    if (!credential) {
      return CredentialError{"Line " + std::to_string(number) + ": " + credential.error().sentence};
    }
    if (credentials.size() >= limits::credentials_max) {
      return CredentialError{"There are more than " + std::to_string(limits::credentials_max) +
                             " credentials."};
    }
    credentials.push_back(std::move(*credential));
  }
  return credentials;
}

std::string text_of(const Credentials& credentials) {
  std::string text;
  for (const auto& credential : credentials) {
    text.append(credential.scheme).append(":").append(credential.secret) += '\n';
  }
  return text;
}

boost::system::result<Credentials, CredentialError> read_credentials(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return CredentialError{"The file of credentials " + path +
                           " cannot be read: " + std::strerror(errno) + "."};
  }
  struct stat values {};
  std::array<char, limits::credentials_file_bytes_max + 1> buffer{};
  const ssize_t size = ::fstat(file, &values) == 0 && S_ISREG(values.st_mode)
                           ? ::read(file, buffer.data(), buffer.size())
                           : -1;
  ::close(file);
  if (size < 0 || static_cast<std::size_t>(size) == buffer.size()) {
    return CredentialError{"The file of credentials " + path +
                           " cannot be read: it is no file, or too large."};
  }
  if ((values.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return CredentialError{"Others may read the file of credentials " + path +
                           "; forbid it: chmod 600 " + path};
  }
  auto credentials = parse_credentials({buffer.data(), static_cast<std::size_t>(size)});
  if (!credentials) {
    return CredentialError{path + ": " + credentials.error().sentence};
  }
  return credentials;
}

}  // namespace zabfs::fusefs::client
