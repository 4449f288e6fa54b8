// The configuration file (TOML) and its TOPUP_* overrides. Every mistake is reported at once, each
// with its key, what is wrong and what would be right. Secrets are never written here: the file
// names files that hold them. An override is TOPUP_ + SECTION + _ + KEY in capitals, e.g.
// TOPUP_SERVER_PORT=9000; those of an outside party count once its section stands in the file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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
};
struct WechatSection {
  std::string origin, mchid, appid, serial_no, app_name;
  std::string private_key_pem, apiv3_key;
  std::vector<std::pair<std::string, std::string>> verify_keys;  // Wechatpay-Serial → PEM
};
struct ReloadlySection {
  std::string auth_origin, origin, client_id, client_secret, webhook_secret;
  std::string wallet = "USD";
};
struct Config {
  ServerSection server;
  std::optional<WechatSection> wechat_pay;
  std::optional<ReloadlySection> reloadly;
  PriceRule pricing{"default", 1, 9'950, 0, 1};
  orders::OrderSettings orders;
};

// `path` empty: defaults and overrides only. Returns the mistakes, one sentence each; empty when
// `config` may be used.
std::vector<std::string> load_config(const std::string& path, Config* config);

}  // namespace topup
