// A shop's database with its keys, as a start of the program opens them, and a table of sealed
// rows.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "server/privacy/key_ring.h"
#include "server/privacy/key_store_file.h"
#include "server/privacy/pii.h"
#include "server/privacy/reseal.h"
#include "shared/check.h"
#include "tests/support/scratch_shop.h"

namespace topup::testing {

inline const std::vector<privacy::Column> kThings = {
    {"things", "first_sealed", privacy::Class::personal_sealed, privacy::Keep::account, "thing_id"},
    {"things", "second_sealed", privacy::Class::personal_sealed, privacy::Keep::account,
     "thing_id"}};

// What one process holds; made again after each kill.
struct OpenKeys {
  std::unique_ptr<privacy::KeyProvider> provider;
  std::shared_ptr<privacy::KeyRing> ring;
  std::unique_ptr<privacy::Pii> pii;
};

class KeyShop {
 public:
  KeyShop() {
    shop.tamper(
        "CREATE TABLE things (thing_id TEXT PRIMARY KEY, first_sealed TEXT, second_sealed TEXT)");
  }
  std::string data_dir() const { return folder.file(""); }
  Result<OpenKeys> try_open(storage::Db& db,
                            privacy::KeyFile file = privacy::KeyFile::create_if_absent) {
    OpenKeys keys;
    auto provider = privacy::open_key_file({data_dir(), ""}, random, file, 1);
    if (!provider) return tl::unexpected(provider.error());
    keys.provider = std::move(*provider);
    auto ring = privacy::KeyRing::open(db, *keys.provider, random, ++now);
    if (!ring) return tl::unexpected(ring.error());
    keys.ring = *ring;
    keys.pii = std::make_unique<privacy::Pii>(keys.ring, random);
    return keys;
  }
  OpenKeys open(storage::Db& db) {
    auto keys = try_open(db);
    check(keys.has_value(), "the test's keys open");
    return std::move(*keys);
  }
  OpenKeys open() { return open(shop.db()); }

  static std::string plain(int row, std::string_view column) {
    return std::string(column) + " of " + std::to_string(row);
  }
  void add_rows(const privacy::Pii& pii, int count) {
    shop.db().write([&](storage::Tx& tx) {
      for (int i = 0; i < count; ++i) {
        const int row = rows + i;
        const std::string id = "thing-" + std::to_string(row);
        const std::string first =
            pii.seal("things", "first_sealed", id, plain(row, "first_sealed"));
        const std::string second =
            row % 5 == 0 ? ""
                         : pii.seal("things", "second_sealed", id, plain(row, "second_sealed"));
        tx.exec("INSERT INTO things (thing_id, first_sealed, second_sealed) VALUES ($1, $2, $3)",
                {id, first, second});
      }
      return true;
    });
    rows += count;
  }
  // How many values do not open, or open to something else.
  int closed_values(const privacy::Pii& pii) {
    int closed = 0, seen = 0;
    for (int row = 0; row < rows; ++row) {
      const std::string id = "thing-" + std::to_string(row);
      for (const privacy::Column& column : kThings) {
        const std::string sealed =
            shop.text("SELECT " + std::string(column.column) + " FROM things WHERE thing_id = $1",
                      {std::string_view(id)});
        if (sealed.empty()) continue;
        ++seen;
        const auto text = pii.open("things", column.column, id, sealed);
        closed += text && *text == plain(row, column.column) ? 0 : 1;
      }
    }
    check(seen == rows * 2 - (rows + 4) / 5, "every value is looked at");
    return closed;
  }
  std::int64_t sealed_with(const std::string& key) {
    const std::string prefix = "v1." + key + ".";
    return shop.integer(
        "SELECT (SELECT COUNT(*) FROM things WHERE substr(first_sealed, 1, 12) = $1) +"
        " (SELECT COUNT(*) FROM things WHERE substr(second_sealed, 1, 12) = $1)",
        {std::string_view(prefix)});
  }

  ScratchFolder folder;
  ScratchShop shop;
  base::SystemRandom random;
  std::int64_t now = 1'000;
  int rows = 0;
};

}  // namespace topup::testing
