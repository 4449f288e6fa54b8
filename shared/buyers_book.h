// The form of a price book that leaves the shop: the same prices, without what they are made of.
// No product has a cost and no rule a margin; where a price follows from a cost, the product
// carries the price itself. Below what no discount goes is only told of products where a discount
// of this book could get there, since such a buyer is shown that price anyway. What cannot be
// priced is left out. The server prices from the bytes of this form, as pages do, so that both see
// the same book.
//
// A fixed product costs the same in both forms; one amount of a range differs by at most one step
// of its rule, where the price of one minor unit has more than six decimals. Pure; thread-safe.
#pragma once

#include "shared/price_book.h"

namespace topup {

// `book` must be canonical; the result is.
PriceBook buyers_book(const PriceBook& book);

}  // namespace topup
