#include "tests/simulator/checkers/register_versions.hpp"

#include <iterator>

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

void RegisterVersions::check() {
  for (const auto& [path, versions] : registers_) {
    std::int32_t before = -1;
    for (const auto& [zxid, version] : versions) {
      if (version.number <= before) {
        findings_.add("RegisterVersions", path, " is version ", version.number, " at ", zxid,
                      " and was version ", before, " earlier");
      }
      before = version.number;
    }
  }
  for (const Read& read : reads_) {
    const auto& versions = registers_[read.path];
    const auto newer = versions.upper_bound(read.made_by);
    if (newer != versions.end() && newer->first <= read.at) {
      findings_.add("RegisterVersions", "a read of ", read.path, " at ", read.at, " shows ",
                    read.made_by, " although ", newer->first, " wrote it anew");
    }
  }
}

}  // namespace zabfs::test
