// Many readers that wait for one file, each in a thread of its own, as so many processes would:
//
//   waiters FILE COUNT
//
// Every thread opens FILE and reads it, which waits (`NAME@next`). "waiting" is printed when all
// have opened it; when the last one has its line, the times of CLOCK_MONOTONIC, in microseconds, at
// which the first, the middle and the last one had it, and how many lines were not empty.
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

constexpr std::size_t stack_bytes = 32UL << 10;

struct Reader {
  pthread_t thread{};
  std::int64_t woken_us{};
};

const char* file = nullptr;          // NOLINT(*-avoid-non-const-global-variables)
std::atomic<std::size_t> opened{0};  // NOLINT(*-avoid-non-const-global-variables)
std::atomic<std::size_t> woken{0};   // NOLINT(*-avoid-non-const-global-variables)

std::int64_t now_us() {
  using namespace std::chrono;
  return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
}

void* wait_for_line(void* argument) {
  auto& reader = *static_cast<Reader*>(argument);
  const int descriptor = ::open(file, O_RDONLY);
  opened.fetch_add(1);
  opened.notify_one();
  std::array<char, 256> line{};
  if (descriptor >= 0 && ::read(descriptor, line.data(), line.size()) > 0) {
    woken.fetch_add(1);
  }
  reader.woken_us = now_us();
  ::close(descriptor);
  return nullptr;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    std::fprintf(stderr, "usage: waiters FILE COUNT\n");
    return EXIT_FAILURE;
  }
  file = arguments[1];
  std::vector<Reader> readers(static_cast<std::size_t>(std::atoi(arguments[2])));
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stack_bytes);
  for (Reader& reader : readers) {
    if (pthread_create(&reader.thread, &attributes, wait_for_line, &reader) != 0) {
      std::perror("waiters: no thread");
      return EXIT_FAILURE;
    }
  }
  for (std::size_t seen = 0; seen < readers.size(); seen = opened.load()) {
    opened.wait(seen);
  }
  std::printf("waiting\n");
  std::fflush(stdout);
  std::vector<std::int64_t> times;
  for (const Reader& reader : readers) {
    pthread_join(reader.thread, nullptr);
    times.push_back(reader.woken_us);
  }
  std::sort(times.begin(), times.end());
  std::printf("%lld %lld %lld %zu\n", static_cast<long long>(times.front()),
              static_cast<long long>(times[times.size() / 2]), static_cast<long long>(times.back()),
              woken.load());
  return EXIT_SUCCESS;
}
