#include "server/rehearsal/number_owner.h"

#include "shared/phone.h"

namespace topup::rehearsal {
namespace {

std::string_view mainland_key(MainlandOperator hint) {
  switch (hint) {
    case MainlandOperator::unicom:
      return "cn-unicom";
    case MainlandOperator::telecom:
      return "cn-telecom";
    case MainlandOperator::broadnet:
      return "cn-broadnet";
    case MainlandOperator::mobile:
    case MainlandOperator::virtual_operator:
    case MainlandOperator::unknown:
      break;
  }
  return "cn-mobile";
}

bool serves_phones(std::size_t index) {
  for (const auto& product : catalogue_products()) {
    if (product.operator_index == index && product.kind == ProductKind::airtime) return true;
  }
  return false;
}

}  // namespace

std::vector<std::size_t> phone_operators(std::string_view country) {
  static const std::vector<std::size_t> all = [] {
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < catalogue_operators().size(); ++i) {
      if (serves_phones(i)) out.push_back(i);
    }
    return out;
  }();
  std::vector<std::size_t> found;
  for (const std::size_t index : all) {
    if (catalogue_operators()[index].country == country) found.push_back(index);
  }
  return found;
}

LookupWish lookup_wish(std::string_view number) {
  const std::string_view four = number.size() < 4 ? number : number.substr(number.size() - 4);
  if (four == "9081") return LookupWish::unknown;
  if (four == "9082") return LookupWish::held;
  if (four == "9083") return LookupWish::ported;
  return four == "9084" ? LookupWish::elsewhere : LookupWish::none;
}

std::optional<NumberOwner> number_owner(std::string_view number) {
  const PhoneCheck check = check_phone(number, "");
  const bool is_whole =
      check.verdict == PhoneVerdict::valid || check.verdict == PhoneVerdict::possible;
  const auto candidates = phone_operators(check.country);
  if (!is_whole || candidates.empty()) return {};
  NumberOwner owner{std::string(check.country), candidates.front()};
  std::size_t sum = 0;
  for (const char digit : check.national.substr(0, 3)) sum += static_cast<std::size_t>(digit);
  if (lookup_wish(number) == LookupWish::ported) ++sum;
  owner.operator_index = candidates[sum % candidates.size()];
  if (check.country == "CN") {
    for (const std::size_t index : candidates) {
      if (catalogue_operators()[index].key == mainland_key(check.operator_hint)) {
        owner.operator_index = index;
      }
    }
  }
  return owner;
}

}  // namespace topup::rehearsal
