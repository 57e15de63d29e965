// generate-olist: orders that look real, as the files that import-olist reads. `--help` tells the rest.
#include <iostream>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "tools/import/progress_bar.h"
#include "tools/import_olist/data_set_writer.h"
#include "tools/import_olist/order_generator.h"

namespace everfold {
namespace {

absl::Status Generate(const std::string& directory, ExistingFiles existing, OrderGenerator::Options options) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<DataSetWriter> writer, DataSetWriter::Open(directory, existing));
  OrderGenerator generator(options);
  for (std::int64_t i = 0; i < options.orders; ++i) writer->Write(generator.Next());
  return writer->Close();
}

int Main(const std::string& directory, ExistingFiles existing, OrderGenerator::Options options) {
  const absl::Status status = Generate(directory, existing, options);
  if (status.ok()) {
    std::cout << absl::StrFormat("%s orders written to %s\n", WithThousands(options.orders), directory);
    return 0;
  }
  std::cerr << std::string(status.message());
  if (absl::IsAlreadyExists(status)) std::cerr << "; --replace writes over the data set that is there";
  std::cerr << "\n";
  return 1;
}

}  // namespace
}  // namespace everfold

int main(int argc, char** argv) {
  std::string directory;
  bool replace = false;
  everfold::OrderGenerator::Options options{.orders = 1000};
  CLI::App command("Writes orders that look real, as the files of a data set for import-olist.", "generate-olist");
  command.add_option("DIR", directory, "folder for the files")->required();
  command.add_flag("--replace", replace, "write over the data set that DIR holds already");
  command.add_option("--orders", options.orders, "how many")->capture_default_str()->check(CLI::Range(0, 10'000'000));
  command.add_option("--seed", options.seed, "the same seed and number give the same files")->capture_default_str();
  command.footer("Ends with 0 if the files are written, 1 if they cannot be, 2 for wrong usage.");
  try {
    command.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return command.exit(error) == 0 ? 0 : 2;
  }
  return everfold::Main(directory, replace ? everfold::ExistingFiles::kReplaced : everfold::ExistingFiles::kKept,
                        options);
}
