// Names that generated files add to a domain's package, and what of the domain is in their way.
#pragma once

#include <string>

#include "codegen/model.h"
#include "codegen/problems.h"

namespace everfold::codegen {

std::string CommandServiceName(const pb::Descriptor& part);  // of an aggregate or a boundary: "WalletCommandService"
std::string QueryServiceName(const ReadModel& read_model);   // "WalletBalanceQueryService"
std::string FieldsName(const pb::Descriptor& message);       // "WithdrawFields"
std::string FactoryName(const pb::Descriptor& message);      // "MakeWithdraw"

// The field of every query's request that carries a consistency token.
inline constexpr char kConsistencyTokenField[] = "consistency_token";

// False where a message of the domain has the factory's name, as a command MakePayment has that of Payment. Then there
// is no such factory.
bool HasFactory(const pb::Descriptor& message);

void CheckReservedNames(const Domain& domain, Problems& problems);

}  // namespace everfold::codegen
