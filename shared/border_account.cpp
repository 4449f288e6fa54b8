// The border calls about what a buyer types of a person or an account; see border.h. Input that is
// too long to be typed text is out_of_range; everything else gets a verdict.
#include <iterator>

#include "shared/amount_input.h"
#include "shared/bank_card.h"
#include "shared/border.h"
#include "shared/card.h"
#include "shared/digits.h"
#include "shared/id_number.h"
#include "shared/message_data.h"
#include "shared/person.h"
#include "shared/phone.h"
#include "shared/plate.h"

namespace topup {
namespace {

constexpr std::size_t kMaxText = 4'096;
constexpr std::size_t kMaxWord = 32;

void write_text(JsonText& out, const char* key, std::string_view value) {
  out.key(key).text(value);
}
void write_integer(JsonText& out, const char* key, std::int64_t value) {
  out.key(key).integer(value);
}
void write_boolean(JsonText& out, const char* key, bool value) { out.key(key).boolean(value); }

void write_check(JsonText& out, std::string_view verdict, int bad_at, std::string_view reason) {
  write_text(out, "verdict", verdict);
  write_integer(out, "bad_at", bad_at);
  write_text(out, "reason", reason);
}
void write_check(JsonText& out, const FieldCheck& check) {
  write_check(out, to_word(check.verdict), check.bad_at, check.reason);
  write_text(out, "text", check.text);
}

std::string_view typed_in(BorderFields& in) { return in.text("typed", kMaxText); }

// {"typed","country"}
void write_phone(BorderFields& in, JsonText& out) {
  const std::string_view typed = typed_in(in);
  const PhoneCheck check = check_phone(typed, in.text_or("country", kMaxWord, ""));
  const bool is_whole =
      check.verdict == PhoneVerdict::valid || check.verdict == PhoneVerdict::possible;
  std::string e164;
  if (is_whole) e164 = "+" + digits_of(check.calling_code) + check.national;
  write_check(out, to_word(check.verdict), check.bad_at, check.reason);
  write_text(out, "national", check.national);
  write_text(out, "country", check.country);
  write_integer(out, "calling_code", check.calling_code);
  write_text(out, "e164", e164);
  write_text(out, "masked", is_whole ? mask_phone(e164) : "");
  write_text(out, "operator_hint", to_word(check.operator_hint));
  write_text(out, "other_country", check.other_country);
}

// {"typed","issuer"}; without an issuer it is guessed.
void write_card(BorderFields& in, JsonText& out) {
  const std::string_view typed = typed_in(in);
  const auto issuer = parse_card_issuer(in.text_or("issuer", kMaxWord, "none"));
  if (!issuer) return in.refuse("out_of_range", "issuer");
  const CardCheck check = check_fuel_card(typed, *issuer);
  write_check(out, to_word(check.verdict), check.bad_at, check.reason);
  write_text(out, "digits", check.digits);
  write_text(out, "issuer", to_word(check.issuer));
  write_boolean(out, "province_doubtful", check.province_doubtful);
  write_boolean(out, "prefix_doubtful", check.prefix_doubtful);
  write_text(out, "masked", check.verdict == CardVerdict::valid ? mask_card(check.digits) : "");
}

// {"first","second"}
void write_same_card(BorderFields& in, JsonText& out) {
  const std::string_view first = in.text("first", kMaxText);
  const CardComparison compared = same_card(first, in.text("second", kMaxText));
  write_text(out, "verdict", to_word(compared.verdict));
  write_integer(out, "differs_at", compared.differs_at);
}

// {"typed","today":"2026-11-22"}
void write_id(BorderFields& in, JsonText& out) {
  const std::string_view typed = typed_in(in);
  const auto today = parse_date(in.text("today", kMaxWord));
  if (!today) return in.refuse("out_of_range", "today", "as 2026-11-22");
  const IdCheck check = check_id_number(typed, *today);
  const bool is_valid = check.verdict == FieldVerdict::valid;
  write_check(out, check);
  write_integer(out, "age", is_valid ? age_on(check.born, *today) : -1);
  write_text(out, "masked", is_valid ? mask_id_number(check.text) : "");
}

// {"typed"}, as the three below
void write_bank_card(BorderFields& in, JsonText& out) {
  const BankCardCheck check = check_bank_card(typed_in(in));
  write_check(out, check);
  write_boolean(out, "unionpay", check.unionpay);
  write_text(out, "masked", check.verdict == FieldVerdict::valid ? mask_card(check.text) : "");
}
void write_plate(BorderFields& in, JsonText& out) {
  const PlateCheck check = check_plate(typed_in(in));
  write_check(out, check);
  write_text(out, "kind", to_word(check.kind));
}
void write_name(BorderFields& in, JsonText& out) {
  write_check(out, check_person_name(typed_in(in)));
}
void write_email(BorderFields& in, JsonText& out) { write_check(out, check_email(typed_in(in))); }

// {"typed","currency","least","most"}; the bounds are in minor units.
void write_amount(BorderFields& in, JsonText& out) {
  const std::string_view typed = typed_in(in);
  const auto currency = parse_currency(in.text("currency", kMaxWord));
  if (!currency) return in.refuse("unknown_currency", "currency");
  const std::int64_t least = in.integer_or("least", 0, kMaxMinor, 1);
  const std::int64_t most = in.integer_or("most", least, kMaxMinor, kMaxMinor);
  const AmountCheck check = check_amount(typed, {least, *currency}, {most, *currency});
  write_check(out, check);
  out.key("amount").money(check.amount);
}

// {"type","value"}
void write_message(BorderFields& in, JsonText& out) {
  const auto type = parse_message_type(in.text("type", kMaxWord));
  if (!type) return in.refuse("out_of_range", "type");
  const std::string_view value = in.text("value", kMaxMessageValueBytes);
  auto fitted = fit_message_value(*type, value);
  if (!fitted) return in.refuse(std::move(fitted.error()));
  write_text(out, "value", *fitted);
  write_boolean(out, "changed", *fitted != value);
}

constexpr BorderCall kCalls[] = {
    {"check_phone", border_object<write_phone>},
    {"check_card", border_object<write_card>},
    {"same_card", border_object<write_same_card>},
    {"check_id", border_object<write_id>},
    {"check_bank_card", border_object<write_bank_card>},
    {"check_plate", border_object<write_plate>},
    {"check_name", border_object<write_name>},
    {"check_email", border_object<write_email>},
    {"check_amount", border_object<write_amount>},
    {"fit_message", border_object<write_message>},
};

}  // namespace

BorderTable account_calls() { return {kCalls, std::size(kCalls)}; }

}  // namespace topup
