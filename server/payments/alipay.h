// Alipay, gateway v1: the "alipay" channel. Everything that is Alipay's own is in alipay*.cpp:
// calls and meanings here, signatures in alipay_sign.cpp, text forms in alipay_text.cpp. Source:
// the open-platform documentation at opendocs.alipay.com, read in November 2026. Two modes of keys:
// one public key of Alipay, or certificates, whose serial each answer names. h5 is
// alipay.trade.wap.pay: a signed address that the buyer's browser is sent to; nothing is called and
// nothing exists at Alipay until the buyer has arrived there, so that an absent trade is never a
// failed one. jsapi is alipay.trade.create, offered once op_app_id is set.
// Only prepay(), refund() and its query can end in DefiniteFail. Outbound and Clock must outlive
// the channel.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "server/base/clock.h"
#include "server/base/crypto.h"
#include "server/base/http_client.h"
#include "server/payments/alipay_sign.h"
#include "server/payments/channel.h"

namespace topup::payments {

struct AlipayConfig {
  std::string app_id;
  std::string seller_id;                  // 2088…: the account that the money goes to
  base::RsaKey private_key;               // of the application
  AlipayKeys verify_keys;                 // one with the name "", or certificates by their serial
  std::string app_cert_sn, root_cert_sn;  // certificate mode; both empty without certificates
  std::string origin;                     // https://openapi.alipay.com: browsers go there as well
  std::string notify_url;                 // public, without a query string
  std::string subject;                    // of last resort
  std::string op_app_id = {};             // the mini-program that opens the cashier; "" for none
  std::string bill_origin = {};           // where bills lie; "" for origin
  // Of the mini-program, where they are not those of the application above.
  std::optional<base::RsaKey> mini_key = {};
  AlipayKeys mini_verify_keys = {};
};

// Throws InvariantBroken when the configuration cannot work: an empty app_id or seller_id, no
// verify key, one of the two serials without the other.
// `bills`: the connection to bill_origin, where that is another host than the gateway's; it must
// outlive the channel as well.
std::unique_ptr<PayChannel> make_alipay(AlipayConfig config, base::Outbound& outbound,
                                        const base::Clock& clock, base::Outbound* bills = nullptr);

// The key that a file holds: PEM, or the bare base64 that Alipay's own tool writes. Errors:
// key_malformed.
Result<base::RsaKey> alipay_private_key(std::string_view text);
Result<base::RsaKey> alipay_public_key(std::string_view text);

}  // namespace topup::payments
