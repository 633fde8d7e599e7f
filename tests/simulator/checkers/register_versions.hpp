// Registers: znodes that are only ever set. What every write and every read says of them must be
// one story: a version of a register has one zxid and one value, versions ascend with zxids, and a
// read shows the newest version that is not after the moment of its answer. A restore goes back to
// an earlier version, and from there on the story continues.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"
#include "tests/simulator/checkers/findings.hpp"
#include "tests/simulator/checkers/restorations.hpp"

namespace zabfs::test {

class RegisterVersions {
 public:
  RegisterVersions(Findings& findings, const Restorations& restorations)
      : findings_(findings), restorations_(restorations) {}

  // A write was acknowledged, or a read showed it: `version` of `path` was made by `zxid`.
  void on_version(const std::string& path, replication::Zxid zxid, std::int32_t version,
                  const replication::Data& value);

  // An answer made at `at` showed the version of `made_by`.
  void on_read(const std::string& path, replication::Zxid at, replication::Zxid made_by) {
    reads_.push_back({.path = path, .at = at, .made_by = made_by});
  }

  // To be called in the end, when every version is known that will be.
  void check();

 private:
  struct Version {
    std::int32_t number{};
    replication::Data value{};
  };

  using Versions = std::map<replication::Zxid, Version>;

  struct Read {
    std::string path{};
    replication::Zxid at{};
    replication::Zxid made_by{};
  };

  // The newest version that there was behind transaction `at`; the end of all if there was none.
  Versions::const_iterator newest(const Versions& versions, replication::Zxid at) const;

  Findings& findings_;
  const Restorations& restorations_;
  std::map<std::string, Versions> registers_{};
  std::vector<Read> reads_{};
};

}  // namespace zabfs::test
