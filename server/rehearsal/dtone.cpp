#include "server/rehearsal/dtone.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "server/base/crypto.h"
#include "server/rehearsal/dtone_forms.h"
#include "server/rehearsal/number_owner.h"

namespace topup::rehearsal {
namespace {

using base::Json;

constexpr std::int64_t kFirstBalanceMinor = 10'000'000;  // USD 100,000
constexpr std::int64_t kConfirmWithinMs = 3'600'000;
constexpr std::int64_t kMaxPerPage = 100;
constexpr std::int64_t kPerPage = 50;
constexpr std::int64_t kDayMs = 24LL * 3'600'000;
constexpr std::size_t kMaxExternalId = 40;
constexpr std::int64_t kUnlistedOperator = 999'999;
constexpr std::int64_t kHeldMs = 20'000;
constexpr std::size_t kMaxSpoilt = 10'000;

// DT One's own sandbox looks at the last three digits; here a 9 stands before them.
constexpr FaultKind kMagic[] = {
    {"9x00", "COMPLETED; x = 1, 2, 3: after 3 s, 20 s, 5 min, here and below"},
    {"9x01", "COMPLETED with a PIN"},
    {"9x02", "DECLINED-INVALID-CREDIT-PARTY"},
    {"9x03", "DECLINED-BARRED-CREDIT-PARTY"},
    {"9x04", "DECLINED-OPERATOR-CURRENTLY-UNAVAILABLE"},
    {"9x05", "DECLINED-DUPLICATED-TRANSACTION"},
    {"9x06", "DECLINED"},
    {"9x07", "DECLINED-EXCEPTION"},
    {"9901", "refused: 1006001, the balance is too low"},
    {"9902", "the connection is dropped after the order was taken on; COMPLETED"},
    {"9903", "HTTP 500 and 1009001 without any effect"},
    {"9904", "COMPLETED, and REVERSED 2 s later"},
    {"9905", "SUBMITTED for a day"},
    {"9906", "COMPLETED, and no callback is sent"},
    {"9907", "COMPLETED; a forged callback says DECLINED first"},
    {"9908", "refused: 1005003, not a number"},
    {"9909", "the answer is held back for 20 s; COMPLETED"},
    {"9910", "HTTP 500 and 1009001 after the order was taken on; COMPLETED"},
    {"908x", kLookupMeaning},
};

constexpr std::string_view kDeclined[] = {"DECLINED-INVALID-CREDIT-PARTY",
                                          "DECLINED-BARRED-CREDIT-PARTY",
                                          "DECLINED-OPERATOR-CURRENTLY-UNAVAILABLE",
                                          "DECLINED-DUPLICATED-TRANSACTION",
                                          "DECLINED",
                                          "DECLINED-EXCEPTION"};

struct ErrorText {
  int code;
  int status;
  std::string_view message;
};
constexpr ErrorText kErrors[] = {
    {1'000'400, 400, "Bad request"},
    {1'000'401, 401, "Unauthorized"},
    {1'000'404, 404, "Not found"},
    {1'003'001, 404, "Product is not available"},
    {1'003'002, 400, "Amount is out of range"},
    {1'003'003, 400, "Unit is not valid"},
    {1'005'003, 400, "Credit party mobile number is invalid"},
    {1'006'001, 400, "Insufficient balance"},
    {1'007'001, 400, "External ID has already been used"},
    {1'007'002, 400, "Transaction has already been confirmed"},
    {1'007'004, 400, "Transaction can no longer be confirmed"},
    {1'007'005, 400, "Transaction has already been cancelled"},
    {1'007'007, 400, "Transaction can no longer be cancelled"},
    {1'008'004, 404, "Transaction is not found"},
    {1'009'001, 500, "Internal server error"},
    {1'009'503, 503, "Service unavailable"},
};

Answered error(int code) {
  for (const ErrorText& row : kErrors) {
    if (row.code != code) continue;
    const Json entry = {{"code", row.code}, {"message", row.message}};
    return Answered::json({{"errors", Json::array({entry})}}, row.status);
  }
  const Json entry = {{"code", code}, {"message", "Refused"}};
  return Answered::json({{"errors", Json::array({entry})}}, 400);
}

std::int64_t integer_or(const std::string& text, std::int64_t otherwise) {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc{} && end == text.data() + text.size() ? value : otherwise;
}

// One page of rows, with the counts in headers.
Answered page_of(const Asked& asked, const std::vector<Json>& rows) {
  const std::int64_t page =
      std::clamp<std::int64_t>(integer_or(asked.query_value("page"), 1), 1, 1'000'000);
  const std::int64_t size =
      std::clamp<std::int64_t>(integer_or(asked.query_value("per_page"), kPerPage), 1, kMaxPerPage);
  const auto total = static_cast<std::int64_t>(rows.size());
  Json out = Json::array();
  for (std::int64_t i = (page - 1) * size; i < std::min(page * size, total); ++i) {
    out.push_back(rows[static_cast<std::size_t>(i)]);
  }
  Answered answered = Answered::json(out);
  answered.headers = {{"X-Total", std::to_string(total)},
                      {"X-Total-Pages", std::to_string((total + size - 1) / size)},
                      {"X-Per-Page", std::to_string(size)},
                      {"X-Page", std::to_string(page)},
                      {"X-Next-Page", page * size < total ? std::to_string(page + 1) : ""},
                      {"X-Prev-Page", page > 1 ? std::to_string(page - 1) : ""}};
  return answered;
}

struct Status {
  int group;
  std::string message;
};

Status status_of(const SupplierOrder& order, std::int64_t now_ms) {
  if (order.state == "reserved") return {1, "CREATED"};
  if (order.state == "succeeded") return {7, "COMPLETED"};
  if (order.state == "reversed") return {8, "REVERSED"};
  if (order.state == "cancelled") return {4, "CANCELLED"};
  if (order.state == "failed") {
    return {order.code.substr(0, 8) == "REJECTED" ? 3 : 9, order.code};
  }
  const bool is_early = now_ms < order.due_ms - order.takes_ms / 2;
  return is_early ? Status{2, "CONFIRMED"} : Status{5, "SUBMITTED"};
}

std::string_view group_word(int group) {
  constexpr std::string_view kWords[] = {"",          "CREATED",   "CONFIRMED", "REJECTED",
                                         "CANCELLED", "SUBMITTED", "",          "COMPLETED",
                                         "REVERSED",  "DECLINED"};
  return kWords[group];
}

std::string amount_text(const Json& body) {
  const auto destination = base::object_in(body, "destination");
  if (!destination || !(*destination)->contains("amount")) return {};
  const Json& amount = (**destination)["amount"];
  return amount.is_number() ? amount.dump() : std::string{};
}

bool is_e164(const std::string& text) {
  return text.size() >= 8 && text.size() <= 16 && text[0] == '+' && text[1] != '0' &&
         text.find_first_not_of("0123456789", 1) == std::string::npos;
}

}  // namespace

Dtone::Dtone(Surroundings surroundings, DtoneIdentity identity)
    : SupplierParty(surroundings, "dtone",
                    {{kFirstBalanceMinor, Currency::usd},
                     false,
                     true,
                     {5'000, 30'000, 120'000},
                     {std::begin(kMagic), std::end(kMagic)}}),
      identity_(std::move(identity)) {}

Answered Dtone::outage() const { return error(1'009'503); }

bool Dtone::is_authorised(const Asked& asked) const {
  const std::string wanted =
      "Basic " + base::base64(identity_.api_key + ":" + identity_.api_secret);
  return base::constant_time_equal(asked.header("authorization"), wanted);
}

// An order that was declined at once was taken on first: its word is no number of theirs.
void Dtone::shape_refusal(Course& course) const {
  if (integer_or(course.refusal, 0) > 0) return;
  course.end = "failed";
  course.code = std::exchange(course.refusal, "");
}

Answered Dtone::api(const Asked& asked) {
  if (!is_authorised(asked)) return error(1'000'401);
  if (asked.is("GET", {"v1", "products"})) return products(asked);
  if (asked.is("GET", {"v1", "products", "*"})) {
    const auto* product = dtone::find_product(integer_or(asked.segments[2], 0));
    return product ? Answered::json(dtone::product_object(*product, true)) : error(1'003'001);
  }
  if (asked.is("GET", {"v1", "balances"})) return balances();
  if (asked.is("POST", {"v1", "lookup", "mobile-number"})) return look_up(asked);
  if (asked.is("POST", {"v1", "async", "transactions"})) return submit(asked);
  if (asked.is("GET", {"v1", "transactions"})) return transactions(asked);
  if (asked.is("GET", {"v1", "transactions", "*"})) return transaction(asked);
  if (asked.is("POST", {"v1", "async", "transactions", "*", "confirm"})) return confirmation(asked);
  if (asked.is("POST", {"v1", "transactions", "*", "cancel"})) return cancellation(asked);
  return error(1'000'404);
}

Answered Dtone::products(const Asked& asked) const {
  const std::string country = asked.query_value("country_iso_code");
  const std::string network = asked.query_value("operator_id");
  std::vector<Json> rows;
  for (const auto& product : catalogue_products()) {
    const auto& entry = catalogue_operators()[product.operator_index];
    if (!dtone::is_sold(product)) continue;
    if (!country.empty() && dtone::alpha3(entry.country) != country) continue;
    if (!network.empty() &&
        integer_or(network, 0) !=
            dtone::kFirstOperator + static_cast<std::int64_t>(product.operator_index)) {
      continue;
    }
    rows.push_back(dtone::product_object(product, true));
  }
  return page_of(asked, rows);
}

Answered Dtone::balances() const {
  const Money free = balance();
  const Json row = {{"id", 1},
                    {"unit_type", "CURRENCY"},
                    {"unit", "USD"},
                    {"available", decimal(decimal_text(free))},
                    {"holding", decimal(decimal_text(holding()))},
                    {"credit_limit", 0}};
  return Answered::json(Json::array({row}));
}

Answered Dtone::look_up(const Asked& asked) const {
  const auto body = base::json_in(asked.body);
  const std::string number = body ? base::text_in(*body, "mobile_number").value_or("") : "";
  if (!is_e164(number)) return error(1'005'003);
  const auto owner = number_owner(number);
  if (!owner) return error(1'005'003);
  const LookupWish wish = lookup_wish(number);
  std::vector<Json> rows;
  for (const std::size_t index : phone_operators(owner->country)) {
    Json row = dtone::operator_object(index);
    row["identified"] = wish != LookupWish::unknown && index == owner->operator_index;
    if (wish == LookupWish::elsewhere)
      row["id"] = kUnlistedOperator, row["name"] = "Nowhere Mobile";
    rows.push_back(std::move(row));
  }
  Answered answered = page_of(asked, rows);
  if (wish == LookupWish::held) answered.hold_ms = around().scaled(kLookupHeldMs);
  return answered;
}

std::variant<SupplierOrder, Dtone::Refused> Dtone::read_order(const std::string& text) const {
  const auto body = base::json_in(text);
  if (!body || !body->is_object()) return Refused{};
  SupplierOrder order;
  order.reference = base::text_in(*body, "external_id", kMaxExternalId).value_or("");
  if (order.reference.empty() || has_control_characters(order.reference)) return Refused{};
  const auto id = base::integer_in(*body, "product_id", 1, 1'000'000'000);
  const auto* product = id ? dtone::find_product(*id) : nullptr;
  if (product == nullptr) return Refused{404, 1'003'001};
  order.sku = std::to_string(*id);
  order.face = product->face;
  if (product->step_minor > 0) {
    const auto destination = base::object_in(*body, "destination");
    if (base::text_in(*body, "calculation_mode").value_or("") != "DESTINATION_AMOUNT" ||
        !destination) {
      return Refused{};
    }
    if (base::text_in(**destination, "unit").value_or("") != to_word(product->face.currency)) {
      return Refused{400, 1'003'003};
    }
    const auto amount =
        parse_decimal_rounded(amount_text(*body), product->face.currency, Round::down);
    if (!amount || amount->minor < product->face.minor || amount->minor > product->most_minor ||
        (amount->minor - product->face.minor) % product->step_minor != 0) {
      return Refused{400, 1'003'002};
    }
    order.face = *amount;
  }
  order.cost = dtone::cost_of(*product, order.face);
  if (product->kind != ProductKind::pin) {
    const auto party = base::object_in(*body, "credit_party_identifier");
    order.account = party ? base::text_in(**party, "mobile_number").value_or("") : "";
    if (!is_e164(order.account)) return Refused{400, 1'005'003};
  } else {
    order.pin_code = random_digits(12);
    order.pin_serial = "SN" + random_digits(9);
  }
  order.callback_url = base::text_in(*body, "callback_url", 512).value_or("");
  const bool is_confirmed = base::bool_in(*body, "auto_confirm").value_or(false);
  order.state = is_confirmed ? "processing" : "reserved";
  return order;
}

void Dtone::apply_magic(std::string_view four, Course& course) const {
  if (four.front() != '9') return;
  if (four[1] == '9') {
    if (four == "9901") course.refusal = "1006001";
    if (four == "9902") course.is_dropped = true;
    if (four == "9903") course.refusal = "1009001";
    if (four == "9904") course.reversed_after_ms = around().scaled(2'000);
    if (four == "9905") course.takes_ms = kDayMs;
    if (four == "9906") course.callbacks = 0;
    if (four == "9907") course.is_forged_first = true;
    if (four == "9908") course.refusal = "1005003";
    if (four == "9909") course.holds_ms = around().scaled(kHeldMs);
    if (four == "9910") course.is_failing = true;
    return;
  }
  if (four[1] == '1') course.takes_ms = around().scaled(3'000);
  if (four[1] == '2') course.takes_ms = around().scaled(20'000);
  if (four[1] == '3') course.takes_ms = around().scaled(300'000);
  if (four[2] == '0' && four[3] >= '2' && four[3] <= '7') {
    course.end = "failed";
    course.code = kDeclined[four[3] - '2'];
  }
}

Answered Dtone::submit(const Asked& asked) {
  auto read = read_order(asked.body);
  if (const auto* refused = std::get_if<Refused>(&read)) return error(refused->code);
  auto& order = std::get<SupplierOrder>(read);
  const Course course = course_of(order.account);
  if (course.is_away) return outage();
  if (course.is_lost) return {.is_dropped = true};
  if (!course.refusal.empty()) return error(static_cast<int>(integer_or(course.refusal, 0)));
  if (order.account.size() >= 4 && order.account.ends_with("01") &&
      order.account[order.account.size() - 4] == '9') {
    order.pin_code = "470000001234";
    order.pin_serial = "SN0001";
  }
  if (order.state == "reserved") {
    order.due_ms = around().clock.wall_ms() + around().scaled(kConfirmWithinMs);
  }
  switch (place(order, course)) {
    case Placed::duplicate:
      return error(1'007'001);
    case Placed::poor:
      return error(1'006'001);
    case Placed::done:
      break;
  }
  const Answered placed = Answered::json(transaction_object(order), 201);
  if (order.state != "reserved") return shaped(placed, course);
  spoil_confirmation(order.number, course);
  return placed;
}

void Dtone::spoil_confirmation(std::int64_t number, const Course& course) {
  if (!course.is_dropped && !course.is_failing && course.holds_ms == 0) return;
  const std::lock_guard lock(spoilt_mutex_);
  if (spoilt_.size() >= kMaxSpoilt) spoilt_.clear();
  spoilt_[number] = course;
}

Course Dtone::confirmation_course(std::int64_t number) {
  const std::lock_guard lock(spoilt_mutex_);
  const auto found = spoilt_.find(number);
  if (found == spoilt_.end()) return {};
  const Course course = found->second;
  spoilt_.erase(found);
  return course;
}

Json Dtone::transaction_object(const SupplierOrder& order) const {
  const auto* product = dtone::find_product(integer_or(order.sku, 0));
  const Status status = status_of(order, around().clock.wall_ms());
  const bool is_over = order.state == "succeeded" || order.state == "reversed";
  const Json wholesale = {{"unit_type", "CURRENCY"},
                          {"unit", "USD"},
                          {"amount", decimal(decimal_text(order.cost))},
                          {"fee", 0}};
  Json out = {
      {"id", order.number},
      {"external_id", order.reference},
      {"creation_date", dtone::nine_digit_time(order.created_ms)},
      {"confirmation_expiration_date",
       dtone::nine_digit_time(order.created_ms + around().scaled(kConfirmWithinMs))},
      {"confirmation_date",
       order.state == "reserved" ? Json(nullptr) : Json(dtone::nine_digit_time(order.created_ms))},
      {"status",
       {{"id", status.group * 10'000},
        {"message", status.message},
        {"class", {{"id", status.group}, {"message", group_word(status.group)}}}}},
      {"operator_reference", is_over ? Json("OP" + std::to_string(order.number)) : Json(nullptr)},
      {"pin", nullptr},
      {"product", product ? dtone::product_object(*product, false) : Json(nullptr)},
      {"prices", {{"wholesale", wholesale}, {"retail", nullptr}}},
      {"benefits", Json::array()},
      {"promotions", nullptr},
      {"callback_url", order.callback_url.empty() ? Json(nullptr) : Json(order.callback_url)},
      {"requested_values",
       {{"source", nullptr}, {"destination", dtone::currency_value(order.face)}}},
      {"adjusted_values", {{"source", nullptr}, {"destination", nullptr}}}};
  out["credit_party_identifier"] =
      order.account.empty() ? Json(nullptr) : Json{{"mobile_number", order.account}};
  if (product && out["product"].is_object()) {
    out["product"]["destination"] = dtone::currency_value(order.face);
  }
  if (is_over) out["adjusted_values"]["destination"] = dtone::currency_value(order.face);
  if (is_over && !order.pin_code.empty()) {
    out["pin"] = {{"code", order.pin_code}, {"serial", order.pin_serial}};
  }
  return out;
}

Answered Dtone::transactions(const Asked& asked) const {
  const std::string external = asked.query_value("external_id");
  const std::int64_t now = around().clock.wall_ms();
  std::vector<SupplierOrder> found;
  if (!external.empty()) {
    found = with_reference(external);
  } else {
    const auto from = parse_rfc3339(asked.query_value("from_date"));
    const auto until = parse_rfc3339(asked.query_value("to_date"));
    const std::int64_t end = until.value_or(now + 1);
    const std::int64_t begin = from.value_or(end - kDayMs);
    if (end - begin > kDayMs) return error(1'000'400);
    found = listed(begin, end);
  }
  std::vector<Json> rows;
  for (const auto& order : found) rows.push_back(transaction_object(order));
  return page_of(asked, rows);
}

Answered Dtone::transaction(const Asked& asked) const {
  const auto order = with_number(integer_or(asked.segments[2], 0));
  return order ? Answered::json(transaction_object(*order)) : error(1'008'004);
}

Answered Dtone::confirmation(const Asked& asked) {
  const std::int64_t number = integer_or(asked.segments[3], 0);
  const auto before = with_number(number);
  if (!before) return error(1'008'004);
  if (!confirm(number)) return error(before->state == "cancelled" ? 1'007'004 : 1'007'002);
  return shaped(Answered::json(transaction_object(*with_number(number)), 202),
                confirmation_course(number));
}

Answered Dtone::cancellation(const Asked& asked) {
  const std::int64_t number = integer_or(asked.segments[2], 0);
  const auto before = with_number(number);
  if (!before) return error(1'008'004);
  if (!cancel(number)) return error(before->state == "cancelled" ? 1'007'005 : 1'007'007);
  return Answered::json(transaction_object(*with_number(number)), 202);
}

OwedCallback Dtone::callback_of(const SupplierOrder& order, bool is_forged) const {
  SupplierOrder told = order;
  if (is_forged) {
    told.state = "failed";
    told.code = "DECLINED";
  }
  OwedCallback callback;
  callback.content_type = "application/json";
  callback.body = dump_decimals(transaction_object(told));
  return callback;
}

}  // namespace topup::rehearsal
