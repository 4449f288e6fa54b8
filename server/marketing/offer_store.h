// Rows of offers.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "server/marketing/offer.h"
#include "server/storage/db.h"

namespace topup::marketing::offer_store {

std::vector<Offer> all(storage::Reader& reader);  // by kind and id
std::optional<Offer> find(storage::Reader& reader, OfferKind kind, std::string_view id);
std::int64_t count(storage::Reader& reader, OfferKind kind);
void save(storage::Tx& tx, const Offer& offer);  // new, or in the place of the one of that id
bool is_issued(storage::Reader& reader, std::string_view template_id);

}  // namespace topup::marketing::offer_store
