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
#include "server/payments/channel.h"
#include "server/storage/db.h"

namespace topup {

inline constexpr std::int64_t kStatementMs = 10'000;

// The database that the configuration names: [store] url, else SQLite in the data folder (which
// must exist). Throws storage::SqlError in words for the operator.
std::unique_ptr<storage::Db> open_store(const Config& config, const base::Clock& clock,
                                        std::int64_t statement_ms = kStatementMs);

class App {
 public:
  using MoreChannels = std::vector<std::unique_ptr<payments::PayChannel>>;
  // Throws std::runtime_error or storage::SqlError, in words for the operator. `rehearsed`: parties
  // that are played. `more`: channels beside the configured ones, such as the bench's own.
  static std::unique_ptr<App> open(const Config& config, http::Front& front,
                                   const base::Clock& clock, base::Random& random,
                                   std::vector<std::string> rehearsed, MoreChannels more = {});
  virtual ~App() = default;
  virtual http::Site& site() = 0;
  virtual void start() = 0;
  virtual void stop() = 0;  // safe to repeat; the door has stopped before
  // Takes over what may change while the shop runs: the keys and payees of payment channels. Throws
  // std::runtime_error in words for the operator, and then nothing has changed.
  virtual void adopt(const Config& config) = 0;
  virtual bool ready() const = 0;
  virtual const std::optional<std::string>& new_owner_password()
      const = 0;  // only on the first start of a shop
  virtual const std::vector<http::Route>& routes() const = 0;
  virtual storage::Db& store() = 0;
};

}  // namespace topup
