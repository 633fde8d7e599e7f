#include "daemon/tls/certificate.hpp"

#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "replication/model/bytes.hpp"

namespace zabfs::daemon::tls {
namespace {

// The names of RFC 2253.
constexpr std::array<std::pair<int, std::string_view>, 9> names{{{NID_commonName, "CN"},
                                                                 {NID_localityName, "L"},
                                                                 {NID_stateOrProvinceName, "ST"},
                                                                 {NID_organizationName, "O"},
                                                                 {NID_organizationalUnitName, "OU"},
                                                                 {NID_countryName, "C"},
                                                                 {NID_streetAddress, "STREET"},
                                                                 {NID_domainComponent, "DC"},
                                                                 {NID_userId, "UID"}}};

struct OpensslDeleter {
  void operator()(unsigned char* bytes) const { OPENSSL_free(bytes); }
};
using OpensslBytes = std::unique_ptr<unsigned char, OpensslDeleter>;

std::string escaped(std::string_view value) {
  constexpr std::string_view special = ",=+<>#;\"\\";
  std::string text;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    const bool is_outer_space =
        c == ' ' && (value.find_first_not_of(' ') > i || value.find_last_not_of(' ') < i);
    if (c == '\0') {
      text += "\\00";
      continue;
    }
    if (special.find(c) != special.npos || is_outer_space) {
      text += '\\';
    }
    text += c;
  }
  return text;
}

std::string hex(replication::ByteView bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = "#";
  for (const auto byte : bytes) {
    text += {digits.at(byte >> 4), digits.at(byte & 0xf)};
  }
  return text;
}

std::string attribute(const X509_NAME_ENTRY& entry) {
  const ASN1_OBJECT* kind = X509_NAME_ENTRY_get_object(&entry);
  const ASN1_STRING* value = X509_NAME_ENTRY_get_data(&entry);
  const auto* name =
      std::ranges::find(names, OBJ_obj2nid(kind), &decltype(names)::value_type::first);
  unsigned char* made = nullptr;
  if (name != names.end()) {
    const int length = ASN1_STRING_to_UTF8(&made, value);
    const OpensslBytes bytes(made);
    if (length >= 0) {
      const replication::ByteView utf8(made, static_cast<std::size_t>(length));
      return std::string(name->second) + "=" + escaped(replication::text_of(utf8));
    }
  }
  std::array<char, 128> number{};
  OBJ_obj2txt(number.data(), number.size(), kind, 1);
  ASN1_TYPE typed{};
  typed.type = ASN1_STRING_type(value);
  typed.value.asn1_string = const_cast<ASN1_STRING*>(value);
  const int length = i2d_ASN1_TYPE(&typed, &made);
  const OpensslBytes bytes(made);
  return std::string(number.data()) + "=" +
         hex({made, static_cast<std::size_t>(std::max(length, 0))});
}

}  // namespace

std::string subject_of(const X509& certificate) {
  const X509_NAME* subject = X509_get_subject_name(&certificate);
  std::string text;
  for (int i = X509_NAME_entry_count(subject); i-- > 0;) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(subject, i);
    if (!text.empty()) {
      const X509_NAME_ENTRY* behind = X509_NAME_get_entry(subject, i + 1);
      text += X509_NAME_ENTRY_set(behind) == X509_NAME_ENTRY_set(entry) ? "+" : ",";
    }
    text += attribute(*entry);
  }
  return text;
}

bool is_for_host(const X509& certificate, const std::string& host) {
  auto* checked = const_cast<X509*>(&certificate);  // OpenSSL caches what it finds in there.
  return X509_check_ip_asc(checked, host.c_str(), 0) == 1 ||
         X509_check_host(checked, host.data(), host.size(), 0, nullptr) == 1;
}

}  // namespace zabfs::daemon::tls
