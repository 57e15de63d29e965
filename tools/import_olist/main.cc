// import-olist: real orders and payments, into a running shop. `--help` tells the rest.
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "tools/import/channel.h"
#include "tools/import/progress_bar.h"
#include "tools/import/rpc_status.h"
#include "tools/import_olist/data_set.h"
#include "tools/import_olist/figures.h"
#include "tools/import_olist/importer.h"
#include "tools/import_olist/oddities.h"

namespace everfold {
namespace {

enum ExitCode { kImported = 0, kSomeRejected = 1, kWrongUsage = 2, kNoAnswer = 3 };

struct Arguments {
  std::string directory;
  std::string address = "127.0.0.1:50051";
  int in_flight = 256;
  int patience_seconds = 60;
};

void ImportAll(const DataSet& data, Importer& importer, ProgressBar& bar) {
  for (const OlistOrder& order : data.orders) {
    importer.Import(order);
    bar.Update(importer.counts().orders, absl::Now());
  }
  importer.Drain();
  bar.Finish(importer.counts().orders, absl::Now());
}

void PrintCounts(const DataSet& data, const Importer& importer, absl::Duration elapsed) {
  const ImportCounts& counts = importer.counts();
  const double seconds = std::max(absl::ToDoubleSeconds(elapsed), 0.001);
  const auto rate = [seconds](std::int64_t count) {
    return WithThousands(static_cast<std::int64_t>(static_cast<double>(count) / seconds));
  };
  std::cout << absl::StrFormat("%s orders in %.1f s (%s/s): %s commands accepted, %s repeated (%s/s)",
                               WithThousands(counts.orders), seconds, rate(counts.orders),
                               WithThousands(counts.accepted), WithThousands(counts.repeated),
                               rate(counts.accepted + counts.repeated));
  if (importer.repeats() > 0) std::cout << absl::StrFormat(", %s sent again", WithThousands(importer.repeats()));
  std::cout << absl::StrFormat("\n%s rejected rows",
                               WithThousands(static_cast<std::int64_t>(data.bad_rows.size()) + counts.refused));
  if (data.rows_of_bad_orders > 0) {
    std::cout << absl::StrFormat(", and %s rows of their orders", WithThousands(data.rows_of_bad_orders));
  }
  std::cout << std::endl;
}

int NoAnswer(const std::string& address, const absl::Status& status) {
  std::cerr << absl::StrFormat("no answer from the shop at %s: %s\n", address, Describe(status));
  return kNoAnswer;
}

int Run(const Arguments& arguments, const DataSet& data) {
  const absl::Time start = absl::Now();
  ProgressBar bar({.total = static_cast<std::int64_t>(data.orders.size()),
                   .unit = "orders",
                   .on_terminal = isatty(STDERR_FILENO) != 0,
                   .start = start},
                  std::cerr);
  const auto report = [&](const Step& step, const absl::Status& why) {
    bar.Clear();
    std::cerr << absl::StrFormat("%s/%s:%d: rejected: %s\n", arguments.directory, step.file, step.line, Describe(why));
  };
  const CallWindow::Options options = {.in_flight = arguments.in_flight,
                                       .give_up_after = absl::Seconds(arguments.patience_seconds)};
  const std::shared_ptr<grpc::Channel> channel = Connect(arguments.address);
  Importer importer(channel, options, report);
  ImportAll(data, importer, bar);
  PrintCounts(data, importer, absl::Now() - start);
  if (!importer.unreachable().ok()) return NoAnswer(arguments.address, importer.unreachable());

  OddityList oddities;
  for (const OlistOrder& order : data.orders) oddities.Add(order);
  oddities.Print(std::cout);
  const absl::StatusOr<Figures> figures = ReadFigures(channel, options, importer.consistency_token());
  if (!figures.ok()) return NoAnswer(arguments.address, figures.status());
  std::cout << "\n";
  Print(*figures, std::cout);
  return data.bad_rows.empty() && importer.counts().refused == 0 ? kImported : kSomeRejected;
}

int Main(const Arguments& arguments) {
  const absl::StatusOr<DataSet> data = ReadDataSet(arguments.directory);
  if (!data.ok()) {
    std::cerr << Describe(data.status()) << "\n";
    return kWrongUsage;
  }
  for (const BadRow& row : data->bad_rows) {
    std::cerr << absl::StrFormat("%s/%s:%d: rejected: %s\n", arguments.directory, row.file, row.line, row.why);
  }
  return Run(arguments, *data);
}

}  // namespace
}  // namespace everfold

int main(int argc, char** argv) {
  everfold::Arguments arguments;
  CLI::App command(
      "Imports the orders and payments of a data set into a running shop. Running it again changes nothing.",
      "import-olist");
  command
      .add_option("DIR", arguments.directory,
                  "folder with olist_orders_dataset.csv, olist_order_items_dataset.csv,\n"
                  "olist_order_payments_dataset.csv and olist_customers_dataset.csv")
      ->required();
  command.add_option("--address", arguments.address, "of the running shop")->capture_default_str();
  command.add_option("--in-flight", arguments.in_flight, "orders under way at a time")
      ->capture_default_str()
      ->check(CLI::Range(1, 10000));
  command.add_option("--patience", arguments.patience_seconds, "seconds until a call that gets no answer has failed")
      ->capture_default_str()
      ->check(CLI::Range(1, 86400));
  command.footer(
      "Rejected rows are told with file, line and reason; everything else is imported. Oddities of the data, as an "
      "order\n"
      "that reached the carrier before it was approved, are imported as they are, and listed as warnings.\n\n"
      "Ends with 0 if every row is imported, 1 if some were rejected, 2 if the folder holds no such data set, 3 if "
      "the\n"
      "shop gives no answer.");
  try {
    command.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return command.exit(error) == 0 ? 0 : everfold::kWrongUsage;
  }
  return everfold::Main(arguments);
}
