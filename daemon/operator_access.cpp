#include "daemon/operator_access.hpp"

#include <utility>

#include "daemon/admin/prometheus_text.hpp"

namespace zabfs::daemon {

OperatorAccess::OperatorAccess(boost::asio::io_context& context, const AdminConfig& config,
                               admin::Subject& subject)
    : context_(context),
      config_(config),
      subject_(subject),
      commands_(config.url, {.gives_snapshots = config.gives_snapshots,
                             .takes_restores = config.takes_restores,
                             .interval_ms = config.transfer_interval_ms}) {}

std::optional<std::string> OperatorAccess::start() {
  if (config_.is_enabled) {
    commands_open_.emplace(
        context_,
        admin::HttpOptions{
            .address = config_.address, .port = config_.port, .idle_ms = config_.idle_ms},
        [this](const admin::HttpRequest& request, admin::HttpServer::Respond respond) {
          commands_.answer(request, subject_, std::move(respond));
        },
        [this](const admin::HttpRequest& head) { return commands_.admit(head, subject_); });
    if (auto why = commands_open_->start("admin.serverPort and admin.serverAddress")) {
      return why;
    }
  }
  if (config_.exports_metrics) {
    metrics_open_.emplace(
        context_,
        admin::HttpOptions{.address = config_.metrics_address,
                           .port = config_.metrics_port,
                           .idle_ms = config_.idle_ms},
        [this](const admin::HttpRequest& request, const admin::HttpServer::Respond& respond) {
          if (request.path != "/metrics") {
            respond({.status = 404, .body = "The metrics are at /metrics\n"});
            return;
          }
          respond({.type = admin::prometheus_type, .body = admin::prometheus_text(subject_)});
        });
    return metrics_open_->start("metricsProvider.httpPort and metricsProvider.httpHost");
  }
  return std::nullopt;
}

void OperatorAccess::stop() {
  if (commands_open_) {
    commands_open_->stop();
  }
  if (metrics_open_) {
    metrics_open_->stop();
  }
}

}  // namespace zabfs::daemon
