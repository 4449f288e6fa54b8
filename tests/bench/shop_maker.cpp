// Makes a shop with many orders that have all been paid and delivered, through the same functions
// as the shop itself: its books balance and its audit chain holds. For figures of start, backup and
// restore. Usage: topup_shop_maker DATA_DIR ORDERS
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <memory>
#include <string>

#include "server/audit/audit_log.h"
#include "server/base/clock.h"
#include "server/ledger/ledger_store.h"
#include "server/storage/db.h"
#include "server/storage/migrate.h"

namespace {

using namespace topup;  // NOLINT: one small program above every namespace of ours

constexpr int kOrdersAtOnce = 2'000;
constexpr std::int64_t kOrderMs = 20;  // between two orders

constexpr std::string_view kOrder = R"sql(
  INSERT INTO orders (order_id, user_id, client_key, client_fingerprint, state, version, product_id, operator_id,
    operator_name_zh, operator_name_en, account_sealed, account_masked, face_minor, face_currency, payable_minor,
    payable_currency, delivered_minor, delivered_currency, quote, event_seq, trace_id, created_at_ms, updated_at_ms,
    pay_by_ms)
  VALUES ($1, $2, $1, 'f', 'succeeded', 1, 'cn-mobile-10000', 'cn-mobile', '中国移动', 'China Mobile', $3,
    '138****1234', 10000, 'CNY', 9950, 'CNY', 10000, 'CNY', '{}', 2, $4, $5, $5, $5))sql";
constexpr std::string_view kEvent = R"sql(
  INSERT INTO order_events (order_id, seq, event, from_state, to_state, actor, reason, trace_id, at_ms)
  VALUES ($1, $2, $3, $4, $5, 'system', '', $6, $7))sql";
constexpr std::string_view kAttempt = R"sql(
  INSERT INTO payment_attempts (out_trade_no, order_id, channel, scene, state, amount_minor, amount_currency, paid_minor,
    transaction_id, expires_at_ms, created_at_ms, updated_at_ms)
  VALUES ($1, $2, 'wechat', 'h5', 'paid', 9950, 'CNY', 9950, $1, $3, $3, $3))sql";

void place(storage::Tx& tx, std::int64_t number, std::int64_t now_ms) {
  const std::string id = "order-" + std::to_string(1'000'000'000 + number);
  const std::string trade = "T" + id, user = "user-" + std::to_string(number / 8);
  const TraceId trace("trace-" + std::to_string(number));
  if (number % 8 == 0)
    tx.exec("INSERT INTO users (user_id, created_at_ms) VALUES ($1, $2)", {user, now_ms});
  tx.exec(kOrder, {id, user, "v1.00000000." + std::string(56, 'A'), trace.text, now_ms});
  tx.exec(kEvent, {id, std::int64_t{1}, "place", "", "awaiting_payment", trace.text, now_ms});
  tx.exec(kEvent, {id, std::int64_t{2}, "payment_confirmed", "awaiting_payment", "succeeded",
                   trace.text, now_ms});
  tx.exec(kAttempt, {trade, id, now_ms});
  ledger::post(tx, ledger::payment_received(trade, {"wechat"}, fen(9'950)), OrderId(id), trace,
               now_ms);
  const Money cost{1'380, Currency::usd};
  ledger::post(tx, ledger::order_fulfilled("S" + id, "reloadly", fen(9'950), &cost), OrderId(id),
               trace, now_ms);
  audit::append(tx, {"wechat", "order.payment_confirmed", id, "9950 CNY"}, trace, now_ms);
  audit::append(tx, {"reloadly", "order.succeeded", id, ""}, trace, now_ms);
}

void make_shop(const std::string& data_dir, std::int64_t orders) {
  std::filesystem::create_directories(data_dir);
  const base::SystemClock clock;
  const auto db = storage::open_sqlite(data_dir + "/topup.sqlite");
  storage::migrate(*db, clock.wall_ms());
  const std::int64_t first_ms = clock.wall_ms() - orders * kOrderMs;
  for (std::int64_t done = 0; done < orders; done += kOrdersAtOnce) {
    db->write([&](storage::Tx& tx) {
      for (std::int64_t i = done; i < orders && i < done + kOrdersAtOnce; ++i)
        place(tx, i, first_ms + i * kOrderMs);
      return true;
    });
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: topup_shop_maker DATA_DIR ORDERS\n");
    return 2;
  }
  try {
    make_shop(argv[1], std::atoll(argv[2]));
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "topup_shop_maker: %s\n", failure.what());
    return 1;
  }
  return 0;
}
