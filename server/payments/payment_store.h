// Rows of payment_attempts, refunds and notifications. A paid amount and what was refunded of it
// stand in one row, and the database itself refuses refunds above what was paid.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"
#include "shared/ids.h"
#include "shared/money.h"
#include "shared/result.h"

namespace topup::payments {

// Stored words of a payment attempt.
namespace attempt_state {
inline constexpr std::string_view kStarted = "started";
inline constexpr std::string_view kRefused = "refused";  // the channel would not start it
inline constexpr std::string_view kPaid = "paid";        // and the order was moved by it
inline constexpr std::string_view kDuplicate =
    "duplicate";  // paid, but the order was paid or over already: given back
inline constexpr std::string_view kMismatch =
    "mismatch";  // paid, but not what was owed: a person decides
inline constexpr std::string_view kClosed = "closed";  // closed at the channel, never paid
}  // namespace attempt_state
namespace refund_state {
inline constexpr std::string_view kRequested = "requested";    // durable, perhaps sent
inline constexpr std::string_view kProcessing = "processing";  // the channel accepted it
inline constexpr std::string_view kSucceeded = "succeeded";
inline constexpr std::string_view kRefused =
    "refused";  // the channel will not do it by itself: `code` says why
inline constexpr std::string_view kReissued = "reissued";  // refused, and another took its place
inline constexpr std::string_view kPaidByHand = "paid_by_hand";  // refused, and paid another way
}  // namespace refund_state

// The code of a refusal after which the money has certainly stayed: what was reserved is free.
inline constexpr std::string_view kRefundClosed = "CLOSED";
// The money has left the payer's order but does not arrive: it may still be sent on at the channel.
inline constexpr std::string_view kRefundAbnormal = "ABNORMAL";

struct Attempt {
  OutTradeNo out_trade_no;
  OrderId order;
  std::string channel, scene, state;
  Money amount;
  std::int64_t paid_minor = 0, refunded_minor = 0;
  std::string transaction_id;  // empty until paid
  std::string
      ticket;  // what PayChannel::resume() makes a ticket of again; empty until there is one
  // -1: the channel was asked for a ticket and did not say.
  std::int64_t ticket_good_until_ms = 0, expires_at_ms = 0, created_at_ms = 0, updated_at_ms = 0;
  std::string payee = {};  // see payments::PrepayRequest
};
struct Refund {
  OutRefundNo out_refund_no;
  OrderId order;
  OutTradeNo out_trade_no;
  std::string state;
  Money amount;
  std::string reason;
  std::int64_t created_at_ms = 0, updated_at_ms = 0;
  std::string code;      // of a refusal: the channel's own word
  std::string asked_by;  // "staff:<id>", "" when the shop did by itself
  std::string replaces;  // the refused refund whose place it takes
};
// Whether its amount stands in its payment's refunded_minor.
inline bool is_reserved(const Refund& refund) {
  if (refund.state == refund_state::kReissued) return false;
  return refund.state != refund_state::kRefused || refund.code != kRefundClosed;
}

namespace payment_store {

void insert_attempt(storage::Tx& tx, const Attempt& attempt);
std::optional<Attempt> find_attempt(storage::Reader& reader, const OutTradeNo& out_trade_no);
std::vector<Attempt> attempts_of(storage::Reader& reader, const OrderId& order);
// False when the attempt is no longer open: the ticket must not be handed out.
bool save_ticket(storage::Tx& tx, const OutTradeNo& out_trade_no, std::string_view ticket,
                 std::int64_t good_until_ms);
// The channel did not say what became of the request for a ticket: it is not repeated under this
// number. Nothing, when there is one.
bool give_up_ticket(storage::Tx& tx, const OutTradeNo& out_trade_no);
// Another attempt has taken its place: it is to be closed at its channel at the next look, and not
// handed out again. False when it is settled or was superseded before.
bool supersede_attempt(storage::Tx& tx, const OutTradeNo& out_trade_no, std::int64_t now_ms);
// From `started` only, so that of two racers one wins: false when it had moved on already.
bool settle_attempt(storage::Tx& tx, const OutTradeNo& out_trade_no, std::string_view state,
                    std::int64_t paid_minor, std::string_view transaction_id, std::int64_t now_ms);
// A closed or refused attempt that turns out to be paid after all.
bool reopen_as_paid(storage::Tx& tx, const OutTradeNo& out_trade_no, std::string_view state,
                    std::int64_t paid_minor, std::string_view transaction_id, std::int64_t now_ms);
void mark_duplicate(storage::Tx& tx, const OutTradeNo& out_trade_no,
                    std::int64_t now_ms);  // of a paid attempt
// Of one that did not fit, when it goes back by itself.
void mark_unexplained_duplicate(storage::Tx& tx, const OutTradeNo& out_trade_no,
                                std::int64_t now_ms);

// Reserves the amount on the attempt (refunds never exceed what was paid: SqlError is_constraint)
// and inserts the refund.
void insert_refund(storage::Tx& tx, const Refund& refund);
std::optional<Refund> find_refund(storage::Reader& reader, const OutRefundNo& out_refund_no);
std::vector<Refund> refunds_of(storage::Reader& reader, const OrderId& order);
void save_refund_state(storage::Tx& tx, const OutRefundNo& out_refund_no, std::string_view state,
                       std::int64_t now_ms, std::string_view code = {});
// Of a refund that certainly will not happen: its amount may be refunded again.
void release_refund(storage::Tx& tx, const Refund& refund, std::int64_t now_ms);
// The reverse. False when there is not so much left.
bool reserve_refund(storage::Tx& tx, const Refund& refund, std::int64_t now_ms);

// Nothing when this notification was recorded before.
void record_notification(storage::Tx& tx, std::string_view channel, std::string_view notify_id,
                         std::string_view subject, std::string_view outcome, std::int64_t now_ms);

}  // namespace payment_store
}  // namespace topup::payments
