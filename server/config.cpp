#include "server/config.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "server/base/http_client.h"
#include "server/config_section.h"
#include "server/config_suppliers.h"
#include "server/http/address.h"
#include "server/http/rate_limits.h"
#include "shared/phone.h"

namespace topup {
namespace {

// What the files hold is judged by whoever opens the door (doorway.h): other commands do not need
// them.
void read_door(Section& section, ServerSection* out, std::vector<std::string>* mistakes) {
  section.text("tls_certificate_file", &out->tls_certificate_file,
               "PEM chain that turns TLS on; read again when it changes");
  section.text("tls_key_file", &out->tls_key_file,
               "PEM key of that certificate; only the shop's user may read it");
  std::int64_t redirect_port = out->redirect_port;
  section.integer("redirect_port", 0, 65'535, &redirect_port,
                  "a plain port that sends browsers to public_origin; 0 for none");
  out->redirect_port = static_cast<std::uint16_t>(redirect_port);
  section.texts("trusted_proxies", &out->trusted_proxies,
                "addresses or ranges whose X-Forwarded-For is believed");
  if (out->tls_certificate_file.empty() != out->tls_key_file.empty()) {
    mistakes->push_back(
        "[server] tls_certificate_file and tls_key_file are needed together, or neither");
  }
  for (const std::string& range : out->trusted_proxies) {
    if (!http::parse_range(range)) {
      mistakes->push_back(
          "[server] trusted_proxies must be addresses or ranges such as "
          "10.0.0.0/8, not \"" +
          range + "\"");
    }
  }
}

void read_server(const toml::table& root, ServerSection* out, std::vector<std::string>* mistakes) {
  Section section(root, "server", mistakes, "Where the shop listens and what it shows.");
  section.text("address", &out->address,
               "the address to listen on; 0.0.0.0 takes connections from other machines");
  std::int64_t port = out->port;
  section.integer("port", 0, 65'535, &port, "the port to listen on; 0 takes any free one");
  out->port = static_cast<std::uint16_t>(port);
  section.text("public_origin", &out->public_origin,
               "how the world reaches the shop, such as https://shop.example; serve needs it");
  section.text("data_dir", &out->data_dir,
               "folder of the database and the keys; only the shop's user may read it");
  section.text("client_files", &out->client_files,
               "folder of the buyer's page; without it there is none");
  section.text("console_files", &out->console_files,
               "folder of the console; without it there is none");
  section.text("shop_name", &out->shop_name, "the name that buyers see");
  read_door(section, out, mistakes);
  section.reject_unknown();
}

void read_store(const toml::table& root, StoreSection* out, std::vector<std::string>* mistakes) {
  Section section(root, "store", mistakes,
                  "The database: one SQLite file in the data folder, or PostgreSQL 15 or newer.");
  section.text("url", &out->url, "postgres://user@host:5432/database; empty for the SQLite file");
  if (!out->url.empty() && !out->url.starts_with("postgres://") &&
      !out->url.starts_with("postgresql://")) {
    mistakes->push_back("[store] url must look like postgres://user@host:5432/database");
  }
  section.file("password_file", &out->password, false,
               "holds the password of the database user; else ~/.pgpass or PGPASSWORD");
  section.integer("connections", 2, 200, &out->connections,
                  "the most connections to PostgreSQL that one node keeps");
  section.reject_unknown();
}

void read_jobs(const toml::table& root, JobsSection* out, std::vector<std::string>* mistakes) {
  Section section(root, "jobs", mistakes, "The work that the shop does by itself.");
  section.integer("threads", 2, 64, &out->threads, "jobs that run at once");
  section.integer("lease_ms", 1'000, 600'000, &out->lease_ms,
                  "how long a job belongs to a node that does not answer for it, in ms");
  section.reject_unknown();
}

void read_staff(const toml::table& root, StaffSection* out, std::vector<std::string>* mistakes) {
  Section section(root, "staff", mistakes, "Signing in to the console.");
  section.boolean("totp_required", &out->totp_required,
                  "whoever may move money or hand out power needs an authenticator app; a "
                  "rehearsal asks for it only when this says so");
  section.reject_unknown();
}

void read_metrics(const toml::table& root, MetricsSection* out,
                  std::vector<std::string>* mistakes) {
  Section section(root, "metrics", mistakes, "Who may read /metrics.");
  std::vector<std::string> allow;
  section.texts("allow", &allow, "addresses or ranges that may, besides this machine");
  for (const std::string& text : allow) {
    const auto block = base::AddressBlock::parse(text);
    if (block) {
      out->allow.push_back(*block);
    } else {
      mistakes->push_back("[metrics] allow: " + text + " is no address and no block such as " +
                          "10.0.0.0/8 or fd00::/8");
    }
  }
  section.file("token_file", &out->token, false,
               "a token that opens it from anywhere: Authorization: Bearer");
  section.reject_unknown();
}

// One "Name: value" a line.
void read_headers(const std::string& text, TracingSection* out,
                  std::vector<std::string>* mistakes) {
  std::stringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) continue;
    const std::size_t colon = line.find(": ");
    const bool is_clean =
        std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c < '\x7F'; });
    if (colon == std::string::npos || colon == 0 || line.find(' ') < colon || !is_clean) {
      mistakes->push_back("[tracing] headers_file must hold lines such as Api-Key: secret");
      return;
    }
    out->headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
  }
}

void read_tracing(const toml::table& root, TracingSection* out,
                  std::vector<std::string>* mistakes) {
  Section section(root, "tracing", mistakes, "Where spans go, as OTLP over HTTP.");
  section.text("otlp_origin", &out->otlp_origin,
               "the collector, such as http://127.0.0.1:4318; empty: spans go nowhere");
  if (!out->otlp_origin.empty() && !base::is_origin(out->otlp_origin)) {
    mistakes->push_back(
        "[tracing] otlp_origin must look like http://127.0.0.1:4318, without a path");
  }
  section.authorities("ca_file", &out->ca_file,
                      "PEM file of authorities trusted in place of the system's");
  std::string headers;
  section.file("headers_file", &headers, false,
               "lines such as Api-Key: secret that each call carries");
  read_headers(headers, out, mistakes);
  section.integer("sample_bp", 0, 10'000, &out->sample_bp, "of 10,000 traces, how many are sent");
  section.reject_unknown();
}

void read_wechat_keys(Section& section, WechatSection* out, std::vector<std::string>* mistakes) {
  std::string key_id, key_pem;
  section.text("public_key_id", &key_id,
               "number of the platform's public key: PUB_KEY_ID_…; empty: certificates only");
  section.file("public_key_file", &key_pem, false, "that public key (PEM)");
  if (key_id.empty() != key_pem.empty()) {
    mistakes->push_back(
        "[wechat_pay] public_key_id and public_key_file are needed together, or neither");
  } else if (!key_id.empty()) {
    out->verify_keys.emplace_back(key_id, key_pem);
  }
  section.file("certificate_file", &out->certificate_pem, false,
               "the merchant's API certificate (PEM): its end is warned of");
  section.file("platform_authority_file", &out->authority_pem, false,
               "who must have issued the platform's certificates (PEM); empty: not checked");
}

void read_wechat_partner(Section& section, WechatSection* out, std::vector<std::string>* mistakes) {
  section.text("sub_mchid", &out->sub_mchid,
               "service providers: the merchant whose money it is; empty: the shop itself");
  std::vector<std::string> payees;
  section.texts("payees", &payees,
                "service providers: such as operator=sub_mchid, where it is another merchant's");
  for (const std::string& each : payees) {
    const auto equals = each.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == each.size()) {
      mistakes->push_back("[wechat_pay] payees must look like \"cn-sinopec=1900000111\"");
      return;
    }
    out->payees.emplace_back(each.substr(0, equals), each.substr(equals + 1));
  }
  section.integer("prepays_per_second", 1, 100'000, &out->prepays_per_second,
                  "how many payments this merchant may begin in a second");
}

void read_wechat(const toml::table& root, std::optional<WechatSection>* out,
                 std::vector<std::string>* mistakes) {
  Section section(
      root, "wechat_pay", mistakes,
      "WeChat Pay, API v3: direct merchants and service providers. SIGHUP takes over new keys.");
  if (!section.present()) return;
  WechatSection found;
  found.origin = "https://api.mch.weixin.qq.com";
  section.text("origin", &found.origin, "where the interface answers");
  section.tls(&found.tls);
  section.text("mchid", &found.mchid, true, "the merchant's number");
  section.text("appid", &found.appid, true, "the app that is bound to the merchant");
  section.text("serial_no", &found.serial_no, true,
               "serial number of the merchant's API certificate");
  section.text("app_name", &found.app_name,
               "the name on the pay sheet; empty for [server] shop_name");
  section.file("private_key_file", &found.private_key_pem, true,
               "the merchant's private key (PEM)");
  section.file("apiv3_key_file", &found.apiv3_key, true, "the API v3 key: exactly 32 characters");
  read_wechat_keys(section, &found, mistakes);
  read_wechat_partner(section, &found, mistakes);
  section.reject_unknown();
  *out = std::move(found);
}

void read_reloadly(const toml::table& root, std::optional<ReloadlySection>* out,
                   std::vector<std::string>* mistakes) {
  Section section(root, "reloadly", mistakes, "Reloadly, the supplier of airtime.");
  if (!section.present()) return;
  ReloadlySection found;
  found.auth_origin = "https://auth.reloadly.com";
  found.origin = "https://topups.reloadly.com";
  section.text("auth_origin", &found.auth_origin, "where access tokens are given out");
  section.text("origin", &found.origin, "where top-ups are ordered");
  section.tls(&found.tls);
  section.text("client_id", &found.client_id, true, "the account's API client");
  section.file("client_secret_file", &found.client_secret, true, "its secret");
  section.file("webhook_secret_file", &found.webhook_secret, true,
               "the secret that signs the supplier's callbacks");
  section.text("wallet", &found.wallet, "the currency of the balance there");
  if (!parse_currency(found.wallet))
    mistakes->push_back("[reloadly] wallet must be a currency such as USD");
  section.reject_unknown();
  *out = std::move(found);
}

bool is_origin(const std::string& text) {
  const std::size_t scheme = text.starts_with("https://") ? 8 : text.starts_with("http://") ? 7 : 0;
  return scheme > 0 && text.size() > scheme && text.find('/', scheme) == std::string::npos;
}

void want_origin(const char* where, const std::string& text, std::vector<std::string>* mistakes) {
  if (is_origin(text)) return;
  mistakes->push_back(std::string(where) +
                      " must look like https://api.example.com, without a path");
}

void read_wechat_mini(const toml::table& root, std::optional<WechatAppSection>* out,
                      std::vector<std::string>* mistakes) {
  Section section(root, "wechat_mini", mistakes, "The mini-program: signing in and phone numbers.");
  if (!section.present()) return;
  WechatAppSection found;
  found.origin = "https://api.weixin.qq.com";
  section.text("origin", &found.origin, "where the interface answers");
  want_origin("[wechat_mini] origin", found.origin, mistakes);
  section.text("appid", &found.appid, true, "its app id");
  section.file("secret_file", &found.secret, true, "its app secret");
  section.reject_unknown();
  *out = std::move(found);
}

void read_wechat_oa(const toml::table& root, std::optional<WechatAppSection>* out,
                    std::vector<std::string>* mistakes) {
  Section section(root, "wechat_oa", mistakes, "The official account: signing in inside WeChat.");
  if (!section.present()) return;
  WechatAppSection found;
  found.origin = "https://api.weixin.qq.com";
  found.authorize_origin = "https://open.weixin.qq.com";
  found.scope = "snsapi_userinfo";
  section.text("origin", &found.origin, "where the interface answers");
  want_origin("[wechat_oa] origin", found.origin, mistakes);
  section.text("authorize_origin", &found.authorize_origin, "where buyers allow the sign-in");
  want_origin("[wechat_oa] authorize_origin", found.authorize_origin, mistakes);
  section.text("scope", &found.scope,
               "snsapi_userinfo, or snsapi_base without a question to the buyer");
  if (found.scope != "snsapi_userinfo" && found.scope != "snsapi_base")
    mistakes->push_back("[wechat_oa] scope must be snsapi_userinfo or snsapi_base");
  section.text("appid", &found.appid, true, "its app id");
  section.file("secret_file", &found.secret, true, "its app secret");
  section.reject_unknown();
  *out = std::move(found);
}

std::vector<std::string> split_words(const std::string& text) {
  std::vector<std::string> words;
  std::stringstream in(text);
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

void read_sms(const toml::table& root, std::optional<SmsSection>* out,
              std::vector<std::string>* mistakes) {
  Section section(root, "sms", mistakes, "Codes by text message.");
  if (!section.present()) return;
  SmsSection found;
  section.text("kind", &found.kind, "the sender's protocol: http");
  if (found.kind != "http") mistakes->push_back("[sms] kind must be http");
  section.text("origin", &found.origin, "where the interface answers");
  want_origin("[sms] origin", found.origin, mistakes);
  section.text("path", &found.path, "the path that takes a message");
  if (!found.path.starts_with("/") || found.path.find_first_of(" ?#\r\n") != std::string::npos)
    mistakes->push_back("[sms] path must be a plain path such as /send");
  section.file("key_file", &found.key, true, "the key that signs each call");
  section.text("template", &found.template_name, true, "the name of the message's template");
  section.integer("daily_budget", 1, 10'000'000, &found.daily_budget,
                  "messages a day for the whole shop");
  std::string countries = "CN";
  section.text("countries", &countries, "countries whose numbers get messages, such as CN HK");
  found.countries = split_words(countries);
  for (const std::string& country : found.countries) {
    if (!is_country(country))
      mistakes->push_back("[sms] countries must be codes such as \"CN HK\": " + country);
  }
  if (found.countries.empty()) mistakes->push_back("[sms] countries must name at least one");
  section.reject_unknown();
  *out = std::move(found);
}

void read_rules(const toml::table& root, Config* config, std::vector<std::string>* mistakes) {
  Section pricing(root, "pricing", mistakes, "What a buyer pays for a face value.");
  pricing.integer("rate_bp", 1, 10 * kBasisPointsPerWhole, &config->pricing.rate_bp,
                  "price in ten-thousandths of the face value; 9950 is 99.5 %");
  pricing.integer("fee_minor", 0, 1'000'000, &config->service_fee.fixed_minor,
                  "a fee on each order, in the smallest unit (fen)");
  pricing.integer("step_minor", 1, 10'000, &config->pricing.step_minor,
                  "prices are rounded to multiples of this, in the smallest unit");
  pricing.reject_unknown();

  Section orders(root, "orders", mistakes, "How long and how often the shop waits and asks.");
  orders.integer("pay_within_ms", 1'000, 7'200'000, &config->orders.pay_within_ms,
                 "time to pay before an order closes, in ms");
  orders.integer("max_unpaid_per_user", 1, 1'000, &config->orders.max_unpaid_per_user,
                 "unpaid orders that one buyer may have at once");
  orders.integer("repeat_window_ms", 0, 86'400'000, &config->orders.repeat_window_ms,
                 "the same order again within it is asked about, in ms; 0: never");
  orders.integer("review_above_minor", 0, 100'000'000, &config->orders.review_above_minor,
                 "an order above this waits for a person, in fen; 0: never");
  orders.integer("max_payment_attempts", 1, 50, &config->orders.max_payment_attempts,
                 "pay sheets that one order may open");
  orders.integer("first_supplier_query_ms", 100, 900'000, &config->orders.first_supplier_query_ms,
                 "wait before a silent supplier is asked first, in ms");
  orders.integer("max_supplier_queries", 1, 10'000, &config->orders.max_supplier_queries,
                 "questions to the supplier before a person must look");
  orders.integer("max_supplier_holds", 1, 1'000, &config->orders.max_supplier_holds,
                 "tries with a supplier that takes nothing on before a person is told");
  orders.integer("hold_promise_ms", 1'000, 86'400'000, &config->orders.hold_promise_ms,
                 "how long a paid order waits for a supplier; then the money goes back, in ms");
  orders.integer("max_supplier_attempts", 1, 50, &config->orders.max_supplier_attempts,
                 "suppliers that one order may be given to, one after the other refused");
  orders.integer("cost_cap_bp", 0, 100'000, &config->orders.cost_cap_bp,
                 "how far a cost may rise above that of the quote, in ten-thousandths");
  orders.integer("not_found_needed", 2, 100, &config->orders.not_found_needed,
                 "times the supplier must not know an order before it counts as never sent");
  orders.integer("not_found_gap_ms", 100, 3'600'000, &config->orders.not_found_gap_ms,
                 "time between two such answers, in ms");
  orders.reject_unknown();

  Section limits(root, "limits", mistakes, "How often one address, device or person may ask.");
  limits.integer("percent", 0, http::kMaxLimitPercent, &config->limits.percent,
                 "of the built-in sizes; 0 limits nothing");
  limits.reject_unknown();
}

// "USD 7.20" of each currency in which a supplier is paid.
void read_rates(Section& section, CatalogSection* out, std::vector<std::string>* mistakes) {
  std::vector<std::string> texts;
  section.texts("rates", &texts, "what one unit costs in yuan, such as \"USD 7.20\"");
  if (!texts.empty()) out->rates.clear();
  for (const std::string& text : texts) {
    const auto from = parse_currency(text.substr(0, 3));
    const auto rate = from && text.size() > 4 && text[3] == ' '
                          ? parse_rate(std::string_view(text).substr(4), *from, Currency::cny)
                          : Result<Rate>(refuse(Code::invalid_argument, "amount_malformed"));
    if (rate) out->rates.push_back(*rate);
    if (!rate) mistakes->push_back("[catalog] rates must be texts such as \"USD 7.20\": " + text);
  }
}

void read_catalog(const toml::table& root, CatalogSection* out,
                  std::vector<std::string>* mistakes) {
  Section section(root, "catalog", mistakes, "What the shop takes over from its suppliers.");
  section.texts("countries", &out->countries,
                "codes such as \"TH\" to take lists of; none for the built-in choice");
  section.boolean("approve_new", &out->approve_new,
                  "put on sale at once what a supplier lists anew; else a person approves it");
  section.integer("cost_moves_bp", 0, 10'000, &out->cost_moves_bp,
                  "a cost that moves at most this much needs no person, in ten-thousandths");
  section.integer("reserve_orders", 1, 1'000, &out->reserve_orders,
                  "orders of a product that a balance must cover, or the product is hidden");
  section.integer("low_balance_minor", 0, kMaxMinor, &out->low_balance_minor,
                  "a balance below it calls a person, in fen");
  section.integer("abroad_bp", 1, 10 * kBasisPointsPerWhole, &out->abroad.rate_bp,
                  "price outside mainland China in ten-thousandths of the cost");
  read_rates(section, out, mistakes);
  for (const std::string& country : out->countries) {
    if (!is_country(country))
      mistakes->push_back("[catalog] countries must be codes such as \"TH\": " + country);
  }
  section.reject_unknown();
}

void read_backup(const toml::table& root, BackupSection* out, std::vector<std::string>* mistakes) {
  Section section(root, "backup", mistakes, "Backups that the running shop makes by itself.");
  section.text("folder", &out->folder, "where they are put, best on another disk; empty for none");
  section.integer("every_hours", 1, 720, &out->every_hours, "hours from one backup to the next");
  section.integer("keep", 1, 10'000, &out->keep, "how many are kept; older ones are removed");
  section.reject_unknown();
}

void read_keys(const toml::table& root, KeysSection* out, std::vector<std::string>* mistakes) {
  Section section(root, "keys", mistakes, "The keys that seal personal data.");
  section.text("passphrase_file", &out->passphrase_file,
               "file with the passphrase of topup.keys; without one the key file is plain");
  section.integer("rotate_days", 0, 3'650, &out->rotate_days,
                  "age in days at which the data key is replaced; 0: never");
  section.text("audit_head_file", &out->audit_head_file,
               "where signed heads of the audit trail are kept; empty: in the data folder");
  section.reject_unknown();
}

void reject_unknown_sections(const toml::table& root, std::vector<std::string>* mistakes) {
  static const std::set<std::string> kSections = {
      "server", "store",   "wechat_pay", "reloadly", "dtone",       "dingconnect",
      "juhe",   "pricing", "orders",     "backup",   "limits",      "jobs",
      "keys",   "staff",   "metrics",    "tracing",  "wechat_mini", "wechat_oa",
      "sms",    "catalog", "alipay",     "payments"};
  for (const auto& [key, node] : root) {
    if (kSections.count(std::string(key.str())) == 0) {
      mistakes->push_back("[" + std::string(key.str()) + "] is not a section of this file");
    }
  }
}

void read_all(const toml::table& root, Config* config, std::vector<std::string>* mistakes) {
  read_server(root, &config->server, mistakes);
  read_store(root, &config->store, mistakes);
  read_jobs(root, &config->jobs, mistakes);
  read_metrics(root, &config->metrics, mistakes);
  read_tracing(root, &config->tracing, mistakes);
  read_keys(root, &config->keys, mistakes);
  read_staff(root, &config->staff, mistakes);
  read_wechat(root, &config->wechat_pay, mistakes);
  read_alipay(root, &config->alipay, mistakes);
  read_payments(root, &config->payments, mistakes);
  read_reloadly(root, &config->reloadly, mistakes);
  read_dtone(root, &config->dtone, mistakes);
  read_dingconnect(root, &config->dingconnect, mistakes);
  read_juhe(root, &config->juhe, mistakes);
  read_wechat_mini(root, &config->wechat_mini, mistakes);
  read_wechat_oa(root, &config->wechat_oa, mistakes);
  read_sms(root, &config->sms, mistakes);
  read_rules(root, config, mistakes);
  read_catalog(root, &config->catalog, mistakes);
  read_backup(root, &config->backup, mistakes);
}

}  // namespace

std::vector<std::string> load_config(const std::string& path, Config* config) {
  std::vector<std::string> mistakes;
  toml::table root;
  if (!path.empty()) {
    try {
      root = toml::parse_file(path);
    } catch (const toml::parse_error& error) {
      std::stringstream where;
      where << path << ": " << error.description() << " (line " << error.source().begin.line << ")";
      return {where.str()};
    }
  }
  reject_unknown_sections(root, &mistakes);
  read_all(root, config, &mistakes);
  return mistakes;
}

std::vector<ConfigValue> config_texts(const std::string& path) {
  std::vector<ConfigValue> texts;
  Config config;
  noted_config_texts() = &texts;
  load_config(path, &config);
  noted_config_texts() = nullptr;
  return texts;
}

std::vector<ConfigSection> config_sections() {
  std::vector<ConfigSection> sections;
  Config config;
  std::vector<std::string> ignored;
  described_sections() = &sections;
  read_all({}, &config, &ignored);
  described_sections() = nullptr;
  return sections;
}

}  // namespace topup
