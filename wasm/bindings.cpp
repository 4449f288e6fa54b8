// The WebAssembly edge and the only user of Embind. What a page asks now and then crosses as JSON
// text through the border (shared/border.h). What it asks at every key press crosses without JSON,
// see "Hot paths". Every export is total: any input gives an answer, and nothing returned needs
// freeing.
#include <emscripten/bind.h>
#include <emscripten/emscripten.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "shared/border.h"
#include "shared/border_state.h"
#include "shared/json_text.h"
#include "shared/order_state.h"
#include "shared/phone.h"
#include "shared/pricing.h"
#include "shared/station.h"

namespace {

using namespace topup;  // NOLINT: the one file that mirrors the core's names

constexpr const char* kVersion = "0.1.0";

Border& border() {  // one page, one thread, one border
  static Border only;
  return only;
}

std::string version() { return kVersion; }

std::string call(const std::string& name, const std::string& json) {
  return border_call(border(), name, json);
}

std::string call_names() {
  JsonText out;
  out.begin_array();
  for (const BorderTable& table : {pricing_calls(), account_calls(), order_calls(), draft_calls(),
                                   station_calls(), intent_calls(), policy_calls()}) {
    for (std::size_t i = 0; i < table.size; ++i) out.text(table.calls[i].name);
  }
  return out.end_array().take();
}

std::string load_price_book(const std::string& bytes) { return border_load_book(border(), bytes); }

std::string load_stations(const std::string& bytes) {
  return border_load_stations(border(), bytes);
}

std::string mask(const std::string& number) { return mask_phone(number); }

template <class ToWord>
void write_words(JsonText& out, std::string_view key, std::size_t count, ToWord word_at) {
  out.key(key).begin_array();
  for (std::size_t i = 0; i < count; ++i) out.text(word_at(i));
  out.end_array();
}
template <class Enum>
void write_words(JsonText& out, std::string_view key, std::size_t count) {
  write_words(out, key, count, [](std::size_t i) { return to_word(static_cast<Enum>(i)); });
}

std::string words() {
  JsonText out;
  out.begin_object();
  write_words<PhoneVerdict>(out, "verdicts",
                            static_cast<std::size_t>(PhoneVerdict::impossible) + 1);
  write_words<MainlandOperator>(out, "operators",
                                static_cast<std::size_t>(MainlandOperator::virtual_operator) + 1);
  write_words<State>(out, "states", kStateCount);
  write_words<Event>(out, "events", kEventCount);
  write_words(out, "effects", kEffectCount,
              [](std::size_t i) { return to_word(static_cast<Effect>(1U << i)); });
  write_words<Currency>(out, "currencies", kCurrencyCount);
  write_words<LineWord>(out, "lines", kLineWords);
  write_words<WhyNot>(out, "why_nots", kWhyNots);
  return out.end_object().take();
}

// Hot paths. Texts come in as bytes at hot_text, one behind the other. Numbers go out in
// hot_integers, and what may be larger in hot_doubles: JavaScript's own number holds every amount
// exactly. A word goes out as its place in words(), a text as its address and size.
constexpr std::size_t kHotTextBytes = 2'048;
constexpr std::size_t kHotIntegers = 16;
constexpr std::size_t kHotDoubles = 4'096;
std::array<char, kHotTextBytes> hot_text;
std::array<std::int32_t, kHotIntegers> hot_integers;
std::array<std::int64_t, kHotDoubles> hot_numbers;
std::array<double, kHotDoubles> hot_doubles;

std::int32_t* put_text(std::int32_t* slot, std::string_view text) {
  *slot++ = static_cast<std::int32_t>(reinterpret_cast<std::uintptr_t>(text.data()));
  *slot++ = static_cast<std::int32_t>(text.size());
  return slot;
}

std::string_view hot_input(std::size_t from, std::size_t size) {
  const std::string_view all(hot_text.data(), hot_text.size());
  return all.substr(std::min(from, all.size()), size);
}

}  // namespace

extern "C" {

EMSCRIPTEN_KEEPALIVE char* hot_text_start() { return hot_text.data(); }
EMSCRIPTEN_KEEPALIVE std::int32_t* hot_integers_start() { return hot_integers.data(); }
EMSCRIPTEN_KEEPALIVE double* hot_doubles_start() { return hot_doubles.data(); }

// The digits that are kept come back at hot_text.
EMSCRIPTEN_KEEPALIVE void hot_check_phone(std::size_t typed_bytes, std::size_t country_bytes) {
  const PhoneCheck check =
      check_phone(hot_input(0, typed_bytes), hot_input(typed_bytes, country_bytes));
  const std::size_t kept = std::min(check.national.size(), kHotTextBytes);
  std::memcpy(hot_text.data(), check.national.data(), kept);
  std::int32_t* slot = hot_integers.data();
  *slot++ = static_cast<std::int32_t>(check.verdict);
  *slot++ = static_cast<std::int32_t>(check.operator_hint);
  *slot++ = check.bad_at;
  *slot++ = check.calling_code;
  *slot++ = static_cast<std::int32_t>(kept);
  slot = put_text(slot, check.country);
  slot = put_text(slot, check.reason);
  put_text(slot, check.other_country);
}

// The next state in the low eight bits and the effects above them; -1 when nothing changes.
EMSCRIPTEN_KEEPALIVE int hot_order_next(unsigned state, unsigned event) {
  if (state >= kStateCount || event >= kEventCount) return -1;
  const Step* step = find_step(static_cast<State>(state), static_cast<Event>(event));
  if (step == nullptr) return -1;
  return static_cast<int>(step->to) | (static_cast<int>(step->effects) << 8);
}

// Prices with the border's book and buyer. Doubles: those of write_slots().
// Integers: the masked account as text, then the fingerprint's upper and lower half. Gives the
// number of doubles; 0 for a refusal or a quote too large for them, which the call "quote" answers.
EMSCRIPTEN_KEEPALIVE std::size_t hot_quote(std::size_t product_bytes, std::size_t account_bytes,
                                           double amount_minor, double now_ms, int degraded,
                                           int without_coupons) {
  static QuoteRequest request;
  const auto is_amount = [](double value) { return value >= 0 && value <= double{kMaxMinor}; };
  if (!border().book || !is_amount(amount_minor) || !is_amount(now_ms)) return 0;
  request.product_id.text = hot_input(0, product_bytes);
  request.account_number = hot_input(product_bytes, account_bytes);
  request.amount_minor = static_cast<std::int64_t>(amount_minor);
  request.now_ms = static_cast<std::int64_t>(now_ms);
  request.skip_optional = degraded != 0;
  request.coupon_choice = without_coupons != 0 ? CouponChoice::none : CouponChoice::best;
  if (!quote_into(*border().book, border().buyer, request, &border().quote)) return 0;
  const std::size_t count = write_slots(border().quote, hot_numbers.data(), hot_numbers.size());
  std::transform(hot_numbers.begin(), hot_numbers.begin() + count, hot_doubles.begin(),
                 [](std::int64_t number) { return static_cast<double>(number); });
  std::int32_t* slot = put_text(hot_integers.data(), border().quote.account_masked);
  *slot++ = static_cast<std::int32_t>(border().quote.fingerprint >> 32);
  *slot = static_cast<std::int32_t>(border().quote.fingerprint);
  return count;
}

}  // extern "C"

EMSCRIPTEN_BINDINGS(topup) {
  emscripten::function("version", &version);
  emscripten::function("call", &call);
  emscripten::function("call_names", &call_names);
  emscripten::function("words", &words);
  emscripten::function("mask_phone", &mask);
  emscripten::function("load_price_book", &load_price_book);
  emscripten::function("load_stations", &load_stations);
}
