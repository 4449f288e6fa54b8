// Canonical JSON text, written only: members in the order of the calls, no blanks, integers only,
// UTF-8 as it is, control characters, quotes and backslashes escaped. Both builds give the same
// bytes, so the text can be fingerprinted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "shared/money.h"
#include "shared/result.h"

namespace topup {

class JsonText {
 public:
  JsonText& begin_object();
  JsonText& end_object();
  JsonText& begin_array();
  JsonText& end_array();
  JsonText& key(std::string_view name);
  JsonText& key(const char* name);  // a literal: one word at the call, not a view on the stack
  JsonText& text(std::string_view value);
  JsonText& integer(std::int64_t value);
  JsonText& boolean(bool value);
  JsonText& money(Money value);          // {"minor":9850,"currency":"CNY"}
  JsonText& raw(std::string_view json);  // a value that is canonical JSON already
  const std::string& str() const { return out_; }
  std::string take() { return std::move(out_); }

 private:
  void comma();
  std::string out_;
  bool needs_comma_ = false;
};

std::string_view to_word(Code code);  // "invalid_argument" …

}  // namespace topup
