#include "server/config.h"

#include <toml++/toml.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

namespace topup {
namespace {

constexpr std::size_t kMaxSecretFile = 64 * 1024;

// Reads typed keys of one section and remembers what was wrong and which keys were known.
class Section {
 public:
  Section(const toml::table& root, std::string name, std::vector<std::string>* mistakes)
      : table_(root[name].as_table()), name_(std::move(name)), mistakes_(mistakes) {
    if (root.contains(name_) && table_ == nullptr)
      mistakes_->push_back("[" + name_ + "] must be a section: [" + name_ + "] and keys below it");
  }

  bool present() const { return table_ != nullptr; }

  void text(const char* key, std::string* out, bool required = false) {
    known_.insert(key);
    if (const auto value = override_of(key)) {
      *out = *value;
    } else if (const toml::node* node = find(key)) {
      if (const auto found = node->value_exact<std::string>()) {
        *out = *found;
      } else {
        mistake(key, "must be a text in quotes");
      }
    }
    if (required && out->empty()) mistake(key, "is needed");
  }

  void integer(const char* key, std::int64_t min, std::int64_t max, std::int64_t* out) {
    known_.insert(key);
    std::optional<std::int64_t> value;
    if (const auto text = override_of(key)) {
      char* end = nullptr;
      const long long parsed = std::strtoll(text->c_str(), &end, 10);
      if (end != text->c_str() && *end == '\0') value = parsed;
      if (!value) return mistake(key, "must be a whole number");
    } else if (const toml::node* node = find(key)) {
      value = node->value_exact<std::int64_t>();
      if (!value) return mistake(key, "must be a whole number");
    }
    if (!value) return;
    if (*value < min || *value > max) {
      return mistake(key,
                     "must lie between " + std::to_string(min) + " and " + std::to_string(max));
    }
    *out = *value;
  }

  // The key names a file; its content, without blanks at the end, is the value.
  void file(const char* key, std::string* out) {
    std::string path;
    text(key, &path, true);
    if (path.empty()) return;
    std::ifstream in(path, std::ios::binary);
    std::stringstream content;
    content << in.rdbuf();
    *out = content.str();
    while (!out->empty() && (out->back() == '\n' || out->back() == '\r' || out->back() == ' '))
      out->pop_back();
    if (!in || out->empty() || out->size() > kMaxSecretFile)
      mistake(key, "names a file that cannot be read: " + path);
  }

  void reject_unknown() {
    if (table_ == nullptr) return;
    for (const auto& [key, node] : *table_) {
      if (known_.count(std::string(key.str())) == 0)
        mistake(std::string(key.str()).c_str(), "is not a key of this section");
    }
  }

 private:
  const toml::node* find(const char* key) const {
    return table_ == nullptr ? nullptr : table_->get(key);
  }

  std::optional<std::string> override_of(const char* key) const {
    std::string name = "TOPUP_" + name_ + "_" + key;
    for (char& c : name) {
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  }

  void mistake(const char* key, const std::string& what) {
    mistakes_->push_back("[" + name_ + "] " + key + " " + what);
  }

  const toml::table* table_;
  std::string name_;
  std::vector<std::string>* mistakes_;
  std::set<std::string> known_;
};

void read_server(const toml::table& root, ServerSection* out, std::vector<std::string>* mistakes) {
  Section section(root, "server", mistakes);
  section.text("address", &out->address);
  std::int64_t port = out->port;
  section.integer("port", 0, 65'535, &port);
  out->port = static_cast<std::uint16_t>(port);
  section.text("public_origin", &out->public_origin);
  section.text("data_dir", &out->data_dir);
  section.text("client_files", &out->client_files);
  section.text("console_files", &out->console_files);
  section.text("shop_name", &out->shop_name);
  section.reject_unknown();
}

void read_wechat(const toml::table& root, std::optional<WechatSection>* out,
                 std::vector<std::string>* mistakes) {
  Section section(root, "wechat_pay", mistakes);
  if (!section.present()) return;
  WechatSection found;
  found.origin = "https://api.mch.weixin.qq.com";
  section.text("origin", &found.origin);
  section.text("mchid", &found.mchid, true);
  section.text("appid", &found.appid, true);
  section.text("serial_no", &found.serial_no, true);
  section.text("app_name", &found.app_name);
  section.file("private_key_file", &found.private_key_pem);
  section.file("apiv3_key_file", &found.apiv3_key);
  std::string key_id, key_pem;
  section.text("public_key_id", &key_id, true);
  section.file("public_key_file", &key_pem);
  found.verify_keys.emplace_back(key_id, key_pem);
  section.reject_unknown();
  *out = std::move(found);
}

void read_reloadly(const toml::table& root, std::optional<ReloadlySection>* out,
                   std::vector<std::string>* mistakes) {
  Section section(root, "reloadly", mistakes);
  if (!section.present()) return;
  ReloadlySection found;
  found.auth_origin = "https://auth.reloadly.com";
  found.origin = "https://topups.reloadly.com";
  section.text("auth_origin", &found.auth_origin);
  section.text("origin", &found.origin);
  section.text("client_id", &found.client_id, true);
  section.file("client_secret_file", &found.client_secret);
  section.file("webhook_secret_file", &found.webhook_secret);
  section.text("wallet", &found.wallet);
  if (!parse_currency(found.wallet))
    mistakes->push_back("[reloadly] wallet must be a currency such as USD");
  section.reject_unknown();
  *out = std::move(found);
}

void read_rules(const toml::table& root, Config* config, std::vector<std::string>* mistakes) {
  Section pricing(root, "pricing", mistakes);
  pricing.integer("rate_bp", 1, 10 * kBasisPointsPerWhole, &config->pricing.rate_bp);
  pricing.integer("fee_minor", 0, 1'000'000, &config->pricing.fee_minor);
  pricing.integer("step_minor", 1, 10'000, &config->pricing.step_minor);
  pricing.reject_unknown();

  Section orders(root, "orders", mistakes);
  orders.integer("pay_within_ms", 1'000, 7'200'000, &config->orders.pay_within_ms);
  orders.integer("max_unpaid_per_user", 1, 1'000, &config->orders.max_unpaid_per_user);
  orders.integer("max_payment_attempts", 1, 50, &config->orders.max_payment_attempts);
  orders.integer("first_supplier_query_ms", 100, 600'000, &config->orders.first_supplier_query_ms);
  orders.integer("max_supplier_queries", 1, 10'000, &config->orders.max_supplier_queries);
  orders.integer("max_supplier_holds", 1, 1'000, &config->orders.max_supplier_holds);
  orders.integer("not_found_needed", 2, 100, &config->orders.not_found_needed);
  orders.integer("not_found_gap_ms", 100, 3'600'000, &config->orders.not_found_gap_ms);
  orders.reject_unknown();
}

void reject_unknown_sections(const toml::table& root, std::vector<std::string>* mistakes) {
  static const std::set<std::string> kSections = {"server", "wechat_pay", "reloadly", "pricing",
                                                  "orders"};
  for (const auto& [key, node] : root) {
    if (kSections.count(std::string(key.str())) == 0) {
      mistakes->push_back("[" + std::string(key.str()) + "] is not a section of this file");
    }
  }
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
  read_server(root, &config->server, &mistakes);
  read_wechat(root, &config->wechat_pay, &mistakes);
  read_reloadly(root, &config->reloadly, &mistakes);
  read_rules(root, config, &mistakes);
  return mistakes;
}

}  // namespace topup
