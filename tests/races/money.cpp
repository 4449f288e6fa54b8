// Coupons, stock and balances that more people want than there are.
#include <string>
#include <vector>

#include "server/ledger/wallet.h"
#include "server/ledger/wallet_store.h"
#include "server/marketing/coupon_desk.h"
#include "server/marketing/coupon_store.h"
#include "server/marketing/offer_desk.h"
#include "tests/races/race.h"
#include "tests/support/order_shop.h"

namespace topup::races {

using testing::OrderShop;

namespace {

constexpr const char* kTemplate = "five-off";
const marketing::Deed kStaff{"staff:one", "a rush", {}};

struct Rush {
  OrderShop shop;
  marketing::OfferDesk offers{shop.shop.db(), shop.clock};
  marketing::CouponDesk desk{shop.shop.db(), shop.clock, shop.random};

  Rush() {
    shop.env.settings.max_unpaid_per_user = 1'000;
    marketing::Terms terms;
    terms.name_zh = terms.name_en = kTemplate;
    terms.value = 500;
    check(offers.save({kTemplate, 0, true, terms, "staff:one", {}}).has_value(), "a template");
  }
  std::string campaign(std::string_view way, std::int64_t budget) {
    marketing::Campaign wish;
    wish.template_id = kTemplate;
    wish.way = way;
    wish.name = "rush";
    wish.budget = budget;
    wish.valid_days = 7;
    wish.is_on = true;
    const auto saved = desk.save("", 0, wish, kStaff);
    check(saved.has_value(), "the campaign is saved");
    return saved->id;
  }
  std::string coupon_of(const UserId& user) {
    const auto given = desk.grant(campaign(marketing::way::kStaff, 1), {user}, kStaff);
    check(given.has_value(), "the coupon is given");
    return given->front().id;
  }
  // Fresh buyers, each with the wish to buy one of the stock.
  std::vector<orders::PlaceRequest> buyers(int count, std::int64_t round,
                                           const std::string& stock) {
    std::vector<orders::PlaceRequest> wishes;
    for (int i = 0; i < count; ++i) {
      const std::string name = "buyer-" + std::to_string(round) + "-" + std::to_string(i);
      wishes.push_back(wish(shop.new_user(name), "stock-" + name,
                            {std::string(orders::hold_kind::kStock), stock}));
    }
    return wishes;
  }
  orders::PlaceRequest wish(const UserId& user, const std::string& key, orders::Hold hold) {
    shop.user = user;
    orders::PlaceRequest wanted = shop.request("client-key-" + key);
    wanted.holds.push_back(std::move(hold));
    return wanted;
  }
  std::int64_t left_of(const std::string& stock) {
    std::int64_t left = -1;
    shop.shop.db().read(
        [&](storage::Reader& reader) { left = orders::order_holds::left_of(reader, stock); });
    return left;
  }
  void set_stock(const std::string& stock, std::int64_t amount) {
    shop.shop.db().write([&](storage::Tx& tx) {
      orders::order_holds::set_stock(tx, stock, amount);
      return true;
    });
  }
  std::string faults() {
    std::string wrong = shop.broken_books();
    shop.shop.db().read([&](storage::Reader& reader) {
      for (const std::string& line : marketing::coupon_store::faults(reader)) wrong += line + "; ";
    });
    return wrong;
  }
};

// 1 when it was done, 0 when it was refused for this reason, 1,000 for any other answer.
template <class T>
int taken(const Result<T>& result, std::string_view refusal) {
  if (result) return 1;
  return result.error().reason == refusal ? 0 : 1'000;
}

}  // namespace

void coupon_rush(const Effort& effort, Tally& tally) {
  const int budget = effort.threads / 3;
  Rush rush;
  for (; tally.time_left(); ++tally.rounds) {
    const std::string campaign = rush.campaign(marketing::way::kOpen, budget);
    const std::string stock = "pins-" + std::to_string(tally.rounds);
    const auto wishes = rush.buyers(effort.threads, tally.rounds, stock);
    std::vector<orders::PlaceRequest> one_coupon;
    const std::string coupon = rush.coupon_of(wishes[0].user);
    for (int i = 0; i < 8; ++i) {
      const std::string key = "coupon-" + std::to_string(tally.rounds) + "-" + std::to_string(i);
      one_coupon.push_back(
          rush.wish(wishes[0].user, key, {std::string(orders::hold_kind::kCoupon), coupon}));
    }
    rush.set_stock(stock, budget);
    std::atomic<int> given{0}, bought{0}, used{0};
    crowd(effort.threads, [&](int t) {
      const auto i = static_cast<std::size_t>(t);
      orders::PricedQuote shown;
      const auto claimed = rush.desk.claim(wishes[i].user, campaign);
      const auto again = rush.desk.claim(wishes[i].user, campaign);
      given += taken(claimed, "coupons_gone");
      given += taken(again, claimed ? "coupon_limit_reached" : "coupons_gone");
      bought += taken(rush.shop.orders.place(wishes[i], &shown), "out_of_stock");
      if (i < one_coupon.size())
        used += taken(rush.shop.orders.place(one_coupon[i], &shown), "coupon_in_use");
      tally.acts += 3;
    });
    tally.same(given.load(), budget, "coupons handed out");
    tally.same(bought.load(), budget, "orders that got one of the stock");
    tally.same(used.load(), 1, "orders that got the one coupon");
    tally.same(rush.left_of(stock), 0, "stock left");
    tally.same(rush.shop.shop.integer("SELECT claimed FROM campaigns WHERE campaign_id = $1",
                                      {std::string_view(campaign)}),
               budget, "coupons counted");
    tally.same(rush.shop.shop.integer(
                   "SELECT COUNT(DISTINCT user_id) FROM owned_coupons WHERE campaign_id = $1",
                   {std::string_view(campaign)}),
               budget, "buyers with a coupon");
  }
  tally.same(rush.faults(), "", "the books");
}

namespace {

const UserId kBuyer("buyer-1");
const TraceId kTrace("trace");
constexpr std::string_view kSales = "revenue.sales";

template <class Deed>
std::string act(testing::ScratchShop& shop, const Deed& deed) {
  const auto done = storage::with_tx(shop.db(), [&](storage::Tx& tx) -> Result<ledger::Wallet> {
    ledger::Wallets wallets(tx, kTrace, 1);
    return deed(wallets);
  });
  return done ? "" : std::string(done.error().reason);
}

struct Spent {
  std::atomic<std::int64_t> minor{0};
  std::atomic<int> odd{0};
};

// One purchase: at once, or set aside and then taken or given free.
void spend(testing::ScratchShop& shop, testing::SeededRandom& draw, const std::string& id,
           Spent* spent) {
  const std::int64_t amount = 1 + draw.below(13);
  const bool at_once = draw.percent(50), takes = draw.percent(70);
  std::string said = act(shop, [&](ledger::Wallets& wallets) {
    return at_once ? wallets.debit({kBuyer, fen(amount), id, std::string(kSales)})
                   : wallets.hold(kBuyer, id, fen(amount));
  });
  if (said.empty() && !at_once) {
    said = act(shop, [&](ledger::Wallets& wallets) {
      return takes ? wallets.capture(id, fen(amount), kSales) : wallets.release(id);
    });
  }
  if (said.empty() && (at_once || takes)) spent->minor += amount;
  if (!said.empty() && said != "wallet_insufficient") ++spent->odd;
}

ledger::Wallet wallet_now(testing::ScratchShop& shop) {
  ledger::Wallet wallet;
  shop.db().read(
      [&](storage::Reader& reader) { wallet = ledger::wallet_of(reader, kBuyer, Currency::cny); });
  return wallet;
}

}  // namespace

void wallet_rush(const Effort& effort, Tally& tally) {
  constexpr int kEach = 10;
  testing::ScratchShop shop;
  std::int64_t funds = 0;
  Spent spent;
  for (; tally.time_left(); ++tally.rounds) {
    // About half of what the round wants.
    const std::int64_t more = static_cast<std::int64_t>(effort.threads) * kEach * 3;
    tally.same(
        act(shop,
            [&](ledger::Wallets& wallets) {
              return wallets.credit(
                  {kBuyer, fen(more), "funds-" + std::to_string(tally.rounds), "cost.adjustments"});
            }),
        "", "the funds");
    funds += more;
    crowd(effort.threads, [&](int t) {
      testing::SeededRandom draw(static_cast<std::uint64_t>(tally.rounds * 1'000 + t) + 1);
      for (int i = 0; i < kEach; ++i) {
        spend(shop, draw,
              std::to_string(tally.rounds) + "-" + std::to_string(t) + "-" + std::to_string(i),
              &spent);
        if (wallet_now(shop).available.minor < 0) ++spent.odd;
        ++tally.acts;
      }
    });
    const ledger::Wallet now = wallet_now(shop);
    tally.same(now.available.minor, funds - spent.minor, "the balance");
    tally.same(now.held.minor, 0, "held");
    tally.same(spent.odd.load(), 0, "odd answers");
  }
  std::string wrong;
  shop.db().read([&](storage::Reader& reader) {
    wrong.clear();
    for (const std::string& line : ledger::verify(reader)) wrong += line + "; ";
    for (const std::string& line : ledger::wallet_store::verify(reader)) wrong += line + "; ";
  });
  tally.same(wrong, "", "the books");
}

}  // namespace topup::races
