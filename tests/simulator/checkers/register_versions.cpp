#include "tests/simulator/checkers/register_versions.hpp"

namespace zabfs::test {

using namespace replication;

void RegisterVersions::on_version(const std::string& path, Zxid zxid, std::int32_t version,
                                  const Data& value) {
  const auto [known, is_new] =
      registers_[path].emplace(zxid, Version{.number = version, .value = value});
  if (!is_new && (known->second.number != version || known->second.value != value)) {
    findings_.add("RegisterVersions", path, " at ", zxid, " is version ", version,
                  " and was version ", known->second.number, ", or has another value");
  }
}

RegisterVersions::Versions::const_iterator RegisterVersions::newest(const Versions& versions,
                                                                    Zxid at) const {
  for (auto version = versions.upper_bound(at); version != versions.begin();) {
    --version;
    if (restorations_.is_visible(version->first, at)) {
      return version;
    }
  }
  return versions.end();
}

void RegisterVersions::check() {
  for (const auto& [path, versions] : registers_) {
    for (const auto& [zxid, version] : versions) {
      const auto before = newest(versions, Zxid{zxid.value - 1});
      if (before != versions.end() && version.number <= before->second.number) {
        findings_.add("RegisterVersions", path, " is version ", version.number, " at ", zxid,
                      " and was version ", before->second.number, " earlier");
      }
    }
  }
  for (const Read& read : reads_) {
    const auto& versions = registers_[read.path];
    const auto shown = newest(versions, read.at);
    if (shown == versions.end() || shown->first != read.made_by) {
      findings_.add("RegisterVersions", "a read of ", read.path, " at ", read.at, " shows ",
                    read.made_by, " although ", shown == versions.end() ? Zxid{} : shown->first,
                    " is what it had to show");
    }
  }
}

}  // namespace zabfs::test
