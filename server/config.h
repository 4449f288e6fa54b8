// The configuration file (TOML) and its TOPUP_* overrides. Every mistake is reported at once, each
// with its key, what is wrong and what would be right. Secrets are never written here: the file
// names files that hold them. An override is TOPUP_ + SECTION + _ + KEY in capitals, e.g.
// TOPUP_SERVER_PORT=9000; those of an outside party count once its section stands in the file.
// Each key is described where it is read: `topup config --explain` prints that, and the example
// file is made of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/base/address_rules.h"
#include "server/orders/order_env.h"
#include "shared/price_book.h"

namespace topup {

struct ServerSection {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;
  std::string public_origin;  // https://shop.example
  std::string data_dir = "data";
  std::string client_files, console_files;
  std::string shop_name = "Topup";
  // TLS in the door: both or neither, PEM; the certificate with its chain, the key unencrypted.
  std::string tls_certificate_file, tls_key_file;
  std::uint16_t redirect_port = 0;  // where plain HTTP is sent on to public_origin; 0: nowhere
  // Proxies whose X-Forwarded-For is believed: addresses or ranges such as 10.0.0.0/8.
  std::vector<std::string> trusted_proxies;
};
struct StoreSection {
  std::string url;       // postgres://user@host/database; empty: SQLite in the data folder
  std::string password;  // from the file that password_file names
  std::int64_t connections = 16;
};
struct JobsSection {
  std::int64_t threads = 8;
  std::int64_t lease_ms = 90'000;  // after it another node may take over what one has begun
};
struct StaffSection {
  bool totp_required = true;  // of whoever may move money or hand out power
};
struct MetricsSection {
  std::vector<base::AddressBlock> allow;  // besides this machine
  std::string token;                      // from the file that token_file names
};
struct TracingSection {
  std::string otlp_origin;  // http://127.0.0.1:4318; empty: spans go nowhere
  std::string ca_file;
  std::vector<std::pair<std::string, std::string>> headers;  // from the file headers_file names
  std::int64_t sample_bp = 10'000;                           // of 10,000 traces
};
struct TlsSection {     // how a party is reached over https
  std::string ca_file;  // PEM: trusted instead of the system's authorities
  std::string client_certificate_file, client_key_file;  // PEM: what the party wants of us
};
struct WechatSection {
  TlsSection tls;
  std::string origin, mchid, appid, serial_no, app_name;
  std::string private_key_pem, apiv3_key;
  std::vector<std::pair<std::string, std::string>> verify_keys;  // Wechatpay-Serial → PEM
  std::string certificate_pem;  // the merchant's own, to know when it ends; empty: not known
  std::string authority_pem;    // that platform certificates must be issued by; empty: any
  std::string sub_mchid;        // partner mode
  std::vector<std::pair<std::string, std::string>> payees;  // operator → sub_mchid
  std::int64_t prepays_per_second = 500;
};
struct AlipaySection {
  TlsSection tls;
  std::string origin, app_id, seller_id, op_app_id, subject;
  std::string private_key;                         // PEM, or the bare base64 of Alipay's tool
  std::string public_key;                          // Alipay's; empty in certificate mode
  std::string app_cert, alipay_certs, root_certs;  // PEM; all three or none
  std::string bill_origin;                         // where bills lie
  std::string mini_private_key, mini_public_key;   // of op_app_id; empty: those above
};
// Which channels a buyer is offered in a scene, the first one first. Empty: all that can.
struct PaymentsSection {
  std::vector<std::string> h5, native;
  std::vector<std::string> jsapi = {"wechat"}, mini_program = {"wechat"};
  std::vector<std::string> alipay_mini = {"alipay"};
};
struct ReloadlySection {
  TlsSection tls;
  std::string auth_origin, origin, client_id, client_secret, webhook_secret;
  std::string wallet = "USD";
};
struct DtoneSection {
  TlsSection tls;
  std::string origin, api_key, api_secret, callback_token;
  std::string wallet = "USD";
};
struct DingconnectSection {
  TlsSection tls;
  std::string origin, api_key, callback_token;
  std::string wallet = "USD";
};
struct JuheSection {
  TlsSection tls;
  std::string origin, open_id, mobile_key, fuel_key;
  std::string fuel_contact = "13800138000";
};
struct BackupSection {
  std::string folder;             // empty: the shop makes no backups by itself
  std::int64_t every_hours = 24;  // between two backups
  std::int64_t keep = 14;         // older ones are removed
};
struct LimitsSection {
  std::int64_t percent = 100;  // of the sizes in http/rate_limits.h; 0 limits nothing
};
struct KeysSection {
  std::string passphrase_file;    // of topup.keys; also TOPUP_KEY_PASSPHRASE_FILE, or systemd's
                                  // credential topup-passphrase; empty: the key file is plain
  std::int64_t rotate_days = 90;  // age at which the key of personal data is replaced; 0: never
  std::string audit_head_file;    // signed heads of the audit trail; empty: in the data folder
};
struct WechatAppSection {  // [wechat_mini], [wechat_oa]
  std::string origin, appid, secret;
  std::string authorize_origin, scope;  // of [wechat_oa] only
};
struct SmsSection {
  std::string kind = "http";
  std::string origin, path = "/send", key, template_name;
  std::vector<std::string> countries = {"CN"};
  std::int64_t daily_budget = 2'000;
};
struct CatalogSection {
  std::vector<std::string> countries;  // "": the built-in list
  bool approve_new = false;            // put on sale what a supplier lists for the first time
  std::int64_t cost_moves_bp = 200;
  std::int64_t reserve_orders = 2;
  std::int64_t low_balance_minor = 100'000;  // in the shop's currency
  std::vector<Rate> rates;                   // into the shop's currency
  PriceRule abroad{.id = "abroad", .form = RuleForm::of_cost, .rate_bp = 10'800};
};
struct Config {
  ServerSection server;
  StoreSection store;
  JobsSection jobs;
  KeysSection keys;
  StaffSection staff;
  MetricsSection metrics;
  TracingSection tracing;
  std::optional<WechatSection> wechat_pay;
  std::optional<AlipaySection> alipay;
  PaymentsSection payments;
  std::optional<ReloadlySection> reloadly;
  std::optional<DtoneSection> dtone;
  std::optional<DingconnectSection> dingconnect;
  std::optional<JuheSection> juhe;
  std::optional<WechatAppSection> wechat_mini, wechat_oa;
  std::optional<SmsSection> sms;
  PriceRule pricing{.id = "default", .rate_bp = 9'950};
  Fee service_fee{.id = "service"};
  CatalogSection catalog;
  orders::OrderSettings orders;
  BackupSection backup;
  LimitsSection limits;
  std::string log_level = "info";  // of the command line: the preset of the live setting log.level
};

// `path` empty: defaults and overrides only. Returns the mistakes, one sentence each; empty when
// `config` may be used.
std::vector<std::string> load_config(const std::string& path, Config* config);

struct ConfigKey {
  std::string section, key;
  std::string kind;           // "text", "whole number", "file", …
  std::string default_value;  // as TOML; empty for a key that is needed or that names a file
  std::string range;          // "1 … 65535"; empty when the kind has none
  bool is_needed = false;     // in its section
  std::string environment;    // TOPUP_SECTION_KEY
  std::string meaning;        // one sentence; never empty (a test holds that)
};
struct ConfigSection {
  std::string name, meaning;
  bool is_optional = false;  // its absence means something: no such party
  std::vector<ConfigKey> keys;
};
struct ConfigValue {
  std::string section, key, value;
};
// The texts in effect, such as names of files and origins of parties; those of an absent section
// are left out.
std::vector<ConfigValue> config_texts(const std::string& path);
// Every section and key that load_config() reads, in its order.
std::vector<ConfigSection> config_sections();
// The whole of it as an example file (TOML), and as a page to read.
std::string config_example();
std::string config_explained();

}  // namespace topup
