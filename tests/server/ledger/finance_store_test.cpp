#include "server/ledger/finance_store.h"

#include <doctest/doctest.h>

#include <string>

#include "server/ledger/ledger_store.h"
#include "server/ledger/posting.h"
#include "tests/support/scratch_shop.h"
#include "tests/support/seeded_random.h"

namespace topup::ledger {
namespace {

constexpr std::int64_t kDayStart = 1'768'752'000'000;  // 2026-01-19T00:00:00 in Shanghai

void put(testing::ScratchShop& shop, const Journal& journal, std::int64_t at_ms) {
  shop.db().write([&](storage::Tx& tx) {
    post(tx, journal, OrderId("order"), TraceId("trace"), at_ms);
    return true;
  });
}
std::int64_t advance(testing::ScratchShop& shop, std::int64_t most = kFinanceStep) {
  std::int64_t taken = 0;
  shop.db().write([&](storage::Tx& tx) {
    taken = advance_finance(tx, most);
    return true;
  });
  return taken;
}
std::string difference(testing::ScratchShop& shop) {
  std::string found;
  shop.db().read([&](storage::Reader& reader) { found = finance_difference(reader); });
  return found;
}

TEST_CASE("F040: the finance view follows the journals in steps and equals the one made anew") {
  testing::ScratchShop shop;
  testing::SeededRandom draw(9);
  for (int i = 0; i < 120; ++i) {
    const std::string subject = std::to_string(i);
    const Money cost{1 + draw.below(900), Currency::usd};
    const Money amount = fen(1 + draw.below(100'000));
    const std::int64_t at = kDayStart + draw.below(5 * 86'400'000);
    put(shop, payment_received(subject, {"wechat"}, amount), at);
    if (draw.percent(60)) {
      put(shop, order_fulfilled(subject, "reloadly", amount, &cost), at + 1'000);
    } else {
      put(shop, order_refunded(subject, {"wechat"}, amount), at + 1'000);
    }
    if (draw.percent(20)) advance(shop, 1 + draw.below(7));
    CHECK(difference(shop) == "");
  }
  while (advance(shop, 50) > 0) {
  }
  CHECK(advance(shop) == 0);
  shop.db().read([](storage::Reader& reader) {
    const FinanceSum live = finance_sum(reader);
    const FinanceSum anew = finance_rebuilt(reader);
    CHECK(live.seq == 240);
    CHECK(live.rows > 10);
    CHECK(live.checksum == anew.checksum);
    std::int64_t debit = 0;
    std::int64_t credit = 0;
    for (const FinanceDay& day : finance_days(reader)) {
      debit += day.debit_minor;
      credit += day.credit_minor;
    }
    CHECK(debit == credit);
  });
}

TEST_CASE("F040: a business day begins at midnight in Shanghai") {
  testing::ScratchShop shop;
  put(shop, payment_received("a", {"wechat"}, fen(1)), kDayStart - 1);
  put(shop, payment_received("b", {"wechat"}, fen(10)), kDayStart);
  CHECK(advance(shop) == 2);
  shop.db().read([](storage::Reader& reader) {
    const auto days = finance_days(reader);
    REQUIRE(days.size() == 4);
    CHECK(days[0].day == "2026-01-18");
    CHECK(days[0].debit_minor == 1);
    CHECK(days[2].day == "2026-01-19");
    CHECK(days[2].debit_minor == 10);
    CHECK(finance_days(reader, "2026-01-19").size() == 2);
    CHECK(finance_days(reader, "", "2026-01-18").size() == 2);
  });
}

TEST_CASE("F040: a view that somebody changed is told with its first wrong row") {
  for (const char* damage :
       {"UPDATE finance_days SET debit_minor = 2 WHERE account LIKE 'asset%'",
        "DELETE FROM finance_days WHERE account LIKE 'asset%'",
        "INSERT INTO finance_days VALUES ('2026-01-19', 'asset.bank', 'CNY', 1, 0, 1)"}) {
    CAPTURE(damage);
    testing::ScratchShop shop;
    put(shop, payment_received("a", {"wechat"}, fen(1)), kDayStart);
    advance(shop);
    CHECK(difference(shop) == "");
    shop.tamper(damage);
    CHECK(difference(shop).find("2026-01-19 asset.") != std::string::npos);
    shop.db().read([](storage::Reader& reader) {
      CHECK(finance_sum(reader).checksum != finance_rebuilt(reader).checksum);
    });
  }
}

}  // namespace
}  // namespace topup::ledger
