#include "server/suppliers/juhe.h"

#include <optional>
#include <string>
#include <utility>

#include "server/base/crypto.h"
#include "server/base/md5.h"
#include "server/suppliers/exact_json.h"
#include "server/suppliers/juhe_forms.h"
#include "server/suppliers/reading.h"
#include "shared/time_point.h"

namespace topup::suppliers {
namespace {

using base::Json;
using juhe::Fields;
using juhe::Said;
using Kind = Answer::Kind;

constexpr std::int64_t kPageSize = 50;
constexpr std::int64_t kMaxPages = 1'000;
constexpr std::int64_t kMaxSearchPages = 40;
constexpr std::int64_t kSearchMs = 3 * kDayMs;

// ---- What an error of theirs means for an order. One that is not listed means unknown.

constexpr Word<SupplyState> kErrors[] = {
    // Refused for its number, its amount or its product: final.
    {"208501", SupplyState::rejected},
    {"208505", SupplyState::rejected},
    {"208506", SupplyState::rejected},
    {"208509", SupplyState::rejected},  // a reference they do not take
    {"208514", SupplyState::rejected},
    {"208709", SupplyState::rejected},
    // Our account, our key, or their maintenance: refused before anything was ordered.
    {"208502", SupplyState::held},
    {"208503", SupplyState::held},
    {"208504", SupplyState::held},
    {"208515", SupplyState::held},  // the signature, thus our OpenID
    {"208517", SupplyState::held},
    {"208707", SupplyState::held},
    {"10001", SupplyState::held},
    {"10002", SupplyState::held},
    {"10003", SupplyState::held},
    {"10004", SupplyState::held},
    {"10005", SupplyState::held},
    {"10007", SupplyState::held},
    {"10008", SupplyState::held},
    {"10009", SupplyState::held},
    {"10011", SupplyState::held},
    {"10012", SupplyState::held},
    {"10013", SupplyState::held},
    {"10020", SupplyState::held},
    {"10021", SupplyState::held},
    // Listed to show it was decided: only the state of the order tells.
    {"208507", SupplyState::unknown},
    {"208508", SupplyState::unknown},
    {"208510", SupplyState::unknown},
    {"208511", SupplyState::unknown},
    {"208513", SupplyState::unknown},
    {"208516", SupplyState::unknown},  // the reference was used before
    {"208710", SupplyState::unknown},
    {"10014", SupplyState::unknown},
};

bool is_used_before(std::string_view code) { return code == "208516" || code == "208710"; }

// Before an order is placed whatever is unclear only holds it.
SupplyOutcome before_order(const Said& said) {
  const SupplyState state =
      said.kind == Kind::refused ? state_of(kErrors, said.code) : SupplyState::held;
  return outcome(state == SupplyState::rejected ? state : SupplyState::held, said.code);
}

// ---- The supplier.

class Juhe final : public Supplier {
 public:
  Juhe(JuheConfig config, base::Outbound& http, const base::Clock& clock)
      : config_(std::move(config)), http_(http), clock_(clock) {}

  std::string_view name() const override { return "juhe"; }
  Result<std::vector<ListedProduct>> products(const std::string& country) override;
  SupplyOutcome submit(const SubmitRequest& request) override;
  SupplyOutcome query(const AttemptId& attempt, const std::string& supplier_order_id) override;
  Result<Money> balance() override;
  Result<LookedUp> look_up(const std::string& account_number) override;
  Result<std::vector<StatementLine>> statement(std::int64_t from_ms,
                                               std::int64_t until_ms) override;
  Result<AttemptId> parse_callback(const CallbackRequest& request) const override;

 private:
  enum class Search { found, absent, unclear };
  struct Interface {
    std::string_view path;  // "mobile", "sinopec"
    const std::string& key;
  };
  std::vector<Interface> interfaces() const;
  Said call(std::string_view what, std::string target, const Fields& fields) const;
  std::string signed_with(std::string_view text) const;
  SupplyOutcome submit_airtime(const SubmitRequest& request) const;
  SupplyOutcome submit_fuel(const SubmitRequest& request) const;
  SupplyOutcome place(const SubmitRequest& request, const std::string& path,
                      const Fields& fields) const;
  SupplyOutcome ask(const Interface& from, const AttemptId& attempt) const;
  Search search(const Interface& from, const AttemptId& attempt) const;
  bool append_lines(const Interface& from, std::int64_t from_ms, std::int64_t until_ms,
                    std::int64_t max_pages, std::vector<StatementLine>& lines) const;

  const JuheConfig config_;
  base::Outbound& http_;
  const base::Clock& clock_;
};

std::vector<Juhe::Interface> Juhe::interfaces() const {
  std::vector<Interface> out;
  if (!config_.mobile_key.empty()) out.push_back({"mobile", config_.mobile_key});
  if (!config_.fuel_key.empty()) out.push_back({"sinopec", config_.fuel_key});
  return out;
}

Said Juhe::call(std::string_view what, std::string target, const Fields& fields) const {
  base::OutboundRequest request;
  request.method = "POST";
  request.target = "/ofpay/" + std::move(target);
  request.headers = {{"Accept", "application/json"},
                     {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
  request.body = juhe::form_of(fields);
  request.deadline_ms = what == "look_up" ? kLookUpMs : kCallDeadlineMs;
  const base::OutboundReply reply = http_.call(request);
  Said said = juhe::read_said(reply);
  if (!said.is_ok()) {
    Answer seen;
    seen.status = reply.status;
    seen.word = said.code;
    log_failed_call(name(), what, seen);
  }
  return said;
}

std::string Juhe::signed_with(std::string_view text) const {
  return base::hex(base::md5(config_.open_id + std::string(text)));
}

Result<std::vector<ListedProduct>> Juhe::products(const std::string& country) {
  if (!is_country(country)) return refuse(Code::invalid_argument, "country_malformed", "country");
  std::vector<ListedProduct> products;
  if (country != "CN") return products;
  if (!config_.mobile_key.empty()) products = juhe::airtime_products();
  if (!config_.fuel_key.empty()) {
    for (auto& product : juhe::fuel_products()) products.push_back(std::move(product));
  }
  return products;
}

SupplyOutcome Juhe::submit(const SubmitRequest& request) {
  const std::string& id = request.attempt_id.text;
  const bool is_id = id.size() >= 8 && id.size() <= 32 && is_identifier(id) &&
                     id.find_first_of("-_") == std::string::npos;
  if (!is_id || request.face.minor <= 0) {
    return outcome(SupplyState::rejected, "request_malformed");
  }
  if (request.kind == ProductKind::fuel_card) return submit_fuel(request);
  if (request.kind == ProductKind::airtime) return submit_airtime(request);
  return outcome(SupplyState::rejected, "request_malformed");
}

SupplyOutcome Juhe::submit_airtime(const SubmitRequest& request) const {
  const std::string phone = juhe::national_of(request.account_number);
  if (config_.mobile_key.empty() || phone.empty() || !juhe::is_airtime_face(request.face)) {
    return outcome(SupplyState::rejected, "request_malformed");
  }
  const std::string cardnum = std::to_string(request.face.minor / 100);
  const Fields asked = {{"phoneno", phone}, {"cardnum", cardnum}, {"key", config_.mobile_key}};
  const Said can = call("check", "mobile/telcheck", asked);
  if (!can.is_ok()) return before_order(can);
  if (request.most_cost.minor > 0) {
    const Said price = call("quote", "mobile/telquery", asked);
    if (!price.is_ok()) return before_order(price);
    const auto cost = amount_in(price.result, "inprice", Currency::cny, Round::up);
    if (!cost) return outcome(SupplyState::held, "answer_malformed");
    if (is_above(cost, request.most_cost)) return outcome(SupplyState::rejected, "cost_too_high");
  }
  Fields fields = asked;
  fields.emplace_back("orderid", request.attempt_id.text);
  fields.emplace_back("sign",
                      signed_with(config_.mobile_key + phone + cardnum + request.attempt_id.text));
  return place(request, "mobile/onlineorder", fields);
}

SupplyOutcome Juhe::submit_fuel(const SubmitRequest& request) const {
  const juhe::FuelProduct* product = juhe::find_fuel(request.sku);
  const std::string& card = request.account_number;
  if (config_.fuel_key.empty() || !product || !juhe::is_fuel_card(*product, card) ||
      !juhe::is_fuel_face(*product, request.face)) {
    return outcome(SupplyState::rejected, "request_malformed");
  }
  if (is_above(request.face, request.most_cost)) {
    return outcome(SupplyState::rejected, "cost_too_high");
  }
  const std::string cardnum = product->yuan > 0 ? "1" : std::to_string(request.face.minor / 100);
  const std::string& id = request.attempt_id.text;
  return place(request, "sinopec/onlineorder",
               {{"proid", request.sku},
                {"cardnum", cardnum},
                {"orderid", id},
                {"game_userid", card},
                {"gasCardTel", config_.fuel_contact},
                {"chargeType", std::string(product->charge_type)},
                {"key", config_.fuel_key},
                {"sign", signed_with(config_.fuel_key + request.sku + cardnum + card + id)}});
}

SupplyOutcome Juhe::place(const SubmitRequest& request, const std::string& path,
                          const Fields& fields) const {
  if (request.may_leave && !request.may_leave()) return outcome(SupplyState::held, "too_late");
  const Said said = call("submit", path, fields);
  if (said.kind == Kind::not_sent) return outcome(SupplyState::held, said.code);
  if (said.kind == Kind::unclear) return outcome(SupplyState::unknown, said.code);
  if (said.is_ok()) {
    SupplyOutcome taken = juhe::order_in(said.result, request.attempt_id);
    // Here 0 is all they promise; how it ended is asked for, whatever state stands beside it.
    if (taken.state != SupplyState::unknown) taken.state = SupplyState::accepted;
    taken.cost.reset();
    return taken;
  }
  if (!is_used_before(said.code)) return outcome(state_of(kErrors, said.code), said.code);
  for (const Interface& from : interfaces()) {
    if (!path.starts_with(from.path)) continue;
    const SupplyOutcome earlier = ask(from, request.attempt_id);
    if (earlier.state != SupplyState::not_found) return earlier;
  }
  return outcome(SupplyState::unknown, said.code);
}

// not_found here: asked and answered without such an order, which proves nothing yet.
SupplyOutcome Juhe::ask(const Interface& from, const AttemptId& attempt) const {
  const Said said = call("query", std::string(from.path) + "/ordersta",
                         {{"orderid", attempt.text}, {"key", from.key}});
  if (said.is_ok()) return juhe::order_in(said.result, attempt);
  const bool is_absent = said.code == "208513" || said.code == "208509" ||
                         (from.path == "sinopec" && said.code.starts_with("2087") &&
                          said.code.size() == 6 && !is_used_before(said.code));
  const bool is_answer = said.kind == Kind::refused && is_absent;
  return outcome(is_answer ? SupplyState::not_found : SupplyState::unknown, said.code);
}

// No code of theirs is documented to say "no such order", so that their list must agree.
Juhe::Search Juhe::search(const Interface& from, const AttemptId& attempt) const {
  const std::int64_t now = clock_.wall_ms();
  std::vector<StatementLine> lines;
  if (!append_lines(from, now - kSearchMs, now + kDayMs, kMaxSearchPages, lines)) {
    return Search::unclear;
  }
  for (const StatementLine& line : lines) {
    if (line.attempt_id == attempt.text) return Search::found;
  }
  return Search::absent;
}

SupplyOutcome Juhe::query(const AttemptId& attempt, const std::string& supplier_order_id) {
  if (!is_identifier(attempt.text)) return outcome(SupplyState::unknown, "request_malformed");
  std::string code = "not_configured";
  bool is_everywhere_absent = true;
  for (const Interface& from : interfaces()) {
    SupplyOutcome said = ask(from, attempt);
    if (said.state != SupplyState::not_found && said.state != SupplyState::unknown) {
      const bool is_same = supplier_order_id.empty() || said.supplier_order_id == supplier_order_id;
      return is_same ? said : outcome(SupplyState::unknown, "answer_of_another_order");
    }
    code = said.code;
    is_everywhere_absent = is_everywhere_absent && said.state == SupplyState::not_found &&
                           supplier_order_id.empty() && search(from, attempt) == Search::absent;
  }
  const bool is_absent = is_everywhere_absent && !interfaces().empty();
  return outcome(is_absent ? SupplyState::not_found : SupplyState::unknown, code);
}

Result<Money> Juhe::balance() {
  const auto all = interfaces();
  if (all.empty()) return refuse(Code::unavailable, "supplier_unavailable");
  const Interface& from = all.front();
  const std::string stamp = std::to_string(clock_.wall_ms() / 1'000);
  const Said said =
      call("balance", std::string(from.path) + "/yue",
           {{"timestamp", stamp}, {"key", from.key}, {"sign", signed_with(from.key + stamp)}});
  const auto money =
      said.is_ok() ? amount_in(said.result, "money", Currency::cny, Round::down) : std::nullopt;
  if (!money) return refuse(Code::unavailable, "supplier_unavailable");
  return *money;
}

Result<LookedUp> Juhe::look_up(const std::string& account_number) {
  const std::string phone = juhe::national_of(account_number);
  if (phone.empty()) {
    return refuse(Code::invalid_argument, "account_number_invalid", "account_number");
  }
  if (config_.mobile_key.empty()) return refuse(Code::rejected, "not_offered");
  const Said said = call("look_up", "mobile/telquery",
                         {{"phoneno", phone}, {"cardnum", "100"}, {"key", config_.mobile_key}});
  if (said.kind == Kind::refused && state_of(kErrors, said.code) == SupplyState::rejected) {
    return refuse(Code::rejected, "operator_unknown");
  }
  if (!said.is_ok()) return refuse(Code::unavailable, "supplier_unavailable");
  const auto carrier = juhe::carrier_of(text_or_empty(said.result, "game_area"));
  if (!carrier) return refuse(Code::rejected, "operator_unknown");
  return *carrier;
}

bool Juhe::append_lines(const Interface& from, std::int64_t from_ms, std::int64_t until_ms,
                        std::int64_t max_pages, std::vector<StatementLine>& lines) const {
  for (std::int64_t page = 1; page <= max_pages; ++page) {
    const Said said = call("statement", std::string(from.path) + "/orderlist",
                           {{"key", from.key},
                            {"page", std::to_string(page)},
                            {"pagesize", std::to_string(kPageSize)},
                            {"starttime", spaced_time_text(from_ms, kShanghaiOffsetMs)},
                            {"endtime", spaced_time_text(until_ms, kShanghaiOffsetMs)}});
    const Json* rows = said.is_ok() ? list_in(said.result, "data") : nullptr;
    if (!rows) return false;
    for (const Json& row : *rows) {
      const std::string reference = literal_of(row, "uorderid");
      const auto at = parse_spaced_time(text_or_empty(row, "addtime"), kShanghaiOffsetMs);
      const SupplyOutcome said_of = juhe::order_in(row, AttemptId(reference));
      if (!at || said_of.supplier_order_id.empty()) return false;
      if (*at < from_ms / 1'000 * 1'000 || *at >= until_ms) continue;
      lines.push_back({reference, said_of.supplier_order_id, said_of.state,
                       said_of.state == SupplyState::succeeded ? said_of.cost : std::nullopt, *at});
    }
    if (static_cast<std::int64_t>(rows->size()) < kPageSize) return true;
  }
  return false;
}

Result<std::vector<StatementLine>> Juhe::statement(std::int64_t from_ms, std::int64_t until_ms) {
  if (from_ms < 0 || until_ms < from_ms) {
    return refuse(Code::invalid_argument, "period_malformed");
  }
  std::vector<StatementLine> lines;
  for (const Interface& from : interfaces()) {
    if (!append_lines(from, from_ms, until_ms, kMaxPages, lines)) {
      return refuse(Code::unavailable, "supplier_unavailable");
    }
  }
  return lines;
}

Result<AttemptId> Juhe::parse_callback(const CallbackRequest& request) const {
  const auto fields = juhe::fields_of(request.body);
  if (!fields) return refuse(Code::forbidden, "signature_invalid");
  const std::string order = juhe::value_of(*fields, "orderid");
  const std::string signed_text = juhe::value_of(*fields, "sporder_id") + order;
  const std::string sign = juhe::value_of(*fields, "sign");
  bool is_signed = false;
  for (const Interface& from : interfaces()) {
    is_signed =
        base::constant_time_equal(sign, base::hex(base::md5(from.key + signed_text))) || is_signed;
  }
  if (!is_signed) return refuse(Code::forbidden, "signature_invalid");
  if (!is_identifier(order)) return refuse(Code::invalid_argument, "callback_malformed");
  return AttemptId(order);
}

}  // namespace

std::unique_ptr<Supplier> make_juhe(JuheConfig config, base::Outbound& http,
                                    const base::Clock& clock) {
  return std::make_unique<Juhe>(std::move(config), http, clock);
}

}  // namespace topup::suppliers
