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
  std::string platform_key_id, platform_public_key_pem;
  std::string reloadly_auth_origin, reloadly_origin, reloadly_client_id, reloadly_client_secret;
  std::string reloadly_webhook_secret;
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
  virtual std::vector<std::string> parties()
      const = 0;  // "wechat_pay", "reloadly": stable words for the banner
};

}  // namespace topup::rehearsal
