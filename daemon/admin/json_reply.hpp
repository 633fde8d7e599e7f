// The form that every answer of a command has: an object with "command" and "error".
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <string_view>
#include <utility>

#include "daemon/admin/http_server.hpp"

namespace zabfs::daemon::admin {

// "error" is null unless the answer has one.
inline HttpReply json_reply(std::string_view command, boost::json::object answer,
                            unsigned status = 200) {
  answer["command"] = command;
  answer.emplace("error", nullptr);
  return {.status = status, .type = "application/json", .body = boost::json::serialize(answer)};
}

}  // namespace zabfs::daemon::admin
