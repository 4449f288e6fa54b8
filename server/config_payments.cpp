// The sections of Alipay and of the choice between channels.
#include <algorithm>
#include <array>
#include <utility>

#include "server/base/http_client.h"
#include "server/config_section.h"

namespace topup {
namespace {

constexpr std::array<std::string_view, 2> kChannels = {"wechat", "alipay"};

void want_channels(const char* key, const std::vector<std::string>& names,
                   std::vector<std::string>* mistakes) {
  for (const std::string& name : names) {
    const bool is_known = std::find(kChannels.begin(), kChannels.end(), name) != kChannels.end();
    const bool is_double = std::count(names.begin(), names.end(), name) > 1;
    if (is_known && !is_double) continue;
    mistakes->push_back("[payments] " + std::string(key) +
                        " must list each of \"wechat\" and \"alipay\" at most once, not \"" + name +
                        "\"");
    return;
  }
}

}  // namespace

void read_alipay(const toml::table& root, std::optional<AlipaySection>* out,
                 std::vector<std::string>* mistakes) {
  Section section(root, "alipay", mistakes,
                  "Alipay, with RSA2: mobile web pages, and its mini-program.");
  if (!section.present()) return;
  AlipaySection found;
  found.origin = "https://openapi.alipay.com";
  section.text("origin", &found.origin, "where the gateway answers, without its path");
  if (!base::is_origin(found.origin))
    mistakes->push_back("[alipay] origin must look like https://openapi.alipay.com");
  found.bill_origin = "https://dwbillcenter.alipay.com";
  section.text("bill_origin", &found.bill_origin, "where Alipay's links to bills lead");
  if (!base::is_origin(found.bill_origin))
    mistakes->push_back("[alipay] bill_origin must look like https://dwbillcenter.alipay.com");
  section.tls(&found.tls);
  section.text("app_id", &found.app_id, true, "the application's number");
  section.text("seller_id", &found.seller_id, true,
               "the account that is paid (PID): 16 digits that begin with 2088");
  section.text("op_app_id", &found.op_app_id,
               "the mini-program that opens the cashier; empty: web pages only");
  section.text("subject", &found.subject, "the name on the bill; empty for [server] shop_name");
  section.file("private_key_file", &found.private_key, true,
               "the application's private key: PEM, or as Alipay's tool writes it");
  section.file("public_key_file", &found.public_key, false,
               "Alipay's public key (not the application's); not with certificates");
  section.file("app_cert_file", &found.app_cert, false,
               "certificate mode: appCertPublicKey_….crt of the application");
  section.file("alipay_cert_file", &found.alipay_certs, false,
               "certificate mode: alipayCertPublicKey_RSA2.crt; the old and the new one together");
  section.file("root_cert_file", &found.root_certs, false, "certificate mode: alipayRootCert.crt");
  section.file(
      "mini_private_key_file", &found.mini_private_key, false,
      "the private key of op_app_id, where that is another application; else the same key");
  section.file("mini_public_key_file", &found.mini_public_key, false,
               "Alipay's public key for op_app_id; else the same key");
  const int certificates = static_cast<int>(!found.app_cert.empty()) +
                           static_cast<int>(!found.alipay_certs.empty()) +
                           static_cast<int>(!found.root_certs.empty());
  if ((certificates == 0) == found.public_key.empty() || (certificates != 0 && certificates != 3)) {
    mistakes->push_back(
        "[alipay] wants either public_key_file, or app_cert_file, alipay_cert_file and "
        "root_cert_file");
  }
  if (certificates != 0 && !found.op_app_id.empty() && found.op_app_id != found.app_id)
    mistakes->push_back("[alipay] op_app_id must be app_id in the mode of certificates");
  section.reject_unknown();
  *out = std::move(found);
}

void read_payments(const toml::table& root, PaymentsSection* out,
                   std::vector<std::string>* mistakes) {
  Section section(root, "payments", mistakes,
                  "Which channels a buyer is offered, the first one first; an empty list is all.");
  section.texts("h5", &out->h5, "on a web page outside of any app");
  section.texts("jsapi", &out->jsapi, "on a web page inside the channel's own app");
  section.texts("mini_program", &out->mini_program, "in a mini-program");
  section.texts("alipay_mini", &out->alipay_mini, "in a mini-program of Alipay's app");
  section.texts("native", &out->native, "as a code that a phone scans from a desktop page");
  want_channels("h5", out->h5, mistakes);
  want_channels("jsapi", out->jsapi, mistakes);
  want_channels("mini_program", out->mini_program, mistakes);
  want_channels("alipay_mini", out->alipay_mini, mistakes);
  want_channels("native", out->native, mistakes);
  section.reject_unknown();
}

}  // namespace topup
