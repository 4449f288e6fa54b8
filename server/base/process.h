// What the process itself must not give away.
#pragma once

namespace topup::base {

// No core file and no foreign debugger: keys and personal data lie in memory. Call before any
// secret is read. False when the system refused.
bool keep_memory_private();

}  // namespace topup::base
