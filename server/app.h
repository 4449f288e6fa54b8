// The shop, wired: owns every object in floor order, registers routes and job handlers. open() does
// all that can fail and says what failed; start() only starts threads. Stop order is the reverse.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/base/clock.h"
#include "server/base/random.h"
#include "server/config.h"
#include "server/http/front.h"
#include "server/http/router.h"

namespace topup {

class App {
 public:
  // Throws std::runtime_error or storage::SqlError, in words for the operator. `rehearsed`: parties
  // that are played.
  static std::unique_ptr<App> open(const Config& config, http::Front& front,
                                   const base::Clock& clock, base::Random& random,
                                   std::vector<std::string> rehearsed);
  virtual ~App() = default;
  virtual http::Site& site() = 0;
  virtual void start() = 0;
  virtual void stop() = 0;  // safe to repeat; the door has stopped before
  virtual bool ready() const = 0;
  virtual const std::optional<std::string>& new_owner_password()
      const = 0;  // only on the first start of a shop
  virtual const std::vector<http::Route>& routes() const = 0;
};

}  // namespace topup
