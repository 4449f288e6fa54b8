// One operator has a name of its own at each supplier ("DTAC Thailand", "dtac", "Dtac (TriNet)"):
// here it becomes one operator of ours. Known ones come from a table of aliases; any other gets an
// id from what is left of its name without its country and without words such as "prepaid", so
// that two spellings meet without anybody's help. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "shared/card.h"
#include "shared/phone.h"

namespace topup::catalog {

struct OperatorName {
  std::string id;  // "th-dtac"
  std::string name_zh, name_en;
  MainlandOperator hint = MainlandOperator::unknown;
  CardIssuer issuer = CardIssuer::none;
};

// Never fails: a name without a letter that we can read gets an id made from its bytes.
OperatorName operator_of(std::string_view country, std::string_view supplier_name);

// "DTAC (TriNet) Thailand Prepaid" in "TH" → "dtac"; "" when nothing is left.
std::string operator_slug(std::string_view country, std::string_view supplier_name);
// Lower-case letters and digits with single hyphens between them, at most `most` bytes; what cannot
// be written so is told apart by a hash at the end.
std::string slug_of(std::string_view text, std::size_t most);

}  // namespace topup::catalog
