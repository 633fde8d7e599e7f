// Where operators ask beside the client port: the commands over HTTP, and the metrics.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "daemon/admin/commands.hpp"
#include "daemon/admin/http_server.hpp"
#include "daemon/admin/subject.hpp"
#include "daemon/admin_config.hpp"

namespace zabfs::daemon {

class OperatorAccess {
 public:
  // `subject` outlives it.
  OperatorAccess(boost::asio::io_context& context, const AdminConfig& config,
                 admin::Subject& subject);

  // Opens what the configuration asks for. Returns a sentence if that cannot be done.
  std::optional<std::string> start();
  void stop();

  // 0 while it is not open.
  std::uint16_t command_port() const { return commands_open_ ? commands_open_->port() : 0; }
  std::uint16_t metrics_port() const { return metrics_open_ ? metrics_open_->port() : 0; }

 private:
  boost::asio::io_context& context_;
  const AdminConfig config_;
  admin::Subject& subject_;
  admin::Commands commands_;
  std::optional<admin::HttpServer> commands_open_;
  std::optional<admin::HttpServer> metrics_open_;
};

}  // namespace zabfs::daemon
