// What one page keeps between its calls of the border (border.h).
#pragma once

#include <optional>
#include <string>

#include "shared/price_book.h"
#include "shared/pricing.h"
#include "shared/station.h"

namespace topup {

struct Border {
  std::optional<PriceBook> book;
  std::string book_fingerprint;
  BuyerFacts facts;  // as they were given; `buyer` is made of them whenever the book changes
  Buyer buyer;
  StationIndex stations;
  Quote quote;  // its room is reused
};

// Makes the book the one that quotes are priced with; the one in use stays when it is refused.
// Answers like a call: the book's head, see border_pricing.cpp.
std::string border_load_book(Border& border, std::string_view bytes);

}  // namespace topup
