// The time that every id begins with (random.h), for asking a store about a stretch of time.
#pragma once

#include <cstdint>
#include <string>

namespace topup::base {

// The first ten characters of every id of that moment: ids of before sort before it, others after.
// Clamped to what an id can hold. Pure.
std::string id_time(std::int64_t wall_ms);

}  // namespace topup::base
