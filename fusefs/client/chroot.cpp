#include "fusefs/client/chroot.hpp"

#include <variant>

namespace zabfs::fusefs::client {
namespace {

template <class Record>
concept HasPath = requires(Record& record) {
  record.path;
};

}  // namespace

void Chroot::add_to(std::string& path) const {
  if (path.starts_with("//")) {
    path.erase(0, 1);
  } else {
    path = path == "/" ? path_ : path_ + path;
  }
}

void Chroot::add_to(replication::protocol::Request& request) const {
  if (path_.empty()) {
    return;
  }
  const auto add = [this](auto& record) {
    if constexpr (HasPath<decltype(record)>) {
      add_to(record.path);
    }
  };
  std::visit(add, request);
  if (auto* multi = std::get_if<replication::protocol::MultiRequest>(&request)) {
    for (auto& operation : multi->operations) {
      std::visit(add, operation);
    }
  }
}

void Chroot::strip_from(std::string& path) const {
  if (path_.empty()) {
    return;
  }
  if (path == path_) {
    path.resize(1);  // "/"
  } else if (path.starts_with(path_) && path[path_.size()] == '/') {
    path.erase(0, path_.size());
  } else if (path.starts_with('/')) {
    path.insert(0, 1, '/');
  }
}

void Chroot::strip_from(replication::protocol::Response& response) const {
  if (path_.empty()) {
    return;
  }
  const auto strip = [this](auto& record) {
    if constexpr (HasPath<decltype(record)>) {
      strip_from(record.path);
    }
  };
  std::visit(strip, response);
  if (auto* multi = std::get_if<replication::protocol::MultiResponse>(&response)) {
    for (auto& result : multi->results) {
      std::visit(strip, result.body);
    }
  }
}

}  // namespace zabfs::fusefs::client
