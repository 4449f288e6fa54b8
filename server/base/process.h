// What the process itself must not give away, and what it keeps.
#pragma once

namespace topup::base {

// No core file and no foreign debugger: keys and personal data lie in memory. Call before any
// secret is read. False when the system refused.
bool keep_memory_private();

// Two heaps for each core instead of eight, four at least: what one of many threads has freed the
// next one uses, so that a shop stays as large as it became. Fewer would be waited for. Call before
// the first thread.
void share_heaps();

// After work that needed much at once: what is free goes back to the system, from the middle of the
// heaps too. Takes some milliseconds. Thread-safe.
void give_memory_back();

}  // namespace topup::base
