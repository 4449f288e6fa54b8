#include "shared/intent.h"

#include "shared/intent_words.h"
#include "shared/spoken_order.h"

namespace topup {
namespace {

// How many go into a yuan, roughly: only what is far from one.
struct SmallCurrency {
  Currency currency;
  std::int16_t per_yuan;
};
constexpr SmallCurrency kSmall[] = {
    {Currency::vnd, 3000}, {Currency::lak, 3000}, {Currency::idr, 2000}, {Currency::khr, 500},
    {Currency::mnt, 500},  {Currency::mmk, 300},  {Currency::krw, 200},  {Currency::ngn, 200},
    {Currency::kzt, 70},   {Currency::pkr, 40},   {Currency::lkr, 40},   {Currency::jpy, 20},
    {Currency::npr, 20},   {Currency::bdt, 15},   {Currency::inr, 12},   {Currency::php, 8},
    {Currency::thb, 5},    {Currency::twd, 5},    {Currency::try_, 5},
};

bool is_in_range(Money amount) {
  std::int64_t most = kMostMajor;
  for (const SmallCurrency& row : kSmall) {
    if (row.currency == amount.currency) most *= row.per_yuan;
  }
  std::int64_t major = 1;
  for (int i = minor_digits(amount.currency); i > 0; --i) major *= 10;
  return amount.minor >= major && amount.minor <= most * major;
}

bool is_of(SpokenUnit family, Currency currency) {
  constexpr std::string_view kDollars = "USD HKD SGD TWD AUD CAD NZD";
  constexpr std::string_view kRupees = "INR PKR NPR LKR";
  constexpr std::string_view kDongs = "VND IDR";
  const std::string_view family_words = family == SpokenUnit::dollar  ? kDollars
                                        : family == SpokenUnit::rupee ? kRupees
                                                                      : kDongs;
  return family_words.find(to_word(currency)) != std::string_view::npos;
}

bool ends_with(std::string_view text, std::string_view end) {
  return !end.empty() && text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

constexpr unsigned bit_of(ProductKind kind) { return 1U << static_cast<int>(kind); }
constexpr unsigned kPhoneKinds =
    bit_of(ProductKind::airtime) | bit_of(ProductKind::data);  // both go to one number
constexpr bool is_one_bit(unsigned bits) { return bits != 0 && (bits & (bits - 1)) == 0; }

// Weighs what was said: what is missing or has two readings becomes a question.
class Scale {
 public:
  Scale(const IntentQuery& query, const SpokenOrder& said, Intent& out)
      : query_(query), said_(said), out_(out) {}
  void weigh();

 private:
  void settle_kind();
  void settle_recipient();
  void settle_number();
  void settle_saved();
  void settle_amount();
  std::optional<Currency> settle_currency() const;
  void ask(Question question);
  void keep_saved(std::size_t i) {
    out_.saved_at[out_.saved_count++] = static_cast<std::uint8_t>(i);
  }

  const IntentQuery& query_;
  const SpokenOrder& said_;
  Intent& out_;
};

void Scale::ask(Question question) {
  out_.questions = static_cast<std::uint8_t>(out_.questions | 1U << static_cast<int>(question));
}

// The kind by the words and the number; a saved recipient may still tell it.
void Scale::settle_kind() {
  unsigned kinds = said_.strong_kinds;
  if (said_.shape == AccountShape::fuel_card) kinds |= bit_of(ProductKind::fuel_card);
  if (kinds == 0) kinds = said_.weak_kinds;
  if (kinds == 0 && said_.shape != AccountShape::none) kinds = bit_of(ProductKind::airtime);
  if (!is_one_bit(kinds)) return;
  int kind = 0;
  while (kinds >> kind != 1) ++kind;
  out_.kind = static_cast<ProductKind>(kind);
}

void Scale::settle_number() {
  out_.form = RecipientForm::number;
  out_.number = said_.number;
  const bool is_fuel = out_.kind == ProductKind::fuel_card;
  const bool is_other = said_.shape == AccountShape::other;
  if (!is_other && is_fuel != (said_.shape == AccountShape::fuel_card)) {
    ask(Question::ask_recipient);
  }
  if (is_other && !is_fuel && said_.country_at == kNoCountry) {
    const bool is_mistyped = said_.number.text[0] == '1';  // a digit too many or too few
    ask(is_mistyped ? Question::ask_recipient : Question::ask_country);
  }
  if (!said_.has_name) return;
  for (std::size_t i = 0; i < kMaxSavedRecipients; ++i) {
    if (said_.is_named[i] && ends_with(said_.number.view(), query_.saved[i].tail)) keep_saved(i);
  }
  if (out_.saved_count > 0) return;
  ask(Question::ask_which_number);  // the name says one number, the digits another
  for (std::size_t i = 0; i < kMaxSavedRecipients; ++i) {
    if (said_.is_named[i]) keep_saved(i);
  }
}

// The saved recipients that name, tail and kind leave over.
void Scale::settle_saved() {
  const std::string_view tail = said_.tail.view();
  out_.form = tail.empty() ? RecipientForm::saved : RecipientForm::tail;
  out_.tail = said_.tail;
  unsigned kinds = out_.kind ? bit_of(*out_.kind) : said_.strong_kinds | said_.weak_kinds;
  if ((kinds & kPhoneKinds) != 0) kinds |= kPhoneKinds;
  for (std::size_t i = 0; i < query_.saved_count && i < kMaxSavedRecipients; ++i) {
    const SavedRecipient& saved = query_.saved[i];
    const bool has_tail = tail.empty() || ends_with(saved.tail, tail) ||
                          (saved.tail.size() >= kLeastTail && ends_with(tail, saved.tail));
    const bool has_kind = kinds == 0 || (kinds & bit_of(saved.kind)) != 0;
    if (has_tail && has_kind && (!said_.has_name || said_.is_named[i])) keep_saved(i);
  }
  if (out_.saved_count == 0) ask(Question::ask_recipient);
  if (out_.saved_count > 1) ask(Question::ask_which_number);
  if (out_.saved_count == 1 && !out_.kind && said_.strong_kinds == 0) {
    out_.kind = query_.saved[out_.saved_at[0]].kind;
  }
}

void Scale::settle_recipient() {
  if (said_.has_two_numbers) {
    ask(Question::ask_which_number);
  } else if (said_.number.size > 0) {
    settle_number();
  } else if (said_.has_name || said_.tail.size > 0) {
    settle_saved();
  } else if (said_.has_mine && !said_.has_other) {
    out_.form = RecipientForm::mine;
  } else if (said_.has_other || out_.kind != ProductKind::pin) {
    ask(Question::ask_recipient);  // a code is sent to the buyer
  }
  // Choosing among saved recipients tells the kind as well.
  const bool will_choose = out_.saved_count > 1 && said_.strong_kinds == 0;
  if (!out_.kind && !will_choose) ask(Question::ask_kind);
}

// Which dollar, rupee or dong: the buyer's own, else that of the country named; never two of them.
std::optional<Currency> Scale::settle_currency() const {
  const SpokenUnit unit = said_.amount->unit;
  if (unit <= SpokenUnit::local) return query_.currency;
  if (unit == SpokenUnit::named) return said_.amount->currency;
  std::optional<Currency> of_country;
  if (said_.country_at != kNoCountry) {
    const Currency currency = intent_words::kCountries[said_.country_at].currency;
    if (is_of(unit, currency)) of_country = currency;
  }
  std::optional<Currency> usual;
  if (is_of(unit, query_.currency)) {
    usual = query_.currency;
  } else if (unit == SpokenUnit::dollar) {
    usual = Currency::usd;
  }
  if (usual && of_country && *usual != *of_country) return std::nullopt;
  return usual ? usual : of_country;
}

void Scale::settle_amount() {
  if (said_.has_two_amounts) return ask(Question::ask_which_amount);
  if (!said_.amount || said_.has_vague_amount) return ask(Question::ask_amount);
  const std::optional<Currency> currency = settle_currency();
  if (!currency) return ask(Question::ask_amount);
  const std::optional<Money> money = to_money(said_.amount->thousandths, *currency);
  if (!money || !is_in_range(*money)) return ask(Question::ask_amount);
  out_.amount = money;
  out_.is_currency_said = said_.amount->unit > SpokenUnit::local;
}

void Scale::weigh() {
  out_.reason = said_.reason;
  for (std::size_t i = 0; i < said_.span_count; ++i) {
    const bool is_kept = said_.reason.empty() || said_.spans[i].what == SpanWhat::refusal;
    if (is_kept) out_.spans[out_.span_count++] = said_.spans[i];
  }
  if (!said_.reason.empty()) {
    return ask(Question::ask_kind);
  }
  if (said_.has_two_countries) {
    ask(Question::ask_country);
  } else if (said_.country_at != kNoCountry) {
    out_.country = intent_words::kCountries[said_.country_at].iso2;
  }
  settle_kind();
  settle_recipient();
  settle_amount();
}

}  // namespace

std::string_view to_word(RecipientForm form) {
  constexpr std::string_view kWords[] = {"none", "number", "tail", "saved", "mine"};
  return kWords[static_cast<std::size_t>(form)];
}

std::string_view to_word(Question question) {
  constexpr std::string_view kWords[] = {"ask_kind",    "ask_recipient", "ask_which_number",
                                         "ask_country", "ask_amount",    "ask_which_amount"};
  return kWords[static_cast<std::size_t>(question)];
}

std::string_view to_word(SpanWhat what) {
  constexpr std::string_view kWords[] = {"recipient", "amount", "kind", "country", "refusal"};
  return kWords[static_cast<std::size_t>(what)];
}

Result<Intent> read_intent(const IntentQuery& query) {
  if (query.text.size() > kMaxSpokenBytes) {
    return refuse(Code::invalid_argument, "text_too_long", "text", "at most 512 bytes of UTF-8");
  }
  SpokenText spoken;
  if (!even_out(query.text, spoken)) {
    return refuse(Code::invalid_argument, "text_malformed", "text", "the text must be UTF-8");
  }
  SpokenOrder said;
  read_order(query, spoken, said);
  Result<Intent> out;
  Scale(query, said, *out).weigh();
  return out;
}

}  // namespace topup
