#include "server/privacy/reseal.h"

#include <algorithm>
#include <utility>

#include "server/base/log.h"
#include "shared/check.h"

namespace topup::privacy {
namespace {

constexpr std::size_t kIndexRowsAtOnce = 1'000;

std::string place_of(const Column& column) {
  return std::string(column.table) + "." + std::string(column.column);
}

bool is_old_seal(const key_store::DataKey& key) {
  return key.purpose == purpose::kSeal && key.state != "active" && key.state != "forgotten";
}

}  // namespace

Reseal::Reseal(storage::Db& db, KeyRing& ring, const Pii& pii, std::vector<Column> columns,
               ResealSettings settings, KeyTold told)
    : db_(db),
      ring_(ring),
      pii_(pii),
      columns_(std::move(columns)),
      settings_(settings),
      told_(std::move(told)) {}

Reseal::Old Reseal::old_keys() const {
  Old old = Old::none;
  db_.read([&old](storage::Reader& reader) {
    old = Old::none;
    for (const key_store::DataKey& key : key_store::keys(reader)) {
      if (is_old_seal(key)) old = std::max(old, key.state == "kept" ? Old::kept : Old::retired);
    }
  });
  return old;
}

Reseal::Step Reseal::step() {
  const std::string active = ring_.active_id();
  for (const Column& column : columns_) {
    key_store::Cursor at;
    db_.read([&](storage::Reader& reader) { at = key_store::cursor(reader, column); });
    if (at.key_id != active) {
      at = {};
      at.key_id = active;
    }
    if (!at.is_done) return batch_of(column, std::move(at));
  }
  return {};
}

Reseal::Step Reseal::batch_of(const Column& column, key_store::Cursor at) {
  Step step;
  step.place = place_of(column);
  std::vector<key_store::Sealed> rows;
  db_.read([&](storage::Reader& reader) {
    rows = key_store::page(reader, column, at.after_row, settings_.batch);
  });
  std::vector<std::pair<const key_store::Sealed*, std::string>> fresh;
  for (const key_store::Sealed& row : rows) {
    at.after_row = row.row_id;
    if (Pii::key_id_of(row.text) == at.key_id) continue;
    const auto plain = pii_.open(column.table, column.column, row.row_id, row.text);
    if (!plain) {
      ++step.broken;
      base::log(base::Level::error, "reseal_row_closed",
                {{"place", step.place}, {"row", row.row_id}, {"why", plain.error().reason}});
      continue;
    }
    fresh.emplace_back(&row, pii_.seal(column.table, column.column, row.row_id, *plain));
  }
  step.sealed = static_cast<std::int64_t>(fresh.size());
  at.is_done = static_cast<std::int64_t>(rows.size()) < settings_.batch;
  at.sealed_rows += step.sealed;
  at.broken_rows += step.broken;
  db_.write([&](storage::Tx& tx) {
    for (const auto& [row, sealed] : fresh) key_store::replace(tx, column, *row, sealed);
    key_store::save_cursor(tx, column, at);
    return true;
  });
  return step;
}

std::int64_t Reseal::values_of(storage::Reader& reader, std::string_view key_id) const {
  std::int64_t values = 0;
  for (const Column& column : columns_) values += key_store::count_of(reader, column, key_id);
  return values;
}

bool Reseal::settle(std::int64_t now_ms) {
  std::vector<key_store::DataKey> old;
  std::vector<std::int64_t> values;
  std::int64_t broken = 0;
  db_.read([&](storage::Reader& reader) {
    old = key_store::keys(reader);
    std::erase_if(old, [](const key_store::DataKey& key) { return !is_old_seal(key); });
    values.clear();
    for (const key_store::DataKey& key : old) values.push_back(values_of(reader, key.id));
    broken = 0;
    for (const Column& column : columns_) broken += key_store::cursor(reader, column).broken_rows;
  });
  std::int64_t left = 0;
  db_.write([&](storage::Tx& tx) {
    left = 0;
    for (std::size_t i = 0; i < old.size(); ++i) {
      const key_store::DataKey& key = old[i];
      left += values[i];
      if (values[i] > 0) {
        if (key.state == "retired") key_store::set_state(tx, key.id, "kept");
      } else if (key.state == "kept" && now_ms - key.left_at_ms >= settings_.retire_after_ms) {
        key_store::set_state(tx, key.id, "retired");
        if (told_) told_(tx, "key.data_retired", key.id, "no value names it");
      } else if (key.state == "retired" && now_ms - key.left_at_ms >= settings_.forget_after_ms) {
        key_store::delete_wraps_of_key(tx, key.id);
        key_store::set_state(tx, key.id, "forgotten");
        if (told_) told_(tx, "key.data_forgotten", key.id, "");
      }
    }
    // Rows that no key opens would be looked at for ever; they are in the log and in `key list`.
    if (left <= broken) return true;
    for (const Column& column : columns_) {
      key_store::Cursor again;
      again.key_id = ring_.active_id();
      key_store::save_cursor(tx, column, again);
    }
    return true;
  });
  return left > broken;
}

std::vector<KeyUse> Reseal::uses() const {
  std::vector<KeyUse> found;
  db_.read([&](storage::Reader& reader) {
    found.clear();
    for (const key_store::DataKey& key : key_store::keys(reader)) {
      if (key.purpose != purpose::kSeal) continue;
      found.push_back({key.id, key.state, key.created_at_ms, key.left_at_ms, key.seals,
                       values_of(reader, key.id)});
    }
  });
  return found;
}

Result<std::int64_t> renew_indexes(KeyRing& ring, const Pii& pii, std::int64_t now_ms) {
  return ring.renew_index(now_ms, [&](storage::Tx& tx, std::string_view key) {
    std::int64_t made = 0;
    for (const Column& column : columns()) {
      if (column.holds != Class::blind_index || column.source.empty()) continue;
      const Column* sealed = find_column(column.table, column.source);
      check(sealed != nullptr && !column.purpose.empty(), "an index names its source and purpose");
      std::string after;
      for (std::size_t rows = kIndexRowsAtOnce; rows == kIndexRowsAtOnce;) {
        const auto page = key_store::page(tx, *sealed, after, kIndexRowsAtOnce);
        rows = page.size();
        for (const key_store::Sealed& row : page) {
          after = row.row_id;
          const auto plain = pii.open(sealed->table, sealed->column, row.row_id, row.text);
          if (!plain) continue;
          key_store::replace_index(tx, column, sealed->source, row.row_id,
                                   blind_index_under(key, column.purpose, *plain));
          ++made;
        }
      }
    }
    return made;
  });
}

}  // namespace topup::privacy
