// generate-olist: orders that look real, as the files that import-olist reads. `--help` tells the rest.
#include <iostream>
#include <string>

#include "CLI/CLI.hpp"
#include "everfold/base/status.h"
#include "tools/import_olist/data_set_writer.h"
#include "tools/import_olist/order_generator.h"

namespace everfold {
namespace {

absl::Status Generate(const std::string& directory, OrderGenerator::Options options) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<DataSetWriter> writer, DataSetWriter::Open(directory));
  OrderGenerator generator(options);
  for (std::int64_t i = 0; i < options.orders; ++i) writer->Write(generator.Next());
  return writer->Close();
}

}  // namespace
}  // namespace everfold

int main(int argc, char** argv) {
  std::string directory;
  everfold::OrderGenerator::Options options{.orders = 1000};
  CLI::App command("Writes orders that look real, as the files of a data set for import-olist.", "generate-olist");
  command.add_option("DIR", directory, "folder for the files; those that are there are replaced")->required();
  command.add_option("--orders", options.orders, "how many")->capture_default_str()->check(CLI::Range(0, 10'000'000));
  command.add_option("--seed", options.seed, "the same seed and number give the same files")->capture_default_str();
  command.footer("Ends with 0 if the files are written, 1 if they cannot be, 2 for wrong usage.");
  try {
    command.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return command.exit(error) == 0 ? 0 : 2;
  }
  const absl::Status status = everfold::Generate(directory, options);
  if (status.ok()) return 0;
  std::cerr << std::string(status.message()) << "\n";
  return 1;
}
