// What a spoken or typed order means: "给尾号1234充一百块", "top up my fuel card two hundred",
// 给妈妈充五十话费. A grammar of tables, no guessing: what is missing or has two readings becomes a
// question, and the amount is given only when exactly one was said, between 1 and kMostMajor major
// units of the yuan's size. The result is a draft to be confirmed by the buyer, never an order.
// What Chinese and English say is read side by side in one text.
// A number of 7 digits or more is an account, never an amount; "充1234" is an amount, "尾号1234" a
// tail; a bare number between 给 and 充 is a tail. Saved names are matched exactly, the longest
// first; "妈妈的朋友" is not 妈妈. "Mine" means the buyer's own; "帮我" (do me the favour) does
// not. Errors: text_too_long (over kMaxSpokenBytes), text_malformed (not UTF-8). Pure; thread-safe;
// deterministic; no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "shared/money.h"
#include "shared/numerals.h"
#include "shared/price_book.h"
#include "shared/result.h"

namespace topup {

inline constexpr std::size_t kMaxSavedRecipients = 100;
inline constexpr std::size_t kMaxSavedNameBytes = 96;
inline constexpr std::size_t kLeastTail = 2;
inline constexpr std::size_t kMostTail = 8;
inline constexpr std::size_t kMaxIntentSpans = 24;
inline constexpr std::int64_t kMostMajor = 50'000;

struct SavedRecipient {
  std::string_view id;
  std::string_view name;
  ProductKind kind = ProductKind::airtime;
  std::string_view tail;  // the last digits of its number, "" if unknown
};

enum class RecipientForm : std::uint8_t { none, number, tail, saved, mine };
std::string_view to_word(RecipientForm form);

// Also the order in which they are asked.
enum class Question : std::uint8_t {
  ask_kind,
  ask_recipient,     // nobody was named, or nobody that is saved
  ask_which_number,  // several saved recipients, or several numbers: saved_at has the candidates
  ask_country,       // a number without a calling code, or two countries
  ask_amount,        // none, a vague one, one out of range, or "two times"
  ask_which_amount   // several
};
inline constexpr std::size_t kQuestions = 6;
std::string_view to_word(Question question);

enum class SpanWhat : std::uint8_t { recipient, amount, kind, country, refusal };
std::string_view to_word(SpanWhat what);

// A part of the text that was understood, in UTF-16 code units, as JavaScript counts.
struct IntentSpan {
  SpanWhat what = SpanWhat::amount;
  std::uint16_t start = 0;
  std::uint16_t end = 0;
};

struct Intent {
  std::optional<ProductKind> kind;
  RecipientForm form = RecipientForm::none;
  SaidDigits number;  // digits, with '+' before them if a calling code was said
  SaidDigits tail;    // 2 to 8 digits
  std::array<std::uint8_t, kMaxSavedRecipients> saved_at{};  // indices into `saved`: the one
  std::size_t saved_count = 0;  // meant, or the candidates to ask about
  std::optional<Money> amount;
  bool is_currency_said = false;  // false: the amount is in the buyer's currency by default
  std::string_view country;       // ISO 3166-1 alpha-2 if one was named, else ""
  std::uint8_t questions = 0;     // bit 1 << Question; 0: ready to be confirmed
  std::string_view reason;  // "", intent_negated (不要充, "cancel"), intent_not_an_order (a
                            // complaint or refund): then nothing else is filled in
  std::array<IntentSpan, kMaxIntentSpans> spans{};  // in the order of the text, the first ones
  std::size_t span_count = 0;
};

enum class SpokenLanguage : std::uint8_t { unknown, chinese, english };

struct IntentQuery {
  std::string_view text;
  SpokenLanguage language = SpokenLanguage::unknown;  // a hint: in English "1w" is no 10,000
  const SavedRecipient* saved = nullptr;              // at most kMaxSavedRecipients are looked at
  std::size_t saved_count = 0;
  Currency currency = Currency::cny;  // the buyer's
};

Result<Intent> read_intent(const IntentQuery& query);

}  // namespace topup
