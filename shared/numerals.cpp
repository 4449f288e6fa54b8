#include "shared/numerals.h"

#include "shared/spoken_text.h"

namespace topup {
namespace {

constexpr std::size_t kMaxDigits = 9;
constexpr std::int64_t kMaxPiece = 99'999 * kThousandths;  // before a unit
constexpr char kEnglish[] =
    "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|"
    "sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|"
    "hundred|thousand|oh";
constexpr int kTwenty = 20;
constexpr int kHundred = 28;
constexpr int kThousand = 29;
constexpr int kOh = 30;

int chinese_unit(const char* at) {
  constexpr std::int16_t kValues[] = {0, 10, 100, 1000, 10'000};
  const int found = match_glyph(at, "十百千万拾佰仟");
  return kValues[found < 0 ? 0 : found % 4 + 1];
}

// A numeral that goes on where it should have ended has no single reading.
void finish(SpokenNumber& number, const char* start, const char* end) {
  while (const std::size_t more = numeral_size(end)) {
    number.is_certain = false;
    end += more;
  }
  number.size = static_cast<std::size_t>(end - start);
}

void say(SpokenNumber& number, int digit) {
  if (number.said.size == kMaxSaidDigits) {
    number.is_certain = false;
    return;
  }
  number.said.push(static_cast<char>('0' + digit));
  number.thousandths = number.thousandths * 10 + digit * kThousandths;
  if (number.said.size <= kMaxDigits) return;
  number.is_certain = false;  // an account, not an amount
  number.thousandths = 0;
}

// A digit, or digits, before a unit; -1 if there is none.
std::int64_t read_piece(const char*& at, bool& has_many) {
  const int digit = chinese_digit(at);
  if (digit > 0) {
    at += kChineseBytes;
    return digit * kThousandths;
  }
  std::int64_t value = -1;
  for (int count = 0; is_ascii_digit(*at) && count < 5; ++count, ++at) {
    has_many = count > 0;
    value = (value < 0 ? 0 : value * 10) + (*at - '0') * kThousandths;
  }
  return value;
}

// Pieces and units, falling: 三千零五十, 一万二, 3百5. `piece` is what was read already, or -1.
void read_units(SpokenNumber& out, const char* start, const char* at, std::int64_t piece) {
  std::int64_t total = 0;
  std::int64_t section = 0;
  int last = 0;
  for (;; piece = -1) {
    bool after_zero = false;
    bool has_many = false;
    if (piece < 0) {
      for (; last > 0 && chinese_digit(at) == 0; at += kChineseBytes) {
        if (after_zero) out.is_certain = false;
        after_zero = true;
      }
      piece = read_piece(at, has_many);
    }
    const int unit = chinese_unit(at);
    if (unit == 0) {
      if (piece < 0) {
        if (after_zero) out.is_certain = false;
        break;
      }
      if (has_many && (!after_zero || piece >= last * kThousandths)) out.is_certain = false;
      section += after_zero || last == 10 ? piece : piece * last / 10;
      break;
    }
    at += kChineseBytes;
    if (piece > kMaxPiece) out.is_certain = false;
    if (piece < 0 || piece > kMaxPiece) {
      const bool is_ten = unit == 10 && last != 10;
      if (!is_ten && (unit < 10'000 || section == 0)) out.is_certain = false;
      piece = is_ten ? kThousandths : 0;
    }
    if (last > 0 && unit >= last && (unit < 10'000 || total > 0)) out.is_certain = false;
    section += unit < 10'000 ? piece * unit : piece;
    last = unit;
    if (unit < 10'000 || !out.is_certain) continue;
    total = section * unit;
    section = 0;
  }
  out.thousandths = total + section;
  out.said.size = 0;
  finish(out, start, at);
}

void read_chinese(SpokenNumber& out, const char* start) {
  const char* at = start;
  for (int digit; (digit = chinese_digit(at)) >= 0; at += kChineseBytes) say(out, digit);
  const int unit = chinese_unit(at);
  if (out.said.size == 0 && unit == 0) {
    const std::size_t lead = match_word(at, "几|数|上|近|半|成|负");
    if (lead == 0 || numeral_size(at + lead) == 0) return;
    at += lead;
    out.is_certain = false;
  } else if (out.said.size == 0 && unit > 10) {
    // 百元 is a hundred; 百货 and 千里 are no numbers.
    if (unit < 10'000 && match_word(at + kChineseBytes, "元|块") > 0) {
      return read_units(out, start, start, kThousandths);
    }
    at += kChineseBytes;
    if (numeral_size(at) == 0) return;
    out.is_certain = false;
  } else if (unit > 0 && out.said.size < 2) {
    return read_units(out, start, start, -1);
  }
  out.is_one_word = out.said.size == 1;
  out.is_one_by_one = out.said.size > 1;
  finish(out, start, at);
}

const char* skip_join(const char* at) { return *at == ' ' || *at == '-' ? at + 1 : at; }

int english_word(const char* at, std::size_t& size) {
  int index = -1;
  size = match_word(at, kEnglish, &index);
  return index;
}
bool is_digit_word(int word) { return (word >= 0 && word <= 9) || word == kOh; }

void finish_english(SpokenNumber& number, const char* start, const char* end) {
  for (;;) {
    const char* next = skip_join(end);
    const std::size_t more = match_word(next, kEnglish);
    if (more == 0) break;
    number.is_certain = false;
    end = next + more;
  }
  number.size = static_cast<std::size_t>(end - start);
}

void read_one_by_one(SpokenNumber& out, const char* start) {
  out.is_one_by_one = true;
  const char* end = start;
  for (const char* at = start;; at = skip_join(end)) {
    std::size_t size = 0;
    const int word = english_word(at, size);
    if (!is_digit_word(word)) break;
    say(out, word == kOh ? 0 : word);
    end = at + size;
  }
  finish_english(out, start, end);
}

// A sum of words; add() is false where a word cannot follow: it must be below `room`.
struct EnglishSum {
  int total = 0;
  int group = 0;
  int room = 1000;

  bool add(int word) {
    if (word == kHundred || word == kThousand) {
      const bool is_hundred = word == kHundred;
      if (group == 0 || (is_hundred ? group > 99 : total > 0)) return false;
      if (!is_hundred) total = group * 1000;
      group = is_hundred ? group * 100 : 0;
      room = is_hundred ? 100 : 1000;
      return true;
    }
    const int value = word < kTwenty ? word : (word - kTwenty + 2) * 10;
    if (word == kOh || value == 0 || value >= room) return false;
    group += value;
    room = word < kTwenty ? 1 : 10;
    return true;
  }
};

void read_english(SpokenNumber& out, const char* start) {
  constexpr char kScales[] = "hundred|thousand";
  EnglishSum sum;
  const char* end = start;
  const char* at = start;
  std::size_t size = match_one(at, "a");
  if (size > 0) at = skip_blank(at + size);
  const bool has_scale = match_word(at, kScales) > 0;
  if (size > 0 && !has_scale) return;
  sum.group = has_scale ? 1 : 0;
  int first = -1;
  int words = 0;
  for (;; ++words) {
    int word = english_word(at, size);
    if (word < 0 && words > 0 && sum.group % 100 == 0) {
      const std::size_t joint = match_one(at, "and");
      at = skip_blank(at + joint);
      if (joint > 0) word = english_word(at, size);
    }
    if (words == 0) first = word;
    if (word < 0 || (!sum.add(word) && !(words == 0 && word == 0))) break;
    end = at + size;
    at = skip_join(end);
  }
  if (words == 0) return;
  if (words == 1 && is_digit_word(first)) {
    if (is_digit_word(english_word(skip_join(end), size))) return read_one_by_one(out, start);
    out.is_one_word = true;
    say(out, first);
  }
  out.thousandths = (sum.total + sum.group) * kThousandths;
  finish_english(out, start, end);
}

// ".5" after the whole part; more than three decimals, or a second point, are not certain.
const char* read_decimals(SpokenNumber& out, const char* at) {
  for (int points = 0; *at == '.' && is_ascii_digit(at[1]); ++points) {
    out.said.size = 0;
    std::int64_t worth = kThousandths;
    for (++at; is_ascii_digit(*at); ++at) {
      worth /= 10;
      if (worth == 0 || points > 0) out.is_certain = false;
      out.thousandths += (*at - '0') * worth;
    }
  }
  return at;
}

bool is_group_at(const char* at) {  // ",000"
  return at[0] == ',' && is_ascii_digit(at[1]) && is_ascii_digit(at[2]) && is_ascii_digit(at[3]) &&
         !is_ascii_digit(at[4]);
}

void read_digits(SpokenNumber& out, const char* start, bool reads_w) {
  const char* at = start;
  for (; is_ascii_digit(*at); ++at) say(out, *at - '0');
  if (out.said.size <= 3 && *start != '0') {
    for (; is_group_at(at); at += 4) {
      for (int i = 1; i <= 3; ++i) say(out, at[i] - '0');
    }
  }
  if (out.said.size > 1 && *start == '0') out.is_certain = false;
  const char* whole_end = at;
  at = read_decimals(out, at);
  if (chinese_unit(at) > 0) {
    read_units(out, start, at, out.thousandths);
    if (at > whole_end && start + out.size > at + kChineseBytes) out.is_certain = false;
    return;
  }
  constexpr std::int16_t kFactors[] = {100, 1000, 1000, 10'000};
  int scale = -1;
  const char* word = skip_blank(at);
  std::size_t size = match_word(word, "hundred|thousand", &scale);
  if (size == 0) {
    word = at;
    size = match_word(at, reads_w ? "k|w" : "k", &scale);
    scale += 2;
  }
  if (size > 0) {
    at = word + size;
    out.said.size = 0;
    if (out.thousandths > kMaxPiece) out.is_certain = false;
    if (out.is_certain) out.thousandths *= kFactors[scale];
  }
  finish(out, start, at);
  if (size > 0 && start + out.size == at) finish_english(out, start, at);
}

}  // namespace

int chinese_digit(const char* at) {
  const int found = match_glyph(at, "零一二三四五六七八九零壹贰叁肆伍陆柒捌玖零幺两");
  return found < 0 ? found : found % 10;
}

std::size_t numeral_size(const char* at) {
  if (is_ascii_digit(*at)) return 1;
  if (chinese_digit(at) >= 0 || chinese_unit(at) > 0) return kChineseBytes;
  return match_word(at, "几|半|亿");
}

SpokenNumber read_number(const char* at, bool reads_w) {
  SpokenNumber out;
  if (is_ascii_digit(*at)) {
    read_digits(out, at, reads_w);
  } else if (is_latin(*at)) {
    read_english(out, at);
  } else {
    read_chinese(out, at);
  }
  return out;
}

}  // namespace topup
