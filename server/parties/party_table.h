// The outside parties that the console sets up, and what each wants to be told: data. Words are
// stored; never rename one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace topup::parties {

enum class FieldKind : std::uint8_t {
  text,
  origin,       // https://host, or http of this machine in a rehearsal
  private_key,  // PEM
  certificate,  // PEM, one or more
  public_key,   // PEM
};
struct Field {
  std::string_view name;
  FieldKind kind = FieldKind::text;
  bool is_secret = false;  // write-only: sealed, never shown again
  bool is_needed = true;
  std::string_view preset = "";
  bool names_account = false;  // whose account it is: stays once the party was live
  std::size_t most = 256;      // bytes
};

enum class PartyKind : std::uint8_t { channel, supplier, messages, platform };
struct Party {
  std::string_view word;    // as in the configuration and on the banner
  std::string_view wiring;  // as the registries of channels and suppliers call it
  PartyKind kind;
  std::string_view notify_path;  // where it calls the shop; "" when it never does
  std::span<const Field> fields;
};

inline constexpr std::size_t kMaxPem = 16 * 1024;

namespace fields {
using enum FieldKind;
inline constexpr std::array kWechatPay = {
    Field{"mchid", text, false, true, "", true, 10},
    Field{"appid", text, false, true, "", true, 18},
    Field{"private_key", private_key, true, true, "", false, kMaxPem},
    Field{"certificate", certificate, false, true, "", false, kMaxPem},
    Field{"serial_no", text, false, false, "", false, 64},
    Field{"apiv3_key", text, true, true, "", false, 64},
    Field{"public_key_id", text, false, true, "", false, 64},
    Field{"public_key", public_key, false, true, "", false, kMaxPem},
    Field{"origin", origin, false, true, "https://api.mch.weixin.qq.com"},
};
inline constexpr std::array kAlipay = {
    Field{"app_id", text, false, true, "", true, 16},
    Field{"seller_id", text, false, true, "", true, 16},
    Field{"private_key", private_key, true, true, "", false, kMaxPem},
    Field{"public_key", public_key, false, false, "", false, kMaxPem},
    Field{"app_cert", certificate, false, false, "", false, kMaxPem},
    Field{"alipay_cert", certificate, false, false, "", false, kMaxPem},
    Field{"root_cert", certificate, false, false, "", false, kMaxPem},
    Field{"op_app_id", text, false, false, "", false, 16},
    Field{"origin", origin, false, true, "https://openapi.alipay.com"},
    Field{"bill_origin", origin, false, false, "https://dwbillcenter.alipay.com"},
};
inline constexpr std::array kReloadly = {
    Field{"client_id", text, false, true, "", true},
    Field{"client_secret", text, true},
    Field{"webhook_secret", text, true},
    Field{"wallet", text, false, true, "USD", true, 3},
    Field{"auth_origin", origin, false, true, "https://auth.reloadly.com"},
    Field{"origin", origin, false, true, "https://topups.reloadly.com"},
};
inline constexpr std::array kDtone = {
    Field{"api_key", text, false, true, "", true},
    Field{"api_secret", text, true},
    Field{"callback_token", text, true},
    Field{"wallet", text, false, true, "USD", true, 3},
    Field{"origin", origin, false, true, "https://dvs-api.dtone.com"},
};
inline constexpr std::array kDingconnect = {
    Field{"api_key", text, true},
    Field{"callback_token", text, true},
    Field{"wallet", text, false, true, "USD", true, 3},
    Field{"origin", origin, false, true, "https://api.dingconnect.com"},
};
inline constexpr std::array kJuhe = {
    Field{"open_id", text, true},
    Field{"mobile_key", text, true, false},
    Field{"fuel_key", text, true, false},
    Field{"fuel_contact", text, false, true, "13800138000", false, 11},
    Field{"origin", origin, false, true, "https://op.juhe.cn"},
};
inline constexpr std::array kSms = {
    Field{"template", text, false, true, "", false, 64},
    Field{"key", text, true},
    Field{"path", text, false, true, "/send", false, 128},
    Field{"origin", origin},
};
inline constexpr std::array kWechatPlatform = {
    Field{"mini_appid", text, false, false, "", true, 18},
    Field{"mini_secret", text, true, false},
    Field{"oa_appid", text, false, false, "", true, 18},
    Field{"oa_secret", text, true, false},
    Field{"origin", origin, false, true, "https://api.weixin.qq.com"},
    Field{"authorize_origin", origin, false, true, "https://open.weixin.qq.com"},
};
}  // namespace fields

inline constexpr std::array kParties = {
    Party{"wechat_pay", "wechat", PartyKind::channel, "/notify/wechat", fields::kWechatPay},
    Party{"alipay", "alipay", PartyKind::channel, "/notify/alipay", fields::kAlipay},
    Party{"reloadly", "reloadly", PartyKind::supplier, "/callback/reloadly", fields::kReloadly},
    Party{"dtone", "dtone", PartyKind::supplier, "/callback/dtone", fields::kDtone},
    Party{"dingconnect", "dingconnect", PartyKind::supplier, "/callback/dingconnect",
          fields::kDingconnect},
    Party{"juhe", "juhe", PartyKind::supplier, "/callback/juhe", fields::kJuhe},
    Party{"sms", "", PartyKind::messages, "", fields::kSms},
    Party{"wechat_platform", "", PartyKind::platform, "", fields::kWechatPlatform},
};

constexpr const Party* find_party(std::string_view word) {
  for (const Party& party : kParties)
    if (party.word == word) return &party;
  return nullptr;
}
constexpr const Field* find_field(const Party& party, std::string_view name) {
  for (const Field& field : party.fields)
    if (field.name == name) return &field;
  return nullptr;
}
constexpr std::string_view to_word(PartyKind kind) {
  constexpr std::string_view kWords[] = {"channel", "supplier", "messages", "platform"};
  return kWords[static_cast<std::size_t>(kind)];
}
constexpr std::string_view to_word(FieldKind kind) {
  constexpr std::string_view kWords[] = {"text", "origin", "private_key", "certificate",
                                         "public_key"};
  return kWords[static_cast<std::size_t>(kind)];
}

}  // namespace topup::parties
