#include "everfold/store/export/export_store.h"

#include "everfold/base/status.h"
#include "everfold/store/commit_walk.h"
#include "everfold/store/export/commit_message.h"
#include "everfold/store/export/message_json.h"
#include "everfold/store/export/schema_closure.h"
#include "everfold/v1/export.pb.h"

namespace everfold {
namespace {

constexpr std::uint64_t kCommitsBetweenProgress = 1 << 10;

std::size_t PayloadBytesOf(const Commit& commit) {
  std::size_t bytes = 0;
  for (const StreamEvents& stream : commit.streams) {
    for (const Event& event : stream.events) bytes += event.payload.size();
  }
  return bytes;
}

class Export {
 public:
  Export(const EventStore& store, const ExportOptions& options,
         absl::FunctionRef<absl::Status(std::string_view line)> write)
      : store_(store), options_(options), write_(write), last_(store.DurableSequence()) {}

  absl::StatusOr<ExportCounts> Run() {
    EVERFOLD_RETURN_IF_ERROR(WriteHeader());
    EVERFOLD_RETURN_IF_ERROR(WriteDescriptors());
    EVERFOLD_RETURN_IF_ERROR(WriteCommits());
    EVERFOLD_RETURN_IF_ERROR(WriteEnd());
    return counts_;
  }

 private:
  absl::Status WriteHeader() {
    line_.Clear();
    v1::ExportHeader& header = *line_.mutable_header();
    header.set_format_version(kExportFormatVersion);
    header.set_application(options_.application);
    header.set_epoch(store_.log().identity().epoch.bytes);
    header.set_partitions(store_.log().identity().partitions);
    header.set_last_sequence(last_.value());
    return WriteLine();
  }

  absl::Status WriteDescriptors() {
    const auto set = SchemaClosureOf(TypeNamesOf(store_.types(), store_.log().identity().partitions));
    if (set.file_size() == 0) return absl::OkStatus();
    line_.Clear();
    line_.mutable_descriptors()->set_file_descriptor_set(set.SerializeAsString());
    return WriteLine();
  }

  absl::Status WriteCommits() {
    EVERFOLD_ASSIGN_OR_RETURN(CommitWalk walk, CommitWalk::Begin(store_.log(), store_.types(), last_));
    for (const Offset offset : store_.DurableHead().offsets) total_ += offset.value();
    while (true) {
      EVERFOLD_ASSIGN_OR_RETURN(const bool found, walk.Next());
      if (!found) break;
      EVERFOLD_RETURN_IF_ERROR(WriteCommit(walk.commit()));
    }
    TellProgress();
    return absl::OkStatus();
  }

  absl::Status WriteCommit(const Commit& commit) {
    line_.Clear();
    EVERFOLD_RETURN_IF_ERROR(Fill(commit, *line_.mutable_commit()));
    if (options_.json && PayloadBytesOf(commit) <= kMaxBytesWithJson) AddJson();
    EVERFOLD_RETURN_IF_ERROR(WriteLine());
    ++counts_.commits;
    counts_.events += commit.event_count();
    if (commit.erased) ++counts_.erased_commits;
    if (counts_.commits % kCommitsBetweenProgress == 0) TellProgress();
    return absl::OkStatus();
  }

  void AddJson() {
    for (v1::ExportedStream& stream : *line_.mutable_commit()->mutable_streams()) {
      for (v1::ExportedEvent& event : *stream.mutable_events()) {
        if (!json_.ToStruct(event.type(), event.payload(), *event.mutable_json())) event.clear_json();
      }
    }
  }

  absl::Status WriteEnd() {
    line_.Clear();
    line_.mutable_end()->set_commits(counts_.commits);
    line_.mutable_end()->set_events(counts_.events);
    return WriteLine();
  }

  absl::Status WriteLine() {
    EVERFOLD_ASSIGN_OR_RETURN(std::string text, json_.Write(line_));
    text += '\n';
    return write_(text);
  }

  void TellProgress() const {
    if (options_.on_progress) options_.on_progress({counts_.events, total_});
  }

  const EventStore& store_;
  const ExportOptions& options_;
  const absl::FunctionRef<absl::Status(std::string_view line)> write_;
  const Sequence last_;
  MessageJson json_;
  v1::ExportLine line_;
  ExportCounts counts_;
  std::uint64_t total_ = 0;
};

}  // namespace

absl::StatusOr<ExportCounts> ExportStore(const EventStore& store, const ExportOptions& options,
                                         absl::FunctionRef<absl::Status(std::string_view line)> write) {
  return Export(store, options, write).Run();
}

}  // namespace everfold
