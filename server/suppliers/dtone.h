// DT One DVS v1: the "dtone" supplier. Everything that is DT One's own is in dtone.cpp and
// dtone_catalogue.cpp. Source: the DVS OpenAPI description 1.23, the official Java client and
// developers.dtone.com, read in November 2026. Our attempt id is their external_id, unique for
// ever. With a bound on the cost an order is placed in two steps: reserved at their price, then
// confirmed or cancelled; a reservation that nobody confirmed within two minutes is cancelled by
// the next query. Callbacks are not signed, so they carry the token of their address and are hints.
// Thread-safe. The Outbound and the Clock must outlive the supplier.
#pragma once

#include <memory>
#include <string>

#include "server/base/clock.h"
#include "server/base/http_client.h"
#include "server/suppliers/supplier.h"

namespace topup::suppliers {

struct DtoneConfig {
  std::string api_key, api_secret;
  std::string callback_url;    // with ?token=…; empty: none is asked for
  std::string callback_token;  // empty: every callback is refused
  Currency wallet = Currency::usd;
};

std::unique_ptr<Supplier> make_dtone(DtoneConfig config, base::Outbound& http,
                                     const base::Clock& clock);

}  // namespace topup::suppliers
