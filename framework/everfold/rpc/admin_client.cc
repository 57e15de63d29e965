#include "everfold/rpc/admin_client.h"

#include <grpcpp/client_context.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "everfold/rpc/application_stub.h"
#include "everfold/rpc/listen_address.h"
#include "everfold/v1/admin.grpc.pb.h"

namespace everfold {
namespace {

std::unique_ptr<v1::AdminService::Stub> StubFor(const std::string& address) {
  return v1::AdminService::NewStub(ChannelTo(address));
}

FindingPlace PlaceOf(v1::VerifyPlace place) {
  if (place == v1::VERIFY_PLACE_LOG_FILE) return FindingPlace::kLogFile;
  return place == v1::VERIFY_PLACE_LOG ? FindingPlace::kLog : FindingPlace::kIndex;
}

VerifyReport FromProto(const v1::VerifyReport& message) {
  VerifyReport report;
  report.findings_left_out = message.findings_left_out();
  for (const v1::VerifiedPartition& from : message.partitions()) {
    VerifiedPartition& partition = report.partitions.emplace_back();
    partition.partition = PartitionId(from.partition());
    partition.head = {Offset(from.offset()), from.chunk_number(), {}};
    std::copy_n(from.chain().begin(), std::min(from.chain().size(), partition.head.chain.digest.size()),
                partition.head.chain.digest.begin());
    partition.events = from.events();
    partition.commits = from.commits();
    partition.streams = from.streams();
  }
  for (const v1::VerifyFinding& from : message.findings()) {
    Finding& finding = report.findings.emplace_back();
    if (from.has_partition()) finding.partition = PartitionId(from.partition());
    finding.chunk_number = from.chunk_number();
    finding.offset = Offset(from.offset());
    finding.what = from.what();
    finding.place = PlaceOf(from.place());
  }
  return report;
}

absl::Status NoResult(const std::string& address) {
  return absl::InternalError(absl::StrFormat("the application at %s ended without a result", address));
}

}  // namespace

absl::StatusOr<VerifyReport> VerifyAt(const std::string& address, bool quick, const AdminProgress& on_progress) {
  EVERFOLD_RETURN_IF_ERROR(CheckAddress(address));
  const auto stub = StubFor(address);
  grpc::ClientContext context;
  v1::VerifyRequest request;
  request.set_quick(quick);
  absl::StatusOr<VerifyReport> report = NoResult(address);
  const auto responses = stub->Verify(&context, request);
  for (v1::VerifyResponse response; responses->Read(&response);) {
    if (response.has_progress()) on_progress(response.progress().events(), response.progress().total());
    if (response.has_report()) report = FromProto(response.report());
  }
  const grpc::Status status = responses->Finish();
  if (!status.ok()) return AnswerOf(address, status);
  return report;
}

absl::StatusOr<MadeBackup> BackupAt(const std::string& address, const std::string& directory,
                                    const AdminProgress& on_progress) {
  EVERFOLD_RETURN_IF_ERROR(CheckAddress(address));
  const auto stub = StubFor(address);
  grpc::ClientContext context;
  v1::BackupRequest request;
  request.set_directory(directory);
  absl::StatusOr<MadeBackup> made = NoResult(address);
  const auto responses = stub->Backup(&context, request);
  for (v1::BackupResponse response; responses->Read(&response);) {
    if (response.has_progress()) on_progress(response.progress().bytes(), response.progress().total());
    if (!response.has_backup()) continue;
    made = MadeBackup{response.backup().number(), response.backup().events(), response.backup().bytes_copied()};
  }
  const grpc::Status status = responses->Finish();
  if (!status.ok()) return AnswerOf(address, status);
  return made;
}

}  // namespace everfold
