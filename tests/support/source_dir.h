// Where the project lies. One small file knows it, so that the other objects are the same in every
// folder and a compiler cache serves them all.
#pragma once

#include <string>

namespace topup::testing {

std::string source_dir();  // absolute, without a slash at the end

}  // namespace topup::testing
