// What the clients of a simulation ask, drawn at random: few names and versions that are nearly
// right, so that requests meet, succeed and fail about equally often.
#pragma once

#include <cstdint>
#include <string>

#include "replication/ports/random.hpp"
#include "replication/protocol/requests.hpp"
#include "tests/simulator/model.hpp"

namespace zabfs::test {

class Workload {
 public:
  // Both outlive this. What exists is looked up in `model`.
  Workload(replication::Random& chance, const Model& model) : chance_(chance), model_(model) {}

  // A create of any kind, delete, setData, setACL or multi.
  replication::protocol::Request write();

  // Up to three levels of one letter each; or, often, what exists near there.
  std::string path();

 private:
  replication::protocol::Request multi();
  replication::protocol::MultiOperation operation();
  std::string sequential_name();
  std::int32_t version_of(const std::string& path);
  replication::Data data();

  replication::Random& chance_;
  const Model& model_;
};

}  // namespace zabfs::test
