#include "tests/bench/core_books.h"

#include <array>
#include <utility>

#include "shared/check.h"
#include "shared/station.h"

namespace topup::bench {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::uint8_t kAirtime = 1U << static_cast<int>(ProductKind::airtime);
constexpr std::uint8_t kData = 1U << static_cast<int>(ProductKind::data);

Scope of_kinds(std::uint8_t kinds) {
  Scope scope;
  scope.kinds = kinds;
  return scope;
}

Scope of_country(std::string iso2) {
  Scope scope;
  scope.country = std::move(iso2);
  return scope;
}

// Operators stand in the order of their ids: cn-mobile 0, cn-unicom 1.
Scope of_operator(std::int32_t index) {
  Scope scope;
  scope.operator_index = index;
  return scope;
}

Promotion promotion(std::string id, DiscountForm form, std::int64_t value, std::uint32_t group) {
  Promotion row;
  row.id = std::move(id);
  row.name_zh = "一月特惠";
  row.name_en = "January offer";
  row.form = form;
  row.value = value;
  row.group = group;
  return row;
}

CouponTemplate coupon(std::string id, DiscountForm form, std::int64_t value,
                      std::int64_t least_spend_minor) {
  CouponTemplate row;
  row.id = std::move(id);
  row.name_zh = "话费券";
  row.name_en = "Airtime coupon";
  row.form = form;
  row.value = value;
  row.least_spend_minor = least_spend_minor;
  return row;
}

void add_promotions(PriceBook& book) {
  Promotion a = promotion("p01", DiscountForm::percent, 200, 1);
  a.cap_minor = 300;
  Promotion b = promotion("p02", DiscountForm::percent, 150, 1);
  b.scope = of_country("CN");
  Promotion c = promotion("p03", DiscountForm::amount, 400, 1);
  c.scope = of_kinds(kData);
  Promotion d = promotion("p04", DiscountForm::amount, 120, 2);
  d.least_spend_minor = 6'000;
  Promotion e = promotion("p05", DiscountForm::amount, 300, 2);
  e.least_spend_minor = 50'000;
  Promotion f = promotion("p06", DiscountForm::percent, 400, 2);
  f.first_order_only = true;
  Promotion g = promotion("p07", DiscountForm::amount, 200, 2);
  g.starts_at_ms = kNowMs + kDayMs;
  Promotion h = promotion("p08", DiscountForm::percent, 50, 3);
  h.cap_minor = 40;
  h.least_growth = 1'000;
  Promotion i = promotion("p09", DiscountForm::percent, 300, 3);
  i.least_growth = 50'000;
  Promotion j = promotion("p10", DiscountForm::percent, 500, 3);
  j.ends_at_ms = kNowMs - kDayMs;
  book.promotions = {a, b, c, d, e, f, g, h, i, j};
}

void add_coupons(PriceBook& book) {
  book.coupons = {coupon("c01", DiscountForm::amount, 100, 0),
                  coupon("c02", DiscountForm::amount, 300, 6'000),
                  coupon("c03", DiscountForm::percent, 300, 0),
                  coupon("c04", DiscountForm::amount, 1'000, 50'000),
                  coupon("c05", DiscountForm::amount, 250, 0),
                  coupon("c06", DiscountForm::amount, 280, 0),
                  coupon("c07", DiscountForm::percent, 800, 0),
                  coupon("c08", DiscountForm::amount, 900, 0),
                  coupon("c09", DiscountForm::amount, 50, 0),
                  coupon("c10", DiscountForm::percent, 250, 0)};
  book.coupons[2].cap_minor = 400;
  book.coupons[4].scope = of_kinds(kData);
  book.coupons[5].scope = of_operator(1);
  book.coupons[6].scope = of_country("TH");
  book.coupons[9].cap_minor = 200;
}

struct Face {
  const char* id;
  std::uint32_t operator_index;
  std::int64_t minor;
};
constexpr std::array kFaces = {Face{"cn-mobile-50", 0, 5'000},   Face{"cn-mobile-100", 0, 10'000},
                               Face{"cn-mobile-200", 0, 20'000}, Face{"cn-unicom-50", 1, 5'000},
                               Face{"cn-unicom-100", 1, 10'000}, Face{"cn-unicom-200", 1, 20'000}};

PriceBook without_offers() {
  PriceBook book;
  book.version = 7;
  book.published_at_ms = kNowMs - kDayMs;
  book.countries = {{"CN", "中国", "China"}, {"TH", "泰国", "Thailand"}};
  book.operators = {
      {"cn-mobile", "中国移动", "China Mobile", "CN", MainlandOperator::mobile, CardIssuer::none},
      {"cn-unicom", "中国联通", "China Unicom", "CN", MainlandOperator::unicom, CardIssuer::none}};
  for (const Face& face : kFaces) {
    Product product;
    product.id = ProductId(face.id);
    product.operator_index = face.operator_index;
    product.face = fen(face.minor);
    product.delivered = product.face;
    product.cost = fen(face.minor * 9 / 10);
    book.products.push_back(std::move(product));
  }
  PriceRule rule;
  rule.id = "r-cn";
  rule.rate_bp = 9'850;
  rule.allow_below_cost = true;
  book.rules = {rule};
  return book;
}

// Enough of a generator for names and amounts; the same numbers on every machine.
class Dice {
 public:
  std::uint32_t below(std::uint32_t bound) {
    state_ = state_ * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
    return static_cast<std::uint32_t>(state_ >> 33) % bound;
  }

 private:
  std::uint64_t state_ = 20'260'101;
};

constexpr int kLargeCountries = 120;
constexpr int kOperatorsPerCountry = 3;
constexpr std::array<std::int64_t, 8> kLargeFaces = {500,   1'000,  2'000,  3'000,
                                                     5'000, 10'000, 20'000, 50'000};
constexpr std::array<int, 5> kGigabytes = {1, 3, 10, 30, 100};
constexpr std::array kAbroad = {Currency::usd, Currency::thb, Currency::php, Currency::inr,
                                Currency::ngn, Currency::brl, Currency::eur, Currency::myr};

void add_large_operator(PriceBook& book, std::uint32_t index, Dice& dice) {
  const std::string id = book.operators[index].id;
  const Currency local = kAbroad[index % kAbroad.size()];
  Product product;
  product.operator_index = index;
  const auto add = [&](const std::string& tail, std::int64_t face, std::int64_t cost) {
    product.id = ProductId(id + tail);
    product.face = product.delivered = {face, local};
    product.cost = {cost, Currency::usd};
    book.products.push_back(product);
  };
  for (const std::int64_t face : kLargeFaces) {
    add("-" + std::to_string(face / 100), face, face / 7 + dice.below(20));
  }
  product.most_minor = 100'000;
  product.step_minor = 100;
  add("-any", 1'000, 150);
  product.most_minor = product.step_minor = 0;
  product.kind = ProductKind::data;
  product.validity_days = 30;
  for (const int gigabytes : kGigabytes) {
    product.name_zh = std::to_string(gigabytes) + " GB · 30 天";
    product.name_en = std::to_string(gigabytes) + " GB, 30 days";
    add("-d" + std::to_string(gigabytes), 1'000 + gigabytes * 300, 100 + gigabytes * 40);
  }
}

void add_large_rules(PriceBook& book, Dice& dice) {
  PriceRule rule;
  rule.id = "r-any";
  rule.form = RuleForm::of_cost;
  rule.rate_bp = 10'800;
  rule.fee_minor = 20;
  rule.step_minor = 10;
  book.rules = {rule};
  for (std::size_t i = 0; i < book.countries.size(); ++i) {
    rule.id = "r-" + book.countries[i].iso2;
    rule.rate_bp = 10'500 + dice.below(600);
    rule.scope = of_country(book.countries[i].iso2);
    book.rules.push_back(rule);
  }
}

constexpr std::size_t kTowns = 300;
constexpr std::size_t kQuestions = 200;
constexpr std::uint32_t kTownWidth = 4'000'000;  // 0.4 degrees

LatLng place_in(Dice& dice, LatLng town) {
  // The sum of two is denser in the middle, as towns are.
  const auto off = [&dice] {
    return static_cast<std::int32_t>(dice.below(kTownWidth / 2) + dice.below(kTownWidth / 2)) -
           static_cast<std::int32_t>(kTownWidth / 2);
  };
  return {town.lat_e7 + off(), town.lng_e7 + off()};
}

std::vector<LatLng> towns(Dice& dice) {
  std::vector<LatLng> out;
  for (std::size_t i = 0; i < kTowns; ++i) {
    out.push_back({static_cast<std::int32_t>(220'000'000 + dice.below(220'000'000)),
                   static_cast<std::int32_t>(1'000'000'000 + dice.below(220'000'000))});
  }
  return out;
}

}  // namespace

PriceBook scenario_book() {
  PriceBook book = without_offers();
  Benefit silver;
  silver.id = "silver";
  silver.name_zh = "银卡会员";
  silver.name_en = "Silver";
  silver.growth_from = 1'000;
  silver.discount_bp = 100;
  silver.cap_minor = 150;
  book.benefits = {silver};
  add_promotions(book);
  add_coupons(book);
  return canonical(std::move(book));
}

BuyerFacts scenario_buyer() {
  BuyerFacts buyer;
  buyer.level_id = "silver";
  buyer.growth = 1'200;
  const PriceBook book = scenario_book();
  for (const CouponTemplate& from : book.coupons) {
    OwnedCoupon owned;
    owned.id = "o" + from.id;
    owned.template_id = from.id;
    owned.valid_from_ms = kNowMs - 10 * kDayMs;
    owned.expires_at_ms = from.id == "c08" ? kNowMs - kDayMs : kNowMs + 10 * kDayMs;
    buyer.coupons.push_back(std::move(owned));
  }
  return buyer;
}

std::vector<QuoteRequest> scenario_requests() {
  std::vector<QuoteRequest> requests;
  for (const Face& face : kFaces) {
    QuoteRequest request;
    request.product_id = ProductId(face.id);
    request.account_number = requests.size() % 2 == 0 ? "13800138000" : "+86 186 1234 5678";
    request.now_ms = kNowMs;
    requests.push_back(std::move(request));
  }
  return requests;
}

PriceBook plain_book() { return canonical(without_offers()); }

PriceBook large_book() {
  PriceBook book;
  Dice dice;
  book.version = 1;
  book.published_at_ms = kNowMs;
  for (int i = 0; i < kLargeCountries; ++i) {
    const std::string iso2 = {static_cast<char>('A' + i / 26), static_cast<char>('A' + i % 26)};
    book.countries.push_back({iso2, "国家" + iso2, "Country " + iso2});
    for (int k = 0; k < kOperatorsPerCountry; ++k) {
      const std::string number = std::to_string(k + 1);
      const std::string id = {static_cast<char>('a' + i / 26), static_cast<char>('a' + i % 26)};
      book.operators.push_back({id + "-op" + number, "运营商 " + iso2 + number,
                                "Operator " + iso2 + number, iso2, MainlandOperator::unknown,
                                CardIssuer::none});
    }
  }
  for (const Currency currency : kAbroad) {
    book.rates.push_back({currency, Currency::cny, kRateOne / 4 + dice.below(1'000'000) * 100});
  }
  for (std::uint32_t index = 0; index < book.operators.size(); ++index) {
    add_large_operator(book, index, dice);
  }
  add_large_rules(book, dice);
  add_promotions(book);
  add_coupons(book);
  return canonical(std::move(book));
}

std::string station_bytes() {
  Dice dice;
  const std::vector<LatLng> around = towns(dice);
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < kMaxStations; ++i) ids.push_back("s" + std::to_string(i));
  std::vector<Station> stations(kMaxStations);
  for (std::size_t i = 0; i < stations.size(); ++i) {
    Station& station = stations[i];
    station.id = ids[i];
    station.name = "加油站";
    station.brand = i % 2 == 0 ? "sinopec" : "petrochina";
    station.issuer = i % 2 == 0 ? CardIssuer::sinopec : CardIssuer::petrochina;
    station.place = place_in(dice, around[dice.below(kTowns)]);
    station.fen_per_litre[0] = static_cast<std::uint16_t>(700 + dice.below(100));
  }
  Result<std::string> bytes = encode_stations(stations, 1, kNowMs);
  check(bytes.has_value(), "the bench's stations are valid");
  return std::move(*bytes);
}

std::vector<LatLng> station_questions() {
  Dice dice;
  const std::vector<LatLng> around = towns(dice);
  dice.below(2);  // or the questions would be asked from the stations themselves
  std::vector<LatLng> out;
  for (std::size_t i = 0; i < kQuestions; ++i) {
    out.push_back(place_in(dice, around[dice.below(kTowns)]));
  }
  return out;
}

}  // namespace topup::bench
