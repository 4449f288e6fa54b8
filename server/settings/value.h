// Whether a value fits its setting. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/base/json.h"
#include "server/settings/definitions.h"

namespace topup::settings {

struct Misfit {
  std::string_view reason;  // wrong_type or out_of_range
  std::string detail;       // what would be right
};
// Nothing when `value` fits.
std::optional<Misfit> misfit(const Definition& definition, const base::Json& value);

}  // namespace topup::settings
