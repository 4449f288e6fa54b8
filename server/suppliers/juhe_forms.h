// Juhe's forms, answers and the products of its documents. Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/base/json.h"
#include "server/suppliers/reading.h"
#include "server/suppliers/supplier.h"

namespace topup::suppliers::juhe {

using Fields = std::vector<std::pair<std::string, std::string>>;

std::string form_of(const Fields& fields);
// Decoded fields of a form; nothing when a name comes twice or an escape is broken.
std::optional<Fields> fields_of(std::string_view form);
std::string value_of(const Fields& fields, std::string_view name);  // "" when absent

// {reason, result, error_code}, whose numbers come as numbers or as text. Its words may come in GBK
// although the documents say UTF-8: they are not read, so they are blanked where they are no UTF-8.
struct Said {
  Answer::Kind kind = Answer::Kind::unclear;
  std::string code;   // "0" when ok; theirs when refused; ours otherwise
  base::Json result;  // of an ok answer
  bool is_ok() const { return kind == Answer::Kind::ok; }
};
Said read_said(const base::OutboundReply& reply);

// The state of an order that was asked for or listed.
SupplyOutcome order_in(const base::Json& result, const AttemptId& attempt);

struct FuelProduct {
  std::string_view proid;
  std::string_view issuer;  // "sinopec", "petrochina"
  std::int64_t yuan;        // 0: any of kFuelYuan, as cardnum
  std::string_view charge_type;
};
const FuelProduct* find_fuel(std::string_view proid);
bool is_airtime_face(Money face);
bool is_fuel_face(const FuelProduct& product, Money face);
std::vector<ListedProduct> airtime_products();
std::vector<ListedProduct> fuel_products();

// "13800138000" of "+8613800138000"; "" for anything that is no mainland mobile number.
std::string national_of(std::string_view account_number);
bool is_fuel_card(const FuelProduct& product, std::string_view card);
// The carrier at the end of "江苏南京移动"; nothing when none stands there.
std::optional<LookedUp> carrier_of(std::string_view area);

}  // namespace topup::suppliers::juhe
