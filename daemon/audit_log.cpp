#include "daemon/audit_log.hpp"

#include <pwd.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "daemon/logging.hpp"

namespace zabfs::daemon {
namespace {

std::string name_of_this_user() {
  const passwd* user = ::getpwuid(::geteuid());
  return user != nullptr ? user->pw_name : std::to_string(::geteuid());
}

// A name that could end a field, or a line, would let its owner write the audit.
std::string printable(std::string_view text) {
  std::string shown;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    shown += code < ' ' || code == 0x7f ? fmt::format("\\x{:02x}", code) : std::string(1, c);
  }
  return shown;
}

void append(std::string& line, std::string_view name, std::string_view value) {
  if (!value.empty()) {
    line += (line.empty() ? "" : "\t") + std::string(name) + "=" + printable(value);
  }
}

std::string_view text_of(replication::AuditResult result) {
  constexpr std::array<std::string_view, 3> words{"success", "failure", "invoked"};
  return words.at(static_cast<std::size_t>(result));
}

}  // namespace

std::string to_text(const replication::AuditEvent& event, const std::string& server_user) {
  std::string line;
  if (event.session != replication::SessionId{}) {
    append(line, "session", fmt::format("0x{:x}", static_cast<std::uint64_t>(event.session.value)));
  }
  append(line, "user", event.users.empty() ? server_user : event.users);
  append(line, "ip", event.address);
  append(line, "operation", event.operation);
  append(line, "znode", event.znode);
  append(line, "znode_type", event.znode_type);
  append(line, "acl", event.acl);
  append(line, "result", text_of(event.result));
  return line;
}

AuditLog::AuditLog() : logger_(make_logger(LogLevel::info)), server_user_(name_of_this_user()) {}

std::optional<std::string> AuditLog::open(const std::string& file) {
  try {
    auto sink = std::make_shared<spdlog::sinks::basic_file_sink_st>(file);
    logger_ = std::make_shared<spdlog::logger>("audit", std::move(sink));
  } catch (const spdlog::spdlog_ex& error) {
    return std::string("cannot write the audit: ") + error.what() +
           " (zabfs.audit.file names a file that zabd may make and write)";
  }
  logger_->set_pattern("%Y-%m-%dT%H:%M:%S.%e %v");
  logger_->flush_on(spdlog::level::info);
  return std::nullopt;
}

void AuditLog::record(const replication::AuditEvent& event) {
  logger_->info("{}", to_text(event, server_user_));
}

}  // namespace zabfs::daemon
