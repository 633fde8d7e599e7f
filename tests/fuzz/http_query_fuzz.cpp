// The query of a request over HTTP: whatever stands there is taken apart and nothing is made up.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "daemon/admin/http_server.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view query(reinterpret_cast<const char*>(data), size);
  std::size_t bytes = 0;
  for (const auto& [name, value] : zabfs::daemon::admin::parse_query(query)) {
    bytes += name.size() + value.size();
  }
  if (bytes > size) {
    std::abort();
  }
  return 0;
}
