#include "server/suppliers/reading.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "server/base/log.h"
#include "server/suppliers/exact_json.h"
#include "shared/date.h"

namespace topup::suppliers {
namespace {

using base::Json;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }

// Days since 1970-01-01 of a real date (H. Hinnant's civil-day arithmetic).
std::int64_t days_of(const Date& date) {
  const std::int64_t year = date.month <= 2 ? date.year - 1 : date.year;
  const std::int64_t era = year / 400;
  const std::int64_t of_era = year - era * 400;
  const std::int64_t month = (date.month + 9) % 12;
  const std::int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
  return era * 146'097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719'468;
}

Date date_of(std::int64_t days) {
  days += 719'468;
  const std::int64_t era = days / 146'097;
  const std::int64_t of_era = days - era * 146'097;
  const std::int64_t year_of_era =
      (of_era - of_era / 1'460 + of_era / 36'524 - of_era / 146'096) / 365;
  const std::int64_t day_of_year =
      of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted = (5 * day_of_year + 2) / 153;
  const std::int64_t month = shifted < 10 ? shifted + 3 : shifted - 9;
  return {static_cast<int>(year_of_era + era * 400 + (month <= 2 ? 1 : 0)), static_cast<int>(month),
          static_cast<int>(day_of_year - (153 * shifted + 2) / 5 + 1)};
}

// "2026-11-21", one character, "15:30:00": the first 19 characters of both forms.
std::optional<std::int64_t> parse_date_and_clock(std::string_view text, char between) {
  if (text.size() < 19 || text[10] != between || text[13] != ':' || text[16] != ':') return {};
  const auto date = parse_date(text.substr(0, 10));
  const auto two = [&](std::size_t at) -> std::int64_t {
    if (!is_digit(text[at]) || !is_digit(text[at + 1])) return -1;
    return (text[at] - '0') * 10 + (text[at + 1] - '0');
  };
  const std::int64_t hour = two(11), minute = two(14), second = two(17);
  if (!date || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) {
    return {};
  }
  return ((days_of(*date) * 24 + hour) * 60 + minute) * 60'000 + second * 1'000;
}

std::string padded(std::int64_t number, std::size_t width) {
  std::string digits = std::to_string(number);
  if (digits.size() < width) digits.insert(0, width - digits.size(), '0');
  return digits;
}

std::string date_and_clock(std::int64_t at_ms, char between) {
  const std::int64_t seconds = std::max<std::int64_t>(at_ms, 0) / 1'000;
  const Date date = date_of(seconds / 86'400);
  const std::int64_t of_day = seconds % 86'400;
  return padded(date.year, 4) + "-" + padded(date.month, 2) + "-" + padded(date.day, 2) + between +
         padded(of_day / 3'600, 2) + ":" + padded(of_day / 60 % 60, 2) + ":" +
         padded(of_day % 60, 2);
}

}  // namespace

bool is_digits(std::string_view text) {
  return !text.empty() && text.size() <= 20 && std::all_of(text.begin(), text.end(), is_digit);
}

bool is_identifier(std::string_view text) {
  return !text.empty() && text.size() <= kMaxTheirIdBytes &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_capital(c) || (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_';
         });
}

bool is_country(std::string_view text) {
  return text.size() == 2 && std::all_of(text.begin(), text.end(), is_capital);
}

bool is_code(std::string_view text) {
  return is_identifier(text) &&
         std::none_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

bool is_e164(std::string_view text) {
  return text.size() >= 8 && text.size() <= 16 && text.front() == '+' && text[1] != '0' &&
         is_digits(text.substr(1));
}

bool is_plain_line(std::string_view text) {
  return !text.empty() && std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
}

std::string text_or_empty(const Json& object, const char* key, std::size_t max_bytes) {
  return base::text_in(object, key, max_bytes).value_or("");
}

std::string literal_of(const Json& object, const char* key) {
  return object.is_object() && object.contains(key) ? literal_text(object[key]) : std::string();
}

bool is_true(const Json& object, const char* key) {
  return base::bool_in(object, key).value_or(false);
}

const Json* member(const Json& object, const char* key) {
  const auto found = base::object_in(object, key);
  return found ? *found : nullptr;
}

const Json* list_in(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found != object.end() && found->is_array() ? &*found : nullptr;
}

SupplyOutcome outcome(SupplyState state, std::string code) {
  SupplyOutcome result;
  result.state = state;
  result.code = std::move(code);
  return result;
}

std::string find_header(const CallbackRequest& request, std::string_view name) {
  std::string found;
  int count = 0;
  for (const auto& [key, value] : request.headers) {
    if (key != name) continue;
    found = value;
    ++count;
  }
  return count == 1 ? found : std::string();
}

std::optional<std::int64_t> parse_time(std::string_view text) {
  const auto seconds = parse_date_and_clock(text, 'T');
  if (!seconds || text.size() > 40) return {};
  std::int64_t fraction = 0, unit = 100;
  std::size_t at = 19;
  if (at < text.size() && text[at] == '.') {
    for (++at; at < text.size() && is_digit(text[at]); ++at, unit /= 10) {
      fraction += (text[at] - '0') * unit;
    }
  }
  const std::string_view zone = text.substr(at);
  if (zone == "Z") return *seconds + fraction;
  if (zone.size() != 6 || zone[3] != ':' || (zone[0] != '+' && zone[0] != '-')) return {};
  const auto clock = std::string(zone.substr(1, 2)) + std::string(zone.substr(4, 2));
  if (!is_digits(clock)) return {};
  const std::int64_t minutes =
      (clock[0] - '0') * 600 + (clock[1] - '0') * 60 + (clock[2] - '0') * 10 + (clock[3] - '0');
  return *seconds + fraction - (zone[0] == '+' ? minutes : -minutes) * 60'000;
}

std::optional<std::int64_t> parse_spaced_time(std::string_view text, std::int64_t offset_ms) {
  const auto local = text.size() == 19 ? parse_date_and_clock(text, ' ') : std::nullopt;
  return local ? std::optional(*local - offset_ms) : std::nullopt;
}

std::string time_text(std::int64_t at_ms) { return date_and_clock(at_ms, 'T') + "Z"; }

std::string spaced_time_text(std::int64_t at_ms, std::int64_t offset_ms) {
  return date_and_clock(at_ms + offset_ms, ' ');
}

std::string query_text(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_identifier({&c, 1}) || c == '.' || c == '~') {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4U];
    out += kHex[byte & 0x0FU];
  }
  return out;
}

bool is_above(const std::optional<Money>& cost, const Money& most) {
  if (most.minor <= 0) return false;
  return !cost || cost->currency != most.currency || cost->minor > most.minor;
}

std::optional<Money> cost_at_rate(Money amount, std::int64_t per_unit_e8, Currency to) {
  if (amount.minor <= 0 || per_unit_e8 <= 0) return {};
  __extension__ using Wide = __int128;
  Wide top = Wide{amount.minor} * kRateOne, bottom = per_unit_e8;
  for (int i = 0; i < minor_digits(to); ++i) top *= 10;
  for (int i = 0; i < minor_digits(amount.currency); ++i) bottom *= 10;
  const Wide minor = (top + bottom - 1) / bottom;
  if (minor > kMaxMinor) return {};
  return Money{static_cast<std::int64_t>(minor), to};
}

Answer read_answer(const base::OutboundReply& reply) {
  using Kind = base::OutboundReply::Kind;
  Answer answer;
  if (reply.kind == Kind::not_sent) {
    answer.kind = Answer::Kind::not_sent;
    answer.word = "not_sent";
    return answer;
  }
  if (reply.kind == Kind::no_answer) {
    answer.word = reply.failure.empty() ? "no_answer" : reply.failure;
    return answer;
  }
  answer.status = reply.status;
  answer.word = "http_" + std::to_string(reply.status);
  answer.total = reply.header("X-Total");
  auto body = exact_json_in(reply.body);
  const bool is_readable = body.has_value();
  if (is_readable) answer.body = std::move(*body);
  if (reply.status >= 400 && reply.status < 500) {
    answer.kind = Answer::Kind::refused;
  } else if (reply.status >= 200 && reply.status < 300) {
    answer.word = is_readable ? "" : "answer_malformed";
    if (is_readable) answer.kind = Answer::Kind::ok;
  }
  return answer;
}

void log_failed_call(std::string_view supplier, std::string_view call, const Answer& answer) {
  base::log(
      base::Level::warn, "supplier_call_failed",
      {{"supplier", supplier}, {"call", call}, {"status", answer.status}, {"why", answer.word}});
}

}  // namespace topup::suppliers
