#include "server/parties/key_check.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <ctime>
#include <optional>
#include <utility>

#include "server/base/address_rules.h"
#include "server/base/certificate.h"
#include "server/base/crypto.h"
#include "server/base/http_client.h"
#include "server/payments/alipay.h"
#include "server/payments/alipay_text.h"
#include "shared/money.h"

namespace topup::parties {
namespace {

constexpr std::size_t kApiv3KeyBytes = 32;
constexpr std::int64_t kSecondMs = 1'000;

std::string day_of(std::int64_t wall_ms) {
  const std::time_t seconds = wall_ms / kSecondMs;
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  char text[16];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d", &utc)};
}

std::string trimmed(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return std::string(text);
}

bool is_all(std::string_view text, int (*rule)(int)) {
  return std::all_of(text.begin(), text.end(),
                     [rule](char c) { return rule(static_cast<unsigned char>(c)) != 0; });
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  });
  return text;
}

enum class Pem : std::uint8_t {
  none,
  private_key,
  encrypted,
  ec_key,
  certificate,
  public_key,
  other
};

// By the line that opens it: what people mix up are whole files.
Pem kind_of(std::string_view text) {
  const std::size_t at = text.find("-----BEGIN ");
  if (at == std::string_view::npos) return Pem::none;
  std::string_view label = text.substr(at + 11);
  label = label.substr(0, label.find("-----"));
  if (label == "ENCRYPTED PRIVATE KEY") return Pem::encrypted;
  if (label == "PRIVATE KEY" || label == "RSA PRIVATE KEY")
    return text.find("Proc-Type: 4,ENCRYPTED") == std::string_view::npos ? Pem::private_key
                                                                         : Pem::encrypted;
  if (label == "EC PRIVATE KEY") return Pem::ec_key;
  if (label == "CERTIFICATE" || label == "TRUSTED CERTIFICATE") return Pem::certificate;
  if (label == "PUBLIC KEY" || label == "RSA PUBLIC KEY") return Pem::public_key;
  return Pem::other;
}

std::string_view word_of(Pem kind) {
  switch (kind) {
    case Pem::private_key:
    case Pem::encrypted:
    case Pem::ec_key:
      return "private_key";
    case Pem::certificate:
      return "certificate";
    case Pem::public_key:
      return "public_key";
    default:
      return "other";
  }
}

class Check {
 public:
  Check(const Party& party, Values& values, const CheckRules& rules, KeyFacts* facts)
      : party_(party), values_(values), rules_(rules), facts_(facts) {}

  std::vector<Fault> run() {
    check_form();
    if (party_.word == "wechat_pay") check_wechat();
    if (party_.word == "alipay") check_alipay();
    if (party_.word == "juhe") check_juhe();
    if (party_.word == "sms") check_sms();
    if (party_.word == "wechat_platform") check_platform();
    return std::move(faults_);
  }

 private:
  std::string_view value(std::string_view field) const {
    const auto found = values_.find(field);
    return found == values_.end() ? std::string_view() : std::string_view(found->second);
  }
  bool has(std::string_view field) const { return !value(field).empty(); }
  bool is_clean(std::string_view field) const {
    return has(field) && std::none_of(faults_.begin(), faults_.end(),
                                      [&](const Fault& one) { return one.field == field; });
  }
  void fault(std::string_view field, std::string_view reason, std::string detail = "") {
    faults_.push_back({std::string(field), reason, std::move(detail)});
  }
  void want(std::string_view field, bool is_right, std::string detail) {
    if (is_clean(field) && !is_right) fault(field, "form_wrong", std::move(detail));
  }

  void check_form() {
    for (auto& [name, text] : values_) {
      text = trimmed(text);
      if (find_field(party_, name) == nullptr) fault(name, "unknown_field");
    }
    for (const Field& field : party_.fields) {
      if (!has(field.name) && !field.preset.empty())
        values_[std::string(field.name)] = std::string(field.preset);
      const std::string_view text = value(field.name);
      if (text.empty()) {
        if (field.is_needed) fault(field.name, "missing_field");
        continue;
      }
      if (text.size() > field.most) {
        fault(field.name, "out_of_range", std::to_string(field.most));
        continue;
      }
      if (field.kind == FieldKind::text && !is_all(text, std::isprint))
        fault(field.name, "form_wrong", "A-Z a-z 0-9");
      if (field.kind == FieldKind::origin) check_origin(field.name, text);
      if (field.name == "wallet" && !parse_currency(text))
        fault(field.name, "currency_unknown", "USD");
    }
  }

  void check_origin(std::string_view field, std::string_view text) {
    if (!base::is_origin(std::string(text))) return fault(field, "origin_malformed");
    if (rules_.allows_this_machine && is_this_machine(text)) return;
    if (!base::public_https_origin(text)) fault(field, "origin_not_public");
  }

  // `bare`: Alipay's tool writes keys without the lines around them.
  std::optional<base::RsaKey> private_key(std::string_view field, bool bare) {
    if (!is_clean(field)) return std::nullopt;
    const std::string_view text = value(field);
    const Pem kind = kind_of(text);
    if (kind == Pem::none && !bare) {
      fault(field, "pem_wanted", "-----BEGIN PRIVATE KEY-----");
    } else if (kind == Pem::encrypted) {
      fault(field, "key_encrypted");
    } else if (kind == Pem::ec_key) {
      fault(field, "key_not_rsa");
    } else if (kind != Pem::none && kind != Pem::private_key) {
      fault(field, "pem_other_kind", std::string(word_of(kind)));
    } else {
      const auto key =
          bare ? payments::alipay_private_key(text) : base::RsaKey::from_private_pem(text);
      if (key) return *key;
      fault(field, "key_malformed");
    }
    return std::nullopt;
  }

  std::optional<base::RsaKey> public_key(std::string_view field, bool bare) {
    if (!is_clean(field)) return std::nullopt;
    const std::string_view text = value(field);
    const Pem kind = kind_of(text);
    if (kind == Pem::none && !bare) {
      fault(field, "pem_wanted", "-----BEGIN PUBLIC KEY-----");
    } else if (kind != Pem::none && kind != Pem::public_key) {
      fault(field, "pem_other_kind", std::string(word_of(kind)));
    } else {
      const auto key =
          bare ? payments::alipay_public_key(text) : base::RsaKey::from_public_pem(text);
      if (key) return *key;
      fault(field, "key_malformed");
    }
    return std::nullopt;
  }

  std::vector<base::CertificateFacts> certificates(std::string_view field) {
    if (!is_clean(field)) return {};
    const Pem kind = kind_of(value(field));
    if (kind != Pem::certificate) {
      if (kind == Pem::none) {
        fault(field, "pem_wanted", "-----BEGIN CERTIFICATE-----");
      } else {
        fault(field, "pem_other_kind", std::string(word_of(kind)));
      }
      return {};
    }
    auto found = base::certificates_in(value(field));
    if (found) return std::move(*found);
    fault(field, "certificate_malformed");
    return {};
  }

  bool is_in_time(std::string_view field, const base::CertificateFacts& one) {
    if (one.end_ms <= rules_.now_ms) fault(field, "certificate_expired", day_of(one.end_ms));
    if (one.begin_ms > rules_.now_ms) fault(field, "certificate_not_yet", day_of(one.begin_ms));
    return one.end_ms > rules_.now_ms && one.begin_ms <= rules_.now_ms;
  }

  // The certificate that goes with the private key; told is what it says of itself.
  void check_own_certificate(std::string_view field, const std::optional<base::RsaKey>& key,
                             const base::CertificateFacts& own) {
    if (facts_ != nullptr) *facts_ = {own.serial_hex, own.subject, own.begin_ms, own.end_ms};
    (void)is_in_time(field, own);
    if (!key) return;
    const auto in_certificate = base::RsaKey::from_public_pem(own.public_key_pem);
    if (!in_certificate || in_certificate->public_pem() != key->public_pem())
      fault("private_key", "key_not_of_certificate", own.serial_hex);
  }

  void check_wechat() {
    want("mchid", value("mchid").size() >= 8 && is_all(value("mchid"), std::isdigit), "1900000109");
    check_appid("appid");
    const auto key = private_key("private_key", false);
    const auto own = certificates("certificate");
    if (!own.empty()) {
      check_own_certificate("certificate", key, own.front());
      check_merchant(own.front());
      check_serial(own.front());
    }
    if (is_clean("apiv3_key") && value("apiv3_key").size() != kApiv3KeyBytes)
      fault("apiv3_key", "form_wrong", std::to_string(kApiv3KeyBytes));
    const std::string_view id = value("public_key_id");
    want("public_key_id",
         (id.starts_with("PUB_KEY_ID_") && is_all(id.substr(11), std::isalnum)) ||
             (id.size() >= 32 && is_all(id, std::isxdigit)),
         "PUB_KEY_ID_0119000001092024…");
    const auto theirs = public_key("public_key", false);
    if (key && theirs && theirs->public_pem() == key->public_pem())
      fault("public_key", "public_key_is_own");
  }

  void check_appid(std::string_view field) {
    const std::string_view appid = value(field);
    want(field,
         appid.size() == 18 && appid.starts_with("wx") && is_all(appid.substr(2), std::isxdigit),
         "wx0123456789abcdef");
  }

  // WeChat Pay writes the merchant's number as the common name.
  void check_merchant(const base::CertificateFacts& own) {
    const std::string& subject = own.subject;
    const std::size_t at = subject.find("CN=");
    if (at == std::string::npos || !is_clean("mchid")) return;
    const std::string name = subject.substr(at + 3, subject.find(',', at) - at - 3);
    const bool is_number = name.size() >= 8 && is_all(name, std::isdigit);
    if (is_number && name != value("mchid")) fault("certificate", "certificate_of_another", name);
  }

  void check_serial(const base::CertificateFacts& own) {
    std::string given = upper(std::string(value("serial_no")));
    if (given.empty()) {
      values_["serial_no"] = own.serial_hex;
    } else if (given != own.serial_hex) {
      fault("serial_no", "serial_not_of_certificate", own.serial_hex);
    } else {
      values_["serial_no"] = std::move(given);
    }
  }

  void check_alipay() {
    const auto is_number = [this](std::string_view field) {
      return value(field).size() == 16 && is_all(value(field), std::isdigit);
    };
    want("app_id", is_number("app_id"), "2021000000000000");
    want("seller_id", is_number("seller_id") && value("seller_id").starts_with("2088"),
         "2088000000000000");
    const auto key = private_key("private_key", true);
    const int certificates_given = static_cast<int>(has("app_cert")) +
                                   static_cast<int>(has("alipay_cert")) +
                                   static_cast<int>(has("root_cert"));
    if (certificates_given == 0) {
      if (!has("public_key")) return fault("public_key", "missing_field");
      const auto theirs = public_key("public_key", true);
      if (key && theirs && theirs->public_pem() == key->public_pem())
        fault("public_key", "public_key_is_own");
      return;
    }
    if (has("public_key")) fault("public_key", "one_of_two");
    for (const std::string_view field : {"app_cert", "alipay_cert", "root_cert"})
      if (!has(field)) fault(field, "missing_field");
    check_alipay_certificates(key);
  }

  void check_alipay_certificates(const std::optional<base::RsaKey>& key) {
    const auto own = certificates("app_cert");
    if (!own.empty()) check_own_certificate("app_cert", key, own.front());
    const auto theirs = certificates("alipay_cert");
    if (!theirs.empty()) (void)is_in_time("alipay_cert", theirs.front());
    (void)certificates("root_cert");
  }

  void check_juhe() {
    if (!has("mobile_key") && !has("fuel_key")) fault("mobile_key", "missing_field");
  }

  void check_sms() {
    const std::string_view path = value("path");
    want("path", path.starts_with("/") && path.find_first_of(" ?#") == std::string_view::npos,
         "/send");
  }

  void check_platform() {
    for (const auto& [id, secret] :
         {std::pair<std::string_view, std::string_view>{"mini_appid", "mini_secret"},
          {"oa_appid", "oa_secret"}}) {
      if (has(id)) check_appid(id);
      if (has(id) != has(secret)) fault(has(id) ? secret : id, "missing_field");
    }
    if (!has("mini_appid") && !has("oa_appid")) fault("mini_appid", "missing_field");
  }

  const Party& party_;
  Values& values_;
  const CheckRules& rules_;
  KeyFacts* facts_;
  std::vector<Fault> faults_;
};

}  // namespace

std::vector<Fault> check_keys(const Party& party, Values& values, const CheckRules& rules,
                              KeyFacts* facts) {
  return Check(party, values, rules, facts).run();
}

bool is_this_machine(std::string_view origin) {
  constexpr std::array<std::string_view, 2> kBegin = {"http://127.0.0.1", "http://localhost"};
  return std::any_of(kBegin.begin(), kBegin.end(), [origin](std::string_view begin) {
    return origin.starts_with(begin) &&
           (origin.size() == begin.size() || origin[begin.size()] == ':');
  });
}

}  // namespace topup::parties
