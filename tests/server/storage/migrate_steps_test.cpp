// Migrations that are ended in their middle.
#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/migrate.h"
#include "tests/support/scratch_shop.h"

namespace topup::storage {
namespace {

// One by one, as the engine gets them. A semicolon inside a trigger, a function's body or a text
// ends nothing.
std::vector<std::string> statements_of(std::string_view sql) {
  std::vector<std::string> found;
  std::string now;
  bool in_body = false, in_dollars = false, in_quotes = false, has_code = false;
  for (std::size_t i = 0; i < sql.size(); ++i) {
    const std::string_view rest = sql.substr(i);
    if (!in_quotes && rest.starts_with("--")) {
      i += std::min(rest.find('\n'), rest.size() - 1);
      now += '\n';
      continue;
    }
    if (rest.front() == '\'') in_quotes = !in_quotes;
    if (!in_quotes && rest.starts_with("$$")) in_dollars = !in_dollars;
    if (!in_quotes && !in_dollars && rest.starts_with("BEGIN") &&
        now.find("TRIGGER") != std::string::npos)
      in_body = true;
    now += rest.front();
    has_code = has_code || (rest.front() > ' ' && rest.front() != ';');
    if (rest.front() != ';' || in_quotes || in_dollars) continue;
    if (in_body && !now.ends_with("END;")) continue;
    if (has_code) found.push_back(now);
    now.clear();
    in_body = has_code = false;
  }
  if (has_code) found.push_back(now);
  return found;
}

struct Killed {};

// Fails before its nth statement, as if the process had ended there.
class KilledTx final : public Tx {
 public:
  KilledTx(Tx& tx, int* left) : tx_(tx), left_(left) {}
  int query(std::string_view sql, std::initializer_list<Value> values,
            const std::function<void(const Row&)>& row) override {
    return tx_.query(sql, values, row);
  }
  int exec(std::string_view sql, std::initializer_list<Value> values) override {
    die_when_due();
    return tx_.exec(sql, values);
  }
  void after_commit(std::function<void()> hint) override { tx_.after_commit(std::move(hint)); }
  void script(std::string_view sql) override {
    for (const std::string& statement : statements_of(sql)) {
      die_when_due();
      tx_.script(statement);
    }
  }
  std::string_view engine() const override { return tx_.engine(); }

 private:
  void die_when_due() {
    if ((*left_)-- == 0) throw Killed();
  }
  Tx& tx_;
  int* left_;
};

class KilledDb final : public Db {
 public:
  explicit KilledDb(Db& db) : db_(db) {}
  void read(const std::function<void(Reader&)>& body) override { db_.read(body); }
  void write(const std::function<bool(Tx&)>& body) override {
    db_.write([&](Tx& tx) {
      KilledTx killed(tx, &left);
      return body(killed);
    });
  }
  std::string engine() const override { return db_.engine(); }
  void on_group(std::function<void(std::size_t)>) override {}
  int left = 0;

 private:
  Db& db_;
};

// SQLite keeps the text of a statement; one that came statement by statement lost its comments.
std::string without_comments(const std::string& text) {
  std::istringstream lines(text);
  std::string plain;
  for (std::string line; std::getline(lines, line);) {
    line.erase(std::min(line.find("--"), line.size()));
    line.erase(line.find_last_not_of(' ') + 1);
    plain += line + "\n";
  }
  return plain;
}

std::string shape_of(Db& db) {
  std::string shape;
  const char* sql =
      db.engine() == "sqlite"
          ? "SELECT coalesce(sql, name) FROM sqlite_master ORDER BY name"
          : "SELECT table_name || column_name || data_type FROM "
            "information_schema.columns WHERE table_schema = 'public' UNION ALL "
            "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal UNION ALL SELECT indexname FROM "
            "pg_indexes WHERE schemaname = 'public' ORDER BY 1";
  db.read([&](Reader& reader) {
    reader.query(sql, {}, [&shape](const Row& row) { shape += without_comments(row.text(0)); });
  });
  return shape;
}

TEST_CASE("D-10: a migration ended before any of its statements is resumed, each step once") {
  const testing::ScratchDb clean, killed;
  migrate(clean.db(), 1);
  KilledDb db(killed.db());
  int kills = 0, next = 0;
  std::int64_t applied = 0;
  for (;; ++next) {
    db.left = next;
    try {
      migrate(db, 1);
      break;
    } catch (const Killed&) {
      ++kills;
    }
    // What stands is a whole number of steps.
    const std::int64_t now = has_shop(killed.db()) ? schema_of(killed.db()).applied : 0;
    CHECK(now >= applied);
    CHECK(now <= applied + 1);
    if (now > applied) next = -1;  // from the first statement of the next step on
    applied = now;
  }
  std::size_t statements = 0;
  for (const EmbeddedMigration& step : embedded_migrations()) {
    if (step.engine.empty() || step.engine == killed.db().engine())
      statements += statements_of(step.sql).size();
  }
  CHECK(kills >= static_cast<int>(statements));
  CHECK(schema_of(killed.db()).waiting.empty());
  CHECK(shape_of(killed.db()) == shape_of(clean.db()));
}

TEST_CASE("D-10: what a migration would do is shown, and showing it does nothing") {
  const testing::ScratchDb fresh;
  const Schema before = schema_of(fresh.db());
  CHECK(before.applied == 0);
  CHECK_FALSE(before.waiting.empty());
  CHECK_FALSE(has_shop(fresh.db()));
  std::vector<int> told;
  migrate(fresh.db(), 1, [&told](const EmbeddedMigration& step) { told.push_back(step.number); });
  CHECK(told.size() == before.waiting.size());
  const Schema after = schema_of(fresh.db());
  CHECK(after.applied == after.known);
  CHECK(after.waiting.empty());
}

}  // namespace
}  // namespace topup::storage
