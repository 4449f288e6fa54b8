// The rehearsal world: every outside party of the shop, played in this process but reached only
// through sockets. Each party is a Site behind its own listener of the same door. Nothing here
// knows a service of the shop, and no service can tell. State and keys live in
// <data_dir>/rehearsal.sqlite and <data_dir>/rehearsal/*.pem (0600) and outlive a kill of the shop.
//
// Order: open() before Front::start() (it binds), start() before the first request; at the end
// Front::stop(), then stop(), then the World, then the Front.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "server/base/clock.h"
#include "server/base/random.h"
#include "server/http/front.h"

namespace topup::rehearsal {

struct WorldOptions {
  std::string data_dir;  // made when absent
  std::uint16_t first_port =
      0;  // one port per party from here on; a busy one is passed over; 0: any free ones
  int speed_percent = 100;  // 100: the real delays; 10: ten times quicker; 1 to 10,000
  std::string shop_origin;  // "http://127.0.0.1:8080": where supplier webhooks go
};

struct PartyAccess {  // what an operator would type into the shop's configuration; the same after a
                      // restart but for ports
  std::string wechat_origin, mchid, appid, merchant_serial_no, merchant_private_key_pem, apiv3_key;
  std::string platform_key_id, platform_public_key_pem, platform_authority_pem;
  std::string reloadly_auth_origin, reloadly_origin, reloadly_client_id, reloadly_client_secret;
  std::string reloadly_webhook_secret;
  // The official account is the one WeChat Pay knows as `appid`.
  std::string wechat_platform_origin, mini_appid, mini_secret, oa_secret;
  std::string sms_origin, sms_key;
  std::string alipay_origin, alipay_app_id, alipay_seller_id, alipay_op_app_id;
  std::string alipay_app_key_pem, alipay_public_key_pem;
  // Certificate mode, which may be used instead of the public key.
  std::string alipay_app_cert_pem, alipay_cert_pem, alipay_root_pem;
  std::string dtone_origin, dtone_api_key, dtone_api_secret;
  std::string dingconnect_origin, dingconnect_api_key;
  std::string juhe_origin, juhe_open_id, juhe_mobile_key, juhe_fuel_key;
  std::string supplier_callback_token;  // of the suppliers whose callbacks are not signed
};

class World {
 public:
  // Throws std::runtime_error or storage::SqlError saying what could not be opened, and that alone.
  static std::unique_ptr<World> open(WorldOptions options, http::Front& front,
                                     const base::Clock& clock, base::Random& random);
  virtual ~World() = default;
  virtual const PartyAccess& access() const = 0;
  virtual void start() = 0;
  virtual void stop() = 0;  // safe to repeat
  // "wechat_pay", "reloadly", "alipay" …: stable words for the banner.
  virtual std::vector<std::string> parties() const = 0;
};

}  // namespace topup::rehearsal
