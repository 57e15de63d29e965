#include "everfold/rpc/admin_service.h"

#include <grpcpp/server_context.h>

#include <filesystem>
#include <string>
#include <utility>

#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/log/embedded/new_store.h"
#include "everfold/rpc/local_caller.h"
#include "everfold/rpc/work_call.h"
#include "everfold/runtime/disk_thread.h"
#include "everfold/v1/admin.grpc.pb.h"

namespace everfold {
namespace {

v1::VerifiedPartition ToProto(const VerifiedPartition& partition) {
  v1::VerifiedPartition message;
  message.set_partition(partition.partition.value());
  message.set_offset(partition.head.offset.value());
  message.set_chunk_number(partition.head.chunk_number);
  const Digest& chain = partition.head.chain.digest;
  message.set_chain(std::string(chain.begin(), chain.end()));
  message.set_events(partition.events);
  message.set_commits(partition.commits);
  message.set_streams(partition.streams);
  return message;
}

v1::VerifyPlace ToProto(FindingPlace place) {
  switch (place) {
    case FindingPlace::kIndex:
      return v1::VERIFY_PLACE_INDEX;
    case FindingPlace::kLogFile:
      return v1::VERIFY_PLACE_LOG_FILE;
    case FindingPlace::kLog:
      return v1::VERIFY_PLACE_LOG;
  }
  return v1::VERIFY_PLACE_UNSPECIFIED;
}

v1::VerifyFinding ToProto(const Finding& finding) {
  v1::VerifyFinding message;
  if (finding.partition.has_value()) message.set_partition(finding.partition->value());
  message.set_chunk_number(finding.chunk_number);
  message.set_offset(finding.offset.value());
  message.set_what(finding.what);
  if (!finding.partition.has_value()) message.set_place(ToProto(finding.place));
  return message;
}

v1::VerifyReport ToProto(const VerifyReport& report) {
  v1::VerifyReport message;
  for (const VerifiedPartition& partition : report.partitions) *message.add_partitions() = ToProto(partition);
  for (const Finding& finding : report.findings) *message.add_findings() = ToProto(finding);
  message.set_findings_left_out(report.findings_left_out);
  message.set_digest(report.Digest());
  return message;
}

class AdminService final : public RpcService, public v1::AdminService::CallbackService {
 public:
  AdminService(const EventStore& store, EmbeddedLog& log, std::string data_directory, const Clock& clock,
               CompleteBackup complete)
      : store_(store),
        log_(log),
        data_directory_(std::move(data_directory)),
        clock_(clock),
        complete_(std::move(complete)) {}

  const char* name() const override { return v1::AdminService::service_full_name(); }
  grpc::Service& service() override { return *this; }

  grpc::ServerWriteReactor<v1::VerifyResponse>* Verify(grpc::CallbackServerContext* context,
                                                       const v1::VerifyRequest* request) override {
    auto* const call = WorkCall<v1::VerifyResponse>::Start();
    if (absl::Status status = CheckLocalCaller(*context); !status.ok()) {
      call->End(std::move(status));
      return call;
    }
    thread_.Post([this, call, quick = request->quick()] { call->End(RunVerify(*call, quick)); });
    return call;
  }

  grpc::ServerWriteReactor<v1::BackupResponse>* Backup(grpc::CallbackServerContext* context,
                                                       const v1::BackupRequest* request) override {
    auto* const call = WorkCall<v1::BackupResponse>::Start();
    if (absl::Status status = CheckBackup(*context, *request); !status.ok()) {
      call->End(std::move(status));
      return call;
    }
    const absl::Time made_at = clock_.Now();
    BackupOptions options{.directory = request->directory(), .made_at = made_at};
    options.complete = complete_;
    options.on_progress = [call](std::uint64_t bytes, std::uint64_t total) {
      v1::BackupResponse response;
      response.mutable_progress()->set_bytes(bytes);
      response.mutable_progress()->set_total(total);
      return call->Tell(std::move(response));
    };
    log_.Backup(std::move(options), [call, made_at](const absl::StatusOr<MadeBackup>& made) {
      call->End(made.ok() ? absl::StatusOr<v1::BackupResponse>(ResponseOf(*made, made_at)) : made.status());
    });
    return call;
  }

 private:
  absl::Status CheckBackup(const grpc::CallbackServerContext& context, const v1::BackupRequest& request) const {
    EVERFOLD_RETURN_IF_ERROR(CheckLocalCaller(context));
    if (std::filesystem::path(request.directory()).is_absolute()) {
      return CheckAreApart(request.directory(), data_directory_);
    }
    return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
                 "directory must be an absolute path on the server's machine");
  }

  static v1::BackupResponse ResponseOf(const MadeBackup& made, absl::Time made_at) {
    v1::BackupResponse response;
    v1::MadeBackup& backup = *response.mutable_backup();
    backup.set_number(made.number);
    backup.set_events(made.events);
    backup.set_bytes_copied(made.bytes_copied);
    const std::int64_t micros = absl::ToUnixMicros(made_at);
    backup.mutable_make_time()->set_seconds(micros / 1'000'000);
    backup.mutable_make_time()->set_nanos(static_cast<std::int32_t>(micros % 1'000'000) * 1000);
    return response;
  }

  absl::StatusOr<v1::VerifyResponse> RunVerify(WorkCall<v1::VerifyResponse>& call, bool quick) const {
    VerifyOptions options{.quick = quick};
    options.on_progress = [&call](const VerifyProgress& progress) {
      v1::VerifyResponse response;
      response.mutable_progress()->set_events(progress.events);
      response.mutable_progress()->set_total(progress.total);
      return call.Tell(std::move(response));
    };
    EVERFOLD_ASSIGN_OR_RETURN(const VerifyReport report, store_.Verify(options));
    v1::VerifyResponse response;
    *response.mutable_report() = ToProto(report);
    return response;
  }

  const EventStore& store_;
  EmbeddedLog& log_;
  const std::string data_directory_;
  const Clock& clock_;
  const CompleteBackup complete_;
  DiskThread thread_{"everfold-admin"};
};

}  // namespace

std::unique_ptr<RpcService> MakeAdminService(const EventStore& store, EmbeddedLog& log, std::string data_directory,
                                             const Clock& clock, CompleteBackup complete) {
  return std::make_unique<AdminService>(store, log, std::move(data_directory), clock, std::move(complete));
}

}  // namespace everfold
