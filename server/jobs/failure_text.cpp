#include "server/jobs/failure_text.h"

namespace topup::jobs {
namespace {

constexpr std::size_t kPrivateDigits = 7;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_between(char c) {
  return c == ' ' || c == '-' || c == '.' || c == '(' || c == ')' || c == '+';
}
bool is_mail(char c) {
  return is_digit(c) || is_letter(c) || c == '.' || c == '_' || c == '-' || c == '+' || c == '%';
}

// How many bytes from `at` on are one number of a person; 0 when it is none. A number inside a word
// is part of an identifier of ours.
std::size_t number_at(std::string_view text, std::size_t at) {
  const bool inside_word = at > 0 && (is_letter(text[at - 1]) || text[at - 1] == '_');
  if (!is_digit(text[at]) || inside_word) return 0;
  std::size_t digits = 0, end = at, i = at;
  while (i < text.size() && (is_digit(text[i]) || is_between(text[i]))) {
    if (is_digit(text[i++])) {
      ++digits;
      end = i;
    }
  }
  const bool goes_on = end < text.size() && (is_letter(text[end]) || text[end] == '_');
  return digits >= kPrivateDigits && !goes_on ? end - at : 0;
}

std::string without_mail(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '@') {
      out += text[i];
      continue;
    }
    while (!out.empty() && is_mail(out.back())) out.pop_back();
    out += '@';
    while (i + 1 < text.size() && is_mail(text[i + 1])) ++i;
  }
  return out;
}

void cut(std::string& text) {
  if (text.size() <= kMaxFailureText) return;
  std::size_t end = kMaxFailureText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  text.resize(end);
}

}  // namespace

std::string failure_text(std::string_view why) {
  const std::string text = without_mail(why.substr(0, 4 * kMaxFailureText));
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (const std::size_t length = number_at(text, i); length > 0) {
      out += '#';
      i += length;
      continue;
    }
    const char c = text[i++];
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
  }
  cut(out);
  return out;
}

}  // namespace topup::jobs
