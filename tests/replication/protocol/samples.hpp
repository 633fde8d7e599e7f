// At least one of every request and response, with what is easily lost on the way: null and empty
// data, empty lists, negative numbers, text that is not ASCII.
#pragma once

#include <utility>
#include <vector>

#include "replication/protocol/requests.hpp"
#include "replication/protocol/responses.hpp"

namespace zabfs::replication::protocol {

std::vector<Request> sample_requests();

// A response is decoded by what was asked.
struct SampleResponse {
  OpCode op{};
  Response response{};
};
std::vector<SampleResponse> sample_responses();

}  // namespace zabfs::replication::protocol
