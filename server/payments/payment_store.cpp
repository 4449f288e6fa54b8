#include "server/payments/payment_store.h"

#include "server/storage/ahead.h"
#include "shared/check.h"

namespace topup::payments::payment_store {
namespace {

Money money_of(std::int64_t minor, const std::string& currency) {
  const auto parsed = parse_currency(currency);
  check(parsed.has_value(), "a stored currency is one we know");
  return {minor, *parsed};
}

constexpr std::string_view kAttempt = R"sql(
  SELECT out_trade_no, order_id, channel, scene, state, amount_minor, amount_currency, paid_minor, refunded_minor,
         transaction_id, ticket, ticket_good_until_ms, expires_at_ms, created_at_ms, updated_at_ms, payee
    FROM payment_attempts WHERE out_trade_no = $1 /*in out_trade_no $1*/)sql";
constexpr std::string_view kAttemptsOf = R"sql(
  SELECT out_trade_no, order_id, channel, scene, state, amount_minor, amount_currency, paid_minor, refunded_minor,
         transaction_id, ticket, ticket_good_until_ms, expires_at_ms, created_at_ms, updated_at_ms, payee
    FROM payment_attempts WHERE order_id = $1 ORDER BY out_trade_no LIMIT 100)sql";
constexpr std::string_view kRefund = R"sql(
  SELECT out_refund_no, order_id, out_trade_no, state, amount_minor, amount_currency, reason, created_at_ms, updated_at_ms,
         code, asked_by, replaces
    FROM refunds WHERE out_refund_no = $1 /*in out_refund_no $1*/)sql";
constexpr std::string_view kRefundsOf = R"sql(
  SELECT out_refund_no, order_id, out_trade_no, state, amount_minor, amount_currency, reason, created_at_ms, updated_at_ms,
         code, asked_by, replaces
    FROM refunds WHERE order_id = $1 ORDER BY out_refund_no LIMIT 100)sql";

Attempt read_attempt(const storage::Row& row) {
  Attempt attempt;
  attempt.out_trade_no = OutTradeNo(row.text(0));
  attempt.order = OrderId(row.text(1));
  attempt.channel = row.text(2);
  attempt.scene = row.text(3);
  attempt.state = row.text(4);
  attempt.amount = money_of(row.integer(5), row.text(6));
  attempt.paid_minor = row.integer(7);
  attempt.refunded_minor = row.integer(8);
  attempt.transaction_id = row.text(9);
  attempt.ticket = row.text(10);
  attempt.ticket_good_until_ms = row.integer(11);
  attempt.expires_at_ms = row.integer(12);
  attempt.created_at_ms = row.integer(13);
  attempt.updated_at_ms = row.integer(14);
  attempt.payee = row.text(15);
  return attempt;
}

Refund read_refund(const storage::Row& row) {
  return {OutRefundNo(row.text(0)),
          OrderId(row.text(1)),
          OutTradeNo(row.text(2)),
          row.text(3),
          money_of(row.integer(4), row.text(5)),
          row.text(6),
          row.integer(7),
          row.integer(8),
          row.text(9),
          row.text(10),
          row.text(11)};
}

constexpr std::string_view kSettle = R"sql(
  UPDATE payment_attempts SET state = $2, paid_minor = $3, transaction_id = $4, updated_at_ms = $5
   WHERE out_trade_no = $1 AND state = 'started' /*in out_trade_no $1*/)sql";
constexpr std::string_view kReopen = R"sql(
  UPDATE payment_attempts SET state = $2, paid_minor = $3, transaction_id = $4, updated_at_ms = $5
   WHERE out_trade_no = $1 AND state IN ('closed', 'refused') /*in out_trade_no $1*/)sql";

bool move_attempt(storage::Tx& tx, std::string_view sql, const OutTradeNo& out_trade_no,
                  std::string_view state, std::int64_t paid_minor, std::string_view transaction_id,
                  std::int64_t now_ms) {
  const storage::Value id =
      transaction_id.empty() ? storage::Value(nullptr) : storage::Value(transaction_id);
  return tx.exec(sql, {out_trade_no.text, state, paid_minor, id, now_ms}) == 1;
}

}  // namespace

void insert_attempt(storage::Tx& tx, const Attempt& attempt) {
  tx.exec(R"sql(
    INSERT INTO payment_attempts (out_trade_no, order_id, channel, scene, state, amount_minor, amount_currency,
                                  expires_at_ms, created_at_ms, updated_at_ms, payee)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10))sql",
          {attempt.out_trade_no.text, attempt.order.text, attempt.channel, attempt.scene,
           attempt.state, attempt.amount.minor, to_word(attempt.amount.currency),
           attempt.expires_at_ms, attempt.created_at_ms, attempt.payee});
}

std::optional<Attempt> find_attempt(storage::Reader& reader, const OutTradeNo& out_trade_no) {
  std::optional<Attempt> attempt;
  reader.query(kAttempt, {out_trade_no.text},
               [&attempt](const storage::Row& row) { attempt = read_attempt(row); });
  return attempt;
}

std::vector<Attempt> attempts_of(storage::Reader& reader, const OrderId& order) {
  std::vector<Attempt> attempts;
  reader.query(kAttemptsOf, {order.text},
               [&attempts](const storage::Row& row) { attempts.push_back(read_attempt(row)); });
  return attempts;
}

bool save_ticket(storage::Tx& tx, const OutTradeNo& out_trade_no, std::string_view ticket,
                 std::int64_t good_until_ms) {
  return tx.exec(
             "UPDATE payment_attempts SET ticket = $2, ticket_good_until_ms = $3 WHERE "
             "out_trade_no = $1 AND state = 'started' /*in out_trade_no $1*/",
             {out_trade_no.text, ticket, good_until_ms}) == 1;
}

bool give_up_ticket(storage::Tx& tx, const OutTradeNo& out_trade_no) {
  return tx.exec(
             "UPDATE payment_attempts SET ticket_good_until_ms = -1 WHERE out_trade_no = $1"
             " AND state = 'started' AND COALESCE(ticket, '') = ''",
             {out_trade_no.text}) == 1;
}

bool supersede_attempt(storage::Tx& tx, const OutTradeNo& out_trade_no, std::int64_t now_ms) {
  return tx.exec(
             "UPDATE payment_attempts SET expires_at_ms = $2, ticket_good_until_ms = 0 WHERE "
             "out_trade_no = $1 AND state = 'started' AND expires_at_ms > $2",
             {out_trade_no.text, now_ms}) == 1;
}

bool settle_attempt(storage::Tx& tx, const OutTradeNo& out_trade_no, std::string_view state,
                    std::int64_t paid_minor, std::string_view transaction_id, std::int64_t now_ms) {
  return move_attempt(tx, kSettle, out_trade_no, state, paid_minor, transaction_id, now_ms);
}

bool reopen_as_paid(storage::Tx& tx, const OutTradeNo& out_trade_no, std::string_view state,
                    std::int64_t paid_minor, std::string_view transaction_id, std::int64_t now_ms) {
  return move_attempt(tx, kReopen, out_trade_no, state, paid_minor, transaction_id, now_ms);
}

void mark_duplicate(storage::Tx& tx, const OutTradeNo& out_trade_no, std::int64_t now_ms) {
  tx.exec(
      "UPDATE payment_attempts SET state = 'duplicate', updated_at_ms = $2 WHERE out_trade_no = $1 "
      "AND state = 'paid'",
      {out_trade_no.text, now_ms});
}

void mark_unexplained_duplicate(storage::Tx& tx, const OutTradeNo& out_trade_no,
                                std::int64_t now_ms) {
  tx.exec(
      "UPDATE payment_attempts SET state = 'duplicate', updated_at_ms = $2 WHERE out_trade_no = $1 "
      "AND state = 'mismatch'",
      {out_trade_no.text, now_ms});
}

void insert_refund(storage::Tx& tx, const Refund& refund) {
  tx.exec(
      "UPDATE payment_attempts SET refunded_minor = refunded_minor + $2, updated_at_ms = $3 WHERE "
      "out_trade_no = $1",
      {refund.out_trade_no.text, refund.amount.minor, refund.created_at_ms});
  tx.exec(
      R"sql(
    INSERT INTO refunds (out_refund_no, order_id, out_trade_no, state, amount_minor, amount_currency, reason,
                         created_at_ms, updated_at_ms, asked_by, replaces)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $10))sql",
      {refund.out_refund_no.text, refund.order.text, refund.out_trade_no.text, refund.state,
       refund.amount.minor, to_word(refund.amount.currency), refund.reason, refund.created_at_ms,
       refund.asked_by, refund.replaces});
}

std::optional<Refund> find_refund(storage::Reader& reader, const OutRefundNo& out_refund_no) {
  std::optional<Refund> refund;
  reader.query(kRefund, {out_refund_no.text},
               [&refund](const storage::Row& row) { refund = read_refund(row); });
  return refund;
}

std::vector<Refund> refunds_of(storage::Reader& reader, const OrderId& order) {
  std::vector<Refund> refunds;
  reader.query(kRefundsOf, {order.text},
               [&refunds](const storage::Row& row) { refunds.push_back(read_refund(row)); });
  return refunds;
}

void save_refund_state(storage::Tx& tx, const OutRefundNo& out_refund_no, std::string_view state,
                       std::int64_t now_ms, std::string_view code) {
  tx.exec("UPDATE refunds SET state = $2, updated_at_ms = $3, code = $4 WHERE out_refund_no = $1",
          {out_refund_no.text, state, now_ms, code});
}

void release_refund(storage::Tx& tx, const Refund& refund, std::int64_t now_ms) {
  const int changed = tx.exec(
      "UPDATE payment_attempts SET refunded_minor = refunded_minor - $2, updated_at_ms = $3 WHERE "
      "out_trade_no = $1 AND refunded_minor >= $2",
      {refund.out_trade_no.text, refund.amount.minor, now_ms});
  check(changed == 1, "what is released was reserved");
}

bool reserve_refund(storage::Tx& tx, const Refund& refund, std::int64_t now_ms) {
  return tx.exec(
             "UPDATE payment_attempts SET refunded_minor = refunded_minor + $2, updated_at_ms = $3 "
             "WHERE out_trade_no = $1 AND refunded_minor + $2 <= paid_minor",
             {refund.out_trade_no.text, refund.amount.minor, now_ms}) == 1;
}

void record_notification(storage::Tx& tx, std::string_view channel, std::string_view notify_id,
                         std::string_view subject, std::string_view outcome, std::int64_t now_ms) {
  storage::put(tx, R"sql(
    INSERT INTO notifications (channel, notify_id, subject, outcome, received_at_ms) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (channel, notify_id) DO NOTHING)sql",
               {channel, notify_id, subject, outcome, now_ms});
}

}  // namespace topup::payments::payment_store
