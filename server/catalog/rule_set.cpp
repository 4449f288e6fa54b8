#include "server/catalog/rule_set.h"

#include <array>
#include <optional>
#include <set>
#include <utility>

#include "shared/pricing.h"

namespace topup::catalog {
namespace {

using base::Json;

constexpr std::array<std::string_view, 3> kForms = {"fixed_price", "of_face", "of_cost"};
constexpr std::array<std::string_view, 3> kRounds = {"down", "up", "half_up"};
constexpr std::size_t kMaxId = 64;
constexpr std::size_t kMaxReason = 200;

// Reads one rule; the first member that is wrong is the refusal.
class RuleReader {
 public:
  RuleReader(const Json& row, std::size_t index)
      : row_(row), at_("rule " + std::to_string(index + 1)) {}

  Result<WrittenRule> read() {
    if (!row_.is_object()) return fail("wrong_type", at_);
    static const std::set<std::string> kMembers = {
        "id",         "version", "kinds",           "country",          "operator_id",
        "product_id", "form",    "rate_bp",         "fee_minor",        "price_minor",
        "step_minor", "round",   "least_margin_bp", "allow_below_cost", "below_cost_reason"};
    for (const auto& [key, value] : row_.items()) {
      if (kMembers.count(key) == 0) return fail("unknown_field", at_ + ": " + key);
    }
    WrittenRule out;
    out.rule.id = text("id", kMaxId);
    if (ok() && (out.rule.id.empty() || !is_plain(out.rule.id))) note("id", "out_of_range");
    read_scope(&out);
    read_price(&out.rule);
    out.rule.allow_below_cost = truth("allow_below_cost");
    out.below_cost_reason = text("below_cost_reason", kMaxReason);
    if (ok() && out.rule.allow_below_cost &&
        out.below_cost_reason.find_first_not_of(" \t") == std::string::npos)
      note("below_cost_reason", "below_cost_reason_missing");
    if (!out.rule.allow_below_cost) out.below_cost_reason.clear();
    if (!ok()) return tl::unexpected<Error>(*error_);
    return out;
  }

 private:
  bool ok() const { return !error_; }
  static bool is_plain(std::string_view id) {
    return id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") == std::string_view::npos;
  }
  void note(const char* key, std::string_view reason) {
    if (ok()) error_ = refuse(Code::invalid_argument, reason, key, at_).value();
  }
  static tl::unexpected<Error> fail(std::string_view reason, const std::string& detail) {
    return refuse(Code::invalid_argument, reason, "rules", detail);
  }
  const Json* find(const char* key) {
    const auto found = row_.find(key);
    return found == row_.end() || found->is_null() ? nullptr : &*found;
  }
  std::string text(const char* key, std::size_t most) {
    const Json* value = find(key);
    if (value == nullptr) return {};
    if (!value->is_string()) {
      note(key, "wrong_type");
      return {};
    }
    std::string out = value->get<std::string>();
    if (out.size() > most) note(key, "out_of_range");
    return out;
  }
  std::int64_t number(const char* key, std::int64_t least, std::int64_t most,
                      std::int64_t otherwise) {
    if (find(key) == nullptr) return otherwise;
    const auto value = base::integer_in(row_, key, least, most);
    if (!value) note(key, value.error().reason);
    return value.value_or(otherwise);
  }
  bool truth(const char* key) {
    const Json* value = find(key);
    if (value == nullptr) return false;
    if (!value->is_boolean()) note(key, "wrong_type");
    return value->is_boolean() && value->get<bool>();
  }
  template <std::size_t N>
  std::size_t word(const char* key, const std::array<std::string_view, N>& words,
                   std::size_t otherwise) {
    const std::string found = text(key, kMaxId);
    if (found.empty()) return otherwise;
    for (std::size_t i = 0; i < N; ++i) {
      if (words[i] == found) return i;
    }
    note(key, "out_of_range");
    return otherwise;
  }

  void read_scope(WrittenRule* out) {
    out->rule.scope.country = text("country", 2);
    out->operator_id = text("operator_id", kMaxId);
    out->product_id = text("product_id", 2 * kMaxId);
    const Json* kinds = find("kinds");
    if (kinds == nullptr) return;
    if (!kinds->is_array()) return note("kinds", "wrong_type");
    for (const Json& one : *kinds) {
      const auto kind = one.is_string() ? parse_product_kind(one.get<std::string>()) : std::nullopt;
      if (!kind) return note("kinds", "out_of_range");
      out->rule.scope.kinds =
          static_cast<std::uint8_t>(out->rule.scope.kinds | (1U << static_cast<unsigned>(*kind)));
    }
  }

  void read_price(PriceRule* rule) {
    rule->version = static_cast<std::uint32_t>(number("version", 0, INT32_MAX, 1));
    rule->form = static_cast<RuleForm>(word("form", kForms, 1));
    const bool is_fixed = rule->form == RuleForm::fixed_price;
    rule->price_minor = number("price_minor", is_fixed ? 1 : 0, kMaxRulePriceMinor, 0);
    if (is_fixed && rule->price_minor == 0) note("price_minor", "missing_field");
    rule->rate_bp = number("rate_bp", 1, 10 * kBasisPointsPerWhole, kBasisPointsPerWhole);
    rule->fee_minor = number("fee_minor", 0, kMaxRulePriceMinor, 0);
    rule->step_minor = number("step_minor", 1, 100'000, 1);
    rule->round = static_cast<Round>(word("round", kRounds, 2));
    rule->least_margin_bp = number("least_margin_bp", 0, kBasisPointsPerWhole, 0);
  }

  const Json& row_;
  const std::string at_;
  std::optional<Error> error_;
};

// Everything but the version.
Json json_of(const WrittenRule& one) {
  const PriceRule& rule = one.rule;
  Json kinds = Json::array();
  for (std::size_t i = 0; i < kProductKinds; ++i) {
    if ((rule.scope.kinds & (1U << i)) != 0) kinds.push_back(to_word(static_cast<ProductKind>(i)));
  }
  return {{"id", rule.id},
          {"kinds", std::move(kinds)},
          {"country", rule.scope.country},
          {"operator_id", one.operator_id},
          {"product_id", one.product_id},
          {"form", kForms[static_cast<std::size_t>(rule.form)]},
          {"price_minor", rule.price_minor},
          {"rate_bp", rule.rate_bp},
          {"fee_minor", rule.fee_minor},
          {"step_minor", rule.step_minor},
          {"round", kRounds[static_cast<std::size_t>(rule.round)]},
          {"least_margin_bp", rule.least_margin_bp},
          {"allow_below_cost", rule.allow_below_cost},
          {"below_cost_reason", one.below_cost_reason}};
}

std::int64_t cost_in_shop(const PriceBook& book, Money cost) {
  if (cost.minor == 0 || cost.currency == book.currency) return cost.minor;
  const Rate* rate = book.find_rate(cost.currency);
  if (rate == nullptr) return 0;
  const Result<Money> worth = convert(cost, *rate, Round::up);
  return worth ? worth->minor : 0;
}

// The book without what depends on a buyer or a time.
PriceBook bare(const PriceBook& book) {
  PriceBook out = book;
  out.valid_until_ms = 0;
  out.promotions.clear();
  out.fees.clear();
  out.limits.clear();
  derive(out);
  return out;
}

struct Asked {
  std::int64_t raw = 0, guarded = 0;
};

Asked asked_for(const PriceBook& plain, const Product& product) {
  QuoteRequest request;
  request.product_id = product.id;
  Quote out;
  if (!list_price_into(plain, Buyer{}, request, &out)) return {};
  Asked asked{0, out.list_minor};
  for (const QuoteLine& line : out.lines) {
    if (line.word == LineWord::face || line.word == LineWord::markup)
      asked.raw += line.effect_minor;
  }
  return asked;
}

std::map<std::string, const WrittenRule*> by_id(const std::vector<WrittenRule>& rules) {
  std::map<std::string, const WrittenRule*> out;
  for (const WrittenRule& one : rules) out[one.rule.id] = &one;
  return out;
}

}  // namespace

Result<std::vector<WrittenRule>> rules_in(const Json& list) {
  if (!list.is_array()) return refuse(Code::invalid_argument, "wrong_type", "rules");
  if (list.empty()) return refuse(Code::invalid_argument, "rules_empty", "rules");
  if (list.size() > kMaxRules) return refuse(Code::invalid_argument, "out_of_range", "rules");
  std::vector<WrittenRule> rules;
  std::set<std::string> ids;
  for (std::size_t i = 0; i < list.size(); ++i) {
    Result<WrittenRule> one = RuleReader(list[i], i).read();
    if (!one) return tl::unexpected<Error>(one.error());
    if (!ids.insert(one->rule.id).second) {
      return refuse(Code::invalid_argument, "rule_id_taken", "id", "rule " + std::to_string(i + 1));
    }
    rules.push_back(std::move(*one));
  }
  return rules;
}

Json rules_out(const std::vector<WrittenRule>& rules) {
  Json list = Json::array();
  for (const WrittenRule& one : rules) {
    Json row = json_of(one);
    row["version"] = one.rule.version;
    list.push_back(std::move(row));
  }
  return list;
}

std::vector<WrittenRule> written_of(const PriceBook& book) {
  std::vector<WrittenRule> out;
  for (const PriceRule& rule : book.rules) {
    WrittenRule one;
    one.rule = rule;
    if (rule.scope.operator_index != Scope::kAny)
      one.operator_id = book.operators[static_cast<std::size_t>(rule.scope.operator_index)].id;
    if (rule.scope.product_index != Scope::kAny)
      one.product_id = book.products[static_cast<std::size_t>(rule.scope.product_index)].id.text;
    one.rule.scope.operator_index = one.rule.scope.product_index = Scope::kAny;
    if (rule.allow_below_cost) one.below_cost_reason = "configuration";
    out.push_back(std::move(one));
  }
  return out;
}

void number_versions(std::vector<WrittenRule>& rules, const std::vector<WrittenRule>& before,
                     std::uint32_t version) {
  const auto known = by_id(before);
  for (WrittenRule& one : rules) {
    const auto found = known.find(one.rule.id);
    const bool is_same = found != known.end() && json_of(*found->second) == json_of(one);
    one.rule.version = is_same ? found->second->rule.version : version;
  }
}

std::vector<PriceRule> resolve(const std::vector<WrittenRule>& rules,
                               const std::vector<Operator>& operators,
                               const std::vector<Product>& products) {
  std::map<std::string_view, std::int32_t> operator_at, product_at;
  for (std::size_t i = 0; i < operators.size(); ++i)
    operator_at[operators[i].id] = static_cast<std::int32_t>(i);
  for (std::size_t i = 0; i < products.size(); ++i)
    product_at[products[i].id.text] = static_cast<std::int32_t>(i);
  std::vector<PriceRule> out;
  for (const WrittenRule& one : rules) {
    PriceRule rule = one.rule;
    if (!one.operator_id.empty()) {
      const auto found = operator_at.find(one.operator_id);
      if (found == operator_at.end()) continue;
      rule.scope.operator_index = found->second;
    }
    if (!one.product_id.empty()) {
      const auto found = product_at.find(one.product_id);
      if (found == product_at.end()) continue;
      rule.scope.product_index = found->second;
    }
    out.push_back(std::move(rule));
  }
  return out;
}

std::vector<std::string> below_cost(const PriceBook& draft, const std::vector<WrittenRule>& before,
                                    const std::vector<WrittenRule>& rules) {
  const auto known = by_id(before);
  std::set<std::string> changed;
  for (const WrittenRule& one : rules) {
    const auto found = known.find(one.rule.id);
    if (found == known.end() || json_of(*found->second) != json_of(one))
      changed.insert(one.rule.id);
  }
  const PriceBook plain = bare(draft);
  std::vector<std::string> out;
  for (const Product& product : plain.products) {
    if (product.rule_index == Product::kNoRule) continue;
    const PriceRule& rule = plain.rules[product.rule_index];
    if (rule.allow_below_cost || changed.count(rule.id) == 0) continue;
    const Asked asked = asked_for(plain, product);
    if (asked.guarded > 0 && asked.raw < cost_in_shop(plain, product.cost))
      out.push_back(rule.id + ": " + product.id.text);
  }
  return out;
}

std::map<std::string, PricedProduct> priced(const PriceBook& book) {
  const PriceBook plain = bare(book);
  std::map<std::string, PricedProduct> out;
  for (const Product& product : plain.products) {
    const Asked asked = asked_for(plain, product);
    out[product.id.text] = {asked.guarded, cost_in_shop(plain, product.cost),
                            asked.guarded > asked.raw};
  }
  return out;
}

std::vector<PriceChange> price_changes(const PriceBook& before, const PriceBook& after) {
  const auto was = priced(before);
  const auto is = priced(after);
  std::vector<PriceChange> out;
  for (const auto& [id, now] : is) {
    const auto found = was.find(id);
    const std::int64_t old = found == was.end() ? 0 : found->second.list_minor;
    if (old == now.list_minor) continue;
    const Product* product = after.find(ProductId(id));
    const bool has_rule = product != nullptr && product->rule_index != Product::kNoRule;
    out.push_back({id, has_rule ? after.rules[product->rule_index].id : "", old, now.list_minor,
                   now.cost_minor});
  }
  for (const auto& [id, then] : was) {
    if (is.count(id) == 0) out.push_back({id, "", then.list_minor, 0, then.cost_minor});
  }
  return out;
}

}  // namespace topup::catalog
