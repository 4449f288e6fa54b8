// read_intent {text, language?: "zh" | "en", saved?: [{id, name, kind, tail?}], currency?: "CNY"}
// → {kind, recipient: {form, number, tail, saved_ids}, amount, is_currency_said, country, reason,
//    questions: […], spans: [{what, start, end}]}; what is unknown is null.
// Spans count UTF-16 code units, so that text.slice(start, end) in JavaScript is what was meant.
// Errors: text_too_long, text_malformed, unknown_currency, out_of_range, those of json_read.h.
#include <array>

#include "shared/border.h"
#include "shared/intent.h"
#include "shared/json_text.h"

namespace topup {
namespace {

constexpr std::size_t kMaxIdBytes = 64;
constexpr std::size_t kMaxWordBytes = 16;

void write_text(JsonText& out, std::string_view key, std::string_view value) {
  out.key(key);
  if (value.empty()) {
    out.raw("null");
  } else {
    out.text(value);
  }
}

void write_intent(JsonText& out, const Intent& intent, const SavedRecipient* saved) {
  write_text(out, "kind", intent.kind ? to_word(*intent.kind) : std::string_view());
  out.key("recipient").begin_object().key("form").text(to_word(intent.form));
  write_text(out, "number", intent.number.view());
  write_text(out, "tail", intent.tail.view());
  out.key("saved_ids").begin_array();
  for (std::size_t i = 0; i < intent.saved_count; ++i) out.text(saved[intent.saved_at[i]].id);
  out.end_array().end_object().key("amount");
  if (intent.amount) {
    out.money(*intent.amount);
  } else {
    out.raw("null");
  }
  out.key("is_currency_said").boolean(intent.is_currency_said);
  write_text(out, "country", intent.country);
  write_text(out, "reason", intent.reason);
  out.key("questions").begin_array();
  for (std::size_t i = 0; i < kQuestions; ++i) {
    if ((intent.questions >> i & 1) != 0) out.text(to_word(static_cast<Question>(i)));
  }
  out.end_array().key("spans").begin_array();
  for (std::size_t i = 0; i < intent.span_count; ++i) {
    const IntentSpan& span = intent.spans[i];
    out.begin_object().key("what").text(to_word(span.what));
    out.key("start").integer(span.start).key("end").integer(span.end).end_object();
  }
  out.end_array();
}

SavedRecipient read_saved(BorderFields& in) {
  SavedRecipient saved;
  saved.id = in.text("id", kMaxIdBytes);
  saved.name = in.text("name", kMaxSavedNameBytes);
  const auto kind = parse_product_kind(in.text("kind", kMaxWordBytes));
  if (!kind) in.refuse("out_of_range", "kind");
  saved.kind = kind.value_or(ProductKind::airtime);
  saved.tail = in.text_or("tail", kMostTail, "");
  return saved;
}

void run_read_intent(BorderFields& in, JsonText& out) {
  IntentQuery query;
  query.text = in.text("text", kMaxJsonBytes);  // read_intent() answers text_too_long by itself
  const std::string_view language = in.text_or("language", kMaxWordBytes, "");
  if (language == "zh") query.language = SpokenLanguage::chinese;
  if (language == "en") query.language = SpokenLanguage::english;
  const auto currency = parse_currency(in.text_or("currency", kMaxWordBytes, "CNY"));
  if (!currency) in.refuse("unknown_currency", "currency");
  query.currency = currency.value_or(Currency::cny);

  const JsonValue rows = in["saved"];
  const bool is_list = rows.kind() == JsonKind::array;
  if (!is_list && rows.exists() && rows.kind() != JsonKind::null) in.refuse("field_type", "saved");
  if (is_list && rows.size() > kMaxSavedRecipients) in.refuse("out_of_range", "saved");
  std::array<SavedRecipient, kMaxSavedRecipients> saved;
  for (; is_list && in.ok() && query.saved_count < rows.size(); ++query.saved_count) {
    in.enter(rows.at(query.saved_count));
    saved[query.saved_count] = read_saved(in);
  }
  if (!in.ok()) return;
  query.saved = saved.data();
  const Result<Intent> intent = read_intent(query);
  if (!intent) return in.refuse(intent.error());
  write_intent(out, *intent, saved.data());
}

constexpr BorderCall kCalls[] = {{"read_intent", border_object<run_read_intent>}};

}  // namespace

BorderTable intent_calls() { return {kCalls, std::size(kCalls)}; }

}  // namespace topup
