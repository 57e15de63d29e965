#include "everfold/command/decorated_commands.h"

#include <utility>

namespace everfold {
namespace {

// Hands everything on.
class Decorated : public CommandHandler {
 public:
  explicit Decorated(CommandHandler& inner) : inner_(inner) {}

  void Handle(CommandRequest request, Done done) override { inner_.Handle(std::move(request), std::move(done)); }
  void GetState(StateRequest request, StateDone done) override { inner_.GetState(std::move(request), std::move(done)); }
  std::optional<CommandTarget> FindTarget(const std::string& command) const override {
    return inner_.FindTarget(command);
  }
  CommandStats stats() const override { return inner_.stats(); }
  void Close(Task done) override { inner_.Close(std::move(done)); }

 protected:
  // Empty if nobody takes the command: then that is what its caller is told.
  CommandTarget TargetOf(const CommandRequest& request) const {
    return inner_.FindTarget(request.command->GetDescriptor()->full_name()).value_or(CommandTarget());
  }

 private:
  CommandHandler& inner_;
};

class AuthorizedCommands final : public Decorated {
 public:
  AuthorizedCommands(CommandHandler& inner, AuthorizeCommand authorize)
      : Decorated(inner), authorize_(std::move(authorize)) {}

  void Handle(CommandRequest request, Done done) override {
    const CommandTarget target = TargetOf(request);
    if (request.refused.ok() && target.type != nullptr) request.refused = authorize_(request, target);
    Decorated::Handle(std::move(request), std::move(done));
  }

 private:
  const AuthorizeCommand authorize_;
};

class ObservedCommands final : public Decorated {
 public:
  ObservedCommands(CommandHandler& inner, const Clock& clock, ObserveCommand observe)
      : Decorated(inner), clock_(clock), observe_(std::move(observe)) {}

  void Handle(CommandRequest request, Done done) override {
    Metadata metadata = request.metadata;
    const CommandTarget target = TargetOf(request);
    Decorated::Handle(std::move(request), [this, target, metadata = std::move(metadata), began = clock_.Now(),
                                           done = std::move(done)](absl::StatusOr<CommandOutcome> outcome) mutable {
      observe_({target, metadata, outcome, began, clock_.Now() - began});
      done(std::move(outcome));
    });
  }

 private:
  const Clock& clock_;
  const ObserveCommand observe_;
};

}  // namespace

std::unique_ptr<CommandHandler> WithAuthorization(CommandHandler& inner, AuthorizeCommand authorize) {
  return std::make_unique<AuthorizedCommands>(inner, std::move(authorize));
}

std::unique_ptr<CommandHandler> WithObserver(CommandHandler& inner, const Clock& clock, ObserveCommand observe) {
  return std::make_unique<ObservedCommands>(inner, clock, std::move(observe));
}

}  // namespace everfold
