#include <chrono>
#include <thread>

#include "api/server.h"
#include "cli/commands/commands.h"
#include "cli/dispatch.h"
#include "core/log.h"
#include "core/version.h"
#include "pipeline/engine.h"
#include "pipeline/job_runner.h"

namespace tillcast::cli {

CommandSpec serve_command() {
  CommandSpec command;
  command.name = "serve";
  command.summary = "serve the API and the page; other commands then work through it";
  command.examples =
      "  tillcast serve\n  tillcast serve --port 9000 &\n  curl -s http://127.0.0.1:8080/api/v1/kpis\n";
  command.access = Access::kOwner;
  command.options = {
      {"--port", OptionKind::kValue, "TCP port; 0 = any free one", "N", "serve.port"},
      {"--grpc-port", OptionKind::kValue, "TCP port for gRPC beside HTTP, usually 50051; 0 = no gRPC", "N",
       "serve.grpc_port"},
      {"--host", OptionKind::kValue, "address to listen on", "ADDRESS", "serve.host"},
  };
  command.run = [](CommandContext& context) -> Result<int> {
    auto config = TILLCAST_TRY_PLAIN(settings_of(context));
    for (const auto& [option, setting] :
         {std::pair{"--port", "serve.port"}, {"--grpc-port", "serve.grpc_port"}, {"--host", "serve.host"}}) {
      if (context.arguments.has(option))
        TILLCAST_TRY_PLAIN(config.set(setting, context.arguments.text(option), option));
    }
    const auto port = config.integer("serve.port");
    if (port < 0 || port > 65535)
      return invalid_input("serve.port must be 0 to 65535, found " + std::to_string(port));
    const auto grpc_port = config.integer("serve.grpc_port");
    if (grpc_port < 0 || grpc_port > 65535)
      return invalid_input("serve.grpc_port must be 0 to 65535, found " + std::to_string(grpc_port));
    api::ServerOptions options;
    if (grpc_port > 0) options.grpc_port = static_cast<std::uint16_t>(grpc_port);
    options.host = config.text("serve.host");
    options.port = static_cast<std::uint16_t>(port);
    options.query_threads = static_cast<int>(config.integer("serve.query_threads"));
    options.version = kVersion;
    const auto upload_mb = config.integer("serve.upload_mb_max");
    if (upload_mb < 1 || upload_mb > 1'000'000)
      return invalid_input("serve.upload_mb_max must be 1 to 1000000, found " + std::to_string(upload_mb));
    options.upload_bytes_max = static_cast<std::size_t>(upload_mb) << 20;

    const auto engine = TILLCAST_TRY_PLAIN(pipeline::Engine::open(context.data_directory, std::move(config)));
    Metrics metrics;
    metrics.set("tillcast_build_info", "Version of the running program", {{"version", std::string(kVersion)}},
                1);
    const SystemClock clock;
    const auto jobs = TILLCAST_TRY_PLAIN(pipeline::JobRunner::start(*engine, clock));
    const auto server = TILLCAST_TRY_PLAIN(api::Server::start(options, *engine, metrics, jobs.get()));
    const auto control = TILLCAST_TRY_PLAIN(
        ControlServer::start(context.data_directory, [&](const RemoteCall& call, Terminal& terminal) {
          return run_remote_call(call, terminal, *engine, jobs.get());
        }));
    context.terminal.out(server->url() + "\n");
    context.terminal.note("serving " + context.data_directory.string() + " at " + server->url() +
                          "   (Ctrl-C stops)");
    if (!server->grpc_address().empty()) context.terminal.note("gRPC at " + server->grpc_address());
    const auto ready = engine->readiness();
    if (!ready.ready) context.terminal.note("not ready yet: " + ready.detail);
    while (!context.terminal.interrupted()) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    context.terminal.note("stopping: requests in flight are finished first");
    server->stop();
    jobs->stop();
    return kExitOk;
  };
  return command;
}

}  // namespace tillcast::cli
