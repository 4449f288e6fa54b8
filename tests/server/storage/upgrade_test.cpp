// A store of every schema that this program ever had, with money, staff and a trail in it, is
// brought to the newest: nothing is lost, the books hold, and a shop sells on it.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "server/base/crypto.h"
#include "server/orders/refund_deeds.h"
#include "server/storage/migrate.h"
#include "tests/support/order_shop.h"
#include "tests/support/postgres_cluster.h"

namespace topup::storage {
namespace {

using testing::OrderShop;
using testing::ScratchDatabase;
using testing::ScratchFolder;
using testing::tests_run_on_postgres;

// ---- What a shop had written when the schema was `version`.

constexpr std::int64_t kTwoMonthsMs = 62LL * 86'400'000;

struct Line {
  std::string account;
  std::int64_t minor;
};

class OldShop {
 public:
  // Its orders are placed at this moment, the rest of its rows at 1.
  OldShop(int version, std::int64_t placed_ms) : version_(version), placed_ms_(placed_ms) {}

  std::string rows() {
    people();
    order("old-delivered", "succeeded", "paid", 4'975, 0);
    order("old-given-back", "refunded", "paid", 4'975, 4'975);
    order("old-going-back", "refunding", "paid", 4'975, 4'975);
    order("old-odd", "review", "mismatch", 5'000, 0);
    order("old-unpaid", "closed", "closed", 0, 0);
    add("INSERT INTO supplier_attempts (attempt_id, order_id, attempt_no, supplier,"
        " supplier_operator_id, country, state, created_at_ms, updated_at_ms) VALUES"
        " ('Sold-delivered1', 'old-delivered', 1, 'reloadly', '1', 'CN', 'succeeded', 1, 1)");
    refund("old-given-back", "succeeded");
    refund("old-going-back", "requested");
    for (const std::string id : {"old-delivered", "old-given-back", "old-going-back"})
      journal("payment", "T" + id, id, {{kWechat, 4'975}, {kOwed, -4'975}});
    journal("fulfilment", "Sold-delivered1", "old-delivered", {{kOwed, 4'975}, {kPrepaid, -4'975}});
    for (const std::string id : {"old-given-back", "old-going-back"})
      journal("refund_owed", "RT" + id, id, {{kOwed, 4'975}, {kPayable, -4'975}});
    journal("refund", "RTold-given-back", "old-given-back", {{kPayable, 4'975}, {kWechat, -4'975}});
    journal("suspense", "Told-odd", "old-odd", {{kWechat, 5'000}, {kSuspense, -5'000}});
    for (const auto& [account, minor] : balances_)
      add("INSERT INTO account_balances (account, currency, balance_minor) VALUES ('" + account +
          "', 'CNY', " + std::to_string(minor) + ")");
    trail();
    desk();
    return sql_;
  }

 private:
  static constexpr const char* kWechat = "asset.channel_clearing.wechat";
  static constexpr const char* kPrepaid = "asset.supplier_prepaid.reloadly";
  static constexpr const char* kOwed = "liability.customer_orders";
  static constexpr const char* kPayable = "liability.refunds_payable";
  static constexpr const char* kSuspense = "liability.suspense";
  static constexpr int kRoles = 5;    // the schema in which staff have several roles
  static constexpr int kBooks = 12;   // in which journals are numbered
  static constexpr int kWishes = 26;  // in which wishes for refunds have rows

  void add(const std::string& statement) { sql_ += statement + ";\n"; }

  void people() {
    add("INSERT INTO users (user_id, created_at_ms) VALUES ('buyer-one', 1)");
    add("INSERT INTO sessions (token_hash, user_id, created_at_ms, expires_at_ms) VALUES"
        " ('a0a1a2a3a4a5a6a7a8a9b0b1b2b3b4b5', 'buyer-one', 1, 2)");
    const bool has_roles = version_ >= kRoles;
    add("INSERT INTO staff (staff_id, name, " + std::string(has_roles ? "" : "role, ") +
        "password, created_at_ms) VALUES ('staff-one', 'chief', " + (has_roles ? "" : "'owner', ") +
        "'scrypt$x', 1)");
    if (has_roles)
      add("INSERT INTO staff_roles (staff_id, role, given_at_ms) VALUES ('staff-one', 'owner', 1)");
    add("INSERT INTO idempotency (owner, idempotency_key, fingerprint, claimed_by, created_at_ms)"
        " VALUES ('buyer-one', 'key-of-old', 'f', 'n', 1)");
  }
  void order(const std::string& id, const std::string& state, const std::string& payment,
             std::int64_t paid, std::int64_t refunded) {
    add("INSERT INTO orders (order_id, user_id, client_key, client_fingerprint, state, version,"
        " product_id, operator_id, operator_name_zh, operator_name_en, account_sealed,"
        " account_masked, face_minor, face_currency, payable_minor, payable_currency,"
        " delivered_minor, delivered_currency, quote, event_seq, trace_id, created_at_ms,"
        " updated_at_ms, pay_by_ms) VALUES ('" +
        id + "', 'buyer-one', 'key-" + id + "', 'f', '" + state +
        "', 1, 'p', 'op', 'zh', 'en', 'v1', '138****8000', 5000, 'CNY', 4975, 'CNY', 5000, 'CNY',"
        " '{}', 1, 't', " +
        std::to_string(placed_ms_) + ", 1, 2)");
    add("INSERT INTO order_events (order_id, seq, event, from_state, to_state, actor, reason,"
        " trace_id, at_ms) VALUES ('" +
        id + "', 1, 'place', '', '" + state + "', 'buyer', '', 't', 1)");
    add("INSERT INTO payment_attempts (out_trade_no, order_id, channel, scene, state,"
        " amount_minor, amount_currency, paid_minor, refunded_minor, expires_at_ms, created_at_ms,"
        " updated_at_ms) VALUES ('T" +
        id + "', '" + id + "', 'wechat', 'h5', '" + payment + "', 4975, 'CNY', " +
        std::to_string(paid) + ", " + std::to_string(refunded) + ", 1, 1, 1)");
    add("INSERT INTO notifications (channel, notify_id, subject, outcome, received_at_ms) VALUES"
        " ('wechat', 'n-" +
        id + "', 'T" + id + "', 'applied', 1)");
  }
  void refund(const std::string& id, const std::string& state) {
    add("INSERT INTO refunds (out_refund_no, order_id, out_trade_no, state, amount_minor,"
        " amount_currency, reason, created_at_ms, updated_at_ms) VALUES ('RT" +
        id + "', '" + id + "', 'T" + id + "', '" + state +
        "', 4975, 'CNY', 'not_delivered', 1, 1)");
  }
  void journal(const std::string& name, const std::string& subject, const std::string& order,
               const std::vector<Line>& lines) {
    const std::string id = "J" + std::to_string(++journals_);
    int number = 0;
    for (const Line& line : lines) {
      add("INSERT INTO postings (journal_id, line, account, amount_minor, amount_currency) VALUES"
          " ('" +
          id + "', " + std::to_string(++number) + ", '" + line.account + "', " +
          std::to_string(line.minor) + ", 'CNY')");
      balances_[line.account] += line.minor;
    }
    const bool is_numbered = version_ >= kBooks;
    if (is_numbered) add("UPDATE ledger_head SET seq = seq + 1");
    add("INSERT INTO journals (journal_id, template, subject, order_id, trace_id, at_ms" +
        std::string(is_numbered ? ", seq" : "") + ") VALUES ('" + id + "', '" + name + "', '" +
        subject + "', '" + order + "', 't', 1" +
        (is_numbered ? ", " + std::to_string(journals_) : "") + ")");
  }
  // Rows of the chain's first version: each field behind its length, after the previous hash.
  void trail() {
    std::string previous;
    int seq = 0;
    for (const std::string action : {"order.placed", "order.paid", "order.succeeded"}) {
      const std::string number = std::to_string(++seq);
      std::string bytes;
      for (const std::string& field :
           {previous, number, std::string("1"), std::string("system"), action,
            std::string("old-delivered"), std::string("{}"), std::string("t")})
        bytes += std::to_string(field.size()) + ":" + field;
      const std::string hash = base::hex(base::sha256(bytes));
      add("INSERT INTO audit_log (seq, at_ms, actor, action, subject, detail, trace_id,"
          " previous_hash, hash) VALUES (" +
          number + ", 1, 'system', '" + action + "', 'old-delivered', '{}', 't', '" + previous +
          "', '" + hash + "')");
      previous = hash;
    }
    add("UPDATE audit_head SET seq = " + std::to_string(seq) + ", hash = '" + previous + "'");
  }
  void desk() {
    const bool has_books = version_ >= kBooks;
    add("INSERT INTO work_items (work_item_id, kind, subject, order_id, detail, state," +
        std::string(has_books ? " held_minor, held_currency," : "") +
        " created_at_ms) VALUES ('W1', 'payment_mismatch', '" +
        (has_books ? "Told-odd" : "old-odd") + "', 'old-odd', '{}', 'open'," +
        (has_books ? " 5000, 'CNY'," : "") + " 1)");
    add("INSERT INTO work_items (work_item_id, kind, subject, order_id, detail, state,"
        " created_at_ms) VALUES ('W2', 'refund_requested', 'old-delivered', 'old-delivered',"
        " 'please', 'open', 1)");
    if (version_ >= kWishes)
      add("INSERT INTO refund_wishes (order_id, wish_no, asked_at_ms) VALUES"
          " ('old-delivered', 1, 1)");
    add("INSERT INTO outbox (job_id, kind, subject, state, priority, run_at_ms, trace_id,"
        " created_at_ms) VALUES ('job-of-old', 'submit', 'old-unpaid', 'dead', 1, 1, 't', 1)");
    if (!has_books) return;
    add("INSERT INTO error_accounts (order_id, cause, party, amount_minor, amount_currency, state,"
        " opened_at_ms) VALUES ('old-going-back', 'not_delivered', 'reloadly', 4975, 'CNY',"
        " 'open', 1)");
    add("INSERT INTO wallets VALUES ('buyer-one', 'CNY', 1, 0, 1, 1)");
    add("INSERT INTO wallet_entries VALUES ('buyer-one', 'CNY', 1, 'credit', 's', 1, 0, 1)");
  }

  int version_;
  std::int64_t placed_ms_;
  int journals_ = 0;
  std::map<std::string, std::int64_t> balances_;
  std::string sql_;
};

// ---- All that a store holds: table → columns, and each row as one text.

std::vector<std::string> texts(Db& db, const std::string& sql) {
  std::vector<std::string> found;
  db.read([&](Reader& reader) {
    found.clear();
    reader.query(sql, {}, [&found](const Row& row) { found.push_back(row.text(0)); });
  });
  return found;
}

using Contents = std::map<std::string, std::vector<std::string>>;

Contents columns_of(Db& db) {
  const bool is_sqlite = db.engine() == "sqlite";
  Contents columns;
  for (const std::string& table :
       texts(db, is_sqlite ? "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT"
                             " LIKE 'sqlite%'"
                           : "SELECT relname FROM pg_class WHERE relnamespace ="
                             " 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT"
                             " relispartition")) {
    // What changes by itself: the list of steps, the marks of commits that were looked up, and
    // where a case of suspense stands since 0012.
    if (table == "schema_migrations" || table == "topup_commits") continue;
    const std::vector<std::string> all =
        texts(db, is_sqlite ? "SELECT name FROM pragma_table_info('" + table + "')"
                            : "SELECT column_name FROM information_schema.columns WHERE"
                              " table_schema = 'public' AND table_name = '" +
                                  table + "'");
    for (const std::string& column : all)
      if (table != "work_items" || (column != "subject" && !column.starts_with("held_")))
        columns[table].push_back(column);
  }
  return columns;
}

std::map<std::string, std::multiset<std::string>> rows_of(Db& db, const Contents& columns) {
  std::map<std::string, std::multiset<std::string>> rows;
  for (const auto& [table, names] : columns) {
    std::string row;
    for (const std::string& name : names)
      row += (row.empty() ? "" : " || '|' || ") + std::string("COALESCE(CAST(") + name +
             " AS TEXT), '~')";
    for (std::string& text : texts(db, "SELECT " + row + " FROM " + table))
      rows[table].insert(std::move(text));
  }
  return rows;
}

// A column that a later step has taken away is not compared: that step says where its words went.
Contents shared_columns(const Contents& old, const Contents& newest) {
  Contents shared;
  for (const auto& [table, names] : old) {
    const auto now = newest.find(table);
    if (now == newest.end()) continue;
    for (const std::string& name : names)
      if (std::find(now->second.begin(), now->second.end(), name) != now->second.end())
        shared[table].push_back(name);
  }
  return shared;
}

struct Stop {};

struct Upgraded {
  std::int64_t rows = 0;
  std::string lost;
};

void migrate_up_to(Db& db, int version) {
  try {
    migrate(db, 1, [version](const EmbeddedMigration& step) {
      if (step.number > version) throw Stop{};
    });
  } catch (const Stop&) {
  }
  REQUIRE(schema_of(db).applied == version);
}

// The empty store of each version in turn, for one test after the other: on PostgreSQL a copy of
// one that grows, because a step costs more there than a copy.
class Ladder {
 public:
  explicit Ladder(const base::Clock& clock) : clock_(clock) {
    if (tests_run_on_postgres()) growing_.emplace(false);
  }
  // Where the store of this version lies; that of the last one goes away.
  std::string step_to(int version) {
    if (!growing_) {
      folder_.emplace();
      migrate_up_to(*open_sqlite(folder_->file("topup.db")), version);
      return folder_->file("topup.db");
    }
    leave();
    migrate_up_to(*open(growing_->url()), version);
    testing::shared_cluster().run({"CREATE DATABASE " + kCopy + " TEMPLATE " + growing_->name()});
    return testing::shared_cluster().url(kCopy);
  }
  std::unique_ptr<Db> open(const std::string& place) const {
    return growing_ ? open_postgres({place, ""}, 2, clock_) : open_sqlite(place);
  }
  void leave() {
    if (growing_)
      testing::shared_cluster().run({"DROP DATABASE IF EXISTS " + kCopy + " WITH (FORCE)"});
  }

 private:
  inline static const std::string kCopy = "upgraded_shop";
  const base::Clock& clock_;
  std::optional<ScratchFolder> folder_;
  std::optional<ScratchDatabase> growing_;
};

// Fills the store of one version and brings it to the newest.
Upgraded upgrade(Db& db, int version, std::int64_t placed_ms, const Contents& newest) {
  const std::string rows = OldShop(version, placed_ms).rows();
  db.write([&rows](Tx& tx) {
    tx.script(rows);
    return true;
  });
  const Contents columns = shared_columns(columns_of(db), newest);
  const auto before = rows_of(db, columns);
  migrate(db, 2);
  const auto after = rows_of(db, columns);
  Upgraded upgraded;
  for (const auto& [table, lines] : before) {
    for (const std::string& line : lines) {
      ++upgraded.rows;
      const auto kept = after.find(table);
      if (kept == after.end() || kept->second.count(line) < lines.count(line))
        upgraded.lost += table + ": " + line + "\n";
    }
  }
  return upgraded;
}

// A wish that waited, with a row of its own or from before there were any, is answered; the buyer
// reads why, and may wish again.
void answer_wish(OrderShop& shop) {
  const OrderId id("old-delivered");
  const auto deed = [&shop](const auto& body) {
    const Result<bool> done = with_tx(shop.shop.db(), body);
    return done ? "" : std::string(done.error().reason);
  };
  const auto decline = [&](Tx& tx) {
    return orders::decline_wish(shop.env, tx, id,
                                {orders::wish_decision::kDeclined, "has_arrived", "look again"},
                                "staff:staff-one", "seen at the carrier");
  };
  CHECK(deed(decline) == "");
  CHECK(deed(decline) == "wish_not_open");
  CHECK(deed([&](Tx& tx) {
          return orders::ask_for_refund(shop.env, tx, UserId("buyer-one"), id, "it never arrived");
        }) == "");
  std::vector<orders::RefundWish> wishes;
  shop.shop.db().read(
      [&](Reader& reader) { wishes = orders::refund_wish_store::of_order(reader, id); });
  REQUIRE(wishes.size() == 2);
  CHECK(wishes[0].words == "look again");
  CHECK(wishes[1].decision == "");
}

// The shop of today on it: old orders are read, the books hold, new ones are sold and delivered.
void sell_on(const std::string& place) {
  OrderShop shop(7, place);
  CHECK(shop.broken_books() == "");
  CHECK(shop.state(OrderId("old-delivered")) == State::succeeded);
  CHECK(shop.refunds_of(OrderId("old-given-back")).size() == 1);
  answer_wish(shop);
  const std::vector<catalog::Listed> listed = {{"1", "China Mobile", "CN", fen(5'000)}};
  shop.catalog.publish("reloadly", catalog::product_changes("reloadly", listed),
                       {{.id = "default", .rate_bp = 9'950}, {.id = "service"}}, "system");
  const OrderId order = shop.paid_order();
  CHECK(shop.run_until_quiet(48 * 3'600'000));
  CHECK(shop.state(order) == State::succeeded);
  CHECK(shop.broken_books() == "");
}

TEST_CASE("D-10: a store of every schema since the first is brought to the newest and sells on") {
  const testing::QuietLog quiet;
  static const base::SystemClock clock;
  const int newest = embedded_migrations().back().number;
  testing::ScratchShop fresh;
  const Contents columns = columns_of(fresh.db());
  Ladder ladder(clock);
  std::int64_t rows = 0;
  int versions = 0;
  for (int version = 1; version <= newest; ++version) {
    CAPTURE(version);
    // The first has orders older than any month that PostgreSQL is given (migration 0009).
    const std::int64_t placed_ms = version == 1 ? 1 : clock.wall_ms() - kTwoMonthsMs;
    const std::string place = ladder.step_to(version);
    const Upgraded upgraded = upgrade(*ladder.open(place), version, placed_ms, columns);
    CHECK(upgraded.lost == "");
    CHECK(upgraded.rows >= 50);
    rows += upgraded.rows;
    sell_on(place);
    ++versions;
  }
  ladder.leave();
  const std::string engine = tests_run_on_postgres() ? "PostgreSQL" : "SQLite";
  MESSAGE("figure D-10: " << engine << ", " << versions << " of " << newest
                          << " schemas brought to the newest with " << rows << " rows, 0 lost");
}

}  // namespace
}  // namespace topup::storage
