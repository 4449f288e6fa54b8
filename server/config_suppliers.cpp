#include "server/config_suppliers.h"

#include <utility>

#include "server/base/http_client.h"
#include "shared/money.h"

namespace topup {
namespace {

void want_supplier(const char* name, const std::string& origin, const std::string& wallet,
                   std::vector<std::string>* mistakes) {
  if (!base::is_origin(origin)) {
    mistakes->push_back("[" + std::string(name) +
                        "] origin must look like https://api.example.com, without a path");
  }
  if (!parse_currency(wallet))
    mistakes->push_back("[" + std::string(name) + "] wallet must be a currency such as USD");
}

constexpr char kCallbackToken[] =
    "a secret of your own: the supplier calls <public_origin>/callback/<name>?token=<it>";

}  // namespace

void read_dtone(const toml::table& root, std::optional<DtoneSection>* out,
                std::vector<std::string>* mistakes) {
  Section section(root, "dtone", mistakes, "DT One, a supplier of airtime, data and PINs.");
  if (!section.present()) return;
  DtoneSection found;
  found.origin = "https://dvs-api.dtone.com";
  section.text("origin", &found.origin, "where orders are placed");
  section.tls(&found.tls);
  section.text("api_key", &found.api_key, true, "the account's API key");
  section.file("api_secret_file", &found.api_secret, true, "its secret");
  section.file("callback_token_file", &found.callback_token, true, kCallbackToken);
  section.text("wallet", &found.wallet, "the currency of the balance there");
  want_supplier("dtone", found.origin, found.wallet, mistakes);
  section.reject_unknown();
  *out = std::move(found);
}

void read_dingconnect(const toml::table& root, std::optional<DingconnectSection>* out,
                      std::vector<std::string>* mistakes) {
  Section section(root, "dingconnect", mistakes,
                  "DingConnect, a supplier of airtime, data and vouchers.");
  if (!section.present()) return;
  DingconnectSection found;
  found.origin = "https://api.dingconnect.com";
  section.text("origin", &found.origin, "where orders are placed");
  section.tls(&found.tls);
  section.file("api_key_file", &found.api_key, true, "the account's API key");
  section.file("callback_token_file", &found.callback_token, true, kCallbackToken);
  section.text("wallet", &found.wallet, "the currency of the balance there");
  want_supplier("dingconnect", found.origin, found.wallet, mistakes);
  section.reject_unknown();
  *out = std::move(found);
}

void read_juhe(const toml::table& root, std::optional<JuheSection>* out,
               std::vector<std::string>* mistakes) {
  Section section(root, "juhe", mistakes, "Juhe, a supplier of mainland airtime and fuel cards.");
  if (!section.present()) return;
  JuheSection found;
  found.origin = "https://op.juhe.cn";
  section.text("origin", &found.origin, "where orders are placed");
  section.tls(&found.tls);
  section.file("open_id_file", &found.open_id, true, "the account's OpenID, which signs orders");
  section.file("mobile_key_file", &found.mobile_key, false, "the key of its airtime interface");
  section.file("fuel_key_file", &found.fuel_key, false, "the key of its fuel card interface");
  section.text("fuel_contact", &found.fuel_contact, "the mobile number that fuel orders carry");
  want_supplier("juhe", found.origin, "CNY", mistakes);
  if (described_sections() == nullptr && found.mobile_key.empty() && found.fuel_key.empty())
    mistakes->push_back("[juhe] wants mobile_key_file, fuel_key_file or both");
  section.reject_unknown();
  *out = std::move(found);
}

}  // namespace topup
