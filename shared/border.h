// The border between the core and the page: a call is a name and JSON text; its answer is canonical
// JSON text, {"ok":true,"value":…} or {"ok":false,"error":{code,reason,field,detail}}. The server's
// tests run the same calls natively, so that both builds can be compared byte for byte. Any text
// gives an answer. What a page keeps between calls (its price book, the buyer's facts, the
// stations) lives in a Border, one per page; a Border is not thread-safe. Adding a call: a BorderFn
// in the border_<area>.cpp of its area and a row in that area's table.
#pragma once

#include <string>
#include <string_view>

#include "shared/json_read.h"
#include "shared/json_text.h"
#include "shared/result.h"
#include "shared/word_list.h"

namespace topup {

struct Border;

// What a call reads. The first member that is wrong is remembered as the refusal of the whole call;
// the call runs on with harmless values, and what it writes is dropped. (Looking at a Result after
// every member would cost the page twice the code.) Keys are literals.
class BorderFields {
 public:
  explicit BorderFields(JsonValue object) : object_(object) {}
  // As the readers of json_read.h; "", `least`, false, nothing owed after a refusal.
  std::string_view text(const char* key, std::size_t most_bytes);
  std::string_view text_or(const char* key, std::size_t most_bytes, const char* otherwise);
  std::int64_t integer(const char* key, std::int64_t least, std::int64_t most);
  std::int64_t integer_or(const char* key, std::int64_t least, std::int64_t most,
                          std::int64_t otherwise);
  bool boolean_or(const char* key, bool otherwise);
  Money money(const char* key);
  JsonValue list(const char* key, std::size_t most);          // an array, or refused
  JsonValue list_or_none(const char* key, std::size_t most);  // absent: no elements
  // The place of the member's word in `words`; 0 after a refusal with `reason`.
  std::size_t word(const char* key, WordList words, const char* reason);
  JsonValue operator[](std::string_view key) const { return object_[key]; }
  JsonValue value() const { return object_; }
  void enter(JsonValue object) { object_ = object; }  // go on reading inside this member
  void refuse(const char* reason, const char* field, std::string_view detail = {});
  void refuse(const Error& error);
  bool ok() const { return is_ok_; }
  const Error& error() const { return error_; }

 private:
  bool is_given(const char* key) const;
  JsonValue object_;
  bool is_ok_ = true;
  Error error_;
};

// Writes one JSON value; nothing of it is seen when `in` was refused.
using BorderFn = void (*)(Border& border, BorderFields& in, JsonText& out);
struct BorderCall {
  std::string_view name;
  BorderFn run;
};
struct BorderTable {  // one area's calls
  const BorderCall* calls = nullptr;
  std::size_t size = 0;
};

// The members of one object, by a function that looks at nothing but its input.
using BorderWrite = void (*)(BorderFields& in, JsonText& out);
template <BorderWrite write>
void border_object(Border&, BorderFields& in, JsonText& out) {
  out.begin_object();
  write(in, out);
  out.end_object();
}

BorderTable account_calls();  // border_account.cpp: numbers, cards, names, message data
BorderTable draft_calls();    // border_draft.cpp: drafts and their merge
BorderTable intent_calls();   // border_intent.cpp: a spoken order
BorderTable order_calls();    // border_order.cpp: states, actions, refunds
BorderTable policy_calls();   // border_policy.cpp: retry, buckets, shards
BorderTable pricing_calls();  // border_pricing.cpp: price book and quotes
BorderTable station_calls();  // border_station.cpp: stations nearby

// Errors: call_unknown, and those of json_read.h and of the call.
std::string border_call(Border& border, std::string_view name, std::string_view json);
// The same for a call at hand, without JSON on the way in: `input` may be absent.
std::string border_run(Border& border, BorderFn run, JsonValue input);
std::string border_refusal(const Error& error);

}  // namespace topup
