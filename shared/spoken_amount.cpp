#include "shared/spoken_amount.h"

#include <iterator>

#include "shared/spoken_text.h"

namespace topup {
namespace {

constexpr std::int64_t kJiao = kThousandths / 10;
constexpr std::int64_t kFen = kThousandths / 100;  // also a cent

struct CurrencyWords {
  Currency currency;
  const char* words;
};
constexpr CurrencyWords kCurrencies[] = {
    {Currency::cny, "人民币|cny|rmb|renminbi|yuan"},
    {Currency::usd, "美元|美金|美刀|usd|us dollars|us dollar|us$"},
    {Currency::eur, "欧元|eur|euros|euro|€"},
    {Currency::gbp, "英镑|gbp|pounds|pound|quid|£"},
    {Currency::hkd, "港币|港元|hkd|hong kong dollars|hk dollars|hk$"},
    {Currency::mop, "澳门币|澳门元|葡币|patacas"},
    {Currency::twd, "台币|新台币|twd|nt$"},
    {Currency::jpy, "日元|日币|日圆|jpy|yen"},
    {Currency::krw, "韩元|韩币|krw|won"},
    {Currency::thb, "泰铢|泰株|泰币|铢|thb|baht|bath|฿"},
    {Currency::vnd, "越南盾|越盾|vnd|dong"},
    {Currency::idr, "印尼盾|印尼卢比|idr|rupiah"},
    {Currency::myr, "令吉|林吉特|马币|myr|ringgit|rm"},
    {Currency::sgd, "新币|新元|新加坡元|sgd|singapore dollars|s$"},
    {Currency::php, "比索|php|pesos|peso"},
    {Currency::khr, "瑞尔|khr|riel"},
    {Currency::lak, "基普|lak|kip"},
    {Currency::mmk, "缅币|缅元|mmk|kyat|kyats"},
    {Currency::inr, "印度卢比|inr|indian rupees|₹"},
    {Currency::pkr, "巴基斯坦卢比|pkr"},
    {Currency::npr, "尼泊尔卢比|npr"},
    {Currency::lkr, "斯里兰卡卢比|lkr"},
    {Currency::bdt, "塔卡|bdt|taka"},
    {Currency::aed, "迪拉姆|aed|dirhams|dirham"},
    {Currency::try_, "里拉|lira"},
    {Currency::kzt, "坚戈|kzt|tenge"},
    {Currency::ngn, "奈拉|ngn|naira"},
    {Currency::cad, "加元|加币|cad|canadian dollars"},
    {Currency::aud, "澳元|澳币|aud|australian dollars"},
    {Currency::mnt, "图格里克|蒙图|mnt|tugrik"},
};
struct UnitWords {
  SpokenUnit unit;
  const char* words;
};
constexpr UnitWords kUnits[] = {
    {SpokenUnit::local, "块钱|块|元整|元钱|元|圆整|圆|kuai|bucks|buck"},
    {SpokenUnit::local, "¥|￥"},
    {SpokenUnit::dollar, "dollars|dollar|刀|$"},
    {SpokenUnit::rupee, "卢比|rupees|rupee|rs"},
    {SpokenUnit::dong, "盾"},
};
constexpr std::size_t kFirstPrefix = 1;  // 块 and 元 stand behind the number only
constexpr UnitWords kCounters[] = {
    {SpokenUnit::quantity, "个|张|次|笔|份|遍|部|台|倍|套|times|x|cards|phones"},
    {SpokenUnit::counter,
     "月|号|点|年|天|日|分|秒|小时|折|位|岁|级|楼|星|代|兆|下|%|g|gb|gigs|gig|m|mb|am|pm|months|"
     "month|days|day|weeks|week|hours|hour|minutes|mins|st|nd|rd|th|o'clock|percent|point"},
};

struct UnitMatch {
  std::size_t size = 0;
  SpokenUnit unit = SpokenUnit::none;
  Currency currency = Currency::cny;
};

UnitMatch match_unit(const char* at, bool is_prefix) {
  UnitMatch best;
  for (const CurrencyWords& row : kCurrencies) {
    const std::size_t size = match_word(at, row.words);
    if (size > best.size) best = {size, SpokenUnit::named, row.currency};
  }
  for (std::size_t i = is_prefix ? kFirstPrefix : 0; i < std::size(kUnits); ++i) {
    const std::size_t size = match_word(at, kUnits[i].words);
    if (size > best.size) best = {size, kUnits[i].unit, Currency::cny};
  }
  return best;
}

UnitMatch match_counter(const char* at) {
  for (const UnitWords& row : kCounters) {
    if (const std::size_t size = match_word(at, row.words)) return {size, row.unit};
  }
  return {};
}

bool is_money_or_count(const char* at) {
  at = skip_blank(at);
  return match_unit(at, false).size > 0 || match_counter(at).size > 0;
}

int single_digit(const char*& at) {
  const bool is_ascii = is_ascii_digit(*at);
  const int digit = is_ascii ? *at - '0' : chinese_digit(at);
  if (digit >= 0) at += is_ascii ? 1 : kChineseBytes;
  return digit;
}

// Behind 块: 五毛, 五毛五, 零五分, 半, or a lone 五. Adds their worth and returns their end.
const char* read_jiao(const char* start, std::int64_t& thousandths) {
  const char* at = start;
  if (const std::size_t half = match_one(at, "半")) {
    thousandths += kThousandths / 2;
    return at + half;
  }
  const bool has_zero = chinese_digit(at) == 0;
  if (has_zero) at += kChineseBytes;
  const int digit = single_digit(at);
  if (digit <= 0) return start;
  if (const std::size_t fen = match_word(at, "分钱|分")) {
    thousandths += digit * kFen;
    return at + fen;
  }
  const std::size_t jiao = match_word(at, "毛钱|毛|角");
  if (has_zero || (jiao == 0 && (numeral_size(at) > 0 || is_money_or_count(at)))) return start;
  thousandths += digit * kJiao;
  at += jiao;
  const char* end = at;
  const int fen = jiao > 0 ? single_digit(end) : -1;
  if (fen <= 0 || numeral_size(end) > 0) return at;
  thousandths += fen * kFen;
  return end + match_word(end, "分钱|分");
}

// Behind "dollars": "and fifty cents", "fifty".
const char* read_cents(const char* start, std::int64_t& thousandths) {
  const char* at = skip_blank(start);
  at = skip_blank(at + match_one(at, "and"));
  const bool is_word = is_latin(*at);
  if (!is_word && !is_ascii_digit(*at)) return start;
  const SpokenNumber cents = read_number(at, false);
  const std::int64_t whole = cents.thousandths / kThousandths;
  if (cents.size == 0 || !cents.is_certain || whole < 1 || whole > 99) return start;
  const char* end = at + cents.size;
  const char* word = skip_blank(end);
  const std::size_t size = match_word(word, "cents|cent|pence");
  if (size == 0 && (!is_word || whole < 10 || is_money_or_count(end))) return start;
  thousandths += whole * kFen;
  return size > 0 ? word + size : end;
}

// 三点五 is a number only in front of money; otherwise it is a time.
const char* read_point(const char* start, std::int64_t& thousandths) {
  const char* at = start + match_one(start, "点");
  std::int64_t worth = kThousandths;
  std::int64_t part = 0;
  for (int digit; at > start && worth > 1 && (digit = chinese_digit(at)) >= 0;) {
    at += kChineseBytes;
    worth /= 10;
    part += digit * worth;
  }
  if (worth == kThousandths || match_unit(at, false).size == 0) return start;
  thousandths += part;
  return at;
}

// The currency behind the number, and what is said below one unit of it.
const char* read_unit(const char* at, SpokenAmount& out) {
  std::int64_t& thousandths = out.number.thousandths;
  at = read_point(at, thousandths);
  const char* word = skip_blank(at);
  if (const std::size_t jiao = match_word(at, "毛钱|毛|角")) {
    out.unit = SpokenUnit::local;
    thousandths /= 10;
    return at + jiao;
  }
  UnitMatch unit = match_unit(word, false);
  if (unit.size == 0) {
    unit = match_counter(word);
    if (unit.size == 0 || out.unit != SpokenUnit::none) return at;
    out.unit = unit.unit;
    return word + unit.size;
  }
  const char* end = word + unit.size;
  if (unit.unit == SpokenUnit::local) {  // 一百块泰铢
    const UnitMatch named = match_unit(end, false);
    if (named.unit == SpokenUnit::named) {
      unit = named;
      end += named.size;
    }
  }
  const bool differs = out.unit != unit.unit || out.currency != unit.currency;
  if (out.unit == SpokenUnit::none) {
    out.unit = unit.unit;
    out.currency = unit.currency;
  } else if (unit.unit != SpokenUnit::local && differs) {
    out.number.is_certain = false;
  }
  return is_latin(*word) ? read_cents(end, thousandths) : read_jiao(end, thousandths);
}

// What follows may show that the number was not meant as it was read: 一百多, "100abc", 十块五十.
const char* doubt(const char* end, SpokenAmount& out) {
  bool& is_certain = out.number.is_certain;
  const char* next = skip_blank(end);
  if (const std::size_t vague =
          match_word(next, "多|来块|来|余|几|左右|上下|以内|以下|以上|or so")) {
    is_certain = false;
    end = next + vague;
    end += match_unit(end, false).size;
  }
  const bool was_digit = is_ascii_digit(end[-1]);
  if (was_digit && is_latin(*end)) is_certain = false;
  if (match_word(end, "+|*|/|=|^") > 0) is_certain = false;
  const bool has_money = out.unit != SpokenUnit::none && out.unit < SpokenUnit::counter;
  if (has_money && !was_digit && numeral_size(end) > 0) {
    const SpokenNumber more = read_number(end, false);
    const bool is_account = more.said.size > 6;
    if (!is_account && match_counter(end + more.size).size == 0) is_certain = false;
  }
  return end;
}

}  // namespace

SpokenAmount read_amount(const char* start, bool reads_w) {
  SpokenAmount out;
  const char* at = start;
  const UnitMatch prefix = match_unit(at, true);
  if (prefix.size > 0) {
    out.unit = prefix.unit;
    out.currency = prefix.currency;
    at = skip_blank(at + prefix.size);
  }
  const bool is_signed =
      (*at == '-' || *at == '+') && is_ascii_digit(at[1]) && !is_ascii_digit(at[-1]);
  if (is_signed) ++at;
  out.number = read_number(at, reads_w);
  if (out.number.size == 0) return out;
  if (is_signed) out.number.is_certain = false;
  at = read_unit(at + out.number.size, out);
  out.size = static_cast<std::size_t>(doubt(at, out) - start);
  return out;
}

std::optional<Money> to_money(std::int64_t thousandths, Currency currency) {
  std::int64_t worth = kThousandths;  // of one minor unit, in thousandths
  for (int i = minor_digits(currency); i > 0; --i) worth /= 10;
  if (worth == 0 || thousandths % worth != 0 || thousandths / worth > kMaxMinor) {
    return std::nullopt;
  }
  return Money{thousandths / worth, currency};
}

}  // namespace topup
