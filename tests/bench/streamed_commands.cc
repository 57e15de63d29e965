#include "tests/bench/streamed_commands.h"

#include "absl/strings/str_format.h"
#include "tests/bench/command_target.h"
#include "tests/bench/grpc_target.h"
#include "tests/bench/machine.h"

namespace everfold::bench {

StreamedCommands::StreamedCommands(const std::string& address, const Payloads& payloads, StreamedLoad load)
    : stub_(v1::CommandService::NewStub(Connect(address))), payloads_(payloads), load_(load) {}

absl::StatusOr<double> StreamedCommands::RunFor(absl::Duration time) {
  const std::int64_t began = NowNanos();
  end_ = began + absl::ToInt64Nanoseconds(time);
  stub_->async()->ExecuteMany(&context_, this);
  StartRead(&response_);
  {
    MutexLock lock(&mutex_);
    GoOn();
  }
  StartCall();
  done_.WaitForNotification();
  const std::int64_t ended = NowNanos();
  MutexLock lock(&mutex_);
  if (!failure_.ok()) return failure_;
  return static_cast<double>(answered_) * 1e9 / static_cast<double>(ended - began);
}

void StreamedCommands::OnWriteDone(bool ok) {
  MutexLock lock(&mutex_);
  writing_ = false;
  if (ok) GoOn();
}

void StreamedCommands::OnReadDone(bool ok) {
  if (!ok) return;
  {
    MutexLock lock(&mutex_);
    Count();
    GoOn();
  }
  StartRead(&response_);
}

void StreamedCommands::OnDone(const grpc::Status& status) {
  {
    MutexLock lock(&mutex_);
    if (!status.ok() && failure_.ok()) failure_ = absl::InternalError(status.error_message());
  }
  done_.Notify();
}

void StreamedCommands::Count() {
  answered_ += static_cast<std::uint64_t>(response_.items_size());
  for (const v1::ExecuteManyResponse::Item& item : response_.items()) {
    if (item.has_error() && failure_.ok()) failure_ = absl::InternalError(item.error().message());
  }
}

void StreamedCommands::GoOn() {
  if (writing_ || ended_) return;
  if (NowNanos() >= end_) {
    ended_ = true;
    return StartWritesDone();
  }
  if (sent_ - answered_ + load_.batch > load_.under_way) return;
  FillBatch();
  sent_ += load_.batch;
  writing_ = true;
  StartWrite(&request_);
}

void StreamedCommands::FillBatch() {
  while (request_.items_size() < static_cast<int>(load_.batch)) request_.add_items();
  for (v1::ExecuteManyRequest::Item& item : *request_.mutable_items()) {
    FillCommand(noise_, payloads_, load_.streams, command_);
    item.mutable_command()->mutable_command()->PackFrom(command_);
  }
}

}  // namespace everfold::bench
