// What a spoken order says, before it is weighed: every recipient, amount, kind and country found
// in one pass from left to right, in the order of intent.h's rules. intent.cpp decides what follows
// from it. Pure; thread-safe; no allocation.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "shared/intent.h"
#include "shared/spoken_account.h"
#include "shared/spoken_amount.h"
#include "shared/spoken_text.h"

namespace topup {

inline constexpr int kNoCountry = -1;

struct SaidAmount {
  std::int64_t thousandths = 0;
  SpokenUnit unit = SpokenUnit::none;
  Currency currency = Currency::cny;
};

struct SpokenOrder {
  SaidDigits number;  // with '+' before it if a calling code was said
  AccountShape shape = AccountShape::none;
  SaidDigits tail;
  std::array<bool, kMaxSavedRecipients> is_named{};  // by the index of the saved recipient
  bool has_name = false;
  bool has_mine = false;         // the buyer's own
  bool has_other = false;        // somebody who is not saved
  bool has_two_numbers = false;  // or two tails
  unsigned strong_kinds = 0;     // bits 1 << ProductKind: 话费, "fuel card"
  unsigned weak_kinds = 0;       // hints that yield to those: 手机, "petrol"
  int country_at = kNoCountry;   // index into intent_words::kCountries
  bool has_two_countries = false;
  std::optional<SaidAmount> amount;
  bool has_two_amounts = false;
  bool has_vague_amount = false;  // one without a single reading, or to be charged several times
  std::string_view reason;        // of Intent
  std::array<IntentSpan, kMaxIntentSpans> spans{};
  std::size_t span_count = 0;
};

// `said` is fresh.
void read_order(const IntentQuery& query, const SpokenText& spoken, SpokenOrder& said);

}  // namespace topup
