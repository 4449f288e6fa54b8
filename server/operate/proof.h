// Proves a database: its pages, its schema, its audit chain and its books. For backups, restores,
// `verify` and the doctor.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "server/storage/db.h"

namespace topup::operate {

struct Proof {
  std::vector<std::string> wrong;  // one sentence each; empty when all holds
  std::int64_t schema = 0;
  std::vector<std::pair<std::string, std::int64_t>> rows;  // SQLite only
  std::int64_t audit_rows = 0;
  std::string audit_hash;        // of the newest row
  std::int64_t finance_seq = 0;  // the newest journal in the finance view
  std::string finance_checksum;  // of the view; empty when it is not what the journals make
};
// Reads everything, several connections side by side; `db` stays as it is. Throws SqlError when the
// engine cannot even read. A schema that is newer or another than this program's is wrong.
Proof prove(storage::Db& db);
// The part of it beside the pages, the chain and the balance of the books.
std::vector<std::string> money_faults(storage::Db& db, Proof* proof);
// What SQLite finds in its pages; empty when nothing. PostgreSQL checks its pages as it reads them.
std::vector<std::string> page_faults(storage::Db& db, bool quick);

}  // namespace topup::operate
