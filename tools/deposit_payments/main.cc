// deposit-payments: every payment of a file, into the wallet of its payment method. `--help` tells the rest.
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iostream>
#include <set>
#include <string>
#include <system_error>

#include "CLI/CLI.hpp"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "tools/deposit_payments/depositor.h"
#include "tools/import/channel.h"
#include "tools/import/decimal.h"
#include "tools/import/progress_bar.h"
#include "tools/import/rpc_status.h"

namespace everfold {
namespace {

struct Arguments {
  std::string file;
  std::string address = "127.0.0.1:50051";
  int in_flight = 64;
  int patience_seconds = 60;
};

std::set<std::string> WalletsOf(const PaymentFile& file) {
  std::set<std::string> wallets;
  for (const Payment& payment : file.payments) wallets.insert(payment.method);
  return wallets;
}

absl::Status OpenAll(const std::set<std::string>& wallets, Depositor& depositor) {
  for (const std::string& wallet : wallets) {
    if (absl::Status status = depositor.OpenWallet(wallet); !status.ok()) return status;
  }
  return absl::OkStatus();
}

void DepositAll(const PaymentFile& file, Depositor& depositor, ProgressBar& bar) {
  for (const Payment& payment : file.payments) {
    depositor.Deposit(payment);
    bar.Update(depositor.counts().total(), absl::Now());
  }
  depositor.Drain();
  bar.Finish(depositor.counts().total(), absl::Now());
}

absl::Status PrintBalances(const std::set<std::string>& wallets, Depositor& depositor) {
  std::cout << absl::StrFormat("\n%-14s %14s\n", "wallet", "balance");
  for (const std::string& wallet : wallets) {
    const absl::StatusOr<std::int64_t> balance = depositor.BalanceOf(wallet);
    if (!balance.ok()) return balance.status();
    std::cout << absl::StrFormat("%-14s %14s\n", wallet, FormatMinorUnits(*balance, 2));
  }
  return absl::OkStatus();
}

void PrintCounts(const Depositor& depositor, std::size_t bad_lines) {
  const DepositCounts& counts = depositor.counts();
  std::cout << absl::StrFormat("\n%s deposits, %s repeated, %s refused", WithThousands(counts.deposits),
                               WithThousands(counts.repeated), WithThousands(counts.refused));
  if (counts.failed > 0) std::cout << absl::StrFormat(", %s failed", WithThousands(counts.failed));
  if (bad_lines > 0) std::cout << absl::StrFormat(", %s malformed lines", WithThousands(bad_lines));
  if (depositor.repeats() > 0) std::cout << absl::StrFormat(" (%s sent again)", WithThousands(depositor.repeats()));
  std::cout << std::endl;
}

int Run(const Arguments& arguments, const PaymentFile& file) {
  const bool on_terminal = isatty(STDERR_FILENO) != 0;
  ProgressBar bar({.total = static_cast<std::int64_t>(file.payments.size()),
                   .unit = "payments",
                   .on_terminal = on_terminal,
                   .start = absl::Now()},
                  std::cerr);
  const auto report = [&](const Payment& payment, const absl::Status& why) {
    bar.Clear();
    std::cerr << absl::StrFormat("%s:%d: not deposited: %s\n", arguments.file, payment.line, Describe(why));
  };
  const DepositCounts* counts = nullptr;
  const auto tell = [&](absl::Duration quiet) {
    if (quiet < absl::Seconds(1)) return;
    bar.Update(counts->total(), absl::Now(),
               absl::StrFormat("no answer from %s for %d s, trying for %d s", arguments.address,
                               absl::ToInt64Seconds(quiet), arguments.patience_seconds));
  };
  Depositor depositor(
      Connect(arguments.address),
      {.in_flight = arguments.in_flight, .give_up_after = absl::Seconds(arguments.patience_seconds), .on_wait = tell},
      report);
  counts = &depositor.counts();
  const std::set<std::string> wallets = WalletsOf(file);
  absl::Status status = OpenAll(wallets, depositor);
  if (status.ok()) {
    DepositAll(file, depositor, bar);
    status = PrintBalances(wallets, depositor);
    PrintCounts(depositor, file.bad_lines.size());
  }
  if (!status.ok()) {
    std::cerr << absl::StrFormat("no answer from the wallets at %s: %s\n", arguments.address, Describe(status));
  }
  return status.ok() && depositor.counts().failed == 0 && file.bad_lines.empty() ? 0 : 1;
}

int Main(const Arguments& arguments) {
  std::ifstream input(arguments.file);
  if (!input) {
    std::cerr << absl::StrFormat("%s: cannot be read: %s\n", arguments.file, std::generic_category().message(errno));
    return 2;
  }
  const absl::StatusOr<PaymentFile> file = ReadPayments(input, arguments.file);
  if (!file.ok()) {
    std::cerr << std::string(file.status().message()) << "\n";
    return 2;
  }
  for (const BadLine& bad : file->bad_lines) {
    std::cerr << absl::StrFormat("%s:%d: no payment: %s\n", arguments.file, bad.line, bad.why);
  }
  return Run(arguments, *file);
}

}  // namespace
}  // namespace everfold

int main(int argc, char** argv) {
  everfold::Arguments arguments;
  CLI::App command("Deposits every payment of FILE into the wallet of its payment method. Running it again is safe.",
                   "deposit-payments");
  command.add_option("FILE", arguments.file, "CSV with order_id, payment_sequential, payment_type, payment_value")
      ->required();
  command.add_option("--address", arguments.address, "of the running wallet app")
      ->capture_default_str()
      ->check(CLI::Validator(everfold::FaultOfAddress, "HOST:PORT"));
  command.add_option("--in-flight", arguments.in_flight, "calls under way at a time")
      ->capture_default_str()
      ->check(CLI::Range(1, 10000));
  command.add_option("--patience", arguments.patience_seconds, "seconds without any answer until calls fail")
      ->capture_default_str()
      ->check(CLI::Range(1, 86400));
  command.footer(
      "Ends with 0 if all payments are deposited but those that a field rule refuses, 1 if others are not,\n"
      "2 if the file is no file of payments.");
  try {
    command.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return command.exit(error) == 0 ? 0 : 2;
  }
  return everfold::Main(arguments);
}
