// Reading DingConnect's envelopes, prices and product objects. Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/json.h"
#include "server/suppliers/reading.h"
#include "server/suppliers/supplier.h"

namespace topup::suppliers::ding {

// Their answers are judged by the body, not by the HTTP status: a refusal may come with 200 or 500.
struct Envelope {
  Answer::Kind kind = Answer::Kind::unclear;  // refused: a ResultCode other than 1
  int result_code = 0;                        // 0: none was readable
  base::Json body;
  std::string code;  // of the first error, or ours: http_502, deadline …
  bool is_ok() const { return kind == Answer::Kind::ok; }
};
Envelope read_envelope(const base::OutboundReply& reply);

struct Price {
  Money send;      // what we write into the order
  Money cost;      // what it takes from our balance: with their fee, less our commission
  Money receive;   // what arrives, taxes included
  Money received;  // after taxes
};
// `commission_e8`: of the send value; nothing when the price is not in our wallet's currency.
std::optional<Price> read_price(const base::Json& price, Currency wallet,
                                std::int64_t commission_e8);
std::int64_t commission_of(const base::Json& product);  // 10^8 is the whole

struct Product {
  ListedProduct listed;
  Price least;
  bool is_range = false;
};
// Nothing for what the shop cannot sell: bills, utilities, products that want more than a number.
std::optional<Product> read_product(const base::Json& item, Currency wallet);

bool is_sku(std::string_view text);
std::optional<std::int64_t> parse_started(std::string_view text);  // with or without a zone: UTC

}  // namespace topup::suppliers::ding
