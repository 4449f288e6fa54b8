// Juhe (op.juhe.cn): the "juhe" supplier of mainland airtime and of Sinopec and PetroChina cards.
// Everything that is Juhe's own is in juhe.cpp and juhe_forms.cpp. Source: code.juhe.cn/docs/1565
// and published descriptions of its interfaces, read in November 2026. Form in, JSON out, where
// numbers come as numbers or as text; orders are signed with MD5 over the account's OpenID. Our
// attempt id is their orderid and is refused a second time. error_code 0 means taken on, never
// delivered. The signature of a callback does not cover its state, so that it is a hint.
// Juhe lists no products: those of its documents are listed. Thread-safe. Both references must
// outlive the supplier.
#pragma once

#include <memory>
#include <string>

#include "server/base/clock.h"
#include "server/base/http_client.h"
#include "server/suppliers/supplier.h"

namespace topup::suppliers {

struct JuheConfig {
  std::string open_id;       // signs, and never travels
  std::string mobile_key;    // empty: no airtime
  std::string fuel_key;      // empty: no fuel cards
  std::string fuel_contact;  // a mobile number that fuel orders carry; theirs is not told
};

std::unique_ptr<Supplier> make_juhe(JuheConfig config, base::Outbound& http,
                                    const base::Clock& clock);

}  // namespace topup::suppliers
