// Serves the in-memory data set of memory_service.h until SIGINT or SIGTERM: for scripts/check_api.sh, load
// measurements and looking at the page. Usage: api_test_server [PORT] [--empty] [--no-cache]; prints its URL.
#include <pthread.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "api/memory_jobs.h"
#include "api/memory_service.h"
#include "api/server.h"

int main(int argc, char** argv) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  tillcast::test::MemoryService service;
  tillcast::test::MemoryJobs jobs;
  tillcast::Metrics metrics;
  tillcast::api::ServerOptions options;
  options.version = "0.1.0";
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--empty") == 0) {
      service.empty = true;
    } else if (std::strcmp(argv[i], "--no-cache") == 0) {
      options.cache_bytes_max = 0;
    } else {
      options.port = static_cast<std::uint16_t>(std::atoi(argv[i]));
    }
  }
  auto server = tillcast::api::Server::start(options, service, metrics, &jobs);
  if (!server) {
    std::fprintf(stderr, "%s\n", server.error().message.c_str());
    return 1;
  }
  std::printf("%s\n", (*server)->url().c_str());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  (*server)->stop();
  return 0;
}
