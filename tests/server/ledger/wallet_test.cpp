#include "server/ledger/wallet.h"

#include <doctest/doctest.h>

#include <atomic>
#include <string>

#include "server/ledger/ledger_store.h"
#include "server/ledger/wallet_store.h"
#include "tests/support/scratch_shop.h"
#include "tests/support/seeded_random.h"
#include "tests/support/together.h"

namespace topup::ledger {
namespace {

const UserId kBuyer("buyer-1");
constexpr std::string_view kSales = "revenue.sales";
const TraceId kTrace("trace");

struct WalletShop {
  testing::QuietLog quiet;
  testing::ScratchShop shop;

  template <class Deed>
  std::string act(const Deed& deed) {
    const auto done = storage::with_tx(shop.db(), [&](storage::Tx& tx) -> Result<Wallet> {
      Wallets wallets(tx, kTrace, 1);
      return deed(wallets);
    });
    return done ? "" : std::string(done.error().reason);
  }
  std::string credit(std::int64_t minor, const std::string& subject) {
    return act([&](Wallets& wallets) {
      return wallets.credit({kBuyer, fen(minor), subject, "cost.adjustments"});
    });
  }
  std::string debit(std::int64_t minor, const std::string& subject) {
    return act([&](Wallets& wallets) {
      return wallets.debit({kBuyer, fen(minor), subject, std::string(kSales)});
    });
  }
  std::string hold(std::int64_t minor, const std::string& id) {
    return act([&](Wallets& wallets) { return wallets.hold(kBuyer, id, fen(minor)); });
  }
  std::string capture(std::int64_t minor, const std::string& id) {
    return act([&](Wallets& wallets) { return wallets.capture(id, fen(minor), kSales); });
  }
  std::string release(const std::string& id) {
    return act([&](Wallets& wallets) { return wallets.release(id); });
  }
  std::string refund(std::int64_t minor, const std::string& id, const std::string& subject) {
    return act([&](Wallets& wallets) { return wallets.refund(id, fen(minor), subject, kSales); });
  }
  Wallet now() {
    Wallet wallet;
    shop.db().read(
        [&](storage::Reader& reader) { wallet = wallet_of(reader, kBuyer, Currency::cny); });
    return wallet;
  }
  std::string wrong() {
    std::string all;
    shop.db().read([&](storage::Reader& reader) {
      all.clear();
      for (const std::string& line : verify(reader)) all += line + "; ";
      for (const std::string& line : wallet_store::verify(reader)) all += line + "; ";
    });
    return all;
  }
};

TEST_CASE("F039: credit, hold, capture, release and refund move one balance and the books alike") {
  WalletShop desk;
  CHECK(desk.credit(10'000, "c1") == "");
  CHECK(desk.hold(4'000, "h1") == "");
  CHECK(desk.hold(3'000, "h2") == "");
  CHECK(desk.now().available == fen(3'000));
  CHECK(desk.now().held == fen(7'000));
  CHECK(desk.hold(3'001, "h3") == "wallet_insufficient");
  CHECK(desk.capture(2'500, "h1") == "");
  CHECK(desk.release("h2") == "");
  CHECK(desk.now().available == fen(7'500));
  CHECK(desk.now().held == fen(0));
  CHECK(desk.refund(1'000, "h1", "r1") == "");
  CHECK(desk.refund(1'501, "h1", "r2") == "hold_exceeded");
  CHECK(desk.debit(8'500, "d1") == "");
  CHECK(desk.debit(1, "d2") == "wallet_insufficient");
  CHECK(desk.now().available == fen(0));
  CHECK(desk.wrong() == "");
}

TEST_CASE("F039: the same event again changes nothing; with another amount it is refused") {
  WalletShop desk;
  for (int i = 0; i < 3; ++i) {
    CHECK(desk.credit(10'000, "c1") == "");
    CHECK(desk.hold(4'000, "h1") == "");
    CHECK(desk.capture(4'000, "h1") == "");
    CHECK(desk.refund(500, "h1", "r1") == "");
    CHECK(desk.debit(100, "d1") == "");
  }
  CHECK(desk.now().available == fen(6'400));
  CHECK(desk.now().version == 5);
  CHECK(desk.credit(9'999, "c1") == "wallet_subject_reused");
  CHECK(desk.capture(3'999, "h1") == "wallet_subject_reused");
  CHECK(desk.release("h1") == "hold_settled");
  CHECK(desk.release("h9") == "hold_not_found");
  CHECK(desk.capture(1, "h9") == "hold_not_found");
  CHECK(desk.wrong() == "");
}

TEST_CASE("B-03: concurrent spending of one balance is exact and never below zero") {
  WalletShop desk;
  const int threads = 64;
  const int each = testing::ScratchShop::is_postgres() ? 5 : 200;
  const std::int64_t funds = static_cast<std::int64_t>(threads) * each * 7 / 2;  // half is refused
  REQUIRE(desk.credit(funds, "funds") == "");
  std::atomic<std::int64_t> spent{0};
  std::atomic<int> odd{0};
  testing::together(threads, [&](int t) {
    testing::SeededRandom draw(static_cast<std::uint64_t>(t) + 1);
    for (int i = 0; i < each; ++i) {
      const std::string id = std::to_string(t) + "-" + std::to_string(i);
      const std::int64_t amount = 1 + draw.below(13);
      std::string said;
      if (draw.percent(50)) {
        said = desk.debit(amount, id);
        if (said.empty()) spent += amount;
      } else {
        said = desk.hold(amount, id);
        if (said.empty() && draw.percent(70)) {
          REQUIRE(desk.capture(amount, id) == "");
          spent += amount;
        } else if (said.empty()) {
          REQUIRE(desk.release(id) == "");
        }
      }
      if (!said.empty() && said != "wallet_insufficient") ++odd;
    }
  });
  CHECK(odd == 0);
  CHECK(desk.now().available.minor == funds - spent);
  MESSAGE("figure B-03: " << threads * each << " deeds by " << threads << " threads, exact");
  CHECK(desk.now().available.minor >= 0);
  CHECK(desk.now().held.minor == 0);
  CHECK(desk.wrong() == "");
}

TEST_CASE("verify: damage to a wallet done behind the program's back is named") {
  struct Damage {
    const char* statements;
    const char* found;
  };
  constexpr Damage kDamage[] = {
      {"UPDATE wallets SET available_minor = available_minor + 1",
       "a wallet differs from its entries: buyer-1 CNY"},
      {"DELETE FROM wallets", "entries of a wallet that is not there: buyer-1 CNY"},
      {"UPDATE wallet_holds SET state = 'released'",
       "a wallet holds another amount than its holds: buyer-1 CNY"},
      {"UPDATE wallets SET held_minor = held_minor + 5, available_minor = available_minor - 5",
       "the wallets together differ from liability.wallet_held CNY"},
      {"UPDATE wallet_entries SET available_minor = 9999 WHERE kind = 'credit'",
       "a wallet differs from its entries: buyer-1 CNY"},
  };
  for (const Damage& damage : kDamage) {
    CAPTURE(damage.statements);
    WalletShop desk;
    REQUIRE(desk.credit(10'000, "c1") == "");
    REQUIRE(desk.hold(4'000, "h1") == "");
    REQUIRE(desk.wrong() == "");
    desk.shop.drop_trigger("wallet_entries_keep", "wallet_entries");
    desk.shop.tamper(damage.statements);
    CHECK_MESSAGE(desk.wrong().find(damage.found) != std::string::npos, desk.wrong());
  }
}

}  // namespace
}  // namespace topup::ledger
