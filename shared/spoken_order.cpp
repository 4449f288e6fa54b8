#include "shared/spoken_order.h"

#include <iterator>

#include "shared/intent_words.h"
#include "shared/numerals.h"

namespace topup {
namespace {

using intent_words::Meaning;

constexpr std::size_t kLeastBareTail = 4;  // 给1234充
constexpr int kMaxTailJoins = 4;

// Each take_…() notes what stands at `at` and returns where to read on.
class Reader {
 public:
  Reader(const IntentQuery& query, const SpokenText& spoken, SpokenOrder& said);
  void read();

 private:
  const char* step(const char* at);
  const char* take_name(const char* at, std::size_t size);
  const char* take_word(const char* at, Meaning meaning, std::size_t size);
  const char* take_other(const char* at, std::size_t size);
  const char* take_country(const char* at, int index, std::size_t size);
  const char* take_tail(const char* at, const char* start);
  const char* take_digits(const char* at);
  const char* take_account(const char* at, const SpokenAccount& account);
  const char* take_amount(const char* at, const SpokenAmount& amount);
  void note_tail(const char* start, const char* end, const SaidDigits& tail);
  bool is_mine(Meaning meaning, const char* next) const;
  bool stands_between(const char* at, const char* end) const;
  void add_amount(const SaidAmount& amount);
  void span(SpanWhat what, const char* start, const char* end);
  std::size_t name_size(const char* at) const {
    return name_sizes_[static_cast<std::size_t>(at - spoken_.begin())];
  }

  const IntentQuery& query_;
  const SpokenText& spoken_;
  SpokenOrder& said_;
  bool reads_w_ = true;
  // Of the longest saved name that stands at each byte.
  std::array<std::uint8_t, kMaxSpokenBytes + 1> name_sizes_{};
};

// Makes the name of a saved recipient even; "" for one that is no name: "100" is an amount, whoever
// is called so.
const char* even_name(const IntentQuery& query, std::size_t i, SpokenText& room) {
  const std::string_view typed = query.saved[i].name;
  if (typed.size() > kMaxSavedNameBytes || !even_out(typed, room)) return "";
  char* end = room.bytes.data() + 1 + room.size;
  if (room.size > 0 && end[-1] == ' ') end[-1] = 0;
  bool has_letter = false;
  for (const char* at = room.begin(); *at != 0; ++at) {
    has_letter |= is_latin(*at) || (*at & 0x80) != 0;
  }
  return has_letter ? skip_blank(room.begin()) : "";
}

std::size_t saved_count_of(const IntentQuery& query) {
  return query.saved_count < kMaxSavedRecipients ? query.saved_count : kMaxSavedRecipients;
}

Reader::Reader(const IntentQuery& query, const SpokenText& spoken, SpokenOrder& said)
    : query_(query), spoken_(spoken), said_(said) {
  SpokenText room;
  for (std::size_t i = 0; i < saved_count_of(query); ++i) {
    const char* name = even_name(query, i, room);
    for (std::size_t at = 0; at < spoken.size; ++at) {
      const std::size_t size = match_one(spoken.begin() + at, name);
      if (size > name_sizes_[at]) name_sizes_[at] = static_cast<std::uint8_t>(size);
    }
  }
  reads_w_ = query.language != SpokenLanguage::english;
  if (query.language == SpokenLanguage::unknown) {
    reads_w_ = false;
    for (const char* at = spoken.begin(); *at != 0; ++at) reads_w_ |= (*at & 0x80) != 0;
  }
}

void Reader::span(SpanWhat what, const char* start, const char* end) {
  while (end > start && end[-1] == ' ') --end;
  if (said_.span_count == kMaxIntentSpans) return;
  const std::uint16_t* origin = spoken_.origin.data();
  const char* text = spoken_.begin();
  said_.spans[said_.span_count++] = {what, origin[start - text], origin[end - text]};
}

const char* Reader::take_name(const char* at, std::size_t size) {
  const char* end = at + size;
  const char* next = end + match_word(end, intent_words::kPossessive);
  const std::size_t other = match_word(next, intent_words::kOthers);
  if (other > 0) {  // 小李的妈妈 is neither 小李 nor the buyer's 妈妈
    const std::size_t name = name_size(next);
    said_.has_other = true;
    return next + (name > other ? name : other);
  }
  span(SpanWhat::recipient, at, end);
  SpokenText room;
  for (std::size_t i = 0; i < saved_count_of(query_); ++i) {
    const bool is_it = match_one(at, even_name(query_, i, room)) == size;
    if (is_it) said_.is_named[i] = said_.has_name = true;
  }
  return end;
}

const char* Reader::take_country(const char* at, int index, std::size_t size) {
  said_.has_two_countries |= said_.country_at != kNoCountry && said_.country_at != index;
  said_.country_at = index;
  span(SpanWhat::country, at, at + size);
  return at + size;
}

const char* Reader::take_word(const char* at, Meaning meaning, std::size_t size) {
  const char* end = at + size;
  if (meaning >= Meaning::airtime) {
    const int kind = static_cast<int>(meaning) - static_cast<int>(Meaning::airtime);
    constexpr int kKinds = static_cast<int>(kProductKinds);
    (kind < kKinds ? said_.strong_kinds : said_.weak_kinds) |= 1U << (kind % kKinds);
    span(SpanWhat::kind, at, end);
  } else if (meaning == Meaning::negated || meaning == Meaning::not_an_order) {
    if (meaning == Meaning::negated || said_.reason.empty()) {
      said_.reason = meaning == Meaning::negated ? "intent_negated" : "intent_not_an_order";
    }
    span(SpanWhat::refusal, at, end);
  } else if (meaning == Meaning::tail) {
    return take_tail(at, end);
  } else if (meaning == Meaning::other) {
    return take_other(at, size);
  } else if (meaning == Meaning::vague || meaning == Meaning::several) {
    said_.has_vague_amount = true;
  } else if (is_mine(meaning, skip_blank(end))) {
    said_.has_mine = true;
    span(SpanWhat::recipient, at, end);
  } else if (meaning == Meaning::give_me) {
    return end - kChineseBytes;  // 我 may still be 我的手机
  }
  return end;
}

const char* Reader::take_other(const char* at, std::size_t size) {
  said_.has_other = true;
  const char* end = at + size;
  const std::size_t of = match_word(end, intent_words::kPossessive);
  if (of == 0 && match_word(at, intent_words::kOwners) != size) return end;
  const char* owned = of > 0 ? end + of : skip_blank(end);
  return owned + name_size(owned);  // 她妈妈 is not the buyer's 妈妈
}

bool Reader::is_mine(Meaning meaning, const char* next) const {
  if (meaning == Meaning::my) return match_word(next, intent_words::kMyThings) > 0;
  if (meaning != Meaning::give_me) return meaning == Meaning::mine;
  return match_word(next, intent_words::kGiving) > 0 || read_amount(next, reads_w_).size > 0;
}

const char* Reader::take_tail(const char* at, const char* start) {
  for (int i = 0; i < kMaxTailJoins; ++i) start += match_word(start, intent_words::kTailJoin);
  SaidDigits digits;
  const char* end = start;
  for (; is_ascii_digit(*end) && digits.size <= kMostTail; ++end) digits.push(*end);
  if (digits.size == 0) {
    const SpokenNumber number = read_number(start, false);
    if (number.is_one_by_one) digits = number.said;
    if (!number.is_certain && digits.size <= kMostTail) digits.size = 0;
    end = start + number.size;
  }
  if (digits.size > kMostTail) return start;  // the whole number was said
  if (digits.size < kLeastTail) {
    said_.has_other = true;
    return start;
  }
  note_tail(at, end, digits);
  return end;
}

void Reader::note_tail(const char* start, const char* end, const SaidDigits& tail) {
  said_.has_two_numbers |= said_.tail.size > 0 && said_.tail.view() != tail.view();
  said_.tail = tail;
  span(SpanWhat::recipient, start, end);
}

// 给1234充, 1234结尾: digits that stand where a recipient is named.
bool Reader::stands_between(const char* at, const char* end) const {
  const char* next = skip_blank(end);
  const std::size_t count = static_cast<std::size_t>(end - at);
  if (count < kLeastTail || count > kMostTail) return false;
  if (match_word(next, intent_words::kTailEnd) > 0) return true;
  if (count < kLeastBareTail || match_word(next, intent_words::kAfterTail) == 0) return false;
  const char* before = at[-1] == ' ' ? at - 1 : at;
  const bool has_room = before - spoken_.begin() >= static_cast<std::ptrdiff_t>(kChineseBytes);
  return has_room && match_word(before - kChineseBytes, intent_words::kGiveTo) > 0;
}

const char* Reader::take_account(const char* at, const SpokenAccount& account) {
  SaidDigits number;
  const bool has_86 = account.shape == AccountShape::mainland && account.said.size == 13;
  if (account.has_plus || has_86) number.push('+');
  for (const char digit : account.said.view()) number.push(digit);
  said_.has_two_numbers |= said_.number.size > 0 && said_.number.view() != number.view();
  said_.number = number;
  said_.shape = account.shape;
  span(SpanWhat::recipient, at, at + account.size);
  return at + account.size;
}

const char* Reader::take_amount(const char* at, const SpokenAmount& amount) {
  const SpokenNumber& number = amount.number;
  const char* end = at + amount.size;
  if (amount.unit == SpokenUnit::counter) return end;
  if (amount.unit == SpokenUnit::quantity) {
    said_.has_vague_amount |= number.thousandths != kThousandths;
    return end;
  }
  // 三五块 may be 3 to 5 or 35; with a zero, 五零 can only be 50.
  const bool is_loose =
      number.is_one_by_one && number.said.view().find('0') == std::string_view::npos;
  if ((number.is_one_word || is_loose) && amount.unit == SpokenUnit::none) {
    const char* next = skip_blank(end);
    const std::size_t choice = match_word(next, intent_words::kChoice);
    const char* after = skip_blank(next + choice);
    said_.has_vague_amount |= choice > 0 && read_number(after, reads_w_).size > 0;
    return end;
  }
  span(SpanWhat::amount, at, end);
  if (!number.is_certain || is_loose) {
    said_.has_vague_amount = true;
  } else {
    add_amount({number.thousandths, amount.unit, amount.currency});
  }
  return end;
}

// Said twice, an amount is still one: 50, 五十块.
void Reader::add_amount(const SaidAmount& amount) {
  if (!said_.amount) {
    said_.amount = amount;
    return;
  }
  const SaidAmount& before = *said_.amount;
  const bool is_same_money =
      (amount.unit <= SpokenUnit::local && before.unit <= SpokenUnit::local) ||
      amount.unit == SpokenUnit::none || before.unit == SpokenUnit::none ||
      (amount.unit == before.unit && amount.currency == before.currency);
  said_.has_two_amounts |= amount.thousandths != before.thousandths || !is_same_money;
  if (amount.unit > before.unit) said_.amount = amount;
}

// A number at `at`: a tail, an account or an amount. Returns `at` if no number starts here.
const char* Reader::take_digits(const char* at) {
  SaidDigits digits;
  const char* end = at;
  for (; is_ascii_digit(*end); ++end) {
    if (digits.size < kMostTail) digits.push(*end);
  }
  if (stands_between(at, end)) {
    note_tail(at, end, digits);
    return end;
  }
  const SpokenAmount amount = read_amount(at, reads_w_);
  const SpokenAccount account = read_account(at);
  const bool has_money = amount.unit != SpokenUnit::none && amount.unit < SpokenUnit::counter;
  if (account.shape != AccountShape::none && !(account.shape == AccountShape::other && has_money)) {
    return take_account(at, account);
  }
  if (end > at && is_latin(at[-1])) return end;  // iphone15
  return amount.size > 0 ? take_amount(at, amount) : at;
}

const char* Reader::step(const char* at) {
  std::size_t best = 0;
  Meaning meaning = Meaning::nothing;
  int country = kNoCountry;
  for (const intent_words::Words& row : intent_words::kWords) {
    const std::size_t size = match_word(at, row.words);
    if (size <= best) continue;
    best = size;
    meaning = row.meaning;
  }
  for (std::size_t i = 0; i < std::size(intent_words::kCountries); ++i) {
    const std::size_t size = match_word(at, intent_words::kCountries[i].words);
    if (size <= best) continue;
    best = size;
    country = static_cast<int>(i);
  }
  const std::size_t name = name_size(at);
  if (name > 0 && name >= best) return take_name(at, name);
  if (read_number(at, reads_w_).size == 0) {  // a currency or a sign before the number
    const SpokenAmount amount = read_amount(at, reads_w_);
    const bool is_account = *at == '+' && read_account(at).size > 0;
    if (amount.size > 0 && !is_account) return take_amount(at, amount);
  }
  if (country != kNoCountry) return take_country(at, country, best);
  if (best > 0) return take_word(at, meaning, best);
  const char* end = take_digits(at);
  if (end > at) return end;
  do {  // to the next character, or behind a Latin word: none begins within it
    ++end;
  } while ((*end & 0xC0) == 0x80 || (is_latin(*end) && is_latin(end[-1])));
  return end;
}

void Reader::read() {
  for (const char* at = spoken_.begin(); *at != 0;) {
    at = *at == ' ' ? at + 1 : step(at);
  }
}

}  // namespace

void read_order(const IntentQuery& query, const SpokenText& spoken, SpokenOrder& said) {
  Reader(query, spoken, said).read();
}

}  // namespace topup
