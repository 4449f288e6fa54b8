#include "shared/spoken_text.h"

#include "shared/typed_text.h"
#include "shared/utf8_text.h"

namespace topup {
namespace {

constexpr char kFillers[] =
    "嗯|呃|啊|哦|噢|唉|欸|那个|请|吧|呢|呀|um|umm|uh|uhm|er|erm|hmm|please|pls|plz";

// Traditional characters and other forms, and in the same order the simple ones.
constexpr char kOtherForms[] = "給號話費錢塊萬億兩機國媽電貳參陸個張發〇○";
constexpr char kSimpleForms[] = "给号话费钱块万亿两机国妈电贰叁陆个张发零零";
static_assert(sizeof kOtherForms == sizeof kSimpleForms);

// What an ASCII character, or one that folds to it, becomes; kInvisible for what is dropped.
char32_t folded(char32_t code) {
  constexpr char32_t kWideComma = 0xFF0C;
  if (code == kWideComma) return ';';
  if (code < ' ' || code == '|') return ' ';
  code = plain_character(code);
  return code >= 'A' && code <= 'Z' ? code + ('a' - 'A') : code;
}

void drop_fillers(SpokenText& text) {
  std::size_t kept = 0;
  char* bytes = text.bytes.data() + 1;
  for (std::size_t at = 0; at < text.size;) {
    std::size_t skipped = match_word(bytes + at, kFillers);
    if (skipped == 0 && bytes[at] == ' ') skipped = 1;
    if (skipped == 0) {
      bytes[kept] = bytes[at];
      text.origin[kept++] = text.origin[at++];
      continue;
    }
    if (kept == 0 || bytes[kept - 1] != ' ') {
      text.origin[kept] = text.origin[at];
      bytes[kept++] = ' ';
    }
    at += skipped;
  }
  text.origin[kept] = text.origin[text.size];
  text.size = kept;
  bytes[kept] = 0;
}

}  // namespace

bool even_out(std::string_view typed, SpokenText& out) {
  if (typed.size() > kMaxSpokenBytes) return false;
  std::uint16_t origin = 0;
  std::size_t size = 0;
  char* bytes = out.bytes.data() + 1;
  out.bytes[0] = ' ';
  for (std::size_t at = 0; at < typed.size();) {
    const Utf8Character read = utf8_at(typed, at);
    if (read.code == kNotUtf8) return false;
    const char32_t plain = folded(read.code);
    const bool is_ascii = plain < 0x80;
    const int form =
        is_ascii || read.bytes != kChineseBytes ? -1 : match_glyph(typed.data() + at, kOtherForms);
    const char* from = form < 0 ? typed.data() + at
                                : kSimpleForms + kChineseBytes * static_cast<std::size_t>(form);
    const std::size_t count = !is_ascii ? read.bytes : plain == kInvisible ? 0 : 1;
    for (std::size_t i = 0; i < count; ++i) {
      bytes[size] = is_ascii ? static_cast<char>(plain) : from[i];
      out.origin[size++] = origin;
    }
    at += read.bytes;
    origin = static_cast<std::uint16_t>(origin + (read.code > 0xFFFF ? 2 : 1));
  }
  out.origin[size] = origin;
  out.size = size;
  bytes[size] = 0;
  drop_fillers(out);
  return true;
}

std::size_t match_one(const char* at, const char* word) {
  std::size_t size = 0;
  if (is_latin(*word) && is_latin(at[-1])) return 0;
  for (; word[size] != 0 && word[size] != '|'; ++size) {
    if (at[size] != word[size] && !(word[size] == ' ' && at[size] == '-')) return 0;
  }
  return size > 0 && is_latin(word[size - 1]) && is_latin(at[size]) ? 0 : size;
}

std::size_t match_word(const char* at, const char* words, int* index) {
  std::size_t best = 0;
  for (int i = 0; *words != 0; ++i) {
    const std::size_t size = match_one(at, words);
    if (size > best) {
      best = size;
      if (index != nullptr) *index = i;
    }
    while (*words != 0 && *words++ != '|') {
    }
  }
  return best;
}

int match_glyph(const char* at, const char* glyphs) {
  for (int i = 0; *glyphs != 0; ++i, glyphs += kChineseBytes) {
    if (at[0] == glyphs[0] && at[1] == glyphs[1] && at[2] == glyphs[2]) return i;
  }
  return -1;
}

}  // namespace topup
