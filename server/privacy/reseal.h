// Seals anew, under the active data key, what older ones sealed: column by column, in batches that
// each are one transaction with their own progress, so that an end at any point loses nothing and
// repeats at most one batch. A row that changes meanwhile is left to its writer and looked at
// again. An old key is retired when no value names it, and forgotten a month later.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/privacy/columns.h"
#include "server/privacy/key_ring.h"
#include "server/privacy/key_store.h"
#include "server/privacy/pii.h"

namespace topup::privacy {

struct ResealSettings {
  std::int64_t batch = 500;  // rows a transaction
  // Another thread or node may still write what it sealed with the old key a moment ago.
  std::int64_t retire_after_ms = 120'000;
  std::int64_t forget_after_ms = 30LL * 86'400'000;
};

struct KeyUse {  // of one data key that seals
  std::string id, state;
  std::int64_t created_at_ms = 0, left_at_ms = 0;
  std::int64_t seals = 0;   // set aside, at least as many as were made
  std::int64_t values = 0;  // in the database now
};

class Reseal {
 public:
  Reseal(storage::Db& db, KeyRing& ring, const Pii& pii, std::vector<Column> columns,
         ResealSettings settings, KeyTold told = {});

  struct Step {
    std::string place;  // "table.column"; "" when nothing is left to seal anew
    std::int64_t sealed = 0, broken = 0;
  };
  Step step();  // one batch
  // Looks whether an old key can be retired or forgotten. True when some old key still has values
  // that can be sealed anew: then step() begins another round.
  bool settle(std::int64_t now_ms);
  enum class Old : std::uint8_t { none, retired, kept };
  Old old_keys() const;  // kept: values may still name one
  std::vector<KeyUse> uses() const;

 private:
  Step batch_of(const Column& column, key_store::Cursor at);
  std::int64_t values_of(storage::Reader& reader, std::string_view key_id) const;

  storage::Db& db_;
  KeyRing& ring_;
  const Pii& pii_;
  const std::vector<Column> columns_;
  const ResealSettings settings_;
  const KeyTold told_;
};

// Makes every blind index anew under a fresh index key, in one transaction: the shop must be
// stopped, because a look-up knows one key. Indexes without a sealed source are left: their rows
// expire. Returns how many were made.
Result<std::int64_t> renew_indexes(KeyRing& ring, const Pii& pii, std::int64_t now_ms);

}  // namespace topup::privacy
