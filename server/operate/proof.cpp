#include "server/operate/proof.h"

#include <exception>
#include <future>

#include "server/audit/audit_log.h"
#include "server/ledger/finance_store.h"
#include "server/ledger/ledger_store.h"
#include "server/ledger/wallet_store.h"
#include "server/marketing/coupon_store.h"
#include "server/orders/money_proof_store.h"
#include "server/storage/migrate.h"
#include "server/storage/tables.h"

namespace topup::operate {

std::vector<std::string> page_faults(storage::Db& db, bool quick) {
  std::vector<std::string> faults;
  if (db.engine() != "sqlite") return faults;
  const std::string_view check = quick ? "PRAGMA quick_check(20)" : "PRAGMA integrity_check(20)";
  db.read([&](storage::Reader& reader) {
    faults.clear();
    reader.query(check, {}, [&faults](const storage::Row& row) {
      if (row.text(0) != "ok") faults.push_back("damaged file: " + row.text(0));
    });
  });
  return faults;
}

// What rows beside the books must say together with them, and the view that follows them.
std::vector<std::string> money_faults(storage::Db& db, Proof* proof) {
  std::vector<std::string> wrong;
  db.read([&](storage::Reader& reader) {
    wrong = orders::verify_money(reader);
    for (const std::string& line : ledger::wallet_store::verify(reader)) wrong.push_back(line);
    for (const std::string& line : marketing::coupon_store::faults(reader)) wrong.push_back(line);
    const ledger::FinanceSum live = ledger::finance_sum(reader);
    const std::string difference = ledger::finance_difference(reader);
    if (!difference.empty())
      wrong.push_back("the finance view differs from the journals: " + difference);
    proof->finance_seq = live.seq;
    proof->finance_checksum = difference.empty() ? live.checksum : "";
  });
  return wrong;
}

Proof prove(storage::Db& db) {
  Proof proof;
  auto pages = std::async(std::launch::async, [&db] { return page_faults(db, false); });
  auto books = std::async(std::launch::async, [&db] {
    std::vector<std::string> wrong;
    db.read([&wrong](storage::Reader& reader) { wrong = ledger::verify(reader); });
    return wrong;
  });
  auto money = std::async(std::launch::async, [&db, &proof] { return money_faults(db, &proof); });
  try {
    proof.schema = storage::schema_of(db).applied;
  } catch (const storage::SqlError& refused) {
    proof.wrong.push_back(refused.why);
  }
  audit::ChainVerdict chain;
  db.read([&](storage::Reader& reader) {
    chain = audit::verify(reader);
    if (db.engine() == "sqlite") proof.rows = storage::count_rows(reader);
  });
  proof.audit_rows = chain.rows;
  proof.audit_hash = chain.head_hash;
  if (!chain.holds) {
    proof.wrong.push_back("audit chain breaks at row " + std::to_string(chain.first_bad_seq) +
                          ": " + chain.why);
  }
  for (const std::string& line : books.get()) proof.wrong.push_back(line);
  for (const std::string& line : money.get()) proof.wrong.push_back(line);
  for (const std::string& line : pages.get()) proof.wrong.push_back(line);
  return proof;
}

}  // namespace topup::operate
