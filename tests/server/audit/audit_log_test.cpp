#include "server/audit/audit_log.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "server/audit/head_file.h"
#include "server/base/crypto.h"
#include "tests/support/scratch_shop.h"
#include "tests/support/seeded_random.h"

namespace topup::audit {
namespace {

constexpr std::int64_t kRows = 30;

class Trail {
 public:
  explicit Trail(std::int64_t rows = kRows) {
    shop.db().write([rows](storage::Tx& tx) {
      for (std::int64_t i = 1; i <= rows; ++i) {
        const std::string subject = "order-" + std::to_string(i % 3);
        const std::string detail = "row " + std::to_string(i);
        append(tx, {"system", "order.paid", subject, detail}, TraceId("trace"), 1'000 + i);
      }
      return true;
    });
    shop.drop_trigger("audit_keep", "audit_log");
    shop.drop_trigger("audit_stay", "audit_log");
  }
  ChainVerdict verdict() {
    ChainVerdict found;
    shop.db().read([&found](storage::Reader& reader) { found = verify(reader); });
    return found;
  }
  bool tail() {
    bool holds = false;
    shop.db().read([&holds](storage::Reader& reader) { holds = tail_holds(reader); });
    return holds;
  }
  // The verdict on the chain as these statements would leave it; nothing is kept.
  ChainVerdict verdict_after(const std::string& statements) {
    ChainVerdict found;
    shop.db().write([&](storage::Tx& tx) {
      tx.script(statements);
      found = verify(tx);
      return false;
    });
    return found;
  }

  testing::ScratchShop shop;
};

ChainVerdict verify_now(Trail& trail, const std::vector<Head>& heads) {
  ChainVerdict found;
  trail.shop.db().read([&](storage::Reader& reader) { found = verify(reader, heads); });
  return found;
}

std::string number(std::int64_t value) { return std::to_string(value); }

std::string change_of(testing::SeededRandom& random, std::int64_t seq) {
  constexpr const char* kTexts[] = {"actor",      "action",         "subject", "detail",
                                    "trace_id",   "previous_hash",  "hash",    "before_text",
                                    "after_text", "address_masked", "device",  "session_prefix"};
  const std::int64_t column = random.below(14);
  const std::string set = column == 12 ? "at_ms = at_ms + 1"
                          : column == 13
                              ? "chain_version = 1"
                              : std::string(kTexts[column]) + " = " + kTexts[column] + " || 'x'";
  return "UPDATE audit_log SET " + set + " WHERE seq = " + number(seq);
}

std::string swap_of(std::int64_t a, std::int64_t b) {
  return "UPDATE audit_log SET seq = -1 WHERE seq = " + number(a) +
         "; UPDATE audit_log SET seq = " + number(a) + " WHERE seq = " + number(b) +
         "; UPDATE audit_log SET seq = " + number(b) + " WHERE seq = -1";
}

// A forged row at `seq`; what stood there and after it moves up by one.
std::string insert_of(std::int64_t seq) {
  return "UPDATE audit_log SET seq = -seq WHERE seq >= " + number(seq) +
         "; UPDATE audit_log SET seq = 1 - seq WHERE seq < 0; INSERT INTO audit_log SELECT " +
         number(seq) +
         ", at_ms, actor, action, subject, 'forged', trace_id, previous_hash, hash, chain_version, "
         "before_text, after_text, address_masked, device, session_prefix FROM audit_log WHERE seq "
         "= " +
         number(seq == 1 ? 2 : seq - 1) + "; UPDATE audit_head SET seq = seq + 1";
}

TEST_CASE("audit: an untouched chain holds, row by row, and each entry is kept as it was said") {
  Trail trail;
  const ChainVerdict verdict = trail.verdict();
  CHECK(verdict.holds);
  CHECK(verdict.rows == kRows);
  CHECK(verdict.first_bad_seq == 0);
  CHECK(trail.tail());
  std::vector<Row> rows;
  trail.shop.db().read([&rows](storage::Reader& reader) { rows = list_of(reader, "order-1"); });
  REQUIRE(rows.size() == 10);
  CHECK(rows[1].seq == 4);
  CHECK(rows[1].detail == "row 4");
  CHECK(rows[1].actor == "system");
  CHECK(rows[1].trace_id == "trace");
  CHECK(rows[1].at_ms == 1'004);
}

TEST_CASE("audit: an empty trail holds") {
  testing::ScratchShop shop;
  shop.db().read([](storage::Reader& reader) {
    CHECK(verify(reader).holds);
    CHECK(tail_holds(reader));
  });
}

TEST_CASE("T-01: each of 1,000 random edits of the audit trail is found, with its place") {
  Trail trail;
  testing::SeededRandom random(42);
  int found = 0;
  for (int edit = 0; edit < 1'000; ++edit) {
    CAPTURE(edit);
    const std::int64_t seq = 1 + random.below(kRows);
    std::string statements;
    std::int64_t place = seq;
    switch (edit % 4) {
      case 0:
        statements = change_of(random, seq);
        break;
      case 1:
        statements = "DELETE FROM audit_log WHERE seq = " + number(seq);
        break;
      case 2: {
        const std::int64_t other = 1 + (seq + random.below(kRows - 1)) % kRows;
        statements = swap_of(seq, other);
        place = std::min(seq, other);
        break;
      }
      default:
        statements = insert_of(seq);
    }
    CAPTURE(statements);
    const ChainVerdict verdict = trail.verdict_after(statements);
    CHECK_FALSE(verdict.holds);
    CHECK(verdict.first_bad_seq == place);
    CHECK(verdict.why.find("row") != std::string::npos);
    found += !verdict.holds && verdict.first_bad_seq == place ? 1 : 0;
  }
  MESSAGE("figure T-01: " << found << " of 1,000 edits found with their place");
  CHECK(trail.verdict().holds);
}

// What somebody does who holds the database and knows the program: cuts the tail and the head with
// it, or computes the whole chain anew behind his change.
TEST_CASE(
    "T-01: a tail cut together with its head, or a chain computed anew, is found by a head "
    "that was signed and kept outside") {
  Trail trail;
  std::vector<Head> heads;
  for (const std::int64_t seq : {10, 20, 30}) {
    heads.push_back({seq, trail.shop.text("SELECT hash FROM audit_log WHERE seq = $1", {seq}), 1});
  }
  const auto verdict_of = [&](const std::string& statements) {
    ChainVerdict found;
    trail.shop.db().write([&](storage::Tx& tx) {
      tx.script(statements);
      CHECK(verify(tx).holds);  // nothing inside the database tells
      found = verify(tx, heads);
      return false;
    });
    return found;
  };
  CHECK(verify_now(trail, heads).holds);
  for (std::int64_t last = 20; last < kRows; ++last) {
    CAPTURE(last);
    const ChainVerdict cut =
        verdict_of("DELETE FROM audit_log WHERE seq > " + number(last) +
                   "; UPDATE audit_head SET seq = " + number(last) +
                   ", hash = (SELECT hash FROM audit_log WHERE seq = " + number(last) + ")");
    CHECK_FALSE(cut.holds);
    CHECK(cut.first_bad_seq == last + 1);
    CHECK(cut.why.find("was cut") != std::string::npos);
  }
  const ChainVerdict all =
      verdict_of("DELETE FROM audit_log; UPDATE audit_head SET seq = 0, hash = ''");
  CHECK(all.first_bad_seq == 1);

  Trail anew(0);  // the same rows but one, the chain right in itself
  anew.shop.db().write([](storage::Tx& tx) {
    for (std::int64_t i = 1; i <= kRows; ++i) {
      const std::string subject = "order-" + std::to_string(i % 3);
      const std::string detail = i == 13 ? "forged" : "row " + std::to_string(i);
      append(tx, {"system", "order.paid", subject, detail}, TraceId("trace"), 1'000 + i);
    }
    return true;
  });
  CHECK(anew.verdict().holds);
  const ChainVerdict forged = verify_now(anew, heads);
  CHECK_FALSE(forged.holds);
  CHECK(forged.first_bad_seq == 11);  // the last head that still agrees is that of row 10
}

TEST_CASE("T-01: signed heads outlive a torn line and refuse a changed one") {
  testing::ScratchFolder folder;
  const std::string path = folder.file("audit.head");
  const std::string key(32, 'k');
  const std::string hash(64, 'a');
  CHECK_FALSE(read_heads(path, key).is_there);
  for (std::int64_t seq = 1; seq <= 5; ++seq) REQUIRE(append_head(path, {seq, hash, seq}, key));
  CHECK(read_heads(path, key).heads.size() == 5);
  CHECK(read_heads(path, std::string(32, 'x')).wrong.size() == 5);
  { std::ofstream(path, std::ios::app) << "6 " << hash.substr(0, 20); }
  CHECK(read_heads(path, key).heads.size() == 5);
  CHECK(read_heads(path, key).wrong.empty());
  REQUIRE(append_head(path, {7, hash, 7}, key));
  const SignedHeads healed = read_heads(path, key);
  CHECK(healed.heads.size() == 6);
  CHECK(healed.heads.back().seq == 7);
  std::string text;
  {
    std::ifstream in(path);
    text.assign(std::istreambuf_iterator<char>(in), {});
  }
  testing::SeededRandom random(3);
  for (int edit = 0; edit < 200; ++edit) {
    std::string changed = text;
    const auto at =
        static_cast<std::size_t>(random.below(static_cast<std::int64_t>(text.size() - 1)));
    if (changed[at] == '\n') continue;
    changed[at] = changed[at] == '1' ? '2' : '1';
    std::ofstream(path, std::ios::trunc) << changed;
    CHECK(read_heads(path, key).wrong.size() == 1);
  }
}

TEST_CASE("T-01: many heads are thinned out and the newest half stays whole") {
  testing::ScratchFolder folder;
  const std::string path = folder.file("audit.head");
  const std::string key(32, 'k');
  {
    // As append_head writes them, without its fsync for each.
    std::ofstream out(path);
    for (std::size_t seq = 1; seq < kMaxHeads; ++seq) {
      const std::string line = std::to_string(seq) + " " + std::string(64, 'a') + " 1";
      out << line << " " << base::hex(base::hmac_sha256(key, "topup audit head v1\n" + line))
          << "\n";
    }
  }
  REQUIRE(append_head(path, {5'000, std::string(64, 'b'), 1}, key));
  const SignedHeads kept = read_heads(path, key);
  CHECK(kept.wrong.empty());
  CHECK(kept.heads.size() == kMaxHeads * 3 / 4);
  CHECK(kept.heads.back().seq == 5'000);
}

TEST_CASE("T-01: rows of before the origin was kept still verify, and cannot be given one") {
  Trail trail(2);
  // As the first version of the program wrote it.
  trail.shop.tamper("DELETE FROM audit_log; UPDATE audit_head SET seq = 0, hash = ''");
  const auto field = [](const std::string& text) {
    return number(static_cast<std::int64_t>(text.size())) + ":" + text;
  };
  std::string bytes;
  for (const char* text : {"", "1", "77", "system", "order.paid", "order-1", "old", "trace"})
    bytes += field(text);
  const std::string hash = base::hex(base::sha256(bytes));
  trail.shop.tamper(
      "INSERT INTO audit_log (seq, at_ms, actor, action, subject, detail, trace_id, previous_hash, "
      "hash) "
      "VALUES (1, 77, 'system', 'order.paid', 'order-1', 'old', 'trace', '', '" +
      hash +
      "');"
      "UPDATE audit_head SET seq = 1, hash = '" +
      hash + "'");
  trail.shop.db().write([](storage::Tx& tx) {
    append(tx, {"system", "order.paid", "order-1", "new"}, TraceId(), 78);
    return true;
  });
  CHECK(trail.verdict().holds);
  for (const char* column :
       {"before_text", "after_text", "address_masked", "device", "session_prefix"}) {
    CAPTURE(column);
    const ChainVerdict verdict =
        trail.verdict_after("UPDATE audit_log SET " + std::string(column) + " = 'x' WHERE seq = 1");
    CHECK(verdict.first_bad_seq == 1);
  }
  CHECK(trail.verdict_after("UPDATE audit_log SET chain_version = 2 WHERE seq = 1").first_bad_seq ==
        1);
  CHECK(trail.verdict_after("UPDATE audit_log SET chain_version = 0 WHERE seq = 1").first_bad_seq ==
        1);
}

TEST_CASE("audit: a row says from where, and what the change was, with personal data masked") {
  testing::ScratchShop shop;
  const Change change = change_between({{"phone", "13800138000"}, {"state", "on"}, {"fee", 5}},
                                       {{"phone", "13900139000"}, {"state", "on"}, {"note", "x"}});
  CHECK(change.before == R"({"fee":5,"phone":"13800138000"})");
  CHECK(change.after == R"({"note":"x","phone":"13900139000"})");
  const Origin origin{"203.0.113.77", "Firefox", "0123456789abcdef"};
  {
    const OriginScope scope(&origin);
    shop.db().write([&](storage::Tx& tx) {  // on SQLite in another thread
      append(tx, {"staff:1", "user.changed", "user-1", "", change.before, change.after},
             TraceId("t"), 5);
      return true;
    });
  }
  shop.db().write([&](storage::Tx& tx) {
    append(tx, {"system", "user.changed", "user-1", "", std::string(9'000, 'y')}, TraceId(), 6);
    return true;
  });
  std::vector<Row> rows;
  shop.db().read([&rows](storage::Reader& reader) { rows = list_of(reader, "user-1"); });
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].before == R"({"fee":5,"phone":"138****8000"})");
  CHECK(rows[0].after == R"({"note":"x","phone":"139****9000"})");
  CHECK(rows[0].address_masked == "203.0.*.*");
  CHECK(rows[0].device == "Firefox");
  CHECK(rows[0].session_prefix == "0123456789abcdef");
  CHECK(rows[1].before.size() == kMaxChangeBytes);
  CHECK(rows[1].before.ends_with("..."));
  CHECK(rows[1].address_masked.empty());
  shop.db().read([](storage::Reader& reader) { CHECK(verify(reader).holds); });
}

TEST_CASE("T-02: a change whose audit row cannot be written is not made") {
  testing::ScratchShop shop;
  const auto change = [&](const std::string& user) {
    shop.db().write([&](storage::Tx& tx) {
      tx.exec("INSERT INTO users (user_id, created_at_ms) VALUES ($1, 1)", {user});
      append(tx, {"system", "user.made", user, ""}, TraceId(), 1);
      return true;
    });
  };
  change("one");
  // The next number is taken: the trail refuses the row.
  shop.tamper("UPDATE audit_head SET seq = 0");
  CHECK_THROWS_AS(change("two"), storage::SqlError);
  CHECK(shop.integer("SELECT COUNT(*) FROM users") == 1);
  CHECK(shop.integer("SELECT COUNT(*) FROM audit_log") == 1);
  // And a body that fails after its audit row leaves neither.
  shop.tamper("UPDATE audit_head SET seq = 1");
  CHECK_THROWS(shop.db().write([&](storage::Tx& tx) {
    append(tx, {"system", "user.made", "three", ""}, TraceId(), 1);
    tx.exec("INSERT INTO users (user_id, created_at_ms) VALUES ($1, 1)", {"one"});
    return true;
  }));
  CHECK(shop.integer("SELECT COUNT(*) FROM audit_log") == 1);
  change("four");
  shop.db().read([](storage::Reader& reader) { CHECK(verify(reader).holds); });
}

TEST_CASE("T-03: nobody changes, removes or empties the trail through the shop's own connection") {
  testing::ScratchShop shop;
  shop.db().write([](storage::Tx& tx) {
    append(tx, {"system", "a", "b", ""}, TraceId(), 1);
    return true;
  });
  std::vector<std::string> statements = {"UPDATE audit_log SET detail = 'x'",
                                         "DELETE FROM audit_log"};
  for (const std::string& column : shop.columns("audit_log")) {
    statements.push_back("UPDATE audit_log SET " + column + " = " + column);
  }
  if (shop.is_postgres()) statements.push_back("TRUNCATE audit_log");
  for (const std::string& statement : statements) {
    CAPTURE(statement);
    CHECK_THROWS_AS(shop.tamper(statement), storage::SqlError);
  }
  shop.db().read([](storage::Reader& reader) { CHECK(verify(reader).rows == 1); });
}

TEST_CASE("audit: text moved from one field to the next does not hash the same") {
  Trail trail(0);
  trail.shop.db().write([](storage::Tx& tx) {
    append(tx, {"system", "a", "order:1", "paid"}, TraceId(), 1);
    return true;
  });
  CHECK(trail.verdict().holds);
  const ChainVerdict verdict =
      trail.verdict_after("UPDATE audit_log SET subject = 'order', detail = '1:paid'");
  CHECK(verdict.first_bad_seq == 1);
}

TEST_CASE(
    "audit: a rewritten row with a right hash of its own is found where the next one links to it") {
  constexpr std::int64_t kForged = 12;
  Trail trail;
  Trail other(kForged - 1);
  other.shop.db().write([](storage::Tx& tx) {
    append(tx, {"system", "order.paid", "order-0", "forged"}, TraceId("trace"), 1'000 + kForged);
    return true;
  });
  const std::string hash = other.shop.text("SELECT hash FROM audit_log WHERE seq = $1", {kForged});
  const ChainVerdict verdict =
      trail.verdict_after("UPDATE audit_log SET detail = 'forged', hash = '" + hash +
                          "' WHERE seq = " + number(kForged));
  CHECK(verdict.first_bad_seq == kForged + 1);
}

TEST_CASE("audit: a cut tail is found against the head") {
  Trail trail;
  const ChainVerdict verdict = trail.verdict_after("DELETE FROM audit_log WHERE seq > 20");
  CHECK_FALSE(verdict.holds);
  CHECK(verdict.first_bad_seq == 21);
  CHECK_FALSE(trail.verdict_after("DELETE FROM audit_log").holds);
}

TEST_CASE("audit: a row smuggled in before the first one or after the head is found") {
  Trail trail;
  for (const std::int64_t seq : {std::int64_t{0}, std::int64_t{-5}, kRows + 1, kRows + 7}) {
    CAPTURE(seq);
    CHECK_FALSE(
        trail
            .verdict_after("INSERT INTO audit_log SELECT " + number(seq) +
                           ", at_ms, actor, action, subject, detail, trace_id, previous_hash, hash,"
                           " chain_version, before_text, after_text, address_masked, device,"
                           " session_prefix FROM audit_log WHERE seq = 3")
            .holds);
  }
}

TEST_CASE("audit: the look at the newest rows sees an edit there and nothing older") {
  Trail trail(kTailRows + 50);
  CHECK(trail.tail());
  trail.shop.tamper("UPDATE audit_log SET detail = 'x' WHERE seq = 10");
  CHECK(trail.tail());
  CHECK(trail.verdict().first_bad_seq == 10);
  trail.shop.tamper("UPDATE audit_log SET detail = 'x' WHERE seq = 100");
  CHECK_FALSE(trail.tail());
}

TEST_CASE("audit: an entry belongs to its transaction") {
  testing::ScratchShop shop;
  shop.db().write([](storage::Tx& tx) {
    append(tx, {"system", "a", "s", "rolled back"}, TraceId(), 1);
    return false;
  });
  shop.db().write([](storage::Tx& tx) {
    append(tx, {"system", "a", "s", "kept"}, TraceId(), 2);
    return true;
  });
  std::vector<Row> rows;
  shop.db().read([&rows](storage::Reader& reader) {
    rows = list_of(reader, "s");
    CHECK(verify(reader).holds);
  });
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].seq == 1);
  CHECK(rows[0].detail == "kept");
}

}  // namespace
}  // namespace topup::audit
