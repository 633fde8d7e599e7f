#include "fusefs/notify/replay.hpp"

#include <algorithm>
#include <string_view>

#include "fusefs/naming/name.hpp"

namespace zabfs::fusefs::notify {

std::string shown_path(std::string_view path) {
  std::string shown;
  for (std::size_t at = 1; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    if (at > 1) {
      shown += '/';
    }
    shown += naming::shown(path.substr(at, end - at), at == 1);
    at = end + 1;
  }
  return shown;
}

}  // namespace zabfs::fusefs::notify
