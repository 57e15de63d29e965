// fake-psp: a payment provider for tests. `--help` tells the rest.
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <signal.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "CLI/CLI.hpp"
#include "google/protobuf/util/json_util.h"
#include "tools/fake_psp/books.h"
#include "tools/fake_psp/provider.h"
#include "tools/fake_psp/provider_service.h"

namespace psp {
namespace {

enum ExitCode { kDone = 0, kFailed = 1, kWrongUsage = 2 };

struct Arguments {
  std::string books;
  std::string address = "127.0.0.1:50061";
  FaultOptions faults;
  int most_delay_ms = 200;
};

int Fail(const std::string& text) {
  std::cerr << "fake-psp: " << text << std::endl;
  return kFailed;
}

// Returns the signal that came.
int WaitForSignal(const sigset_t& signals) {
  int number = 0;
  while (sigwait(&signals, &number) != 0) continue;
  return number;
}

int Serve(const Arguments& arguments) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // before there are threads, which inherit it

  absl::StatusOr<std::unique_ptr<Books>> books = Books::Open(arguments.books);
  if (!books.ok()) return Fail(std::string(books.status().message()));
  Provider provider(*std::move(books), arguments.faults);
  ProviderService service(provider);
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(arguments.address, grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0) return Fail("cannot listen at " + arguments.address);
  std::cout << "fake-psp ready at " << arguments.address << std::endl;
  WaitForSignal(signals);
  server->Shutdown(std::chrono::system_clock::now());
  server->Wait();
  return kDone;
}

int Report(const Arguments& arguments) {
  const absl::StatusOr<std::unique_ptr<Books>> books = Books::Open(arguments.books);
  if (!books.ok()) return Fail(std::string(books.status().message()));
  const absl::StatusOr<v1::BooksReport> report = (*books)->Report();
  if (!report.ok()) return Fail(std::string(report.status().message()));
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string json;
  if (const auto written = google::protobuf::util::MessageToJsonString(*report, &json, options); !written.ok()) {
    return Fail(std::string(written.message()));
  }
  std::cout << json << std::endl;
  return kDone;
}

void AddFaults(CLI::App& serve, Arguments& arguments) {
  FaultOptions& faults = arguments.faults;
  serve.add_option("--seed", faults.seed, "decides what goes wrong")->capture_default_str();
  const auto share = [&serve](const char* name, double& value, const char* text) {
    serve.add_option(name, value, text)->capture_default_str()->check(CLI::Range(0.0, 1.0));
  };
  share("--drop-request", faults.drop_request, "share of calls that are lost before anything is done");
  share("--drop-answer", faults.drop_answer, "share of calls whose answers are lost");
  share("--hang", faults.hang, "share of those whose callers are left waiting");
  share("--delay", faults.delay, "share of answers that are late");
  share("--twice", faults.twice, "share of calls that arrive twice, and of notifications that are told twice");
  share("--reorder", faults.reorder, "share of notifications that are told after the next one");
  share("--decline", faults.decline, "share of authorizations that are declined");
  share("--pending", faults.pending, "share of authorizations that the payer's bank answers later");
  serve.add_option("--most-delay-ms", arguments.most_delay_ms, "the most that anything is late")
      ->capture_default_str()
      ->check(CLI::Range(0, 3'600'000));
}

}  // namespace
}  // namespace psp

int main(int argc, char** argv) {
  psp::Arguments arguments;
  CLI::App command("A payment provider for tests, which loses, doubles and delays answers, and keeps its own books.",
                   "fake-psp");
  command.require_subcommand(1);
  CLI::App* const serve = command.add_subcommand("serve", "Serves until SIGTERM.");
  CLI::App* const report = command.add_subcommand("report", "Prints the books as JSON, also while a provider serves.");
  for (CLI::App* const verb : {serve, report}) {
    verb->add_option("--books", arguments.books, "SQLite file; created where there is none")->required();
  }
  serve->add_option("--listen", arguments.address, "HOST:PORT")->capture_default_str();
  psp::AddFaults(*serve, arguments);
  try {
    command.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return command.exit(error) == 0 ? 0 : psp::kWrongUsage;
  }
  arguments.faults.most_delay = absl::Milliseconds(arguments.most_delay_ms);
  return serve->parsed() ? psp::Serve(arguments) : psp::Report(arguments);
}
