#include <algorithm>
#include <array>

#include "tests/fuzz/fuzz.h"

namespace topup::fuzz {
namespace {

constexpr std::array<std::string_view, 18> kNumbers = {"0",
                                                       "-1",
                                                       "1e3",
                                                       "0x10",
                                                       "007",
                                                       "0.01",
                                                       "9007199254740993",
                                                       "9223372036854775807",
                                                       "9223372036854775808",
                                                       "-9223372036854775808",
                                                       "18446744073709551616",
                                                       "2147483648",
                                                       "4294967296",
                                                       "99999999999999999999999999",
                                                       "NaN",
                                                       "1.",
                                                       "+5",
                                                       "\xEF\xBC\x91"};
constexpr std::array<std::string_view, 16> kBytes = {std::string_view("\0", 1),
                                                     "\r\n",
                                                     "\n",
                                                     "\"",
                                                     "\\",
                                                     "\xEF\xBB\xBF",
                                                     "\xE2\x80\xAE",
                                                     "\xED\xA0\x80",
                                                     "\xFF",
                                                     "\x7F",
                                                     "\\u0000",
                                                     "\\ud800",
                                                     "%00",
                                                     "%0d%0a",
                                                     ",",
                                                     "\t"};

std::size_t place_in(Chance& chance, const std::string& text) {
  return chance.below(text.size() + 1);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A whole number of the text becomes another one: lengths, amounts and times are where bounds are.
void change_number(Chance& chance, std::string& text) {
  const std::size_t from = place_in(chance, text);
  const auto begin =
      std::find_if(text.begin() + static_cast<std::ptrdiff_t>(from), text.end(), is_digit);
  if (begin == text.end()) return;
  const auto end = std::find_if_not(begin, text.end(), is_digit);
  const auto at = static_cast<std::size_t>(begin - text.begin());
  text.replace(at, static_cast<std::size_t>(end - begin), kNumbers[chance.below(kNumbers.size())]);
}

void change_bytes(Chance& chance, std::string& text) {
  if (text.empty()) return;
  const std::size_t at = chance.below(text.size());
  switch (chance.below(4)) {
    case 0:
      text[at] = static_cast<char>(text[at] ^ static_cast<char>(1U << chance.below(8)));
      return;
    case 1:
      text[at] = static_cast<char>(chance.next());
      return;
    case 2:
      text[at] = text[chance.below(text.size())];
      return;
    default:
      text[at] = static_cast<char>(text[at] + (chance.one_in(2) ? 1 : -1));
  }
}

void change_length(Chance& chance, std::string& text, const std::vector<std::string>& corpus) {
  const std::size_t at = place_in(chance, text);
  const std::size_t most = std::min<std::size_t>(text.size() - at, 64);
  switch (chance.below(5)) {
    case 0:
      text.erase(at, chance.below(most + 1));
      return;
    case 1:
      text.resize(at);
      return;
    case 2:
      text.insert(at, text.substr(at, chance.below(most + 1)));
      return;
    case 3:
      text.insert(at, std::string(1 + chance.below(chance.one_in(50) ? 4'000 : 40),
                                  static_cast<char>(chance.next())));
      return;
    default: {
      const std::string& other = corpus[chance.below(corpus.size())];
      text = text.substr(0, at) + other.substr(place_in(chance, other));
    }
  }
}

}  // namespace

std::uint64_t Chance::next() {
  state_ += 0x9E3779B97F4A7C15ULL;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBULL;
  return mixed ^ (mixed >> 31U);
}

std::string mutated(Chance& chance, const std::vector<std::string>& corpus, const Target& target) {
  std::string text = corpus[chance.below(corpus.size())];
  const std::size_t changes = 1 + chance.below(chance.one_in(4) ? 12 : 3);
  for (std::size_t i = 0; i < changes; ++i) {
    switch (chance.below(6)) {
      case 0:
      case 1:
        change_bytes(chance, text);
        break;
      case 2:
        change_length(chance, text, corpus);
        break;
      case 3:
        change_number(chance, text);
        break;
      case 4:
        text.insert(place_in(chance, text), kBytes[chance.below(kBytes.size())]);
        break;
      default:
        if (!target.words.empty())
          text.insert(place_in(chance, text), target.words[chance.below(target.words.size())]);
    }
  }
  if (text.size() > kMaxInput) text.resize(kMaxInput);
  return text;
}

}  // namespace topup::fuzz
