// import-olist: real orders and payments, into a running shop. `--help` tells the rest.
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "tools/import/channel.h"
#include "tools/import/progress_bar.h"
#include "tools/import/rpc_status.h"
#include "tools/import_olist/data_set.h"
#include "tools/import_olist/figures.h"
#include "tools/import_olist/importer.h"
#include "tools/import_olist/oddities.h"
#include "tools/import_olist/refusal.h"
#include "tools/import_olist/rejections.h"

namespace everfold {
namespace {

enum ExitCode { kImported = 0, kSomeRejected = 1, kWrongUsage = 2, kNoAnswer = 3 };

struct Arguments {
  std::string directory;
  std::string address = "127.0.0.1:50051";
  int in_flight = 256;
  int patience_seconds = 60;
};

class Import {
 public:
  Import(const Arguments& arguments, const DataSet& data)
      : arguments_(arguments),
        data_(data),
        start_(absl::Now()),
        bar_({.total = static_cast<std::int64_t>(data.orders.size()),
              .unit = "orders",
              .on_terminal = isatty(STDERR_FILENO) != 0,
              .start = start_},
             std::cerr),
        rejections_(data),
        channel_(Connect(arguments.address)),
        importer_(channel_, Window([this](absl::Duration quiet) { Draw(NoteOf(quiet)); }),
                  [this](const RefusedStep& refused) { OnRefused(refused); }) {}

  int Run() {
    for (const OlistOrder& order : data_.orders) {
      importer_.Import(order);
      Draw("");
    }
    importer_.Drain();
    bar_.Finish(importer_.counts().orders, absl::Now());
    PrintCounts();
    if (!importer_.unreachable().ok()) return NoAnswer(importer_.unreachable());
    PrintOddities();
    return PrintFigures();
  }

 private:
  CallWindow::Options Window(std::function<void(absl::Duration)> on_wait) const {
    return {.in_flight = arguments_.in_flight,
            .give_up_after = absl::Seconds(arguments_.patience_seconds),
            .on_wait = std::move(on_wait)};
  }

  void Draw(const std::string& note) { bar_.Update(importer_.counts().orders, absl::Now(), note); }

  // Nothing while answers come.
  std::string NoteOf(absl::Duration quiet) const {
    if (quiet < absl::Seconds(1)) return "";
    return absl::StrFormat("no answer from %s for %d s, trying for %d s", arguments_.address,
                           absl::ToInt64Seconds(quiet), arguments_.patience_seconds);
  }

  void OnRefused(const RefusedStep& refused) {
    const Step& step = refused.step;
    rejections_.AddRow(step.file, step.line);
    if (!refused.is_placed) rejections_.AddOrder(refused.order);
    bar_.Clear();
    std::cerr << absl::StrFormat("%s/%s:%d: rejected: %s: %s\n", arguments_.directory, step.file, step.line, step.name,
                                 TextOf(refused.why));
  }

  void PrintCounts() const {
    const ImportCounts& counts = importer_.counts();
    const double seconds = std::max(absl::ToDoubleSeconds(absl::Now() - start_), 0.001);
    const auto rate = [seconds](std::int64_t count) {
      return WithThousands(static_cast<std::int64_t>(static_cast<double>(count) / seconds));
    };
    std::cout << absl::StrFormat("%s orders in %.1f s (%s/s): %s commands accepted, %s repeated (%s/s)",
                                 WithThousands(counts.orders), seconds, rate(counts.orders),
                                 WithThousands(counts.accepted), WithThousands(counts.repeated),
                                 rate(counts.accepted + counts.repeated));
    if (importer_.repeats() > 0) std::cout << absl::StrFormat(", %s sent again", WithThousands(importer_.repeats()));
    std::cout << "\n" << rejections_.Text() << std::endl;
  }

  void PrintOddities() const {
    OddityList oddities;
    for (const OlistOrder& order : data_.orders) {
      if (!rejections_.Has(order)) oddities.Add(order);
    }
    oddities.Print(std::cout);
  }

  int PrintFigures() {
    const auto tell = [](absl::Duration quiet) {
      const std::int64_t seconds = absl::ToInt64Seconds(quiet);
      if (seconds > 0 && seconds % 5 == 0) std::cerr << absl::StrFormat("the read models follow, for %d s\n", seconds);
    };
    const absl::StatusOr<Figures> figures = ReadFigures(channel_, Window(tell), importer_.consistency_token());
    if (!figures.ok()) return NoAnswer(figures.status());
    std::cout << "\n";
    Print(*figures, std::cout);
    return rejections_.empty() ? kImported : kSomeRejected;
  }

  int NoAnswer(const absl::Status& status) const {
    std::cerr << absl::StrFormat(
        "no answer from the shop at %s: %s\n"
        "run the same command again: what is there is not done twice\n",
        arguments_.address, Describe(status));
    return kNoAnswer;
  }

  const Arguments& arguments_;
  const DataSet& data_;
  const absl::Time start_;
  ProgressBar bar_;
  Rejections rejections_;
  std::shared_ptr<grpc::Channel> channel_;
  Importer importer_;
};

int Main(const Arguments& arguments) {
  const absl::StatusOr<DataSet> data = ReadDataSet(arguments.directory);
  if (!data.ok()) {
    std::cerr << Describe(data.status()) << "\n";
    return kWrongUsage;
  }
  for (const BadRow& row : data->bad_rows) {
    std::cerr << absl::StrFormat("%s/%s:%d: rejected: %s\n", arguments.directory, row.file, row.line, row.why);
  }
  return Import(arguments, *data).Run();
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
  command.add_option("--address", arguments.address, "of the running shop")
      ->capture_default_str()
      ->check(CLI::Validator(everfold::FaultOfAddress, "HOST:PORT"));
  command.add_option("--in-flight", arguments.in_flight, "orders under way at a time")
      ->capture_default_str()
      ->check(CLI::Range(1, 10000));
  command.add_option("--patience", arguments.patience_seconds, "seconds without any answer until the import ends")
      ->capture_default_str()
      ->check(CLI::Range(1, 86400));
  command.footer(
      "The full data set, 100,000 orders, is the Brazilian E-Commerce Public Dataset by Olist on Kaggle:\n"
      "https://www.kaggle.com/datasets/olistbr/brazilian-ecommerce\n\n"
      "Rejected rows are told with file, line, step and reason; everything else is imported. Oddities of the data, as\n"
      "an order that reached the carrier before it was approved, are imported as they are, and listed as warnings.\n"
      "What is imported stands: a row that is corrected afterwards is rejected.\n\n"
      "Ends with 0 if every row is imported, 1 if some were rejected, 2 if the folder holds no such data set, 3 if\n"
      "the shop gives no answer.");
  try {
    command.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return command.exit(error) == 0 ? 0 : everfold::kWrongUsage;
  }
  return everfold::Main(arguments);
}
