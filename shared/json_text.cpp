#include "shared/json_text.h"

#include "shared/digits.h"

namespace topup {

void JsonText::comma() {
  if (needs_comma_) out_ += ',';
  needs_comma_ = true;
}

JsonText& JsonText::begin_object() {
  comma();
  out_ += '{';
  needs_comma_ = false;
  return *this;
}
JsonText& JsonText::end_object() {
  out_ += '}';
  needs_comma_ = true;
  return *this;
}
JsonText& JsonText::begin_array() {
  comma();
  out_ += '[';
  needs_comma_ = false;
  return *this;
}
JsonText& JsonText::end_array() {
  out_ += ']';
  needs_comma_ = true;
  return *this;
}

JsonText& JsonText::key(std::string_view name) {
  text(name);
  out_ += ':';
  needs_comma_ = false;
  return *this;
}

JsonText& JsonText::key(const char* name) { return key(std::string_view(name)); }

JsonText& JsonText::text(std::string_view value) {
  constexpr char kHex[] = "0123456789abcdef";
  comma();
  out_ += '"';
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out_ += '\\';
      out_ += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      out_ += "\\u00";
      out_ += kHex[byte >> 4];
      out_ += kHex[byte & 15];
    } else {
      out_ += c;
    }
  }
  out_ += '"';
  return *this;
}

JsonText& JsonText::integer(std::int64_t value) {
  comma();
  append_digits(out_, value);
  return *this;
}

JsonText& JsonText::boolean(bool value) {
  comma();
  out_ += value ? "true" : "false";
  return *this;
}

JsonText& JsonText::money(Money value) {
  return begin_object()
      .key("minor")
      .integer(value.minor)
      .key("currency")
      .text(to_word(value.currency))
      .end_object();
}

JsonText& JsonText::raw(std::string_view json) {
  comma();
  out_ += json;
  return *this;
}

std::string_view to_word(Code code) {
  switch (code) {
    case Code::invalid_argument:
      return "invalid_argument";
    case Code::unauthenticated:
      return "unauthenticated";
    case Code::forbidden:
      return "forbidden";
    case Code::not_found:
      return "not_found";
    case Code::conflict:
      return "conflict";
    case Code::rejected:
      return "rejected";
    case Code::rate_limited:
      return "rate_limited";
    case Code::unavailable:
      return "unavailable";
  }
  return "unavailable";
}

}  // namespace topup
