// Reloadly Airtime: the "reloadly" supplier. Everything that is Reloadly's own is in reloadly.cpp.
// Source: the OpenAPI description and Java SDK at github.com/Reloadly and support.reloadly.com,
// read in November 2026. Lists operators that take local amounts, fixed ones and ranges, because
// only there is it known beforehand what the recipient gets. Thread-safe. One token serves all
// threads; it is fetched again before it ends and once when it is refused. Both Outbounds and the
// Clock must outlive the supplier.
#pragma once

#include <memory>
#include <string>

#include "server/base/clock.h"
#include "server/base/http_client.h"
#include "server/suppliers/supplier.h"

namespace topup::suppliers {

struct ReloadlyConfig {
  std::string client_id;
  std::string client_secret;
  std::string audience;        // base address of the airtime service, without a trailing slash
  std::string webhook_secret;  // empty: every callback is refused
  Currency wallet = Currency::usd;
};

// `auth` calls the token service, `airtime` the service that `audience` names.
std::unique_ptr<Supplier> make_reloadly(ReloadlyConfig config, base::Outbound& auth,
                                        base::Outbound& airtime, const base::Clock& clock);

}  // namespace topup::suppliers
