#include "server/catalog/operator_names.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "server/catalog/country_names.h"

namespace topup::catalog {
namespace {

constexpr std::size_t kMaxOperatorSlug = 32;

// `alias` is a slug, or the beginning of a name in Chinese. Of several that fit the longest counts.
struct Alias {
  std::string_view country, alias, id, name_zh, name_en;
  MainlandOperator hint = MainlandOperator::unknown;
  CardIssuer issuer = CardIssuer::none;
};

// clang-format off
constexpr Alias kAliases[] = {
    {"CN", "mobile", "cn-mobile", "中国移动", "China Mobile", MainlandOperator::mobile},
    {"CN", "cmcc", "cn-mobile", "中国移动", "China Mobile", MainlandOperator::mobile},
    {"CN", "中国移动", "cn-mobile", "中国移动", "China Mobile", MainlandOperator::mobile},
    {"CN", "移动", "cn-mobile", "中国移动", "China Mobile", MainlandOperator::mobile},
    {"CN", "unicom", "cn-unicom", "中国联通", "China Unicom", MainlandOperator::unicom},
    {"CN", "中国联通", "cn-unicom", "中国联通", "China Unicom", MainlandOperator::unicom},
    {"CN", "联通", "cn-unicom", "中国联通", "China Unicom", MainlandOperator::unicom},
    {"CN", "telecom", "cn-telecom", "中国电信", "China Telecom", MainlandOperator::telecom},
    {"CN", "中国电信", "cn-telecom", "中国电信", "China Telecom", MainlandOperator::telecom},
    {"CN", "电信", "cn-telecom", "中国电信", "China Telecom", MainlandOperator::telecom},
    {"CN", "broadnet", "cn-broadnet", "中国广电", "China Broadnet", MainlandOperator::broadnet},
    {"CN", "中国广电", "cn-broadnet", "中国广电", "China Broadnet", MainlandOperator::broadnet},
    {"CN", "广电", "cn-broadnet", "中国广电", "China Broadnet", MainlandOperator::broadnet},
    {"CN", "sinopec", "cn-sinopec", "中国石化", "Sinopec", MainlandOperator::unknown, CardIssuer::sinopec},
    {"CN", "中石化", "cn-sinopec", "中国石化", "Sinopec", MainlandOperator::unknown, CardIssuer::sinopec},
    {"CN", "中国石化", "cn-sinopec", "中国石化", "Sinopec", MainlandOperator::unknown, CardIssuer::sinopec},
    {"CN", "petrochina", "cn-petrochina", "中国石油", "PetroChina", MainlandOperator::unknown, CardIssuer::petrochina},
    {"CN", "cnpc", "cn-petrochina", "中国石油", "PetroChina", MainlandOperator::unknown, CardIssuer::petrochina},
    {"CN", "中石油", "cn-petrochina", "中国石油", "PetroChina", MainlandOperator::unknown, CardIssuer::petrochina},
    {"CN", "中国石油", "cn-petrochina", "中国石油", "PetroChina", MainlandOperator::unknown, CardIssuer::petrochina},
    {"TH", "ais", "th-ais", "AIS", "AIS"},
    {"TH", "12call", "th-ais", "AIS", "AIS"},
    {"TH", "true", "th-true", "True", "True"},
    {"TH", "truemove", "th-true", "True", "True"},
    {"TH", "true-move", "th-true", "True", "True"},
    {"TH", "dtac", "th-dtac", "dtac", "dtac"},
    {"MY", "maxis", "my-maxis", "明讯 Maxis", "Maxis"},
    {"MY", "hotlink", "my-hotlink", "Hotlink", "Hotlink"},
    {"MY", "celcom", "my-celcom", "天地通 Celcom", "Celcom"},
    {"MY", "digi", "my-digi", "数码网络 Digi", "Digi"},
    {"MY", "u-mobile", "my-u-mobile", "U Mobile", "U Mobile"},
    {"MY", "umobile", "my-u-mobile", "U Mobile", "U Mobile"},
    {"MY", "tune-talk", "my-tune-talk", "Tune Talk", "Tune Talk"},
    {"MY", "tunetalk", "my-tune-talk", "Tune Talk", "Tune Talk"},
    {"SG", "singtel", "sg-singtel", "新电信 Singtel", "Singtel"},
    {"SG", "starhub", "sg-starhub", "星和 StarHub", "StarHub"},
    {"SG", "m1", "sg-m1", "第一通 M1", "M1"},
    {"SG", "simba", "sg-simba", "Simba", "Simba"},
    {"VN", "viettel", "vn-viettel", "Viettel", "Viettel"},
    {"VN", "mobifone", "vn-mobifone", "MobiFone", "MobiFone"},
    {"VN", "vinaphone", "vn-vinaphone", "Vinaphone", "Vinaphone"},
    {"VN", "vina", "vn-vinaphone", "Vinaphone", "Vinaphone"},
    {"VN", "vietnamobile", "vn-vietnamobile", "Vietnamobile", "Vietnamobile"},
    {"PH", "globe", "ph-globe", "Globe", "Globe"},
    {"PH", "smart", "ph-smart", "Smart", "Smart"},
    {"PH", "tnt", "ph-tnt", "TNT", "TNT"},
    {"PH", "talk-n-text", "ph-tnt", "TNT", "TNT"},
    {"PH", "sun", "ph-sun", "Sun", "Sun"},
    {"PH", "tm", "ph-tm", "TM", "TM"},
    {"PH", "touch-mobile", "ph-tm", "TM", "TM"},
    {"PH", "dito", "ph-dito", "DITO", "DITO"},
    {"ID", "telkomsel", "id-telkomsel", "Telkomsel", "Telkomsel"},
    {"ID", "simpati", "id-telkomsel", "Telkomsel", "Telkomsel"},
    {"ID", "indosat", "id-indosat", "Indosat", "Indosat"},
    {"ID", "xl", "id-xl", "XL", "XL"},
    {"ID", "axis", "id-axis", "AXIS", "AXIS"},
    {"ID", "smartfren", "id-smartfren", "Smartfren", "Smartfren"},
    {"ID", "three", "id-three", "3 (Tri)", "3 (Tri)"},
    {"ID", "tri", "id-three", "3 (Tri)", "3 (Tri)"},
    {"ID", "3", "id-three", "3 (Tri)", "3 (Tri)"},
    {"KH", "cellcard", "kh-cellcard", "Cellcard", "Cellcard"},
    {"KH", "mobitel", "kh-cellcard", "Cellcard", "Cellcard"},
    {"KH", "smart", "kh-smart", "Smart", "Smart"},
    {"KH", "metfone", "kh-metfone", "Metfone", "Metfone"},
    {"LA", "ltc", "la-ltc", "老挝电信", "Lao Telecom"},
    {"LA", "lao-telecom", "la-ltc", "老挝电信", "Lao Telecom"},
    {"LA", "unitel", "la-unitel", "Unitel", "Unitel"},
    {"LA", "etl", "la-etl", "ETL", "ETL"},
    {"LA", "tplus", "la-tplus", "TPlus", "TPlus"},
    {"LA", "beeline", "la-tplus", "TPlus", "TPlus"},
    {"MM", "mpt", "mm-mpt", "MPT", "MPT"},
    {"MM", "atom", "mm-atom", "ATOM", "ATOM"},
    {"MM", "telenor", "mm-atom", "ATOM", "ATOM"},
    {"MM", "ooredoo", "mm-ooredoo", "U9 (Ooredoo)", "U9 (Ooredoo)"},
    {"MM", "u9", "mm-ooredoo", "U9 (Ooredoo)", "U9 (Ooredoo)"},
    {"MM", "mytel", "mm-mytel", "Mytel", "Mytel"},
    {"HK", "csl", "hk-csl", "CSL", "CSL"},
    {"HK", "smartone", "hk-smartone", "数码通", "SmarTone"},
    {"HK", "china-mobile", "hk-cmhk", "中国移动香港", "China Mobile HK"},
    {"HK", "cmhk", "hk-cmhk", "中国移动香港", "China Mobile HK"},
    {"HK", "china-unicom", "hk-unicom", "中国联通香港", "China Unicom HK"},
    {"HK", "3", "hk-three", "3 香港", "3 Hong Kong"},
    {"HK", "three", "hk-three", "3 香港", "3 Hong Kong"},
    {"MO", "ctm", "mo-ctm", "澳门电讯", "CTM"},
    {"IN", "airtel", "in-airtel", "Airtel", "Airtel"},
    {"IN", "jio", "in-jio", "Jio", "Jio"},
    {"IN", "reliance-jio", "in-jio", "Jio", "Jio"},
    {"IN", "vi", "in-vi", "Vi", "Vi"},
    {"IN", "vodafone", "in-vi", "Vi", "Vi"},
    {"IN", "bsnl", "in-bsnl", "BSNL", "BSNL"},
    {"PK", "jazz", "pk-jazz", "Jazz", "Jazz"},
    {"PK", "mobilink", "pk-jazz", "Jazz", "Jazz"},
    {"PK", "zong", "pk-zong", "Zong", "Zong"},
    {"BD", "grameenphone", "bd-grameenphone", "Grameenphone", "Grameenphone"},
    {"BD", "gp", "bd-grameenphone", "Grameenphone", "Grameenphone"},
    {"NP", "ntc", "np-ntc", "尼泊尔电信", "Nepal Telecom"},
    {"NP", "telecom", "np-ntc", "尼泊尔电信", "Nepal Telecom"},
    {"NP", "namaste", "np-ntc", "尼泊尔电信", "Nepal Telecom"},
    {"AE", "etisalat", "ae-etisalat", "e& (Etisalat)", "e& (Etisalat)"},
    {"AE", "e", "ae-etisalat", "e& (Etisalat)", "e& (Etisalat)"},
    {"AE", "du", "ae-du", "du", "du"},
    {"JP", "ntt-docomo", "jp-docomo", "都科摩", "NTT Docomo"},
    {"JP", "docomo", "jp-docomo", "都科摩", "NTT Docomo"},
    {"JP", "softbank", "jp-softbank", "软银", "SoftBank"},
    {"JP", "rakuten", "jp-rakuten", "乐天移动", "Rakuten Mobile"},
    {"KR", "sk", "kr-sk", "SK 电讯", "SK Telecom"},
    {"KR", "kt", "kr-kt", "KT", "KT"},
    {"KR", "lg", "kr-lg", "LG U+", "LG U+"},
    {"TW", "chunghwa", "tw-chunghwa", "中华电信", "Chunghwa Telecom"},
    {"MN", "mobicom", "mn-mobicom", "Mobicom", "Mobicom"},
    {"MN", "unitel", "mn-unitel", "Unitel", "Unitel"},
    {"US", "at-t", "us-att", "AT&T", "AT&T"},
    {"US", "att", "us-att", "AT&T", "AT&T"},
    {"US", "t-mobile", "us-t-mobile", "T-Mobile", "T-Mobile"},
    {"US", "verizon", "us-verizon", "Verizon", "Verizon"},
};
// What a supplier adds to an operator's name and what says nothing about which one it is.
constexpr std::array<std::string_view, 15> kNoise = {
    "prepaid", "postpaid", "airtime", "data",  "bundle", "bundles", "pin",  "pins",
    "topup",   "top",      "up",      "credit", "voucher", "internet", "recharge"};
// clang-format on

bool is_plain(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Without what stands in brackets: a former name, a region, a note.
std::string unbracketed(std::string_view text) {
  std::string out;
  int depth = 0;
  for (const char c : text) {
    if (c == '(' || c == '[') ++depth;
    if (depth == 0) out += c;
    if ((c == ')' || c == ']') && depth > 0) --depth;
  }
  return out;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char raw : text) {
    const char c = lower(raw);
    if (is_plain(c)) {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::move(word));
      word.clear();
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : "-") + word;
  return out;
}

std::string hash_text(std::string_view text) {  // FNV-1a
  std::uint32_t hash = 2'166'136'261U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619U;
  std::string out;
  for (int shift = 28; shift >= 0; shift -= 4) out += "0123456789abcdef"[hash >> shift & 15U];
  return out;
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

const Alias* find_alias(std::string_view country, const std::string& slug,
                        std::string_view supplier_name) {
  const Alias* best = nullptr;
  for (const Alias& alias : kAliases) {
    if (alias.country != country) continue;
    const bool fits = is_ascii(alias.alias)
                          ? slug == alias.alias || slug.starts_with(std::string(alias.alias) + "-")
                          : supplier_name.starts_with(alias.alias);
    if (fits && (best == nullptr || alias.alias.size() > best->alias.size())) best = &alias;
  }
  return best;
}

}  // namespace

std::string slug_of(std::string_view text, std::size_t most) {
  std::string slug = joined(words_of(text));
  if (slug.size() <= most && !slug.empty() && is_ascii(text)) return slug;
  slug = slug.substr(0, most > 9 ? most - 9 : 0);
  while (slug.ends_with('-')) slug.pop_back();
  return slug + (slug.empty() ? "" : "-") + hash_text(text);
}

std::string operator_slug(std::string_view country, std::string_view supplier_name) {
  std::vector<std::string> words = words_of(unbracketed(supplier_name));
  const CountryName* known = find_country_name(country);
  const std::vector<std::string> land =
      known == nullptr ? std::vector<std::string>() : words_of(known->name_en);
  std::vector<std::string> kept;
  for (const std::string& word : words) {
    const bool is_noise = std::find(kNoise.begin(), kNoise.end(), word) != kNoise.end();
    const bool is_land = std::find(land.begin(), land.end(), word) != land.end();
    if (!is_noise && !is_land) kept.push_back(word);
  }
  return joined(kept.empty() ? words : kept);
}

OperatorName operator_of(std::string_view country, std::string_view supplier_name) {
  const std::string slug = operator_slug(country, supplier_name);
  if (const Alias* alias = find_alias(country, slug, supplier_name)) {
    return {std::string(alias->id), std::string(alias->name_zh), std::string(alias->name_en),
            alias->hint, alias->issuer};
  }
  std::string land;
  for (const char c : country) land += lower(c);
  std::string shown(supplier_name);
  const bool is_readable = !slug.empty() && is_ascii(supplier_name);
  return {land + "-" +
              (is_readable ? slug_of(slug, kMaxOperatorSlug)
                           : slug_of(supplier_name, kMaxOperatorSlug)),
          shown, shown, MainlandOperator::unknown, CardIssuer::none};
}

}  // namespace topup::catalog
