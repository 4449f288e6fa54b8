#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "server/base/crypto.h"
#include "server/rehearsal/number_owner.h"
#include "server/rehearsal/reloadly.h"
#include "server/rehearsal/reloadly_catalogue.h"

namespace topup::rehearsal {
namespace {

using base::Json;

constexpr std::int64_t kTopupTakesMs = 400;
constexpr std::int64_t kSlowMs = 20'000;
constexpr int kDuplicates = 3;
constexpr std::size_t kMaxIdentifier = 150;
constexpr std::array<std::int64_t, 5> kWebhookRetryAfterS = {5, 15, 60, 300, 900};

// Reloadly's own samples send numbers as JSON numbers or as text.
std::string number_text(const Json& body, const char* key) {
  if (!body.is_object() || !body.contains(key)) return {};
  const Json& value = body.at(key);
  if (value.is_string()) return value.get<std::string>();
  return value.is_number() ? value.dump() : std::string{};
}

std::int64_t operator_id_of(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc{} && end == text.data() + text.size() ? value : 0;
}

// "8613800138000" from national or international digits; "" when it is no Chinese mobile number.
std::string chinese_mobile(std::string number) {
  if (!number.empty() && number.front() == '+') number.erase(0, 1);
  if (number.find_first_not_of("0123456789") != std::string::npos) return {};
  if (number.size() == 11) number.insert(0, "86");
  const bool is_mobile = number.size() == 13 && number.substr(0, 3) == "861";
  return is_mobile ? number : std::string{};
}

// "66812345678" from international digits; "" when it is no number of that country.
std::string mobile_abroad(std::string number, const std::string& country) {
  if (!number.empty() && number.front() == '+') number.erase(0, 1);
  const auto owner = number_owner("+" + number);
  return owner && owner->country == country ? number : std::string{};
}

}  // namespace

std::variant<ReloadlyTopup, Reloadly::Refused> Reloadly::read_topup(const std::string& text) const {
  const auto body = base::json_in(text);
  if (!body || !body->is_object()) return Refused{400, "", "Malformed JSON request"};
  ReloadlyTopup out;
  out.operator_id = operator_id_of(number_text(*body, "operatorId"));
  const ReloadlyOperator* entry = find_reloadly_operator(out.operator_id);
  if (entry == nullptr) {
    return Refused{400, "OPERATOR_NOT_FOUND", "Operator not found for the given id"};
  }
  const auto amount_e5 = parse_e5(number_text(*body, "amount"));
  if (!amount_e5) return Refused{400, "INVALID_AMOUNT", "Amount is not a number"};
  const bool is_local = base::bool_in(*body, "useLocalAmount").value_or(false);
  const auto face = reloadly_face(*entry, *amount_e5, is_local);
  if (!face) {
    return Refused{400, "INVALID_AMOUNT_FOR_OPERATOR",
                   "The amount is not one of the fixed amounts"};
  }
  out.delivered_e5 = face->local_e5;
  out.requested_e5 = face->sent_e5;
  out.discount_e5 = out.requested_e5 * kDiscountPercent / 100;
  const auto phone = base::object_in(*body, "recipientPhone");
  if (!phone || number_text(**phone, "countryCode") != entry->country) {
    return Refused{400, "INVALID_RECIPIENT_PHONE", "The country does not fit the operator"};
  }
  const std::string number = number_text(**phone, "number");
  out.recipient =
      entry->country == "CN" ? chinese_mobile(number) : mobile_abroad(number, entry->country);
  if (out.recipient.empty()) {
    return Refused{400, "INVALID_RECIPIENT_PHONE", "The recipient phone number is not valid"};
  }
  if (body->contains("customIdentifier") && !body->at("customIdentifier").is_null()) {
    const auto identifier = base::text_in(*body, "customIdentifier", kMaxIdentifier);
    if (!identifier || identifier->empty() || has_control_characters(*identifier)) {
      return Refused{400, "INVALID_CUSTOM_IDENTIFIER", "customIdentifier is not valid"};
    }
    out.custom_identifier = *identifier;
  }
  return out;
}

Reloadly::Magic Reloadly::replayed(const Course& course, ReloadlyTopup& topup) const {
  Magic out;
  if (course.is_away) out.refusal = away();
  if (!course.refusal.empty()) out.refusal = Refused{400, course.refusal, "Refused"};
  out.takes_ms = course.takes_ms;
  out.holds_ms = course.holds_ms;
  out.is_lost = course.is_lost;
  out.is_dropped = course.is_dropped;
  if (course.end == "failed") topup.final_status = "REFUNDED";
  return out;
}

Reloadly::Magic Reloadly::magic_of(ReloadlyTopup& topup) {
  if (const auto course = replays_.take()) return replayed(*course, topup);
  const auto digits = topup.recipient.substr(topup.recipient.size() - 4);
  Magic out;
  out.takes_ms = around().scaled(digits == "9003" || digits == "9006" ? kSlowMs : kTopupTakesMs);
  if (digits == "9001") {
    out.refusal = Refused{400, "RECIPIENT_PHONE_INACTIVE", "The recipient phone is inactive"};
  } else if (digits == "9002") {
    topup.final_status = "REFUNDED";
  } else if (digits == "9004") {
    out.is_dropped = true;
  } else if (digits == "9005") {
    out.refusal = Refused{500, "", "Internal Server Error"};
  } else if (digits == "9006") {
    out.holds_ms = out.takes_ms;
  } else if (digits == "9007") {
    out.refusal = Refused{400, "INSUFFICIENT_BALANCE", "Insufficient balance in the wallet"};
  } else if (digits == "9008") {
    topup.webhooks = 0;
  } else if (digits == "9009") {
    topup.is_bad_signature_first = true;
  }
  return out;
}

std::optional<Reloadly::Refused> Reloadly::debit(storage::Tx& tx, ReloadlyTopup& topup) const {
  if (!topup.custom_identifier.empty() &&
      reloadly_book::find_by_custom_identifier(tx, topup.custom_identifier)) {
    return Refused{400, "CUSTOM_IDENTIFIER_ALREADY_USED", "The custom identifier was used before"};
  }
  topup.old_balance_e5 = reloadly_book::balance(tx);
  topup.new_balance_e5 = topup.old_balance_e5 - topup.cost_e5();
  if (topup.new_balance_e5 < 0) {
    return Refused{400, "INSUFFICIENT_BALANCE", "Insufficient balance in the wallet"};
  }
  reloadly_book::set_balance(tx, topup.new_balance_e5);
  topup.transaction_id = reloadly_book::insert_topup(tx, topup);
  return {};
}

Answered Reloadly::submit(const Asked& asked, bool is_async) {
  auto read = read_topup(asked.body);
  if (const auto* refusal = std::get_if<Refused>(&read)) return refused(asked, *refusal);
  auto& topup = std::get<ReloadlyTopup>(read);
  const Magic magic = magic_of(topup);
  if (magic.is_lost) return {.is_dropped = true};
  if (magic.refusal) return refused(asked, *magic.refusal);
  if (armed_.take("phone_recently_recharged")) {
    return refused(asked, {400, "PHONE_RECENTLY_RECHARGED", "Try again in two minutes"});
  }
  if (topup.webhooks > 0 && armed_.take("drop_webhooks")) topup.webhooks = 0;
  if (topup.webhooks > 0 && armed_.take("duplicate_webhooks")) topup.webhooks = kDuplicates;
  topup.created_ms = around().clock.wall_ms();
  topup.due_ms = topup.created_ms + magic.takes_ms;
  std::optional<Refused> refusal;
  around().db.write([&](storage::Tx& tx) {
    refusal = debit(tx, topup);
    return !refusal;
  });
  if (refusal) return refused(asked, *refusal);

  const std::int64_t number = topup.transaction_id;
  // The synchronous call answers with the end of it, unless the operator is slow.
  const bool ends_now = !is_async && magic.takes_ms <= around().scaled(kTopupTakesMs);
  if (ends_now) {
    finish(number);
    topup.status = topup.final_status;
  } else {
    later(magic.takes_ms, [this, number] { finish(number); });
  }
  if (ends_now && topup.status == "REFUNDED") {
    return refused(asked, {400, "TRANSACTION_REFUSED_BY_OPERATOR", "The operator refused"});
  }
  Answered out = Answered::json(is_async ? Json{{"transactionId", number}}
                                         : reloadly_transaction(topup, true));
  out.is_dropped = magic.is_dropped;
  out.hold_ms = ends_now ? std::max(magic.takes_ms, magic.holds_ms) : magic.holds_ms;
  return out;
}

void Reloadly::finish(std::int64_t transaction_id) {
  std::vector<ReloadlyWebhook> webhooks;
  const std::int64_t now = around().clock.wall_ms();
  around().db.write([&](storage::Tx& tx) {
    webhooks.clear();
    auto topup = reloadly_book::find_topup(tx, transaction_id);
    if (!topup || topup->status != "PROCESSING") return true;
    topup->status = topup->final_status;
    reloadly_book::save_status(tx, transaction_id, topup->status);
    if (topup->status == "REFUNDED") {
      reloadly_book::set_balance(tx, reloadly_book::balance(tx) + topup->cost_e5());
    }
    if (identity_.webhook_url.empty()) return true;
    ReloadlyWebhook webhook;
    webhook.body = dump_decimals(
        {{"type", "airtime_transaction.status"}, {"data", reloadly_transaction(*topup, false)}});
    webhook.due_ms = now;
    webhook.is_bad_first = topup->is_bad_signature_first;
    for (int i = 0; i < topup->webhooks; ++i) {
      webhook.row_id = reloadly_book::insert_webhook(tx, webhook);
      webhooks.push_back(webhook);
    }
    return true;
  });
  for (const auto& webhook : webhooks) owe(webhook);
}

void Reloadly::owe(const ReloadlyWebhook& webhook) {
  later(webhook.due_ms - around().clock.wall_ms(),
        [this, row_id = webhook.row_id] { deliver(row_id); });
}

void Reloadly::deliver(std::int64_t row_id) {
  std::optional<ReloadlyWebhook> webhook;
  around().db.read(
      [&](storage::Reader& reader) { webhook = reloadly_book::find_webhook(reader, row_id); });
  if (!webhook) return;
  const bool is_forged = webhook->is_bad_first && webhook->attempts == 0;
  const auto timestamp = std::to_string(around().clock.wall_ms() / 1'000);
  const std::string key = is_forged ? "not the secret of this webhook" : identity_.webhook_secret;
  const auto signature = base::hex(base::hmac_sha256(key, webhook->body + ":" + timestamp));
  const auto reply = post_out(identity_.webhook_url,
                              {{"Content-Type", "application/json"},
                               {"User-Agent", "Reloadly-Webhook"},
                               {"X-Reloadly-Signature", signature},
                               {"X-Reloadly-Request-Timestamp", timestamp}},
                              webhook->body);
  const bool is_taken = !is_forged && reply.kind == base::OutboundReply::Kind::answered &&
                        reply.status >= 200 && reply.status < 300;
  const auto tried = static_cast<std::size_t>(webhook->attempts);
  const bool is_over = is_taken || tried >= kWebhookRetryAfterS.size();
  ++webhook->attempts;
  if (!is_over) {
    webhook->due_ms =
        around().clock.wall_ms() + around().scaled(kWebhookRetryAfterS.at(tried) * 1'000);
  }
  around().db.write([&](storage::Tx& tx) {
    if (is_over) {
      reloadly_book::end_webhook(tx, row_id);
    } else {
      reloadly_book::postpone_webhook(tx, row_id, webhook->attempts, webhook->due_ms);
    }
    return true;
  });
  if (!is_over) owe(*webhook);
}

}  // namespace topup::rehearsal
