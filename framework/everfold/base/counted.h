// Numbers of things, as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace everfold {

// "1,234,567"
std::string Grouped(std::uint64_t number);

// "1 event", "2,000 events"; `many` where the plural is not `one` with an "s".
std::string Counted(std::uint64_t number, const char* one, const char* many = nullptr);

}  // namespace everfold
