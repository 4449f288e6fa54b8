#include "shared/amount_input.h"

#include "shared/check.h"

namespace topup {
namespace {

struct Sign {
  char32_t character;
  std::string_view currencies;  // ISO 4217 letters, one after the other
};
constexpr Sign kSigns[] = {
    {U'¥', "CNYJPY"},
    {U'￥', "CNYJPY"},
    {U'元', "CNYHKDTWDMOP"},
    {U'圆', "CNY"},
    {U'块', "CNY"},
    {U'円', "JPY"},
    {U'$', "USDHKDSGDAUDCADNZDTWDMXNARSCLPCOPBNDFJDJMDTTDBBDBSDBZDKYDLRDNADXCDGYDSRD"},
    {U'€', "EUR"},
    {U'£', "GBPGIPFKPSHPEGPSDGSSP"},
    {U'￡', "GBP"},
    {U'฿', "THB"},
    {U'₫', "VND"},
    {U'₩', "KRWKPW"},
    {U'₹', "INR"},
    {U'₱', "PHP"},
    {U'₽', "RUB"},
    {U'₺', "TRY"},
    {U'₦', "NGN"},
    {U'₴', "UAH"},
    {U'₸', "KZT"},
    {U'₪', "ILS"},
};

bool names(std::string_view currencies, std::string_view word) {
  for (std::size_t at = 0; at < currencies.size(); at += 3) {
    if (currencies.substr(at, 3) == word) return true;
  }
  return false;
}

constexpr std::size_t kLetters = 3;  // of a currency's code

enum class Part : std::uint8_t { before, whole, decimals, behind };

class Reader {
 public:
  Reader(AmountCheck& check, Money least, Money most)
      : check_(check), least_(least.minor), most_(most.minor), currency_(to_word(least.currency)) {
    check_.amount.currency = least.currency;
    for (int left = minor_digits(least.currency); left > 0; --left) unit_ *= 10;
  }

  // Takes one character or says why it cannot stand there.
  const char* take(char32_t code);
  void finish(bool has_input);

 private:
  const char* take_digit(char32_t code);
  const char* take_point();
  const char* take_comma();
  const char* take_letter(char32_t code);
  const char* take_sign(char32_t code);
  const char* leave_number();
  bool is_open_group() const { return is_grouped_ && group_ != 3 && part_ == Part::whole; }
  bool can_grow() const;

  AmountCheck& check_;
  std::int64_t least_;
  std::int64_t most_;
  std::string_view currency_;
  std::int64_t unit_ = 1;   // minor units that one of the last digit typed is worth
  std::int64_t value_ = 0;  // all digits typed, without the point
  Part part_ = Part::before;
  bool is_grouped_ = false;
  int group_ = 0;            // digits since the last comma, or since the start
  std::size_t letters_ = 0;  // of a currency's code, before or behind the number
  bool is_code_ = true;      // the letters are those of the code …
  bool is_rmb_ = true;       // … or of RMB
  bool has_sign_ = false;    // in this part
};

const char* Reader::take_digit(char32_t code) {
  if (part_ == Part::before) {
    if (letters_ % kLetters != 0 && !has_sign_) return "amount_bad_character";
    part_ = Part::whole;
  }
  if (part_ == Part::behind) return "amount_bad_character";
  if (part_ == Part::decimals) {
    if (unit_ == 1) return "amount_too_many_decimals";
    unit_ /= 10;
  } else if (++group_ > 3 && is_grouped_) {
    return "amount_grouping_wrong";
  }
  const std::int64_t value = value_ * 10 + static_cast<std::int64_t>(code - '0');
  if (value > kMaxMinor) return "amount_above_most";
  value_ = value;
  check_.text += static_cast<char>(code);
  return nullptr;
}

const char* Reader::take_point() {
  if (part_ == Part::decimals || part_ == Part::behind) return "amount_bad_character";
  if (unit_ == 1) return "amount_too_many_decimals";
  if (is_open_group()) return "amount_grouping_wrong";
  if (check_.text.empty()) check_.text = "0";
  check_.text += '.';
  part_ = Part::decimals;
  return nullptr;
}

const char* Reader::take_comma() {
  if (part_ != Part::whole) return "amount_bad_character";
  if (group_ > 3 || is_open_group()) return "amount_grouping_wrong";
  is_grouped_ = true;
  group_ = 0;
  return nullptr;
}

// The number is over: a blank, a sign or a letter stands behind it.
const char* Reader::leave_number() {
  if (part_ != Part::whole && part_ != Part::decimals) return nullptr;
  if (is_open_group()) return "amount_grouping_wrong";
  part_ = Part::behind;
  letters_ = 0;
  is_code_ = is_rmb_ = true;
  has_sign_ = false;
  return nullptr;
}

const char* Reader::take_letter(char32_t code) {
  const bool is_at_number = part_ == Part::whole || part_ == Part::decimals;
  if (const char* defect = leave_number()) return defect;
  const auto capital = static_cast<char>(code >= 'a' ? code - ('a' - 'A') : code);
  is_code_ = is_code_ && letters_ < kLetters && currency_[letters_] == capital;
  is_rmb_ = is_rmb_ && letters_ < kLetters && currency_ == "CNY" && "RMB"[letters_] == capital;
  ++letters_;
  if (!has_sign_ && (is_code_ || is_rmb_)) return nullptr;
  return is_at_number ? "amount_bad_character" : "amount_other_currency";
}

const char* Reader::take_sign(char32_t code) {
  if (code == U'钱' && currency_ == "CNY" && part_ == Part::behind && has_sign_) return nullptr;
  for (const Sign& sign : kSigns) {
    if (sign.character != code) continue;
    if (const char* defect = leave_number()) return defect;
    if (!names(sign.currencies, currency_)) return "amount_other_currency";
    if (has_sign_) return "amount_bad_character";
    has_sign_ = true;
    return nullptr;
  }
  return "amount_bad_character";
}

const char* Reader::take(char32_t code) {
  if (is_digit(code)) return take_digit(code);
  if (is_letter(code)) return take_letter(code);
  if (code == '.') return take_point();
  if (code == ',') return take_comma();
  if (code == ' ') return leave_number();
  if (code == '-' && part_ == Part::before) return "amount_negative";
  return take_sign(code);
}

// Can more digits bring what is too little into the bounds?
bool Reader::can_grow() const {
  if (part_ == Part::behind) return false;
  std::int64_t scale = unit_;
  do {
    if (value_ * scale > most_) return false;
    if ((value_ + 1) * scale > least_) return true;
    scale *= 10;
  } while (part_ == Part::whole);
  return false;
}

void Reader::finish(bool has_input) {
  if (check_.text.empty()) {
    check_.verdict = has_input ? FieldVerdict::incomplete : FieldVerdict::empty;
    return;
  }
  const std::int64_t minor = value_ * unit_;
  const bool is_word_open = part_ == Part::behind && letters_ % kLetters != 0;
  check_.verdict = FieldVerdict::incomplete;
  if (minor > most_ || (minor < least_ && !can_grow())) {
    check_.verdict = FieldVerdict::impossible;
    check_.bad_at = static_cast<int>(check_.text.size()) - 1;
  } else if (minor >= least_ && !is_open_group() && !is_word_open && !check_.text.ends_with('.')) {
    check_.verdict = FieldVerdict::valid;
    check_.amount.minor = minor;
  }
  if (minor > most_) check_.reason = "amount_above_most";
  if (minor < least_) check_.reason = "amount_below_least";
}

}  // namespace

AmountCheck check_amount(std::string_view typed, Money least, Money most) {
  check(least.currency == most.currency, "the bounds of an amount are of one currency");
  check(0 <= least.minor && least.minor <= most.minor && most.minor <= kMaxMinor,
        "the least amount is not above the most");
  AmountCheck out;
  Reader reader(out, least, most);
  bool has_input = false;
  const char* defect = typed.size() > kMaxTypedBytes ? "amount_above_most" : nullptr;
  TypedText text(typed);
  while (defect == nullptr && text.next()) {
    has_input = has_input || text.code != ' ';
    defect = reader.take(text.code);
  }
  if (defect == nullptr) {
    reader.finish(has_input);
  } else {
    reject(out, out.text.size(), defect);
  }
  return out;
}

}  // namespace topup
