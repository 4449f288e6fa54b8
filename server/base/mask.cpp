#include "server/base/mask.h"

#include <algorithm>

#include "server/base/utf8.h"
#include "shared/phone.h"

namespace topup::base {
namespace {

constexpr std::string_view kStars = "****";
constexpr std::size_t kMobileDigits = 11;
constexpr std::size_t kIdDigits = 18;
constexpr std::size_t kShortestCard = 15;
constexpr std::size_t kLongestCard = 19;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

std::string_view first_character(std::string_view text) {
  const std::size_t length = utf8_length_at(text, 0);
  return length == 0 ? std::string_view() : text.substr(0, length);
}

std::size_t digits_in(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_digit));
}

std::string ends(std::string_view text, std::size_t front, std::size_t back) {
  if (text.size() < front + back + 4) return std::string(kStars);
  return std::string(text.substr(0, front)) + std::string(text.size() - front - back, '*') +
         std::string(text.substr(text.size() - back));
}

std::string mask_email(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos || at == 0) return std::string(kStars);
  return std::string(first_character(text)) + std::string(kStars) + std::string(text.substr(at));
}

std::string mask_plate(std::string_view text) {
  const std::string_view province = first_character(text);
  if (province.empty() || text.size() < province.size() + 5) return std::string(kStars);
  return std::string(text.substr(0, province.size() + 1)) + std::string(kStars) + text.back();
}

std::string mask_address(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos) return std::string(text.substr(0, colon)) + ":****";
  const std::size_t dot = text.find('.');
  const std::size_t second = dot == std::string_view::npos ? dot : text.find('.', dot + 1);
  if (second == std::string_view::npos) return std::string(kStars);
  return std::string(text.substr(0, second)) + ".*.*";
}

std::string shown(Kind kind, std::string_view text) {
  switch (kind) {
    case Kind::phone:
      return mask_phone(text);
    case Kind::id_number:
      return ends(text, 3, 4);
    case Kind::bank_card:
      return text.size() < 8 ? std::string(kStars)
                             : std::string(kStars) + std::string(text.substr(text.size() - 4));
    case Kind::plate:
      return mask_plate(text);
    case Kind::email:
      return mask_email(text);
    case Kind::name:
      return std::string(first_character(text)) + "**";
    case Kind::address:
      return mask_address(text);
    case Kind::opaque:
      return text.size() < 12 ? std::string(kStars)
                              : std::string(kStars) + std::string(text.substr(text.size() - 4));
    case Kind::secret:
      break;
  }
  return std::string(kStars);
}

bool passes_luhn(std::string_view digits) {
  int sum = 0;
  bool doubled = false;
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, doubled = !doubled) {
    const int value = *digit - '0';
    sum += doubled ? (value > 4 ? 2 * value - 9 : 2 * value) : value;
  }
  return sum % 10 == 0;
}

bool is_mobile(std::string_view run) {
  if (run.size() == kMobileDigits + 2 && run.starts_with("86")) run.remove_prefix(2);
  return run.size() == kMobileDigits && run[0] == '1' && run[1] >= '3';
}

bool has_birthday(std::string_view run) {
  if (run.size() != kIdDigits || !std::all_of(run.begin(), run.end() - 1, is_digit)) return false;
  const std::string_view century = run.substr(6, 2);
  const std::string_view month = run.substr(10, 2);
  const std::string_view day = run.substr(12, 2);
  return (century == "19" || century == "20") && month >= "01" && month <= "12" && day >= "01" &&
         day <= "31";
}

std::string scrubbed_run(std::string_view run) {
  if (is_mobile(run)) return ends(run, run.size() - 8, 4);
  if (has_birthday(run)) return ends(run, 3, 4);
  if (run.size() >= kShortestCard && run.size() <= kLongestCard && passes_luhn(run)) {
    return shown(Kind::bank_card, run);
  }
  return std::string(run);
}

}  // namespace

std::string mask(Kind kind, std::string_view text) {
  if (text.empty()) return {};
  std::string out = shown(kind, text);
  const bool says_too_much = digits_in(out) > kMaxShownDigits || out == text;
  // A long calling code stands in front of what mask_phone() shows.
  if (says_too_much && kind == Kind::phone && text.size() > 8) {
    out = std::string(kStars) + std::string(text.substr(text.size() - 3));
    return out;
  }
  return says_too_much ? std::string(kStars) : out;
}

std::string scrub(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const bool begins = is_digit(text[at]) && (at == 0 || !is_word(text[at - 1]));
    if (!begins) {
      out += text[at++];
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && is_digit(text[end])) ++end;
    const bool has_check_letter =
        end - at == kIdDigits - 1 && end < text.size() && (text[end] == 'X' || text[end] == 'x');
    if (has_check_letter) ++end;
    const bool is_whole = end == text.size() || !is_word(text[end]);
    const std::string_view run = text.substr(at, end - at);
    if (is_whole && !has_check_letter) {
      out += scrubbed_run(run);
    } else {
      out += is_whole && has_birthday(run) ? ends(run, 3, 4) : std::string(run);
    }
    at = end;
  }
  return out;
}

}  // namespace topup::base
