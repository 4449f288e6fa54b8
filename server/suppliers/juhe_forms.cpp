#include "server/suppliers/juhe_forms.h"

#include <algorithm>
#include <array>

#include "server/base/gb18030.h"
#include "server/base/utf8.h"
#include "server/suppliers/exact_json.h"

namespace topup::suppliers::juhe {
namespace {

using base::Json;

constexpr std::array<std::int64_t, 7> kAirtimeYuan = {10, 20, 30, 50, 100, 200, 300};
constexpr std::array<std::int64_t, 4> kFuelYuan = {100, 200, 500, 1'000};
constexpr std::size_t kMaxFields = 32;

struct Carrier {
  std::string_view id, name, mark;
};
constexpr Carrier kCarriers[] = {{"mobile", "China Mobile", "移动"},
                                 {"unicom", "China Unicom", "联通"},
                                 {"telecom", "China Telecom", "电信"}};

constexpr FuelProduct kFuel[] = {
    {"10001", "sinopec", 100, "1"},  {"10002", "sinopec", 200, "1"},
    {"10003", "sinopec", 500, "1"},  {"10004", "sinopec", 1'000, "1"},
    {"10008", "petrochina", 0, "2"},
};

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out += text[at] == '+' ? ' ' : text[at];
      continue;
    }
    if (at + 2 >= text.size()) return {};
    const int high = hex_value(text[at + 1]), low = hex_value(text[at + 2]);
    if (high < 0 || low < 0) return {};
    out += static_cast<char>(high * 16 + low);
    at += 2;
  }
  return out;
}

ListedProduct listed(std::string_view operator_id, std::string_view name, std::int64_t yuan) {
  ListedProduct product;
  product.supplier_operator_id = std::string(operator_id);
  product.operator_name = std::string(name);
  product.country = "CN";
  product.face = fen(yuan * 100);
  product.cost = product.face;  // at most; for airtime the price is asked before each order
  return product;
}

}  // namespace

std::string form_of(const Fields& fields) {
  std::string out;
  for (const auto& [name, value] : fields) {
    if (!out.empty()) out += '&';
    out += name + "=" + query_text(value);
  }
  return out;
}

std::optional<Fields> fields_of(std::string_view form) {
  Fields out;
  while (!form.empty()) {
    const auto end = form.find('&');
    const std::string_view pair = form.substr(0, end);
    form = end == std::string_view::npos ? std::string_view() : form.substr(end + 1);
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos || out.size() >= kMaxFields) return {};
    auto name = decoded(pair.substr(0, equals));
    auto value = decoded(pair.substr(equals + 1));
    if (!name || !value) return {};
    const bool is_repeated =
        std::any_of(out.begin(), out.end(), [&](const auto& kept) { return kept.first == *name; });
    if (is_repeated) return {};
    out.emplace_back(std::move(*name), std::move(*value));
  }
  return out;
}

std::string value_of(const Fields& fields, std::string_view name) {
  for (const auto& [key, value] : fields) {
    if (key == name) return value;
  }
  return {};
}

Said read_said(const base::OutboundReply& reply) {
  base::OutboundReply plain = reply;
  if (!base::is_utf8(plain.body)) {  // their reasons may be in GBK
    if (auto text = base::utf8_of_gb18030(plain.body)) plain.body = std::move(*text);
  }
  Answer answer = read_answer(plain);
  Said said;
  said.code = answer.word;
  if (answer.kind == Answer::Kind::not_sent) said.kind = answer.kind;
  if (!answer.is_ok()) return said;
  const std::string code = literal_of(answer.body, "error_code");
  said.code = "answer_malformed";
  if (!is_digits(code)) return said;
  said.code = code;
  said.kind = code == "0" ? Answer::Kind::ok : Answer::Kind::refused;
  const auto result = answer.body.find("result");
  if (result != answer.body.end()) said.result = std::move(*result);
  return said;
}

SupplyOutcome order_in(const Json& result, const AttemptId& attempt) {
  const std::string state = literal_of(result, "game_state");
  const std::string number = literal_of(result, "sporder_id");
  std::string reference = literal_of(result, "uorderid");
  if (reference.empty()) reference = literal_of(result, "orderid");
  if (!reference.empty() && reference != attempt.text) {
    return outcome(SupplyState::unknown, "answer_of_another_order");
  }
  if (!is_identifier(number)) return outcome(SupplyState::unknown, "answer_malformed");
  SupplyOutcome said = outcome(SupplyState::unknown, "game_state_unknown");
  if (state == "0") said = outcome(SupplyState::accepted, "game_state_0");
  if (state == "1") said = outcome(SupplyState::succeeded, "game_state_1");
  if (state == "9") said = outcome(SupplyState::rejected, "game_state_9");
  said.supplier_order_id = number;
  said.cost = amount_in(result, "uordercash", Currency::cny, Round::half_up);
  return said;
}

const FuelProduct* find_fuel(std::string_view proid) {
  for (const FuelProduct& product : kFuel) {
    if (product.proid == proid) return &product;
  }
  return nullptr;
}

bool is_airtime_face(Money face) {
  return face.currency == Currency::cny &&
         std::any_of(kAirtimeYuan.begin(), kAirtimeYuan.end(),
                     [&](std::int64_t yuan) { return face.minor == yuan * 100; });
}

bool is_fuel_face(const FuelProduct& product, Money face) {
  if (face.currency != Currency::cny) return false;
  if (product.yuan > 0) return face.minor == product.yuan * 100;
  return std::any_of(kFuelYuan.begin(), kFuelYuan.end(),
                     [&](std::int64_t yuan) { return face.minor == yuan * 100; });
}

std::vector<ListedProduct> airtime_products() {
  std::vector<ListedProduct> out;
  for (const Carrier& carrier : kCarriers) {
    for (const std::int64_t yuan : kAirtimeYuan) {
      out.push_back(listed(carrier.id, carrier.name, yuan));
    }
  }
  return out;
}

std::vector<ListedProduct> fuel_products() {
  std::vector<ListedProduct> out;
  for (const FuelProduct& fuel : kFuel) {
    for (const std::int64_t yuan : kFuelYuan) {
      if (!is_fuel_face(fuel, fen(yuan * 100))) continue;
      ListedProduct product =
          listed(fuel.issuer, fuel.issuer == "sinopec" ? "Sinopec" : "PetroChina", yuan);
      product.kind = ProductKind::fuel_card;
      product.sku = std::string(fuel.proid);
      out.push_back(std::move(product));
    }
  }
  return out;
}

std::string national_of(std::string_view account_number) {
  const bool is_mainland = account_number.size() == 14 && account_number.starts_with("+861") &&
                           is_digits(account_number.substr(1));
  return is_mainland ? std::string(account_number.substr(3)) : std::string();
}

bool is_fuel_card(const FuelProduct& product, std::string_view card) {
  if (!is_digits(card)) return false;
  return product.issuer == "sinopec" ? card.size() == 19 && card.starts_with("100011")
                                     : card.size() == 16 && card.starts_with("9");
}

std::optional<LookedUp> carrier_of(std::string_view area) {
  for (const Carrier& carrier : kCarriers) {
    if (area.ends_with(carrier.mark)) {
      return LookedUp{std::string(carrier.id), std::string(carrier.name), "CN"};
    }
  }
  return {};
}

}  // namespace topup::suppliers::juhe
