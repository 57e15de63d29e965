// Errors as callers see them: an absl::Status whose payloads are google.rpc details (google/rpc/error_details.proto),
// keyed by their type URL. The transport copies them into google.rpc.Status.details unread; a library user reads them
// with FindDetail. The table of statuses and reasons is in docs/reference/errors.md.
//
//   return Error(absl::StatusCode::kAborted, reason::kVersionConflict, "wallet/w1 is at version 7, not 5",
//                {{"actual_version", "7"}, {"expected_version", "5"}});
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"

namespace everfold {

// The domain of every google.rpc.ErrorInfo of this framework.
inline constexpr char kErrorDomain[] = "everfold.dev";

// Stable, documented reasons (google.rpc.ErrorInfo.reason); clients may switch on them.
namespace reason {
inline constexpr char kCommandInvalid[] = "COMMAND_INVALID";               // a field rule is broken
inline constexpr char kCommandRejected[] = "COMMAND_REJECTED";             // Decide said no
inline constexpr char kVersionConflict[] = "VERSION_CONFLICT";             // another version than expected
inline constexpr char kConditionFailed[] = "CONDITION_FAILED";             // events match an append's condition
inline constexpr char kPredecessorDropped[] = "PREDECESSOR_DROPPED";       // of an append chain; no client meets it
inline constexpr char kReservedName[] = "RESERVED_NAME";                   // begins with '$'
inline constexpr char kAggregateRegistered[] = "AGGREGATE_REGISTERED";     // only its commands may append
inline constexpr char kStreamExists[] = "STREAM_EXISTS";                   // a creating command met its stream
inline constexpr char kStreamNotFound[] = "STREAM_NOT_FOUND";              // a command on nothing
inline constexpr char kRowNotFound[] = "ROW_NOT_FOUND";                    // a query for a key without a row
inline constexpr char kIdempotencyKeyReused[] = "IDEMPOTENCY_KEY_REUSED";  // same request_id, another request
inline constexpr char kRequestInvalid[] = "REQUEST_INVALID";               // malformed outside the command itself
inline constexpr char kLimitExceeded[] = "LIMIT_EXCEEDED";                 // larger than a documented limit
inline constexpr char kOverloaded[] = "OVERLOADED";                        // a queue is full; retry later
inline constexpr char kOutcomeUnknown[] = "OUTCOME_UNKNOWN";               // an append failed in the middle
inline constexpr char kDeadlineExceeded[] = "DEADLINE_EXCEEDED";           // before the work was begun
inline constexpr char kCallerGone[] = "CALLER_GONE";                       // nobody waits for the answer any more
inline constexpr char kShuttingDown[] = "SHUTTING_DOWN";                   // no new work is taken
inline constexpr char kReadModelBehind[] = "READ_MODEL_BEHIND";            // the token's events are not folded yet
inline constexpr char kReadModelFailed[] = "READ_MODEL_FAILED";            // SQLite could not read or write it
inline constexpr char kReadModelStopped[] = "READ_MODEL_STOPPED";          // the projection met an error
inline constexpr char kReadModelPaused[] = "READ_MODEL_PAUSED";            // by an operator, or one that cannot go on
inline constexpr char kReadModelRebuilding[] = "READ_MODEL_REBUILDING";    // it is built anew, or already was being
inline constexpr char kReadModelParksMore[] = "READ_MODEL_PARKS_MORE";  // a new version fails where the old one did not
inline constexpr char kReadModelDamaged[] = "READ_MODEL_DAMAGED";       // its file is; the log has it all
inline constexpr char kEventParked[] = "EVENT_PARKED";                  // what the token names waits
inline constexpr char kNotParked[] = "NOT_PARKED";                      // no such key, or event, waits
inline constexpr char kOtherHistory[] = "OTHER_HISTORY";                // a token or checkpoint of another epoch
inline constexpr char kBeyondHead[] = "BEYOND_HEAD";                    // a place that there is not yet
inline constexpr char kDeciderFailed[] = "DECIDER_FAILED";              // user code threw
inline constexpr char kUnknownType[] = "UNKNOWN_TYPE";                  // a stored type this binary lacks
inline constexpr char kIncompatibleType[] = "INCOMPATIBLE_TYPE";        // stored events this binary would misread
inline constexpr char kStoreClosed[] = "STORE_CLOSED";                  // after a fatal error or Close
inline constexpr char kDataLoss[] = "DATA_LOSS";                        // bytes of the log are damaged or missing
inline constexpr char kTypeFileDamaged[] = "TYPE_FILE_DAMAGED";         // what describes stored types is
inline constexpr char kHeadConflict[] = "HEAD_CONFLICT";                // another writer moved the log's head
inline constexpr char kDiskFull[] = "DISK_FULL";                        // the reserve of free space is reached
inline constexpr char kStoreLocked[] = "STORE_LOCKED";                  // another process has the store open
inline constexpr char kStoreMismatch[] = "STORE_MISMATCH";              // the store was created otherwise
inline constexpr char kStoreIncomplete[] = "STORE_INCOMPLETE";          // what made it did not come to its end
inline constexpr char kStorageFailed[] = "STORAGE_FAILED";              // the disk or its library said no
inline constexpr char kFormatUnknown[] = "FORMAT_UNKNOWN";              // a newer program wrote it
inline constexpr char kMoneyOverflow[] = "MONEY_OVERFLOW";              // an amount beyond 64 bits
inline constexpr char kCurrencyMismatch[] = "CURRENCY_MISMATCH";        // amounts of two currencies
}  // namespace reason

using ErrorFields = std::initializer_list<std::pair<const char*, std::string>>;

// A status with an ErrorInfo{reason, kErrorDomain, fields}.
absl::Status Error(absl::StatusCode code, const char* reason, const std::string& message, ErrorFields fields = {});

// Adds (or replaces) the detail of its message type.
void AddDetail(absl::Status& status, const google::protobuf::Message& detail);
// Adds google.rpc.RetryInfo: the caller may try again after `delay`.
void AddRetryInfo(absl::Status& status, absl::Duration delay);
// Adds google.rpc.ResourceInfo: what was found, or not.
void AddResourceInfo(absl::Status& status, const std::string& type, const std::string& name);

// Fills `detail` from the status; false if it carries none of that type.
bool FindDetail(const absl::Status& status, google::protobuf::Message& detail);
// ErrorInfo.reason, or "" where there is none.
std::string ReasonOf(const absl::Status& status);

}  // namespace everfold
