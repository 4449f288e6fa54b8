#include "server/rehearsal/wechat_rules.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>

#include "server/base/crypto.h"
#include "server/rehearsal/wire_text.h"

namespace topup::rehearsal {
namespace {

using base::Json;

enum class Need { required, optional };

constexpr std::int64_t kOutOfRange = 268435464;
constexpr std::int64_t kExtraParameter = 270924358;
constexpr std::int64_t kOpenidMissing = 268501013;
constexpr std::int64_t kAppidMismatch = 268445527;
constexpr std::int64_t kSubMissing = 268443704;
constexpr std::int64_t kSubIsProvider = 268443705;
constexpr std::int64_t kNoRelation = 268443701;

std::string escaped(const std::string& key) {  // RFC 6901
  std::string out;
  for (const char c : key) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return out;
}

// Reads members by JSON pointer and remembers the first rule that was broken.
class BodyReader {
 public:
  explicit BodyReader(const Json& body) : body_(body) {}

  std::string text(const char* pointer, std::size_t max_bytes, Need need) {
    const Json* value = find(pointer, need);
    if (value == nullptr) return {};
    if (!value->is_string()) return wrong(pointer, "must be a string"), std::string{};
    auto out = value->get<std::string>();
    if (out.empty() && need == Need::required) wrong(pointer, "must not be empty");
    if (out.size() > max_bytes) wrong(pointer, "is too long", kOutOfRange);
    const bool has_wide = std::any_of(out.begin(), out.end(),
                                      [](char c) { return static_cast<unsigned char>(c) >= 0xF0; });
    if (has_wide) wrong(pointer, "holds a character of 4 bytes");
    return out;
  }

  std::int64_t integer(const char* pointer, std::int64_t min, std::int64_t max, Need need) {
    const Json* value = find(pointer, need);
    if (value == nullptr) return 0;
    if (!value->is_number_integer()) return wrong(pointer, "must be an integer"), 0;
    const bool is_huge = value->is_number_unsigned() &&
                         value->get<std::uint64_t>() > static_cast<std::uint64_t>(kMaxFen);
    const std::int64_t out = is_huge ? kMaxFen + 1 : value->get<std::int64_t>();
    if (out < min || out > max) wrong(pointer, "is out of range", kOutOfRange);
    return out;
  }

  void object(const char* pointer, Need need, std::initializer_list<std::string_view> allowed) {
    const Json* value = *pointer == '\0' ? &body_ : find(pointer, need);
    if (value == nullptr) return;
    if (!value->is_object()) return wrong(pointer, "must be an object");
    for (const auto& member : value->items()) {
      if (std::find(allowed.begin(), allowed.end(), member.key()) == allowed.end()) {
        wrong(std::string(pointer) + "/" + escaped(member.key()), "is not a known parameter",
              kExtraParameter);
      }
    }
  }

  bool has(const char* pointer) const { return body_.contains(Json::json_pointer(pointer)); }

  void wrong(const std::string& pointer, std::string_view issue, std::int64_t number = 268435461) {
    if (refusal) return;
    const Json::json_pointer at(pointer);
    std::string value = body_.contains(at) ? body_.at(at).dump() : "";
    if (value.size() > 256) value.resize(256);
    refusal = wechat_param_error(pointer, value, issue, "body");
    refusal->number = number;
  }

  std::optional<WechatRefusal> refusal;

 private:
  const Json* find(const char* pointer, Need need) {
    const Json::json_pointer at(pointer);
    if (body_.contains(at)) return &body_.at(at);
    if (need == Need::required) wrong(pointer, "is required");
    return nullptr;
  }

  const Json& body_;
};

bool all_of_charset(std::string_view text, std::string_view extra) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           extra.find(c) != std::string_view::npos;
  });
}

bool is_ip_address(const std::string& text) {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

void check_notify_url(BodyReader& reader, const std::string& url, const WechatContract& contract) {
  const auto address = parse_web_address(url);
  if (!address || url.find_first_of("?#") != std::string::npos) {
    return reader.wrong("/notify_url", "must be an absolute address without a query");
  }
  if (!is_loopback_host(address->host) && address->origin != contract.shop_origin) {
    reader.wrong("/notify_url", "is not this shop: rehearsed notifications stay on this machine");
  }
}

void check_scene(BodyReader& reader, bool is_h5, PrepayFields& out) {
  reader.object("/scene_info", is_h5 ? Need::required : Need::optional,
                {"payer_client_ip", "device_id", "store_info", "h5_info"});
  const Need ip_need = is_h5 ? Need::required : Need::optional;
  const auto ip = reader.text("/scene_info/payer_client_ip", 45, ip_need);
  if (!ip.empty() && !is_ip_address(ip)) {
    reader.wrong("/scene_info/payer_client_ip", "is not an IP address");
  }
  if (!is_h5) return;
  reader.object("/scene_info/h5_info", Need::required,
                {"type", "app_name", "app_url", "bundle_id", "package_name"});
  const auto type = reader.text("/scene_info/h5_info/type", 32, Need::required);
  if (!type.empty() && type != "iOS" && type != "Android" && type != "Wap") {
    reader.wrong("/scene_info/h5_info/type", "must be iOS, Android or Wap");
  }
  out.app_name = reader.text("/scene_info/h5_info/app_name", 64, Need::optional);
  out.app_url = reader.text("/scene_info/h5_info/app_url", 128, Need::optional);
}

void check_expiry(BodyReader& reader, std::int64_t now_ms, PrepayFields& out) {
  const auto text = reader.text("/time_expire", 64, Need::optional);
  if (text.empty()) return;
  const auto at = parse_rfc3339(text);
  if (!at) return reader.wrong("/time_expire", "must look like 2026-11-21T15:30:00+08:00");
  out.expires_ms = std::clamp(*at, now_ms + kWechatExpiryFloorMs, now_ms + kWechatExpiryCapMs);
}

void check_parties(BodyReader& reader, bool by_partner, const WechatContract& contract,
                   PrepayFields& out) {
  const char* const appid = by_partner ? "/sp_appid" : "/appid";
  const char* const mchid = by_partner ? "/sp_mchid" : "/mchid";
  out.appid = reader.text(appid, 32, Need::required);
  out.mchid = reader.text(mchid, 32, Need::required);
  if (by_partner) out.sub_mchid = reader.text("/sub_mchid", 32, Need::optional);
  const bool is_bound = out.appid == contract.appid ||
                        (!contract.mini_appid.empty() && out.appid == contract.mini_appid);
  if (reader.refusal) return;
  if (!is_bound || out.mchid != contract.mchid) {
    reader.wrong(!is_bound ? appid : mchid, "appid and mchid do not match", kAppidMismatch);
    reader.refusal->code = "APPID_MCHID_NOT_MATCH";
    reader.refusal->message = "商户号mchid与appid不匹配";
    return;
  }
  const auto below = check_merchant(out.mchid, out.sub_mchid, by_partner, "body", contract);
  if (const auto* refusal = std::get_if<WechatRefusal>(&below)) reader.refusal = *refusal;
}

void check_payer(BodyReader& reader, const WechatDoor& door, PrepayFields& out) {
  if (door.trade_type != "JSAPI") {
    if (reader.has("/payer")) reader.wrong("/payer", "is a parameter of JSAPI", kExtraParameter);
    return;
  }
  const char* const openid = door.by_partner ? "/payer/sp_openid" : "/payer/openid";
  if (door.by_partner) {
    reader.object("/payer", Need::required, {"sp_openid", "sub_openid"});
  } else {
    reader.object("/payer", Need::required, {"openid"});
  }
  if (!reader.has(openid)) reader.wrong(openid, "is required", kOpenidMissing);
  out.openid = reader.text(openid, 128, Need::required);
}

}  // namespace

WechatRefusal wechat_param_error(std::string_view field, std::string_view value,
                                 std::string_view issue, std::string_view location) {
  return {.status = 400,
          .code = "PARAM_ERROR",
          .message = "参数错误: " + std::string(field) + " " + std::string(issue),
          .detail = {{"field", field}, {"value", value}, {"issue", issue}, {"location", location}}};
}

std::string parameters_fingerprint(const base::Json& body) {
  return base::hex(base::sha256(body.dump()));
}

std::variant<std::string, WechatRefusal> check_merchant(std::string_view mchid,
                                                        std::string_view sub_mchid, bool by_partner,
                                                        std::string_view location,
                                                        const WechatContract& contract) {
  const std::string lead = location == "body" ? "/" : "";
  const auto wrong = [&](std::string_view field, std::string_view value, std::string_view issue,
                         std::int64_t number) {
    auto refusal = wechat_param_error(lead + std::string(field), value, issue, location);
    refusal.number = number;
    return refusal;
  };
  if (mchid != contract.mchid) {
    return wrong(by_partner ? "sp_mchid" : "mchid", mchid, "is not the signing merchant",
                 268435461);
  }
  if (!by_partner) return std::string();
  if (sub_mchid.empty()) return wrong("sub_mchid", "", "is required", kSubMissing);
  if (sub_mchid == mchid) return wrong("sub_mchid", sub_mchid, "is sp_mchid", kSubIsProvider);
  if (std::find(contract.sub_mchids.begin(), contract.sub_mchids.end(), sub_mchid) ==
      contract.sub_mchids.end()) {
    auto refusal = wrong("sub_mchid", sub_mchid, "has no relation to sp_mchid", kNoRelation);
    refusal.status = 403;
    refusal.code = "NO_AUTH";
    return refusal;
  }
  return std::string(sub_mchid);
}

std::variant<PrepayFields, WechatRefusal> check_prepay(const base::Json& body,
                                                       const WechatDoor& door,
                                                       const WechatContract& contract,
                                                       std::int64_t now_ms) {
  BodyReader reader(body);
  PrepayFields out;
  if (door.by_partner) {
    reader.object("", Need::required,
                  {"sp_appid", "sp_mchid", "sub_appid", "sub_mchid", "description", "out_trade_no",
                   "time_expire", "attach", "notify_url", "goods_tag", "support_fapiao", "amount",
                   "payer", "detail", "scene_info", "settle_info", "limit_pay"});
  } else {
    reader.object("", Need::required,
                  {"appid", "mchid", "description", "out_trade_no", "time_expire", "attach",
                   "notify_url", "goods_tag", "support_fapiao", "amount", "payer", "detail",
                   "scene_info", "settle_info", "limit_pay"});
  }
  check_parties(reader, door.by_partner, contract, out);
  out.description = reader.text("/description", 127, Need::required);
  out.out_trade_no = reader.text("/out_trade_no", 32, Need::required);
  if (!reader.refusal &&
      (out.out_trade_no.size() < 6 || !all_of_charset(out.out_trade_no, "_-|*"))) {
    reader.wrong("/out_trade_no", "must be 6 to 32 characters of 0-9 A-Z a-z _ - | *");
  }
  check_expiry(reader, now_ms, out);
  out.attach = reader.text("/attach", 128, Need::optional);
  out.notify_url = reader.text("/notify_url", 255, Need::required);
  if (!reader.refusal) check_notify_url(reader, out.notify_url, contract);
  reader.object("/amount", Need::required, {"total", "currency"});
  out.total_fen = reader.integer("/amount/total", 1, kMaxFen, Need::required);
  const auto currency = reader.text("/amount/currency", 16, Need::optional);
  if (!currency.empty() && currency != "CNY") reader.wrong("/amount/currency", "must be CNY");
  check_payer(reader, door, out);
  check_scene(reader, door.trade_type == "MWEB", out);
  if (reader.refusal) return *reader.refusal;
  return out;
}

std::variant<RefundFields, WechatRefusal> check_refund(const base::Json& body,
                                                       const WechatContract& contract) {
  BodyReader reader(body);
  RefundFields out;
  reader.object("", Need::required,
                {"transaction_id", "out_trade_no", "out_refund_no", "reason", "notify_url",
                 "funds_account", "amount", "goods_detail", "sub_mchid"});
  out.sub_mchid = reader.text("/sub_mchid", 32, Need::optional);
  out.transaction_id = reader.text("/transaction_id", 32, Need::optional);
  out.out_trade_no = reader.text("/out_trade_no", 32, Need::optional);
  if (out.transaction_id.empty() && out.out_trade_no.empty()) {
    reader.wrong("/transaction_id", "or out_trade_no is required");
  }
  out.out_refund_no = reader.text("/out_refund_no", 64, Need::required);
  if (!reader.refusal && !all_of_charset(out.out_refund_no, "_-|*@")) {
    reader.wrong("/out_refund_no", "must be of 0-9 A-Z a-z _ - | * @");
  }
  out.reason = reader.text("/reason", 80, Need::optional);
  out.notify_url = reader.text("/notify_url", 256, Need::optional);
  if (!out.notify_url.empty()) check_notify_url(reader, out.notify_url, contract);
  const auto account = reader.text("/funds_account", 32, Need::optional);
  if (!account.empty() && account != "AVAILABLE" && account != "UNSETTLED") {
    reader.wrong("/funds_account", "must be AVAILABLE or UNSETTLED");
  }
  reader.object("/amount", Need::required, {"refund", "total", "currency", "from"});
  out.refund_fen = reader.integer("/amount/refund", 1, kMaxFen, Need::required);
  out.total_fen = reader.integer("/amount/total", 1, kMaxFen, Need::required);
  if (reader.text("/amount/currency", 16, Need::required) != "CNY") {
    reader.wrong("/amount/currency", "must be CNY");
  }
  if (!reader.refusal && out.refund_fen > out.total_fen) {
    reader.wrong("/amount/refund", "is more than the total", kOutOfRange);
  }
  if (reader.refusal) return *reader.refusal;
  return out;
}

}  // namespace topup::rehearsal
