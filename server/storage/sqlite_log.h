// The pages of a commit go to SQLite's log in a few large writes instead of two small ones for each
// page. A layer over the system's own files: what is appended to the log is gathered in memory and
// written before anything else is done with the log, so above all before its sync. Nobody looks for
// what was not synced yet: other connections read as far as the last commit says. An error of the
// disk is told when the gathered is written, which is within the same commit.
#pragma once

namespace topup::storage {

// The name of the layer for sqlite3_open_v2(), for the one connection that writes. A repeat is
// safe. Thread-safe. Throws SqlError when the engine does not take it.
const char* gathering_vfs();

}  // namespace topup::storage
