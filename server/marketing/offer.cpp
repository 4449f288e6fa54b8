#include "server/marketing/offer.h"

#include <algorithm>
#include <iterator>
#include <optional>

namespace topup::marketing {
namespace {

using base::Json;

constexpr std::int64_t kMostMinor = 100'000'000;  // a million
constexpr std::int64_t kMostGroup = 9;
constexpr std::int64_t kLatestMs = 4'102'444'800'000;
constexpr std::string_view kForms[] = {"percent", "amount", "flash_price"};  // as DiscountForm

tl::unexpected<Error> out_of_range(const char* field, std::string_view detail = {}) {
  return refuse(Code::invalid_argument, "out_of_range", field, detail);
}

// Reads member after member; the first refusal stays.
class Fields {
 public:
  explicit Fields(const Json& object) : object_(object) {}

  std::string text(const char* key, std::size_t most, bool may_be_empty) {
    if (error_ || (may_be_empty && !object_.contains(key))) return {};
    auto value = base::text_in(object_, key, most);
    if (!value) return fail<std::string>(value.error());
    if (value->empty() && !may_be_empty)
      return fail<std::string>({Code::invalid_argument, "missing_field", key});
    return *std::move(value);
  }
  std::int64_t integer(const char* key, std::int64_t min, std::int64_t max, std::int64_t preset) {
    if (error_ || !object_.contains(key)) return preset;
    const auto value = base::integer_in(object_, key, min, max);
    return value ? *value : fail<std::int64_t>(value.error());
  }
  std::int64_t wanted(const char* key, std::int64_t min, std::int64_t max) {
    if (error_) return 0;
    const auto value = base::integer_in(object_, key, min, max);
    return value ? *value : fail<std::int64_t>(value.error());
  }
  bool boolean(const char* key, bool preset) {
    if (error_ || !object_.contains(key)) return preset;
    const auto value = base::bool_in(object_, key);
    return value ? *value : fail<bool>(value.error());
  }
  template <class T>
  T fail(const Error& error) {
    if (!error_) error_ = error;
    return T{};
  }
  const std::optional<Error>& error() const { return error_; }
  const Json& object() const { return object_; }

 private:
  const Json& object_;
  std::optional<Error> error_;
};

void read_scope(Fields& in, Terms* terms) {
  terms->country = in.text("country", 2, true);
  terms->operator_id = in.text("operator_id", 64, true);
  terms->product_id = in.text("product_id", 128, true);
  const auto kinds = in.object().find("kinds");
  if (kinds == in.object().end()) return;
  if (!kinds->is_array() || kinds->size() > kProductKinds) {
    in.fail<bool>({Code::invalid_argument, "wrong_type", "kinds"});
    return;
  }
  for (const Json& word : *kinds) {
    const auto kind = word.is_string() ? parse_product_kind(word.get<std::string>()) : std::nullopt;
    if (!kind) {
      in.fail<bool>({Code::invalid_argument, "out_of_range", "kinds"});
      return;
    }
    terms->kinds.push_back(*kind);
  }
  std::sort(terms->kinds.begin(), terms->kinds.end());
  terms->kinds.erase(std::unique(terms->kinds.begin(), terms->kinds.end()), terms->kinds.end());
}

void read_discount(Fields& in, std::size_t forms, Terms* terms) {
  const std::string word = in.text("form", 16, false);
  const auto* const form = std::find(kForms, kForms + forms, word);
  if (form == kForms + forms) {
    in.fail<bool>({Code::invalid_argument, "out_of_range", "form"});
    return;
  }
  terms->form = static_cast<DiscountForm>(form - kForms);
  const bool is_percent = terms->form == DiscountForm::percent;
  terms->value = in.wanted("value", 1, is_percent ? kBasisPointsPerWhole : kMostMinor);
  terms->least_spend_minor = in.integer("least_spend_minor", 0, kMostMinor, 0);
  terms->cap_minor = in.integer("cap_minor", 0, kMostMinor, 0);
  terms->group = in.integer("group", 0, kMostGroup, 0);
}

void read_promotion(Fields& in, Terms* terms) {
  read_discount(in, std::size(kForms), terms);
  terms->starts_at_ms = in.integer("starts_at_ms", 0, kLatestMs, 0);
  terms->ends_at_ms = in.integer("ends_at_ms", 0, kLatestMs, 0);
  if (terms->ends_at_ms != 0 && terms->ends_at_ms <= terms->starts_at_ms)
    in.fail<bool>({Code::invalid_argument, "out_of_range", "ends_at_ms"});
  terms->least_growth = in.integer("least_growth", 0, kMostMinor, 0);
  terms->first_order_only = in.boolean("first_order_only", false);
  terms->optional = in.boolean("optional", true);
  terms->allows_coupons = in.boolean("allows_coupons", true);
}

void read_coupon(Fields& in, Terms* terms) {
  read_discount(in, 2, terms);
  terms->allows_promotions = in.boolean("allows_promotions", true);
  terms->allows_member = in.boolean("allows_member", true);
}

void read_level(Fields& in, Terms* terms) {
  terms->growth_from = in.wanted("growth_from", 0, kMostMinor);
  terms->discount_bp = in.integer("discount_bp", 0, kBasisPointsPerWhole, 0);
  terms->amount_minor = in.integer("amount_minor", 0, kMostMinor, 0);
  terms->cap_minor = in.integer("cap_minor", 0, kMostMinor, 0);
}

Result<bool> check_members(OfferKind kind, const Json& object) {
  switch (kind) {
    case OfferKind::coupon:
      return base::only_fields(
          object,
          {"name_zh", "name_en", "kinds", "country", "operator_id", "product_id", "form", "value",
           "least_spend_minor", "cap_minor", "group", "allows_promotions", "allows_member"});
    case OfferKind::promotion:
      return base::only_fields(
          object, {"name_zh", "name_en", "kinds", "country", "operator_id", "product_id", "form",
                   "value", "least_spend_minor", "cap_minor", "group", "starts_at_ms", "ends_at_ms",
                   "least_growth", "first_order_only", "optional", "allows_coupons"});
    case OfferKind::level:
      break;
  }
  return base::only_fields(
      object, {"name_zh", "name_en", "kinds", "country", "operator_id", "product_id", "growth_from",
               "discount_bp", "amount_minor", "cap_minor"});
}

// Nothing when it names what the book does not have.
std::optional<Scope> scope_in(const PriceBook& book, const Terms& terms) {
  Scope scope;
  for (const ProductKind kind : terms.kinds)
    scope.kinds = static_cast<std::uint8_t>(scope.kinds | 1U << static_cast<unsigned>(kind));
  scope.country = terms.country;
  const auto index_of = [](const auto& rows, const auto& is_it) -> std::int32_t {
    const auto found = std::find_if(rows.begin(), rows.end(), is_it);
    return found == rows.end() ? Scope::kAny : static_cast<std::int32_t>(found - rows.begin());
  };
  if (!terms.operator_id.empty()) {
    scope.operator_index =
        index_of(book.operators, [&](const Operator& one) { return one.id == terms.operator_id; });
    if (scope.operator_index == Scope::kAny) return std::nullopt;
  }
  if (!terms.product_id.empty()) {
    scope.product_index = index_of(
        book.products, [&](const Product& one) { return one.id.text == terms.product_id; });
    if (scope.product_index == Scope::kAny) return std::nullopt;
  }
  return scope;
}

void add_one(const Offer& offer, Scope scope, PriceBook* book) {
  const Terms& terms = offer.terms;
  const auto version = static_cast<std::uint32_t>(offer.version);
  const auto group = static_cast<std::uint32_t>(terms.group);
  switch (terms.kind) {
    case OfferKind::coupon:
      book->coupons.push_back({offer.id, version, terms.name_zh, terms.name_en, std::move(scope),
                               terms.form, terms.value, terms.least_spend_minor, terms.cap_minor,
                               group, terms.allows_promotions, terms.allows_member});
      return;
    case OfferKind::promotion:
      book->promotions.push_back({offer.id, version, terms.name_zh, terms.name_en, std::move(scope),
                                  terms.form, terms.value, terms.least_spend_minor, terms.cap_minor,
                                  group, terms.starts_at_ms, terms.ends_at_ms, terms.least_growth,
                                  terms.first_order_only, terms.optional, terms.allows_coupons});
      return;
    case OfferKind::level:
      book->benefits.push_back({offer.id, version, terms.name_zh, terms.name_en, false,
                                terms.growth_from, std::move(scope), terms.discount_bp,
                                terms.amount_minor, terms.cap_minor});
  }
}

}  // namespace

std::string_view to_word(OfferKind kind) { return kOfferKinds[static_cast<std::size_t>(kind)]; }

Result<OfferKind> parse_offer_kind(std::string_view word) {
  const auto* const found = std::find(std::begin(kOfferKinds), std::end(kOfferKinds), word);
  if (found == std::end(kOfferKinds)) return out_of_range("kind");
  return static_cast<OfferKind>(found - kOfferKinds);
}

bool is_offer_id(std::string_view id) {
  if (id.empty() || id.size() > kMaxOfferId || id.front() < 'a' || id.front() > 'z') return false;
  return std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

Result<Terms> read_terms(OfferKind kind, const Json& object) {
  if (!object.is_object()) return refuse(Code::invalid_argument, "wrong_type", "terms");
  if (const auto only = check_members(kind, object); !only)
    return tl::unexpected<Error>(only.error());
  Fields in(object);
  Terms terms;
  terms.kind = kind;
  terms.name_zh = in.text("name_zh", kMaxOfferName, false);
  terms.name_en = in.text("name_en", kMaxOfferName, false);
  read_scope(in, &terms);
  if (kind == OfferKind::coupon) read_coupon(in, &terms);
  if (kind == OfferKind::promotion) read_promotion(in, &terms);
  if (kind == OfferKind::level) read_level(in, &terms);
  if (in.error()) return tl::unexpected<Error>(*in.error());
  return terms;
}

Json terms_json(const Terms& terms) {
  Json kinds = Json::array();
  for (const ProductKind kind : terms.kinds) kinds.push_back(topup::to_word(kind));
  Json out = {{"name_zh", terms.name_zh},         {"name_en", terms.name_en},
              {"kinds", std::move(kinds)},        {"country", terms.country},
              {"operator_id", terms.operator_id}, {"product_id", terms.product_id},
              {"cap_minor", terms.cap_minor}};
  if (terms.kind == OfferKind::level) {
    out["growth_from"] = terms.growth_from;
    out["discount_bp"] = terms.discount_bp;
    out["amount_minor"] = terms.amount_minor;
    return out;
  }
  out["form"] = kForms[static_cast<std::size_t>(terms.form)];
  out["value"] = terms.value;
  out["least_spend_minor"] = terms.least_spend_minor;
  out["group"] = terms.group;
  if (terms.kind == OfferKind::coupon) {
    out["allows_promotions"] = terms.allows_promotions;
    out["allows_member"] = terms.allows_member;
    return out;
  }
  out["starts_at_ms"] = terms.starts_at_ms;
  out["ends_at_ms"] = terms.ends_at_ms;
  out["least_growth"] = terms.least_growth;
  out["first_order_only"] = terms.first_order_only;
  out["optional"] = terms.optional;
  out["allows_coupons"] = terms.allows_coupons;
  return out;
}

bool is_same_deal(const Terms& a, const Terms& b) {
  Json one = terms_json(a);
  Json two = terms_json(b);
  for (Json* terms : {&one, &two}) {
    terms->erase("name_zh");
    terms->erase("name_en");
  }
  return one == two;
}

void add_to_book(const std::vector<Offer>& offers, PriceBook* book) {
  for (const Offer& offer : offers) {
    if (!offer.is_on) continue;
    if (auto scope = scope_in(*book, offer.terms)) add_one(offer, std::move(*scope), book);
  }
}

}  // namespace topup::marketing
