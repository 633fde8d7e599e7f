// What a certificate says: its subject as ACLs name it, and the hosts it is for.
#include "daemon/tls/certificate.hpp"

#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include <memory>
#include <vector>

namespace zabfs::daemon::tls {
namespace {

struct Deleter {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
};
using Certificate = std::unique_ptr<X509, Deleter>;

struct Attribute {
  const char* name{};
  const char* value{};
  bool is_beside_the_last{};  // in one part of the name with the one in front
};

// Not signed: nobody here looks at that.
Certificate certificate_of(const std::vector<Attribute>& subject, const char* hosts = nullptr) {
  Certificate made(X509_new());
  X509_NAME* name = X509_get_subject_name(made.get());
  for (const auto& [key, value, is_beside] : subject) {
    X509_NAME_add_entry_by_txt(name, key, MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(value), -1, -1,
                               is_beside ? -1 : 0);
  }
  if (hosts != nullptr) {
    const std::unique_ptr<X509_EXTENSION, Deleter> names(
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, hosts));
    X509_add_ext(made.get(), names.get(), -1);
  }
  return made;
}

std::string subject(const std::vector<Attribute>& attributes) {
  return subject_of(*certificate_of(attributes));
}

TEST(Certificate, ItsSubjectBeginsWithTheLastPart) {
  EXPECT_EQ(subject({{"C", "DE"}, {"O", "Example"}, {"OU", "Research"}, {"CN", "alice"}}),
            "CN=alice,OU=Research,O=Example,C=DE");
  EXPECT_EQ(subject({{"DC", "org"}, {"DC", "example"}, {"UID", "bob"}, {"L", "Bonn"}}),
            "L=Bonn,UID=bob,DC=example,DC=org");
  EXPECT_EQ(subject({}), "");
}

TEST(Certificate, ItsSubjectEscapesWhatWouldEndAPart) {
  EXPECT_EQ(subject({{"CN", "a,b+c\"d\\e<f>g;h=i#j"}}),
            "CN=a\\,b\\+c\\\"d\\\\e\\<f\\>g\\;h\\=i\\#j");
  EXPECT_EQ(subject({{"CN", "  two  outside  "}}), "CN=\\ \\ two  outside\\ \\ ");
  EXPECT_EQ(subject({{"CN", "J\xc3\xbcrgen"}}), "CN=J\xc3\xbcrgen");
}

TEST(Certificate, ItsSubjectShowsUnknownAttributesAsBytes) {
  EXPECT_EQ(subject({{"O", "Example"}, {"emailAddress", "a@b.c"}}),
            "1.2.840.113549.1.9.1=#160561406"
            "22e63,O=Example");
}

TEST(Certificate, ItsSubjectKeepsTogetherWhatIsOnePart) {
  const std::string together = subject({{"O", "Example"}, {"CN", "alice"}, {"UID", "7", true}});
  EXPECT_NE(together.find('+'), std::string::npos) << together;
  EXPECT_TRUE(together.ends_with(",O=Example")) << together;
}

TEST(Certificate, IsForTheHostsItNames) {
  const auto named = certificate_of({{"CN", "alpha"}}, "DNS:alpha.example.org,IP:10.0.0.7");
  EXPECT_TRUE(is_for_host(*named, "alpha.example.org"));
  EXPECT_TRUE(is_for_host(*named, "10.0.0.7"));
  EXPECT_FALSE(is_for_host(*named, "beta.example.org"));
  EXPECT_FALSE(is_for_host(*named, "10.0.0.8"));
  EXPECT_FALSE(is_for_host(*named, ""));
}

}  // namespace
}  // namespace zabfs::daemon::tls
