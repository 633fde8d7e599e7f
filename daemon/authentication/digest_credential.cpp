#include "daemon/authentication/digest_credential.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "replication/model/check.hpp"

namespace zabfs::daemon::authentication {

using replication::ByteView;

namespace {

// As Java names them and as OpenSSL does. MD5 is not among them: it has been broken for long.
struct Algorithm {
  std::string_view java{};
  const char* openssl{};
};

constexpr std::array algorithms{
    Algorithm{"SHA1", "SHA1"},         Algorithm{"SHA-224", "SHA2-224"},
    Algorithm{"SHA-256", "SHA2-256"},  Algorithm{"SHA-384", "SHA2-384"},
    Algorithm{"SHA-512", "SHA2-512"},  Algorithm{"SHA3-224", "SHA3-224"},
    Algorithm{"SHA3-256", "SHA3-256"}, Algorithm{"SHA3-384", "SHA3-384"},
    Algorithm{"SHA3-512", "SHA3-512"},
};

std::string bare(std::string_view name) {
  std::string text;
  for (const char c : name) {
    if (c != '-') {
      text += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
  }
  return text;
}

std::string base64(ByteView bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

replication::Bytes hash(ByteView bytes, const std::string& algorithm) {
  replication::Bytes digest(EVP_MAX_MD_SIZE);
  std::size_t length = 0;
  const bool is_made = EVP_Q_digest(nullptr, algorithm.c_str(), nullptr, bytes.data(), bytes.size(),
                                    digest.data(), &length) == 1;
  CHECK(is_made, "no ", algorithm);
  digest.resize(length);
  return digest;
}

}  // namespace

std::string digest_algorithms() {
  std::string list;
  for (const auto& algorithm : algorithms) {
    list += (list.empty() ? "" : ", ") + std::string(algorithm.java);
  }
  return list;
}

std::optional<std::string> digest_algorithm(std::string_view text) {
  const auto found = std::ranges::find_if(
      algorithms, [wanted = bare(text)](const Algorithm& one) { return bare(one.java) == wanted; });
  return found == algorithms.end() ? std::nullopt : std::optional<std::string>(found->openssl);
}

std::string digest_id(ByteView credential, const std::string& algorithm) {
  const auto text = replication::text_of(credential);
  return std::string(text.substr(0, text.find(':'))) + ":" + base64(hash(credential, algorithm));
}

bool is_digest_id(std::string_view text, const std::string& algorithm) {
  const auto colon = text.find(':');
  return colon != text.npos && colon != 0 &&
         text.size() - colon - 1 == base64(hash({}, algorithm)).size() &&
         text.substr(colon + 1).find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
             "wxyz0123456789+/=") == text.npos;
}

}  // namespace zabfs::daemon::authentication
