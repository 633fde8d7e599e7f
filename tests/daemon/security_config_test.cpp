// The lines of the configuration about authentication and TLS.
#include "daemon/security_config.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "daemon/config.hpp"
#include "tests/support/temporary_directory.hpp"

namespace zabfs::daemon {
namespace {

// What `text` says beside a data directory.
SecurityConfig parsed(const std::string& text) {
  const auto result = parse_config("dataDir=/d\n" + text, "zoo.cfg");
  if (const auto* errors = std::get_if<ConfigErrors>(&result)) {
    ADD_FAILURE() << text << ": " << errors->front();
    return {};
  }
  return std::get<Config>(result).security;
}

// The first error in `text`, which begins on line 2.
std::string error_in(const std::string& text) {
  const auto result = parse_config("dataDir=/d\n" + text, "zoo.cfg");
  const auto* errors = std::get_if<ConfigErrors>(&result);
  return errors == nullptr ? "" : errors->front();
}

const std::string tls =
    "secureClientPort=2281\nssl.keyStore.location=/k.pem\nssl.trustStore.location=/t.pem\n";

TEST(SecurityConfig, AuthenticationArrivesWhereItBelongs) {
  const SecurityConfig config = parsed(
      "DigestAuthenticationProvider.superDigest=super:D/InIHSb7yEEbrWz8b9l71RjZJU=\n"
      "DigestAuthenticationProvider.digestAlg=SHA1\nskipACL=yes\nenforce.auth.enabled=true\n"
      "enforce.auth.schemes=digest,ip\naudit.enable=true\nzabfs.audit.file=/a\n"
      "audit.impl.class=org.apache.zookeeper.audit.Log4jAuditLogger\n");
  const SecurityConfig expected{.super_digest = "super:D/InIHSb7yEEbrWz8b9l71RjZJU=",
                                .skips_acls = true,
                                .enforces_authentication = true,
                                .required_schemes = {"digest", "ip"},
                                .audits = true,
                                .audit_file = "/a"};
  EXPECT_EQ(config, expected);
  EXPECT_EQ(parsed("skipACL=no\n"), SecurityConfig{});
}

TEST(SecurityConfig, TlsArrivesWhereItBelongs) {
  const SecurityConfig config =
      parsed(tls +
             "secureClientPortAddress=::1\nssl.keyStore.password=pw\nssl.keyStore.type=PEM\n"
             "ssl.trustStore.type=pem\nssl.clientAuth=want\nssl.clientHostnameVerification=true\n"
             "ssl.hostnameVerification=false\nssl.enabledProtocols=TLSv1.3\nssl.protocol=TLSv1.2\n"
             "ssl.ciphersuites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_AES_128_GCM_SHA256\n"
             "client.certReload=true\nX509AuthenticationProvider.superUser=CN=root,O=Example\n"
             "authProvider.x509=org.apache.zookeeper.server.auth.X509AuthenticationProvider\n"
             "serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory\n"
             "ssl.crl=false\nsslQuorum=true\nssl.quorum.keyStore.location=/qk.pem\n"
             "ssl.quorum.trustStore.location=/qt.pem\nsslQuorumReloadCertFiles=true\n");
  const SecurityConfig expected{
      .super_certificate = "CN=root,O=Example",
      .secure_port = 2281,
      .secure_address = "::1",
      .client_tls = {.key_store = "/k.pem",
                     .key_password = "pw",
                     .trust_store = "/t.pem",
                     .certificates = tls::Certificates::wanted,
                     .verifies_host_name = false,
                     .verifies_client_host_name = true,
                     .protocols = {"TLSv1.3"},
                     .ciphers = {"ECDHE-RSA-AES128-GCM-SHA256", "TLS_AES_128_GCM_SHA256"},
                     .reloads = true},
      .encrypts_peers = true,
      .peer_tls = {.key_store = "/qk.pem", .trust_store = "/qt.pem", .reloads = true}};
  EXPECT_EQ(config, expected);
}

TEST(SecurityConfig, KeysMayHaveTheNamesOfJavasProperties) {
  EXPECT_TRUE(parsed("zookeeper.skipACL=yes\n").skips_acls);
  EXPECT_NE(error_in("zookeeper.skipACL=yes\nskipACL=yes\n").find("given a second time"),
            std::string::npos);
  EXPECT_NE(error_in("zookeeper.skipAcls=yes\n").find("did you mean 'skipACL'"), std::string::npos);
}

TEST(SecurityConfig, AMistakeIsASentenceThatSaysWhatToDo) {
  const std::pair<std::string, std::string> cases[] = {
      {"skipACL=true", "is neither yes nor no"},
      {"enforce.auth.enabled=true", "add for example enforce.auth.schemes=digest"},
      {"enforce.auth.schemes=sasl", "is no scheme of this version"},
      {"DigestAuthenticationProvider.digestAlg=MD5", "is no hash for passwords"},
      {"DigestAuthenticationProvider.superDigest=super:hunter2", "make one with"},
      {"secureClientPort=2281", "add ssl.keyStore.location="},
      {"secureClientPort=2281\nssl.keyStore.location=/k.pem", "or ssl.clientAuth=none"},
      {"secureClientPort=none", "is not a number"},
      {"ssl.keyStore.location=/k.jks", "keytool -importkeystore"},
      {"ssl.trustStore.location=/k.p12", "openssl pkcs12"},
      {"ssl.keyStore.type=JKS", "openssl pkcs12"},
      {"ssl.keyStore.type=ZIP", "is no type of store"},
      {"ssl.protocol=TLSv1.1", "older ones are broken"},
      {"ssl.clientAuth=maybe", "none, want or need"},
      {"ssl.crl=true", "revocation is not checked"},
      {"client.portUnification=true", "secureClientPort"},
      {"portUnification=true", "all of them together"},
      {"X509AuthenticationProvider.superUser=CN=a", "add secureClientPort"},
      {"authProvider.x509=com.example.Provider", "remove the line"},
      {"audit.impl.class=com.example.Audit", "remove the line"},
      {"sslQuorum=true", "add ssl.quorum.keyStore.location="},
      {tls + "ssl.keyStore.password=a\nssl.keyStore.passwordPath=/p", "given twice"},
  };
  for (const auto& [text, want] : cases) {
    const std::string error = error_in(text);
    EXPECT_NE(error.find(want), std::string::npos) << text << ": " << error;
    EXPECT_EQ(error.find("hunter2"), std::string::npos) << "a secret in a message";
  }
}

TEST(SecurityConfig, APasswordMayStandInAFileOfItsOwn) {
  const test::TemporaryDirectory directory;
  const std::string password = directory.at("password");
  const std::string file = directory.at("zoo.cfg");
  std::ofstream(file) << "dataDir=/d\n" << tls << "ssl.keyStore.passwordPath=" << password << "\n";
  const auto absent = read_config(file);
  ASSERT_TRUE(std::holds_alternative<ConfigErrors>(absent));
  EXPECT_EQ(std::get<ConfigErrors>(absent).front().find(password), 0U);
  std::ofstream(password) << "a secret\n";
  EXPECT_EQ(std::get<Config>(read_config(file)).security.client_tls.key_password, "a secret");
}

}  // namespace
}  // namespace zabfs::daemon
