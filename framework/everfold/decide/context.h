// What Decide may ask of the world. Everything it returns ends up in the events that Decide emits, so a replay needs
// none of it.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "everfold/base/random.h"
#include "everfold/event/commit.h"

namespace everfold {

// Threading: one thread. Lifetime: one call of Decide.
class Context {
 public:
  Context(absl::Time now, const StreamId& stream, Version version, const Metadata& metadata, RandomSource& random)
      : now_(now), stream_(stream), version_(version), metadata_(metadata), random_(random) {}

  // At or before the recorded time of the commit.
  absl::Time now() const { return now_; }
  // A new UUID (version 7).
  std::string NewId();
  const StreamId& stream() const { return stream_; }
  const std::string& tenant() const { return stream_.tenant; }
  // Version of the state that Decide looks at; 0 if the stream does not exist.
  Version version() const { return version_; }
  // Who asks; unverified until authentication is configured.
  const std::string& actor() const { return metadata_.actor; }
  const Metadata& metadata() const { return metadata_; }

 private:
  absl::Time now_;
  const StreamId& stream_;
  Version version_;
  const Metadata& metadata_;
  RandomSource& random_;
};

}  // namespace everfold
