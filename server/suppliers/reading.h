// What the adapters of suppliers share: small readers of foreign text, and what an HTTP exchange
// came to. Everything foreign is judged before it is used; nothing here trusts a length, a type or
// a status alone. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/base/http_client.h"
#include "server/base/json.h"
#include "server/suppliers/supplier.h"

namespace topup::suppliers {

inline constexpr std::int64_t kCallDeadlineMs = 15'000;
inline constexpr std::int64_t kLookUpMs = 2'500;  // of one look_up(), all its calls together
inline constexpr std::size_t kMaxTheirIdBytes = 64;
inline constexpr std::size_t kMaxListedNameBytes = 200;
inline constexpr std::size_t kMaxListedProducts = 5'000;  // of one country
inline constexpr std::size_t kMaxStatementLines = 100'000;
inline constexpr std::size_t kMaxPinBytes = 200;

template <class State>
struct Word {
  std::string_view text;
  State state;
};

// SupplyState::unknown for a word that is not listed.
template <class State, std::size_t kCount>
State state_of(const Word<State> (&words)[kCount], std::string_view text) {
  for (const auto& word : words) {
    if (word.text == text) return word.state;
  }
  return State::unknown;
}

bool is_digits(std::string_view text);      // 1 to 20 of them
bool is_identifier(std::string_view text);  // letters, digits, - and _: plain in URLs and JSON
bool is_country(std::string_view text);     // two capitals
bool is_code(std::string_view text);        // an identifier without lower case
bool is_e164(std::string_view text);        // "+66812345678"
bool is_plain_line(std::string_view text);  // printable ASCII and UTF-8, no control characters

// "" for absent, null and wrong types.
std::string text_or_empty(const base::Json& object, const char* key, std::size_t max_bytes = 256);
std::string literal_of(const base::Json& object, const char* key);
bool is_true(const base::Json& object, const char* key);
const base::Json* member(const base::Json& object, const char* key);   // an object, or nullptr
const base::Json* list_in(const base::Json& object, const char* key);  // an array, or nullptr

SupplyOutcome outcome(SupplyState state, std::string code);
// The value of a header that came exactly once; "" otherwise. `name` in lower case.
std::string find_header(const CallbackRequest& request, std::string_view name);

// "2026-11-21T07:30:00.123456789Z" or with +08:00; nothing for anything else.
std::optional<std::int64_t> parse_time(std::string_view text);
// "2026-11-21 15:30:00" in a zone that is `offset_ms` ahead of UTC.
std::optional<std::int64_t> parse_spaced_time(std::string_view text, std::int64_t offset_ms);
std::string time_text(std::int64_t at_ms);  // "2026-11-21T07:30:00Z"
std::string spaced_time_text(std::int64_t at_ms, std::int64_t offset_ms);
std::string query_text(std::string_view text);  // percent-encoded for a query value

// Amounts of a foreign wallet that lie above `most` (0: no bound). What cannot be compared is
// above.
bool is_above(const std::optional<Money>& cost, const Money& most);
// `amount` of one currency per `per_unit_e8` / 10^8 of it for one unit of `to`, rounded up; nothing
// when it does not fit. For suppliers that say "destination units for one unit of your wallet".
std::optional<Money> cost_at_rate(Money amount, std::int64_t per_unit_e8, Currency to);

struct Answer {
  enum class Kind : std::uint8_t { ok, refused, not_sent, unclear };
  Kind kind = Kind::unclear;
  int status = 0;
  base::Json body;    // with numbers as literal text; of an answer with a readable body
  std::string word;   // of any but ok: ours, such as http_502 or deadline; an adapter puts theirs
  std::string total;  // of X-Total, where a supplier counts its rows there
  bool is_ok() const { return kind == Kind::ok; }
};

// ok: 2xx and JSON. refused: 4xx. unclear: no answer, 5xx, 3xx, or what is no JSON.
Answer read_answer(const base::OutboundReply& reply);
void log_failed_call(std::string_view supplier, std::string_view call, const Answer& answer);

}  // namespace topup::suppliers
