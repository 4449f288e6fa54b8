#include "server/audit/audit_log.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

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
    shop.tamper("DROP TRIGGER audit_keep; DROP TRIGGER audit_stay");
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

std::string number(std::int64_t value) { return std::to_string(value); }

std::string change_of(testing::SeededRandom& random, std::int64_t seq) {
  constexpr const char* kTexts[] = {"actor",    "action",        "subject", "detail",
                                    "trace_id", "previous_hash", "hash"};
  const std::int64_t column = random.below(8);
  const std::string set = column == 7
                              ? "at_ms = at_ms + 1"
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
         ", at_ms, actor, action, subject, 'forged', trace_id, previous_hash, hash FROM audit_log "
         "WHERE seq = " +
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

TEST_CASE("audit: each of 1,000 random edits is found, with its place") {
  Trail trail;
  testing::SeededRandom random(42);
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
  }
  CHECK(trail.verdict().holds);
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
                           ", at_ms, actor, action, subject, detail, trace_id, previous_hash, hash"
                           " FROM audit_log WHERE seq = 3")
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
