// Rows of data_keys, their wraps, and the sealed columns as far as keys are concerned. Only this
// folder calls it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/privacy/columns.h"
#include "server/storage/db.h"

namespace topup::privacy::key_store {

struct DataKey {
  std::string id, purpose, state;
  std::int64_t seals = 0, created_at_ms = 0, left_at_ms = 0;
};
struct Wrap {
  std::string key_id, master_id, wrapped;
};
std::vector<DataKey> keys(storage::Reader& reader);  // oldest first
std::vector<Wrap> wraps(storage::Reader& reader);
void insert(storage::Tx& tx, const DataKey& key);
void insert_wrap(storage::Tx& tx, const Wrap& wrap);
void delete_wraps_of_key(storage::Tx& tx, std::string_view key_id);
void delete_wraps_of_master(storage::Tx& tx, std::string_view master_id);
void leave(storage::Tx& tx, std::string_view purpose, std::int64_t now_ms);  // active → kept
void set_state(storage::Tx& tx, std::string_view key_id, std::string_view state);
void set_aside(storage::Tx& tx, std::string_view key_id, std::int64_t seals);

// True when `holder` may work on the keys until then; a lapsed lease is taken over.
bool hold_work(storage::Tx& tx, std::string_view holder, std::int64_t now_ms,
               std::int64_t until_ms);
void leave_work(storage::Tx& tx, std::string_view holder);

struct Cursor {
  std::string key_id, after_row;
  std::int64_t sealed_rows = 0, broken_rows = 0;
  bool is_done = false;
};
Cursor cursor(storage::Reader& reader, const Column& column);
void save_cursor(storage::Tx& tx, const Column& column, const Cursor& cursor);

struct Sealed {
  std::string row_id, text;
};
// Rows after this row id that hold a value, in the order of their row ids.
std::vector<Sealed> page(storage::Reader& reader, const Column& column, std::string_view after,
                         std::int64_t limit);
// False when the row has changed since.
bool replace(storage::Tx& tx, const Column& column, const Sealed& old, std::string_view sealed);
void replace_index(storage::Tx& tx, const Column& column, std::string_view row_source,
                   std::string_view row_id, std::string_view index);
std::int64_t count_of(storage::Reader& reader, const Column& column, std::string_view key_id);
std::int64_t count_all(storage::Reader& reader, const Column& column);

}  // namespace topup::privacy::key_store
