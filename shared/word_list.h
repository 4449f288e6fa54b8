// An enum's stored words: its value is its place in the list. Pure; constexpr; thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace topup {

using WordList = std::span<const std::string_view>;

// words.size() when it is none of them. Exact: no trimming, no folding of case.
constexpr std::size_t place_of_word(WordList words, std::string_view word) {
  std::size_t i = 0;
  while (i < words.size() && words[i] != word) ++i;
  return i;
}

template <class Enum>
constexpr std::optional<Enum> parse_word(WordList words, std::string_view word) {
  const std::size_t place = place_of_word(words, word);
  if (place == words.size()) return std::nullopt;
  return static_cast<Enum>(place);
}

}  // namespace topup
