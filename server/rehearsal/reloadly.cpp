#include "server/rehearsal/reloadly.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "server/base/crypto.h"
#include "server/rehearsal/number_owner.h"
#include "server/rehearsal/reloadly_catalogue.h"

namespace topup::rehearsal {
namespace {

using base::Json;

constexpr int kAuthWorkers = 2;
constexpr int kReloadlyWorkers = 8;
constexpr std::int64_t kMaxPage = 200;
constexpr int kEasternOffsetMinutes = -5 * 60;  // transactionDate is US Eastern, balanceInfo UTC
constexpr std::string_view kAccept = "application/com.reloadly.topups-v1+json";
constexpr std::int64_t kUnlistedOperator = 999'999;
constexpr std::int64_t kMaxWalletUsd = 10'000'000;

constexpr FaultKind kFaults[] = {
    {"outage", "an API call gets 503 and has no effect"},
    {"token_expired", "the presented token has just expired: 401 TOKEN_EXPIRED"},
    {"phone_recently_recharged", "a top-up is refused with PHONE_RECENTLY_RECHARGED"},
    {"drop_webhooks", "no webhook is sent for a top-up"},
    {"duplicate_webhooks", "three webhooks are sent for a top-up"},
};

constexpr FaultKind kMagicNumbers[] = {
    {"9001", "refused at once: RECIPIENT_PHONE_INACTIVE"},
    {"9002", "accepted, then REFUNDED"},
    {"9003", "PROCESSING for 20 s, then SUCCESSFUL"},
    {"9004", "the connection is dropped after the debit; it succeeds"},
    {"9005", "HTTP 500 without any effect"},
    {"9006", "the answer is held for 20 s; it succeeds"},
    {"9007", "refused: INSUFFICIENT_BALANCE"},
    {"9008", "succeeds, and no webhook is ever sent"},
    {"9009", "succeeds; the first webhook has a bad signature, a good one follows"},
    {"908x", kLookupMeaning},
};

std::int64_t integer_or(const std::string& text, std::int64_t otherwise) {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc{} && end == text.data() + text.size() ? value : otherwise;
}

// Discounts are shown with two decimals, halves up, while the wallet moves all five.
std::string shown_discount(std::int64_t amount_e5) {
  const std::string text = e5_text((amount_e5 + 500) / 1'000 * 1'000);
  return text.substr(0, text.size() - 3);
}

Json spring_page(Json content, std::int64_t page, std::int64_t size, std::int64_t total) {
  const std::int64_t pages = (total + size - 1) / size;
  const auto count = static_cast<std::int64_t>(content.size());
  return {{"content", std::move(content)},
          {"totalElements", total},
          {"totalPages", pages},
          {"size", size},
          {"number", page},
          {"numberOfElements", count},
          {"first", page <= 1},
          {"last", page >= pages},
          {"empty", count == 0}};
}

}  // namespace

Json reloadly_error(const Asked& asked, std::int64_t now_ms, std::string_view code,
                    std::string_view message) {
  return {{"timeStamp", spaced_time(now_ms, 0)},
          {"message", message},
          {"path", asked.target.substr(0, asked.target.find('?'))},
          {"errorCode", code.empty() ? Json(nullptr) : Json(code)},
          {"infoLink", nullptr},
          {"details", Json::array()}};
}

Json reloadly_transaction(const ReloadlyTopup& topup, bool with_balance) {
  const auto* entry = find_reloadly_operator(topup.operator_id);
  const std::string country = entry != nullptr ? entry->country : "CN";
  Json out = {{"transactionId", topup.transaction_id},
              {"status", topup.status},
              {"operatorTransactionId", topup.status == "SUCCESSFUL"
                                            ? Json(country + std::to_string(topup.transaction_id))
                                            : Json(nullptr)},
              {"customIdentifier",
               topup.custom_identifier.empty() ? Json(nullptr) : Json(topup.custom_identifier)},
              {"recipientPhone", topup.recipient},
              {"recipientEmail", nullptr},
              {"senderPhone", nullptr},
              {"countryCode", country},
              {"operatorId", topup.operator_id},
              {"operatorName", entry != nullptr ? entry->name : ""},
              {"discount", decimal(shown_discount(topup.discount_e5))},
              {"discountCurrencyCode", "USD"},
              {"requestedAmount", decimal(e5_text(topup.requested_e5))},
              {"requestedAmountCurrencyCode", "USD"},
              {"deliveredAmount", decimal(e5_text(topup.delivered_e5))},
              {"deliveredAmountCurrencyCode",
               entry != nullptr ? std::string(to_word(entry->currency)) : "CNY"},
              {"transactionDate", spaced_time(topup.created_ms, kEasternOffsetMinutes)},
              {"pinDetail", nullptr},
              {"balanceInfo", nullptr}};
  if (with_balance) {
    out["balanceInfo"] = {{"oldBalance", decimal(e5_text(topup.old_balance_e5))},
                          {"newBalance", decimal(e5_text(topup.new_balance_e5))},
                          {"cost", decimal(e5_text(topup.cost_e5()))},
                          {"currencyCode", "USD"},
                          {"currencyName", "US Dollar"},
                          {"updatedAt", spaced_time(topup.created_ms, 0)}};
  }
  return out;
}

ReloadlyAuth::ReloadlyAuth(Surroundings surroundings, ReloadlyIdentity identity)
    : Party(surroundings, "reloadly_auth", kAuthWorkers), identity_(std::move(identity)) {}

Answered ReloadlyAuth::answer(const Asked& asked) {
  const std::int64_t now = around().clock.wall_ms();
  if (!asked.is("POST", {"oauth", "token"})) {
    return Answered::json({{"status", 404}, {"error", "Not Found"}, {"path", asked.target}}, 404);
  }
  const auto body = base::json_in(asked.body);
  const auto field = [&](const char* key) {
    return body ? base::text_in(*body, key).value_or("") : std::string{};
  };
  const auto denied = [&](std::string_view code) {
    return Answered::json(reloadly_error(asked, now, code, "Access Denied"), 401);
  };
  if (field("grant_type") != "client_credentials" || field("client_id") != identity_.client_id ||
      !base::constant_time_equal(field("client_secret"), identity_.client_secret)) {
    return denied("INVALID_CREDENTIALS");
  }
  if (field("audience") != audience_) return denied("INVALID_AUDIENCE");
  const auto token = base::new_token(around().random) + "." + base::new_token(around().random);
  around().db.write([&](storage::Tx& tx) {
    reloadly_book::insert_token(tx, token, now + kTokenLifeS * 1'000, now);
    return true;
  });
  return Answered::json({{"access_token", token},
                         {"scope", "developer"},
                         {"expires_in", kTokenLifeS},
                         {"token_type", "Bearer"}});
}

Reloadly::Reloadly(Surroundings surroundings, ReloadlyIdentity identity)
    : Party(surroundings, "reloadly", kReloadlyWorkers),
      identity_(std::move(identity)),
      armed_(surroundings.db, "reloadly", {std::begin(kFaults), std::end(kFaults)}),
      replays_(surroundings.db, "reloadly") {
  around().db.write([](storage::Tx& tx) {
    reloadly_book::create_tables(tx, kFirstBalanceE5);
    return true;
  });
}

void Reloadly::start() {
  Party::start();
  std::vector<ReloadlyTopup> topups;
  std::vector<ReloadlyWebhook> webhooks;
  around().db.read([&](storage::Reader& reader) {
    topups = reloadly_book::list_processing(reader);
    webhooks = reloadly_book::list_webhooks(reader);
  });
  const std::int64_t now = around().clock.wall_ms();
  for (const auto& topup : topups) {
    later(topup.due_ms - now, [this, number = topup.transaction_id] { finish(number); });
  }
  for (const auto& webhook : webhooks) owe(webhook);
}

Answered Reloadly::answer(const Asked& asked) {
  if (is_loopback_client(asked)) {
    if (asked.is("GET", {"magic"}) || asked.is("GET", {})) return magic_list();
    if (asked.is("GET", {"control"}) || asked.is("POST", {"control"})) return control(asked);
    if (asked.is("POST", {"control", "statement"})) return control_statement(asked);
    if (asked.is("GET", {"control", "topups", "*"})) return control_topup(asked);
  }
  if (const auto refusal = unauthorised(asked)) return refused(asked, *refusal);
  if (armed_.take("outage")) return refused(asked, away());
  return api(asked);
}

Reloadly::Refused Reloadly::away() {
  return {503, "PROVIDER_INTERNAL_ERROR", "The service is not available"};
}

Answered Reloadly::refused(const Asked& asked, const Refused& refusal) const {
  return Answered::json(
      reloadly_error(asked, around().clock.wall_ms(), refusal.code, refusal.message),
      refusal.status);
}

std::optional<Reloadly::Refused> Reloadly::unauthorised(const Asked& asked) {
  constexpr std::string_view kBearer = "Bearer ";
  const std::string_view header = asked.header("authorization");
  const Refused invalid{401, "INVALID_TOKEN", "Full authentication is required"};
  if (header.substr(0, kBearer.size()) != kBearer) return invalid;
  const auto token = header.substr(kBearer.size());
  std::optional<std::int64_t> end;
  around().db.read(
      [&](storage::Reader& reader) { end = reloadly_book::find_token_end(reader, token); });
  if (!end) return invalid;
  if (armed_.take("token_expired")) {
    end = 0;
    around().db.write([&](storage::Tx& tx) {
      reloadly_book::expire_token(tx, token);
      return true;
    });
  }
  if (around().clock.wall_ms() >= *end) {
    return Refused{401, "TOKEN_EXPIRED", "The token has expired"};
  }
  if (asked.header("accept") != kAccept) {
    return Refused{406, "", "Accept must be " + std::string(kAccept)};
  }
  return {};
}

Answered Reloadly::api(const Asked& asked) {
  if (asked.is("POST", {"topups"})) return submit(asked, false);
  if (asked.is("POST", {"topups-async"})) return submit(asked, true);
  if (asked.is("GET", {"topups", "*", "status"})) return status(asked);
  if (asked.is("GET", {"topups", "reports", "transactions"})) return reports(asked);
  if (asked.is("GET", {"topups", "reports", "transactions", "*"})) return report(asked);
  if (asked.is("GET", {"accounts", "balance"})) return balance();
  if (asked.is("GET", {"operators", "auto-detect", "phone", "*", "countries", "*"}))
    return detect(asked);
  if (asked.is("GET", {"operators", "countries", "*"}) || asked.is("GET", {"operators", "*"})) {
    return operators(asked);
  }
  return Answered::json({{"status", 404}, {"error", "Not Found"}, {"path", asked.target}}, 404);
}

Answered Reloadly::operators(const Asked& asked) {
  if (asked.segments.size() == 2) {
    const auto* entry = find_reloadly_operator(integer_or(asked.segments[1], 0));
    return entry != nullptr ? Answered::json(reloadly_operator_object(*entry))
                            : refused(asked, {404, "", "Operator not found"});
  }
  const auto listed = reloadly_operators(asked.segments[2]);
  if (listed.empty())
    return refused(asked, {404, "COUNTRY_NOT_SUPPORTED", "This country is not supported"});
  const bool has_data = asked.query_value("includeData") != "false";
  Json out = Json::array();
  for (const ReloadlyOperator* entry : listed) {
    if (has_data || !entry->is_data) out.push_back(reloadly_operator_object(*entry));
  }
  return Answered::json(out);
}

Answered Reloadly::detect(const Asked& asked) {
  const auto* entry = reloadly_operator_of(asked.segments[3], asked.segments[5]);
  const LookupWish wish = lookup_wish(asked.segments[3]);
  if (entry != nullptr && wish != LookupWish::unknown) {
    Json found = reloadly_operator_object(*entry);
    if (wish == LookupWish::elsewhere)
      found["id"] = found["operatorId"] = kUnlistedOperator, found["name"] = "Nowhere Mobile";
    Answered answered = Answered::json(found);
    if (wish == LookupWish::held) answered.hold_ms = around().scaled(kLookupHeldMs);
    return answered;
  }
  return refused(asked, {404, "COULD_NOT_AUTO_DETECT_OPERATOR", "Could not detect the operator"});
}

Answered Reloadly::balance() {
  std::int64_t balance_e5 = 0;
  around().db.read([&](storage::Reader& reader) { balance_e5 = reloadly_book::balance(reader); });
  return Answered::json({{"balance", decimal(e5_text(balance_e5))},
                         {"currencyCode", "USD"},
                         {"currencyName", "US Dollar"},
                         {"updatedAt", spaced_time(around().clock.wall_ms(), 0)}});
}

Answered Reloadly::status(const Asked& asked) {
  std::optional<ReloadlyTopup> topup;
  around().db.read([&](storage::Reader& reader) {
    topup = reloadly_book::find_topup(reader, integer_or(asked.segments[1], 0));
  });
  if (!topup) return refused(asked, {404, "", "Transaction not found"});
  const bool is_back = topup->status == "REFUNDED";
  return Answered::json(
      {{"code", is_back ? Json("TRANSACTION_REFUSED_BY_OPERATOR") : Json(nullptr)},
       {"message", is_back ? Json("The operator refused; the wallet was credited") : Json(nullptr)},
       {"status", topup->status},
       {"transaction", is_back ? Json(nullptr) : reloadly_transaction(*topup, true)}});
}

Answered Reloadly::reports(const Asked& asked) {
  if (!asked.query_value("startDate").empty()) return period_report(asked);
  const std::int64_t page =
      std::clamp<std::int64_t>(integer_or(asked.query_value("page"), 1), 1, 1'000'000);
  const std::int64_t size =
      std::clamp<std::int64_t>(integer_or(asked.query_value("size"), kMaxPage), 1, kMaxPage);
  const auto identifier = asked.query_value("customIdentifier");
  std::vector<ReloadlyTopup> found;
  std::int64_t total = 0;
  around().db.read([&](storage::Reader& reader) {
    if (identifier.empty()) {
      found = reloadly_book::list_newest(reader, (page - 1) * size, size);
      total = reloadly_book::count_topups(reader);
      return;
    }
    auto one = reloadly_book::find_by_custom_identifier(reader, identifier);
    total = one ? 1 : 0;
    if (one && page == 1) found.push_back(std::move(*one));
  });
  Json content = Json::array();
  for (const auto& topup : found) content.push_back(reloadly_transaction(topup, false));
  return Answered::json(spring_page(std::move(content), page, size, total));
}

Answered Reloadly::report(const Asked& asked) {
  std::optional<ReloadlyTopup> topup;
  around().db.read([&](storage::Reader& reader) {
    topup = reloadly_book::find_topup(reader, integer_or(asked.segments[3], 0));
  });
  if (!topup) return refused(asked, {404, "", "Transaction not found"});
  return Answered::json(reloadly_transaction(*topup, false));
}

Answered Reloadly::control(const Asked& asked) {
  if (asked.method == "POST") {
    const bool is_json = asked.header("content-type").substr(0, 16) == "application/json";
    const auto body = base::json_in(asked.body);
    if (!body || !body->is_object() || !is_json) {
      return refused(asked, {400, "CONTROL_REFUSED", "wants a JSON object"});
    }
    if (const auto log = body->find("replay"); log != body->end()) {
      const Result<bool> added =
          log->is_null() ? Result<bool>(true) : replays_.add(*log, around().speed_percent);
      if (!added) return not_replayed(added.error());
      if (log->is_null()) replays_.clear();
    } else if (const auto usd = base::integer_in(*body, "wallet_usd", 0, kMaxWalletUsd)) {
      around().db.write([&](storage::Tx& tx) {
        reloadly_book::set_balance(tx, *usd * kE5);
        return true;
      });
    } else {
      const auto kind = base::text_in(*body, "next");
      const auto count = body->contains("count") ? base::integer_in(*body, "count", 0, kMaxArmed)
                                                 : Result<std::int64_t>(1);
      if (!kind || !count || !armed_.arm(*kind, *count)) {
        return refused(asked,
                       {400, "CONTROL_REFUSED", "wants next and count, wallet_usd or replay"});
      }
    }
  }
  return Answered::json(
      {{"party", name()}, {"armed", armed_.listed()}, {"replays", replays_.waiting()}});
}

// What the supplier's own book says, so that a test compares both sides without signing in.
Answered Reloadly::control_topup(const Asked& asked) const {
  std::optional<ReloadlyTopup> topup;
  around().db.read([&](storage::Reader& reader) {
    topup = reloadly_book::find_by_custom_identifier(reader, asked.segments[2]);
  });
  if (!topup) return Answered::json({{"known", false}});
  return Answered::json({{"known", true}, {"status", topup->status}});
}

Answered Reloadly::magic_list() const {
  Json numbers = Json::array();
  for (const auto& row : kMagicNumbers) {
    numbers.push_back({{"ends_with", row.word}, {"meaning", row.meaning}});
  }
  return Answered::json({{"party", "Reloadly airtime, rehearsed"},
                         {"control",
                          "POST /control {\"next\": kind, \"count\": n}, {\"wallet_usd\": n} or "
                          "{\"replay\": a log of one attempt}"},
                         {"look", "GET /control/topups/CUSTOM_IDENTIFIER"},
                         {"kinds", armed_.listed()},
                         {"recipient_numbers", numbers},
                         {"all_other_numbers", "succeed"}});
}

}  // namespace topup::rehearsal
