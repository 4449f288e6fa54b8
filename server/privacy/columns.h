// What every column of the schema holds, as data: the class decides whether a value is sealed,
// masked, exported or kept out of sight. A test opens a fresh shop on each engine and fails for a
// column without a line here, for a line without a column, and for a class whose name rule is not
// kept. To add a column: one line in column_list.cpp or, of buyers and staff, in
// column_list_people.cpp.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/mask.h"

namespace topup::privacy {

enum class Class : std::uint8_t {
  open,             // may be shown to anybody: prices, names of products, settings
  internal,         // staff only: states, times, reasons, traces
  money,            // amounts and currencies of one person's or the shop's dealings
  pseudonym,        // stands for a person or what is theirs: ids, never shown to strangers
  personal_sealed,  // ciphertext of privacy::Pii; named *_sealed
  personal_masked,  // what may be shown of a personal value; named *_masked
  blind_index,      // keyed hash for lookup; named *_index
  secret_hash,      // a hash of a password, token or code
  secret_sealed,    // a secret of the shop, sealed like a personal value; named *_sealed
  secret_wrapped,   // a key, wrapped by another one
};

// Who removes the value, and when. Stored nowhere; the eraser of that name is registered by its
// domain.
enum class Keep : std::uint8_t {
  books,      // as long as the law wants books kept: ledger, orders' amounts, audit
  shop,       // as long as the shop stands: catalogue, settings, staff, keys
  account,    // until its owner closes the account
  order,      // personal part of an order: crypto-shredded with its owner
  short_time  // removed by its own expiry: sessions, codes, idempotency, jobs
};

struct Column {
  std::string_view table, column;
  Class holds;
  Keep keep;
  // For sealed columns: the column or SQL expression whose text was given to seal() as row id,
  // unique in its table (a primary key where the table grows). For blind indexes: the sealed column
  // of the same row that they are made of, "" where rows are gone before a new index key matters.
  std::string_view source = {};
  base::Kind kind = base::Kind::secret;  // how a personal value is masked
  std::string_view purpose = {};         // of a blind index, as given to blind_index()
};

std::span<const Column> columns();
const Column* find_column(std::string_view table, std::string_view column);
std::vector<Column> sealed_columns();

// base::mask by what the column holds; an open or internal value passes, a secret never does.
std::string mask_column(std::string_view table, std::string_view column, std::string_view text);

// What is wrong with the table against the real columns ("table.column"), each with the line to
// write; empty when all is well.
std::vector<std::string> column_mistakes(const std::vector<std::string>& real);

}  // namespace topup::privacy
