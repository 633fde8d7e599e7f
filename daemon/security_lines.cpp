#include "daemon/security_lines.hpp"

#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <sstream>

namespace zabfs::daemon {
namespace {

using V = std::string_view;
using S = SecurityConfig;

constexpr std::size_t password_bytes_max = 1'024;

std::vector<std::string> words_of(V text) {
  std::string list(text);
  std::ranges::replace(list, ',', ' ');
  std::istringstream in(list);
  return {std::istream_iterator<std::string>(in), {}};
}

Complaint text(V value, std::string& to) {
  to = value;
  return std::nullopt;
}

Complaint file_name(V value, std::string& to) {
  if (value.empty()) {
    return "the file's name is missing (write the path behind the '=')";
  }
  to = value;
  return std::nullopt;
}

// `yes` for true, as ZooKeeper reads some switches.
Complaint yes_or_no(V value, bool& to) {
  const std::string word = lowered(value);
  if (word != "yes" && word != "no") {
    return quoted(value) + " is neither yes nor no";
  }
  to = word == "yes";
  return std::nullopt;
}

// Something that is not done here, so it may only be switched off.
Complaint only_false(V value, const std::string& why) {
  bool is_wanted = false;
  auto complaint = truth(value, is_wanted);
  return is_wanted ? why : complaint;
}

Complaint only(V value, const std::vector<V>& accepted, const std::string& why) {
  return std::ranges::find(accepted, value) == accepted.end() ? quoted(value) + " " + why
                                                              : Complaint{};
}

// A secret: its value may not come into a message.
Complaint super_digest(V value, S& to) {
  to.super_digest = value;
  return std::nullopt;
}

Complaint digest_algorithm(V value, S& to) {
  const auto known = authentication::digest_algorithm(value);
  if (!known) {
    return quoted(value) + " is no hash for passwords (" + authentication::digest_algorithms() +
           "; all servers and all ACLs must agree on it)";
  }
  to.digest_algorithm = *known;
  return std::nullopt;
}

Complaint schemes(V value, S& to) {
  to.required_schemes = words_of(value);
  for (const auto& scheme : to.required_schemes) {
    if (scheme != "digest" && scheme != "ip" && scheme != "x509") {
      return quoted(scheme) + " is no scheme of this version (digest, x509 and ip are)";
    }
  }
  return std::nullopt;
}

Complaint store_type(V value) {
  const std::string type = lowered(value);
  if (type == "pem") {
    return std::nullopt;
  }
  if (type == "pkcs12" || type == "jks" || type == "bcfks") {
    return quoted(value) +
           " stores are not read, PEM files are (convert it: keytool -importkeystore -srckeystore "
           "STORE -destkeystore STORE.p12 -deststoretype PKCS12, unless it is PKCS12 already; then "
           "openssl pkcs12 -in STORE.p12 -nodes -out STORE.pem)";
  }
  return quoted(value) + " is no type of store (write PEM)";
}

// The type as ZooKeeper guesses it where none is given.
Complaint store(V value, std::string& to) {
  constexpr std::array<V, 5> others{".jks", ".p12", ".pfx", ".pkcs12", ".bcfks"};
  const auto other = std::ranges::find_if(others, [&](V end) { return value.ends_with(end); });
  if (other != others.end()) {
    const V type = *other == ".jks" || *other == ".bcfks" ? other->substr(1) : V{"pkcs12"};
    return store_type(type);
  }
  return file_name(value, to);
}

Complaint protocols(V value, std::vector<std::string>& to) {
  to.clear();
  for (const auto& word : words_of(value)) {
    if (word == "TLSv1.2" || word == "TLSv1.3") {
      to.push_back(word);
    } else if (word != "TLS") {
      return quoted(word) + " is not spoken (TLSv1.2 and TLSv1.3 are; older ones are broken)";
    }
  }
  return std::nullopt;
}

// One version, unless ssl.enabledProtocols has said which.
Complaint protocol(V value, std::vector<std::string>& to) {
  std::vector<std::string> one;
  auto complaint = protocols(value, one);
  if (to.empty()) {
    to = std::move(one);
  }
  return complaint;
}

// Names as Java and the standards write them, or as OpenSSL does.
Complaint ciphers(V value, std::vector<std::string>& to) {
  to.clear();
  for (auto& word : words_of(value)) {
    const V known = OPENSSL_cipher_name(word.c_str());
    to.push_back(known == "(NONE)" ? std::move(word) : std::string(known));
  }
  return std::nullopt;
}

Complaint client_certificates(V value, tls::Certificates& to) {
  const std::string word = lowered(value);
  if (word != "none" && word != "want" && word != "need") {
    return quoted(value) + " is not what a server may want of its clients (none, want or need)";
  }
  to = word == "none"   ? tls::Certificates::none
       : word == "want" ? tls::Certificates::wanted
                        : tls::Certificates::needed;
  return std::nullopt;
}

using Keys = std::map<std::string, SecuritySetter, std::less<>>;

// The keys of one side of TLS, which `side` holds.
void add_tls_keys(const std::string& prefix, tls::Options S::*side, Keys& to) {
  const auto add = [&](const char* name, Complaint (*set)(V value, tls::Options & tls)) {
    to.emplace(prefix + name, [set, side](V value, S& s) { return set(value, s.*side); });
  };
  using T = tls::Options;
  add("keyStore.location", [](V v, T& t) { return store(v, t.key_store); });
  add("keyStore.password", [](V v, T& t) { return text(v, t.key_password); });
  add("keyStore.passwordPath", [](V v, T& t) { return file_name(v, t.key_password_file); });
  add("keyStore.type", [](V v, T&) { return store_type(v); });
  add("trustStore.location", [](V v, T& t) { return store(v, t.trust_store); });
  add("trustStore.password", [](V, T&) { return Complaint{}; });
  add("trustStore.passwordPath", [](V, T&) { return Complaint{}; });
  add("trustStore.type", [](V v, T&) { return store_type(v); });
  add("clientAuth", [](V v, T& t) { return client_certificates(v, t.certificates); });
  add("hostnameVerification", [](V v, T& t) { return truth(v, t.verifies_host_name); });
  add("clientHostnameVerification",
      [](V v, T& t) { return truth(v, t.verifies_client_host_name); });
  add("allowReverseDnsLookup", [](V v, T&) {
    return only_false(v,
                      "names are not looked up by address (certificates must name what the "
                      "configuration does)");
  });
  add("protocol", [](V v, T& t) { return protocol(v, t.protocols); });
  add("enabledProtocols", [](V v, T& t) { return protocols(v, t.protocols); });
  add("ciphersuites", [](V v, T& t) { return ciphers(v, t.ciphers); });
  for (const char* name : {"crl", "ocsp"}) {
    add(name, [](V v, T&) {
      return only_false(v,
                        "revocation is not checked (trust an authority of your own instead, and "
                        "give certificates short lives)");
    });
  }
}

Keys all_keys() {
  Keys keys{
      {"DigestAuthenticationProvider.superDigest", super_digest},
      {"DigestAuthenticationProvider.digestAlg", digest_algorithm},
      {"X509AuthenticationProvider.superUser",
       [](V v, S& s) { return text(v, s.super_certificate); }},
      {"authProvider.x509",
       [](V v, S&) {
         return only(v, {"org.apache.zookeeper.server.auth.X509AuthenticationProvider"},
                     "is no provider of this version (certificates need none: remove the line)");
       }},
      {"ssl.authProvider",
       [](V v, S&) { return only(v, {"x509"}, "is no scheme for certificates (x509 is)"); }},
      {"serverCnxnFactory",
       [](V v, S&) {
         return only(v,
                     {"org.apache.zookeeper.server.NettyServerCnxnFactory",
                      "org.apache.zookeeper.server.NIOServerCnxnFactory"},
                     "is not known (remove the line: there is one kind of connection)");
       }},
      {"skipACL", [](V v, S& s) { return yes_or_no(v, s.skips_acls); }},
      {"enforce.auth.enabled", [](V v, S& s) { return truth(v, s.enforces_authentication); }},
      {"enforce.auth.schemes", schemes},
      {"secureClientPort",
       [](V v, S& s) {
         return number(v, {0, 65535}, s.secure_port.emplace());
       }},
      {"secureClientPortAddress", [](V v, S& s) { return text(v, s.secure_address); }},
      {"client.certReload", [](V v, S& s) { return truth(v, s.client_tls.reloads); }},
      {"ssl.client.certReload", [](V v, S& s) { return truth(v, s.client_tls.reloads); }},
      {"client.portUnification",
       [](V v, S&) {
         return only_false(v,
                           "one port does not serve both kinds of clients (give secureClientPort "
                           "a port of its own)");
       }},
      {"sslQuorum", [](V v, S& s) { return truth(v, s.encrypts_peers); }},
      {"sslQuorumReloadCertFiles", [](V v, S& s) { return truth(v, s.peer_tls.reloads); }},
      {"portUnification",
       [](V v, S&) {
         return only_false(v,
                           "servers speak TLS to each other, or do not (switch all of them "
                           "together)");
       }},
      {"zabfs.allowPlaintextPeers", [](V v, S& s) { return truth(v, s.allows_plaintext_peers); }},
      {"audit.enable", [](V v, S& s) { return truth(v, s.audits); }},
      {"audit.impl.class",
       [](V v, S&) {
         return only(v,
                     {"org.apache.zookeeper.audit.Log4jAuditLogger",
                      "org.apache.zookeeper.audit.Slf4jAuditLogger"},
                     "is no audit of this version (remove the line)");
       }},
      {"zabfs.audit.file", [](V v, S& s) { return file_name(v, s.audit_file); }},
  };
  add_tls_keys("ssl.", &S::client_tls, keys);
  add_tls_keys("ssl.quorum.", &S::peer_tls, keys);
  return keys;
}

class Checks {
 public:
  Checks(const S& security, const EnsembleConfig& ensemble, const KeyLines& lines)
      : security_(security), ensemble_(ensemble), lines_(lines) {}

  LineComplaints all() {
    clients();
    servers();
    return std::move(complaints_);
  }

 private:
  void complain(const std::string& key, const std::string& message) {
    complaints_.emplace_back(line_of(lines_, key), key + ": " + message);
  }

  void clients() {
    const std::string super_key = "DigestAuthenticationProvider.superDigest";
    if (lines_.contains(super_key) &&
        !authentication::is_digest_id(security_.super_digest, security_.digest_algorithm)) {
      complain(super_key,
               "this is not 'super:' and the base64 of a hash (make one with: printf "
               "super:PASSWORD | openssl dgst -sha1 -binary | base64)");
    }
    if (security_.enforces_authentication && security_.required_schemes.empty()) {
      complain("enforce.auth.enabled",
               "with which schemes is not said (add for example enforce.auth.schemes=digest)");
    }
    if (security_.secure_port) {
      files("ssl.", "secureClientPort", security_.client_tls);
    } else if (!security_.super_certificate.empty()) {
      complain("X509AuthenticationProvider.superUser",
               "nobody can show a certificate (add secureClientPort)");
    }
  }

  void servers() {
    if (security_.encrypts_peers) {
      files("ssl.quorum.", "sslQuorum", security_.peer_tls);
    }
    strangers();
  }

  // The key whose line lets others than this machine connect as servers, and what is the matter
  // with it; nothing if there is none.
  std::pair<std::string, std::string> exposed() const {
    if (ensemble_.is_alone() || (ensemble_.members.size() < 2 && !ensemble_.is_reconfigurable)) {
      return {};
    }
    for (const auto& [id, member] : ensemble_.members) {
      if (!is_loopback(member.host)) {
        return {"server." + std::to_string(id.value),
                quoted(member.host) + " is no loopback address, and "};
      }
    }
    if (ensemble_.listens_on_all_addresses) {
      return {"quorumListenOnAllIPs", ""};
    }
    return ensemble_.is_reconfigurable
               ? std::pair("reconfigEnabled", "servers on other machines can be added, and ")
               : std::pair("", "");
  }

  void strangers() {
    const auto [key, what] = exposed();
    if (key.empty()) {
      return;
    }
    const bool shows_certificates =
        security_.encrypts_peers && security_.peer_tls.certificates == tls::Certificates::needed;
    if (ensemble_.secret_file.empty() && !shows_certificates &&
        !ensemble_.allows_unauthenticated_peers) {
      complain(key, what +
                        "without a secret anybody who can connect could change the data (write a "
                        "secret into a file and give it with zabfs.peerSecretFile, or say "
                        "zabfs.allowUnauthenticatedPeers=true)");
    } else if (!security_.encrypts_peers && !security_.allows_plaintext_peers) {
      complain(key, what +
                        "without TLS anybody on the way could read and change what the servers say "
                        "(say sslQuorum=true and with which certificates, or, on a network of "
                        "their own, zabfs.allowPlaintextPeers=true)");
    }
  }

  // What TLS cannot do without.
  void files(const std::string& prefix, const std::string& switch_key, const tls::Options& tls) {
    if (tls.key_store.empty()) {
      complain(switch_key, "a certificate is missing (add " + prefix +
                               "keyStore.location=FILE.pem, with the certificate and its key)");
    }
    if (tls.trust_store.empty() && tls.certificates != tls::Certificates::none) {
      complain(switch_key, "whose certificates to trust is missing (add " + prefix +
                               "trustStore.location=FILE.pem" +
                               (prefix == "ssl." ? ", or ssl.clientAuth=none)" : ")"));
    }
    if (!tls.key_password.empty() && !tls.key_password_file.empty()) {
      complain(prefix + "keyStore.password",
               "the password is given twice (remove this line; a file can be protected)");
    }
  }

  const S& security_;
  const EnsembleConfig& ensemble_;
  const KeyLines& lines_;
  LineComplaints complaints_;
};

Complaint read_password(tls::Options& tls) {
  if (tls.key_password_file.empty()) {
    return std::nullopt;
  }
  std::ifstream file(tls.key_password_file);
  std::string password(password_bytes_max + 1, '\0');
  file.read(password.data(), static_cast<std::streamsize>(password.size()));
  password.resize(static_cast<std::size_t>(file.gcount()));
  const auto end = password.find_last_not_of("\r\n");
  password.resize(end == password.npos ? 0 : end + 1);
  if (password.empty() || password.size() > password_bytes_max) {
    return tls.key_password_file + ": holds no password that can be read (passwordPath names a " +
           "file with the password of the key, at most " + std::to_string(password_bytes_max) +
           " bytes)";
  }
  tls.key_password = std::move(password);
  return std::nullopt;
}

}  // namespace

const std::map<std::string, SecuritySetter, std::less<>>& security_keys() {
  static const Keys keys = all_keys();
  return keys;
}

LineComplaints complete_security(const KeyLines& lines, const EnsembleConfig& ensemble,
                                 const SecurityConfig& security) {
  return Checks(security, ensemble, lines).all();
}

Complaint read_passwords(SecurityConfig& to) {
  auto complaint = read_password(to.client_tls);
  return complaint ? complaint : read_password(to.peer_tls);
}

}  // namespace zabfs::daemon
