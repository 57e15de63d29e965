#include "everfold/projection/projection.h"

#include <atomic>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/mutex.h"
#include "everfold/base/status.h"
#include "everfold/base/unavailable.h"
#include "everfold/projection/progress.h"
#include "everfold/projection/read_model_file.h"
#include "everfold/projection/read_model_sql.h"
#include "everfold/runtime/task_scope.h"
#include "everfold/subscription/subscription.h"

namespace everfold {
namespace {

absl::Status ValidateName(const ProjectionType& type) {
  bool valid = !type.name.empty() && type.name[0] >= 'a' && type.name[0] <= 'z';
  for (const char c : type.name) valid = valid && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_');
  if (valid && type.name.size() <= kMaxAggregateNameBytes) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
               absl::StrFormat("projection name \"%s\" is not of the form [a-z][a-z0-9_]*, at most %d bytes", type.name,
                               kMaxAggregateNameBytes));
}

absl::Status Validate(const ProjectionRunnerOptions& options, const ProjectionType& type) {
  EVERFOLD_RETURN_IF_ERROR(ValidateName(type));
  if (type.revision < 1 || options.max_batch_events < 1) {
    return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
                 absl::StrFormat("projection %s: revision and max_batch_events are 1 or more", type.name));
  }
  return ValidateSchemas(type.read_models);
}

// A handler, and what makes a payload for it of one that is stored otherwise.
struct Route {
  ProjectionType::Handler handler = nullptr;  // nullptr: nobody handles the type
  StoredForm::Upcast upcast = nullptr;        // nullptr: it takes the payload as it is
};

Route RouteOf(const ProjectionType& type, const std::string& stored) {
  if (const auto found = type.handlers.find(stored); found != type.handlers.end()) return {found->second};
  const auto form = type.stored_forms.find(stored);
  if (form == type.stored_forms.end()) return {};
  return {type.handlers.at(form->second.becomes), form->second.upcast};
}

bool Handle(const Route& route, std::string_view payload, const EventContext& context, RowStore& rows) {
  if (route.upcast == nullptr) return route.handler(payload, context, rows);
  const std::optional<std::string> upcast = route.upcast(payload);
  return upcast.has_value() && route.handler(*upcast, context, rows);
}

// Exceptions end here: nothing throws across a folder.
absl::Status CallHandler(const Route& route, std::string_view payload, const EventContext& context, RowStore& rows) {
  try {
    if (Handle(route, payload, context, rows)) return absl::OkStatus();
    return absl::DataLossError("the payload is not a message of this type");
  } catch (const std::exception& thrown) {
    return absl::InternalError(absl::StrFormat("the handler threw: %s", thrown.what()));
  } catch (...) {
    return absl::InternalError("the handler threw");
  }
}

// Of the types that there are handlers for, so that what nobody handles is passed over unread.
SubscriptionOptions SubscriptionOf(const ProjectionType& type) {
  SubscriptionOptions options;
  std::vector<QueryItem>& items = options.selection.query.items;
  const auto add = [&items](const std::string& name) {
    if (items.empty() || items.back().types.size() == kMaxTypesOfQueryItem) items.emplace_back();
    items.back().types.push_back(name);
  };
  for (const auto& [name, handler] : type.handlers) add(name);
  for (const auto& [name, form] : type.stored_forms) add(name);
  return options;
}

// The same error with another text in front of its own.
absl::Status Annotate(const std::string& where, const absl::Status& error) {
  absl::Status annotated(error.code(), where + ": " + std::string(error.message()));
  error.ForEachPayload(
      [&annotated](absl::string_view url, const absl::Cord& payload) { annotated.SetPayload(url, payload); });
  return annotated;
}

void Tell(const ProjectionRunnerOptions& options, LogLevel level, std::string_view message,
          std::initializer_list<LogField> fields) {
  if (options.logger != nullptr) options.logger->Write(level, message, fields);
}

class ProjectionRunner final : public Projection {
 public:
  ProjectionRunner(ProjectionRunnerOptions options, std::unique_ptr<const ProjectionType> type, EventStore& store,
                   Executor& executor, std::unique_ptr<ReadModelFile> file, std::unique_ptr<Subscription> subscription)
      : options_(std::move(options)),
        type_(std::move(type)),
        store_(store),
        executor_(executor),
        strand_(executor.MakeStrand()),
        progress_(file->checkpoint(), executor),
        file_(std::move(file)),
        subscription_(std::move(subscription)) {}

  // Hints may outlive it, so it keeps them out even if it was never closed.
  ~ProjectionRunner() override {
    if (!scope_.closed()) scope_.Close([] {});
  }

  void Start() override {
    // Watches before it pulls for the first time: what becomes durable in between is in the pull or hinted at.
    watch_ = store_.WatchDurable([this, scope = scope_]() mutable { Wake(scope.Enter()); });
    Wake(scope_.Enter());
  }

  const ProjectionType& type() const override { return *type_; }
  const std::string& path() const override { return file_->path(); }
  Checkpoint checkpoint() const override { return progress_.committed(); }

  absl::Status status() const override {
    MutexLock lock(&mutex_);
    return status_;
  }

  std::uint64_t lag_events() const override {
    const Checkpoint committed = progress_.committed();
    const Checkpoint head = store_.DurableHead();
    std::uint64_t lag = 0;
    for (std::size_t i = 0; i < head.offsets.size(); ++i) lag += head.offsets[i].value() - committed.offsets[i].value();
    return lag;
  }

  std::uint64_t WaitFor(std::vector<Position> positions, WaitDone done) override {
    return progress_.WaitFor(std::move(positions), std::move(done));
  }
  void CancelWait(std::uint64_t id) override { progress_.Cancel(id); }

  void Close(Task done) override {
    watch_.reset();
    progress_.End(Unavailable(reason::kShuttingDown, absl::StrFormat("projection %s is closing", type_->name)));
    scope_.Close([&executor = executor_, done = std::move(done)]() mutable { executor.Post(std::move(done)); });
  }

 private:
  // Has a batch run after this moment. A hint that comes while one runs leads to another, because the flag is down by
  // then.
  void Wake(std::optional<TaskScope::Guard> guard) {
    if (!guard.has_value() || batch_posted_.exchange(true)) return;
    strand_->Post([this, guard = std::move(guard)] {
      batch_posted_ = false;
      RunBatch();
    });
  }

  void RunBatch() {
    if (scope_.closed() || !status().ok()) return;
    const absl::StatusOr<PullResult> handled = FoldBatch();
    if (!handled.ok()) return Stop(handled.status());
    if (handled->moved) progress_.Publish(file_->checkpoint());
    if (!handled->caught_up) Wake(scope_.Enter());
  }

  // Rows and checkpoint of the next events: all committed, or none.
  absl::StatusOr<PullResult> FoldBatch() {
    EVERFOLD_RETURN_IF_ERROR(file_->Begin());
    absl::StatusOr<PullResult> handled =
        subscription_->Pull(options_.max_batch_events, [this](const RecordedEvent& event) { return Fold(event); });
    absl::Status status = handled.status();
    if (status.ok() && handled->moved) status = file_->Commit(subscription_->checkpoint());
    if (!status.ok() || !handled->moved) file_->Rollback();
    if (!status.ok()) return status;
    return handled;
  }

  absl::Status Fold(const RecordedEvent& event) {
    const Route route = RouteOf(*type_, event.event.type);
    if (route.handler == nullptr) return absl::OkStatus();
    const EventContext context{.id = event.stream.stream.id,
                               .stream = event.stream.stream,
                               .version = event.version,
                               .position = event.position,
                               .sequence = event.commit.sequence,
                               .event_time = event.event.event_time,
                               .recorded_at = event.commit.recorded_at,
                               .metadata = event.commit.metadata};
    absl::Status status = CallHandler(route, event.event.payload, context, file_->rows());
    if (status.ok()) status = file_->rows().status();
    if (status.ok()) return status;
    return Annotate(absl::StrFormat("at %s, offset %d of partition %d (%s version %d, sequence %d)", event.event.type,
                                    event.position.offset.value(), event.position.partition.value(),
                                    context.stream.ToString(), event.version.value(), context.sequence.value()),
                    status);
  }

  void Stop(const absl::Status& cause) {
    const std::string message = absl::StrFormat("projection %s stopped: %s", type_->name, std::string(cause.message()));
    {
      MutexLock lock(&mutex_);
      status_ = Error(cause.code(), reason::kReadModelStopped, message, {{"projection", type_->name}});
    }
    Tell(options_, LogLevel::kError, "projection stopped",
         {{"projection", type_->name}, {"cause", std::string(cause.message())}});
    progress_.End(Error(absl::StatusCode::kUnavailable, reason::kReadModelStopped,
                        absl::StrFormat("projection %s has stopped at an error; its status tells which", type_->name),
                        {{"projection", type_->name}}));
  }

  const ProjectionRunnerOptions options_;
  const std::unique_ptr<const ProjectionType> type_;
  EventStore& store_;
  Executor& executor_;
  const std::unique_ptr<Strand> strand_;
  TaskScope scope_;
  std::unique_ptr<EventStore::Watch> watch_;
  std::atomic<bool> batch_posted_ = false;
  Progress progress_;
  mutable Mutex mutex_;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  // On the strand only.
  std::unique_ptr<ReadModelFile> file_;
  std::unique_ptr<Subscription> subscription_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Projection>> Projection::Open(ProjectionRunnerOptions options, ProjectionType type,
                                                             EventStore& store, Executor& executor) {
  EVERFOLD_RETURN_IF_ERROR(Validate(options, type));
  auto kept_type = std::make_unique<const ProjectionType>(std::move(type));
  const auto tell_rebuild = [&](const std::string& why) {
    Tell(options, LogLevel::kInfo, "projection is built anew", {{"projection", kept_type->name}, {"why", why}});
  };
  EVERFOLD_ASSIGN_OR_RETURN(auto file,
                            ReadModelFile::Open(options.directory, *kept_type, BeginningOf(store), tell_rebuild));
  absl::StatusOr<std::unique_ptr<Subscription>> subscription =
      Subscription::Start(store, file->checkpoint(), SubscriptionOf(*kept_type));
  if (!subscription.ok()) return Annotate(file->path(), subscription.status());
  return std::make_unique<ProjectionRunner>(std::move(options), std::move(kept_type), store, executor, std::move(file),
                                            *std::move(subscription));
}

}  // namespace everfold
