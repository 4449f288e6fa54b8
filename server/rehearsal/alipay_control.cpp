#include "server/rehearsal/alipay.h"

namespace topup::rehearsal {
namespace {

using base::Json;

constexpr std::int64_t kMaxTimes = 20;  // deliveries of one notification at once

Answered control_refused(std::string_view why) {
  return Answered::json({{"code", "CONTROL_REFUSED"}, {"message", why}}, 400);
}

// Asking for JSON keeps pages of other sites out: a browser would ask us first, and we never allow
// it.
bool is_json(const Asked& asked) {
  return asked.header("content-type").substr(0, 16) == "application/json";
}

}  // namespace

Answered Alipay::control(const Asked& asked) {
  if (asked.method == "POST") {
    const auto body = base::json_in(asked.body);
    if (!body || !is_json(asked)) return control_refused("wants a JSON object");
    const auto kind = base::text_in(*body, "next");
    const auto count = body->contains("count") ? base::integer_in(*body, "count", 0, kMaxArmed)
                                               : Result<std::int64_t>(1);
    if (!kind || !count || !armed_.arm(*kind, *count)) {
      return control_refused("wants {\"next\": one of GET /control, \"count\": 0 to 10000}");
    }
  }
  return Answered::json({{"party", name()}, {"armed", armed_.listed()}});
}

// Pays as the buyer at the cashier would. The trade exists once the buyer has arrived there.
Answered Alipay::control_pay(const Asked& asked) {
  const auto body = base::json_in(asked.body);
  if (!body || !is_json(asked)) return control_refused("wants a JSON object");
  const auto number = base::text_in(*body, "out_trade_no");
  if (!number) return control_refused("wants out_trade_no");
  Payment payment;
  if (body->contains("amount_total")) {
    const auto amount = base::integer_in(*body, "amount_total", 1, kMaxAlipayFen);
    if (!amount) return control_refused("amount_total is in fen, at least 1");
    payment.paid_fen = *amount;
  }
  if (body->contains("times")) {
    const auto times = base::integer_in(*body, "times", 0, kMaxTimes);
    if (!times) return control_refused("times is 0 to 20");
    payment.times = static_cast<int>(*times);
  }
  switch (pay(*number, payment)) {
    case Paid::done:
      return Answered::json({{"paid", true}});
    case Paid::already:
      return Answered::json({{"paid", false}, {"why", "already_paid"}}, 409);
    case Paid::closed:
      return Answered::json({{"paid", false}, {"why", "closed"}}, 409);
    case Paid::expired:
      return Answered::json({{"paid", false}, {"why", "expired"}}, 409);
    case Paid::unknown:
      break;
  }
  return Answered::json({{"paid", false}, {"why", "unknown_order"}}, 404);
}

Answered Alipay::magic() const {
  return Answered::json(
      {{"party", "Alipay gateway v1, rehearsed"},
       {"control", "POST /control {\"next\": kind, \"count\": n}; GET /control"},
       {"pay", "POST /control/pay {\"out_trade_no\", \"amount_total\"?, \"times\"?}"},
       {"bill", "POST /control/bill {\"plant\", \"number\", \"value\"?, \"day\"?, \"bill\"?}"},
       {"sign_in", "POST /control/auth-code {\"open_id\"?}: a code as my.getAuthCode gives it"},
       {"sums",
        {{"….91", "a refund is refused with ACQ.SELLER_BALANCE_NOT_ENOUGH"},
         {"….92", "a payment is never notified"},
         {"….93", "a refund moves the money, and its first answer is 20000"}}},
       {"kinds", armed_.listed()}});
}

}  // namespace topup::rehearsal
