// A broken invariant is our own bug, never a refusal: refusals travel as Result (result.h).
// On the server check() throws InvariantBroken, which rolls the transaction back and is logged once
// with its trace id; in WebAssembly (built without exceptions) it traps and the loader makes a
// fresh instance.
#pragma once

#if defined(__cpp_exceptions)
#include <stdexcept>
#endif

namespace topup {

#if defined(__cpp_exceptions)
struct InvariantBroken : std::logic_error {
  using std::logic_error::logic_error;
};
[[noreturn]] inline void broken(const char* why) { throw InvariantBroken(why); }
#else
[[noreturn]] inline void broken(const char*) { __builtin_trap(); }
#endif

inline void check(bool ok, const char* why) {
  if (!ok) broken(why);
}

}  // namespace topup
