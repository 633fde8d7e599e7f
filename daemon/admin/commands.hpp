// The commands of ZooKeeper's AdminServer: /commands/NAME answers with JSON.
//
// Every answer has "command", the command's first name, and "error", null or a sentence. A list of
// more than limits::operator_entries_max entries is refused with such a sentence.
#pragma once

#include <string>

#include "daemon/admin/http_server.hpp"
#include "daemon/admin/subject.hpp"

namespace zabfs::daemon::admin {

class Commands {
 public:
  // `url` is where the commands are: "/commands".
  explicit Commands(std::string url) : url_(std::move(url)) {}

  HttpReply answer(const HttpRequest& request, Subject& subject);

 private:
  std::string index() const;

  std::string url_;
  std::int64_t trace_mask_{0x132};  // ZooKeeper's; it means nothing here
};

}  // namespace zabfs::daemon::admin
