#include "server/rehearsal/juhe.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "server/base/crypto.h"
#include "server/base/md5.h"
#include "server/rehearsal/number_owner.h"
#include "shared/time_point.h"

namespace topup::rehearsal {
namespace {

using base::Json;

constexpr std::int64_t kFirstBalanceMinor = 50'000'000;  // 500,000 yuan
constexpr std::int64_t kChinaMinutes = 480;
constexpr std::int64_t kMaxPageSize = 100;
constexpr std::array<std::int64_t, 9> kCardnums = {1, 5, 10, 20, 30, 50, 100, 200, 300};
constexpr std::array<std::int64_t, 4> kFuelYuan = {100, 200, 500, 1'000};
constexpr std::string_view kMobileSku = "140101";
// "系统异常" in GBK, as some of their answers come although UTF-8 is promised.
constexpr std::string_view kGbkReason = "\xCF\xB5\xCD\xB3\xD2\xEC\xB3\xA3";

constexpr FaultKind kMagic[] = {
    {"9000", "succeeds"},
    {"9001", "succeeds after 10 min"},
    {"9002", "taken on, then game_state 9"},
    {"9003", "game_state 0 for a day"},
    {"9004", "10014 after it was taken on, its reason in GBK; succeeds"},
    {"9005", "10014 and nothing is created"},
    {"9006", "succeeds; three callbacks"},
    {"9007", "succeeds; a callback with a wrong signature first"},
    {"9008", "208503: the region is in maintenance"},
    {"9009", "the balance is too low"},
    {"9010", "the connection is dropped after it was taken on; succeeds"},
    {"9011", "the answer is held back for 20 s; succeeds"},
};

std::string value_of(const Pairs& fields, std::string_view name) {
  for (const auto& [key, value] : fields) {
    if (key == name) return value;
  }
  return {};
}

std::int64_t integer_or(const std::string& text, std::int64_t otherwise) {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc{} && end == text.data() + text.size() ? value : otherwise;
}

std::string md5_hex(const std::string& text) { return base::hex(base::md5(text)); }

bool is_phone(const std::string& text) {
  return text.size() == 11 && text[0] == '1' &&
         text.find_first_not_of("0123456789") == std::string::npos;
}

bool is_reference(const std::string& text) {
  return text.size() >= 8 && text.size() <= 32 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
         });
}

// Yuan of a fuel product; nothing for one that is not sold.
std::optional<std::int64_t> fuel_yuan(const std::string& proid, const std::string& cardnum) {
  const std::int64_t index = integer_or(proid, 0) - 10'001;
  if (index >= 0 && index < 4 && cardnum == "1") return kFuelYuan[static_cast<std::size_t>(index)];
  const std::int64_t yuan = integer_or(cardnum, 0);
  const bool is_known = std::find(kFuelYuan.begin(), kFuelYuan.end(), yuan) != kFuelYuan.end();
  return proid == "10008" && is_known ? std::optional(yuan) : std::nullopt;
}

bool is_card(const std::string& proid, const std::string& card) {
  if (card.find_first_not_of("0123456789") != std::string::npos) return false;
  return proid == "10008" ? card.size() == 16 && card[0] == '9'
                          : card.size() == 19 && card.substr(0, 6) == "100011";
}

bool is_fuel_order(const SupplierOrder& order) { return order.sku != kMobileSku; }

Money cost_of(std::int64_t yuan, bool is_fuel) {
  return fen(yuan * (is_fuel ? 9'950 : 9'880) / 100);
}

std::optional<std::int64_t> china_time(const std::string& text) {
  if (text.size() != 19) return {};
  return parse_rfc3339(text.substr(0, 10) + "T" + text.substr(11) + "+08:00");
}

std::string area_of(const std::string& phone) {
  const auto owner = number_owner("+86" + phone);
  const std::string_view key =
      owner ? catalogue_operators()[owner->operator_index].key : std::string_view();
  if (key == "cn-unicom") return "浙江杭州联通";
  return key == "cn-telecom" ? "浙江杭州电信" : "浙江杭州移动";
}

}  // namespace

Juhe::Juhe(Surroundings surroundings, JuheIdentity identity)
    : SupplierParty(surroundings, "juhe",
                    {{kFirstBalanceMinor, Currency::cny},
                     false,
                     true,
                     {3'000, 3'000},
                     {std::begin(kMagic), std::end(kMagic)}}),
      identity_(std::move(identity)) {}

// Numbers come as numbers or as text, in turn.
Json Juhe::mixed(std::int64_t number) const {
  return turn_.fetch_add(1) % 2 == 0 ? Json(number) : Json(std::to_string(number));
}

Answered Juhe::said(Json result) const {
  return Answered::json(
      {{"reason", "成功"}, {"result", std::move(result)}, {"error_code", mixed(0)}});
}

Answered Juhe::refused(std::string_view code) const {
  Answered out;
  if (code == "10014") {
    out.body =
        "{\"reason\":\"" + std::string(kGbkReason) + "\",\"result\":null,\"error_code\":10014}";
    return out;
  }
  return Answered::json({{"reason", "refused"},
                         {"result", nullptr},
                         {"error_code", mixed(integer_or(std::string(code), 10'014))}});
}

Answered Juhe::outage() const { return refused("10014"); }

bool Juhe::is_signed(const Pairs& fields, std::string_view text) const {
  return base::constant_time_equal(value_of(fields, "sign"),
                                   md5_hex(identity_.open_id + std::string(text)));
}

Answered Juhe::api(const Asked& asked) {
  if (asked.segments.size() != 3 || asked.segments[0] != "ofpay") {
    return {.status = 404, .content_type = "text/html", .body = "<html>404</html>"};
  }
  const Pairs fields = asked.method == "POST" ? form_fields(asked.body) : asked.query;
  const bool is_fuel = asked.segments[1] == "sinopec";
  const std::string& verb = asked.segments[2];
  if (value_of(fields, "key") != (is_fuel ? identity_.fuel_key : identity_.mobile_key)) {
    return refused("10001");
  }
  if (verb == "ordersta") return state(fields, is_fuel);
  if (verb == "yue") return wallet(fields, is_fuel);
  if (verb == "orderlist") return list(fields, is_fuel);
  if (verb == "onlineorder") return is_fuel ? order_fuel(fields) : order_airtime(fields);
  if (verb == "telcheck" && !is_fuel) return check(fields);
  if (verb == "telquery" && !is_fuel) return quote(fields);
  return {.status = 404, .content_type = "text/html", .body = "<html>404</html>"};
}

Answered Juhe::check(const Pairs& fields) const {
  const std::string phone = value_of(fields, "phoneno");
  const std::int64_t yuan = integer_or(value_of(fields, "cardnum"), 0);
  if (!is_phone(phone)) return refused("208505");
  if (phone.ends_with("9008")) return refused("208503");
  const bool is_sold = std::find(kCardnums.begin(), kCardnums.end(), yuan) != kCardnums.end();
  return is_sold ? said(nullptr) : refused("208501");
}

Answered Juhe::quote(const Pairs& fields) const {
  const Answered checked = check(fields);
  const std::int64_t yuan = integer_or(value_of(fields, "cardnum"), 0);
  const std::string phone = value_of(fields, "phoneno");
  if (checked.body.find("成功") == std::string::npos) return checked;
  return said({{"cardid", kMobileSku},
               {"cardname", area_of(phone) + "话费" + std::to_string(yuan) + "元直充"},
               {"inprice", mixed(0).is_string() ? Json(decimal_text(cost_of(yuan, false)))
                                                : decimal(decimal_text(cost_of(yuan, false)))},
               {"game_area", area_of(phone)}});
}

void Juhe::apply_magic(std::string_view four, Course& course) const {
  if (four == "9001") course.takes_ms = around().scaled(600'000);
  if (four == "9002") {
    course.end = "failed";
    course.code = failure_word();
  }
  if (four == "9003") course.takes_ms = kDayMs;
  if (four == "9004") course.is_failing = true;
  if (four == "9005") course.refusal = "10014";
  if (four == "9006") course.callbacks = 3;
  if (four == "9007") course.is_forged_first = true;
  if (four == "9008") course.refusal = "208503";
  if (four == "9009") course.refusal = "poor";
  if (four == "9010") course.is_dropped = true;
  if (four == "9011") course.holds_ms = around().scaled(20'000);
}

Answered Juhe::order_airtime(const Pairs& fields) {
  SupplierOrder order;
  order.reference = value_of(fields, "orderid");
  order.account = value_of(fields, "phoneno");
  const std::string cardnum = value_of(fields, "cardnum");
  if (!is_signed(fields, identity_.mobile_key + order.account + cardnum + order.reference)) {
    return refused("208515");
  }
  if (!is_reference(order.reference)) return refused("208514");
  if (!is_phone(order.account)) return refused("208505");
  const std::int64_t yuan = integer_or(cardnum, 0);
  if (std::find(kCardnums.begin(), kCardnums.end(), yuan) == kCardnums.end()) {
    return refused("208506");
  }
  order.sku = kMobileSku;
  order.face = fen(yuan * 100);
  order.cost = cost_of(yuan, false);
  return place_order(std::move(order), false);
}

Answered Juhe::order_fuel(const Pairs& fields) {
  SupplierOrder order;
  order.reference = value_of(fields, "orderid");
  order.account = value_of(fields, "game_userid");
  order.sku = value_of(fields, "proid");
  const std::string cardnum = value_of(fields, "cardnum");
  if (!is_signed(fields,
                 identity_.fuel_key + order.sku + cardnum + order.account + order.reference)) {
    return refused("208515");
  }
  const auto yuan = fuel_yuan(order.sku, cardnum);
  const bool is_right_type = value_of(fields, "chargeType") == (order.sku == "10008" ? "2" : "1");
  if (!yuan || !is_right_type) return refused("208709");
  if (!is_reference(order.reference)) return refused("208514");
  if (!is_card(order.sku, order.account) || !is_phone(value_of(fields, "gasCardTel"))) {
    return refused("208501");
  }
  order.face = fen(*yuan * 100);
  order.cost = cost_of(*yuan, true);
  return place_order(std::move(order), true);
}

Answered Juhe::place_order(SupplierOrder order, bool is_fuel) {
  const Course course = course_of(order.account);
  const std::string_view poor = is_fuel ? "208707" : "208517";
  if (course.is_away) return outage();
  if (course.is_lost) return {.is_dropped = true};
  if (course.refusal == "poor") return refused(poor);
  if (!course.refusal.empty()) return refused(course.refusal);
  order.callback_url = identity_.callback_url;
  switch (place(order, course)) {
    case Placed::duplicate:
      return refused(is_fuel ? "208710" : "208516");
    case Placed::poor:
      return refused(poor);
    case Placed::done:
      break;
  }
  Json result = order_object(order);
  result["ordercash"] = decimal_text(order.cost);
  return shaped(said(std::move(result)), course);
}

Json Juhe::order_object(const SupplierOrder& order) const {
  const bool is_over = order.state == "succeeded" || order.state == "reversed";
  const std::int64_t game_state = is_over ? 1 : order.state == "failed" ? 9 : 0;
  return {{"uorderid", order.reference},
          {"sporder_id", "J" + std::to_string(order.number)},
          {"cardid", order.sku},
          {"cardnum", std::to_string(order.face.minor / 100)},
          {"cardname", is_fuel_order(order) ? "加油卡充值" : "话费直充"},
          {"uordercash", decimal_text(order.cost)},
          {"game_userid", order.account},
          {"addtime", spaced_time(order.created_ms, kChinaMinutes)},
          {"err_msg", order.state == "failed" ? "充值失败" : ""},
          {"game_state", mixed(game_state)}};
}

Answered Juhe::state(const Pairs& fields, bool is_fuel) const {
  for (const auto& order : with_reference(value_of(fields, "orderid"))) {
    if (is_fuel_order(order) == is_fuel) return said(order_object(order));
  }
  return refused("208513");
}

Answered Juhe::wallet(const Pairs& fields, bool is_fuel) const {
  const std::string& key = is_fuel ? identity_.fuel_key : identity_.mobile_key;
  if (!is_signed(fields, key + value_of(fields, "timestamp"))) return refused("208515");
  return said(
      {{"uid", identity_.open_id.substr(0, 4) + "****"}, {"money", decimal_text(balance())}});
}

Answered Juhe::list(const Pairs& fields, bool is_fuel) const {
  const auto from = china_time(value_of(fields, "starttime"));
  const auto until = china_time(value_of(fields, "endtime"));
  const std::int64_t page = std::max<std::int64_t>(integer_or(value_of(fields, "page"), 1), 1);
  const std::int64_t size =
      std::clamp<std::int64_t>(integer_or(value_of(fields, "pagesize"), 20), 1, kMaxPageSize);
  std::vector<SupplierOrder> found =
      listed(from.value_or(0), until.value_or(around().clock.wall_ms()) + 1'000);
  std::erase_if(found, [&](const SupplierOrder& order) { return is_fuel_order(order) != is_fuel; });
  Json rows = Json::array();
  const auto total = static_cast<std::int64_t>(found.size());
  for (std::int64_t i = (page - 1) * size; i < std::min(page * size, total); ++i) {
    rows.push_back(order_object(found[static_cast<std::size_t>(i)]));
  }
  return said({{"total", total}, {"page", page}, {"pagesize", size}, {"data", std::move(rows)}});
}

bool Juhe::is_taken(const base::OutboundReply& reply) const {
  return reply.kind == base::OutboundReply::Kind::answered && !reply.body.empty();
}

OwedCallback Juhe::callback_of(const SupplierOrder& order, bool is_forged) const {
  const bool is_over = order.state == "succeeded";
  const std::string number = "J" + std::to_string(order.number);
  const std::string& key = is_fuel_order(order) ? identity_.fuel_key : identity_.mobile_key;
  const std::string sign =
      is_forged ? md5_hex("guess" + number) : md5_hex(key + number + order.reference);
  OwedCallback callback;
  callback.content_type = "application/x-www-form-urlencoded";
  callback.body = "sporder_id=" + number + "&orderid=" + percent_encoded(order.reference) +
                  "&sta=" + (is_over != is_forged ? "1" : "9") + "&sign=" + sign;
  if (is_fuel_order(order))
    callback.body += "&err_msg=" + percent_encoded(is_over ? "" : "充值失败");
  return callback;
}

}  // namespace topup::rehearsal
