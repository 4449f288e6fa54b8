#include "shared/json_read.h"

#include <utility>

#include "shared/digits.h"

namespace topup {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void append_utf8(std::string& out, std::uint32_t point) {
  const auto byte = [&out](std::uint32_t value) { out += static_cast<char>(value); };
  if (point < 0x80) {
    byte(point);
  } else if (point < 0x800) {
    byte(0xC0 | (point >> 6));
    byte(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    byte(0xE0 | (point >> 12));
    byte(0x80 | ((point >> 6) & 0x3F));
    byte(0x80 | (point & 0x3F));
  } else {
    byte(0xF0 | (point >> 18));
    byte(0x80 | ((point >> 12) & 0x3F));
    byte(0x80 | ((point >> 6) & 0x3F));
    byte(0x80 | (point & 0x3F));
  }
}

// Bytes of the well-formed UTF-8 sequence at the start of `text` (RFC 3629); 0 when there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F) ||
      (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F)) {
    return 0;
  }
  return length;
}

}  // namespace

// One pass, recursive with a bound. After the first defect every step returns false.
class JsonParser {
 public:
  JsonParser(std::string_view text, JsonDocument& out) : text_(text), out_(out) {}
  bool run() {
    if (!value(0)) return false;
    blanks();
    return at_ == text_.size();
  }
  std::size_t at() const { return at_; }

 private:
  using Node = JsonDocument::Node;

  void blanks() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
  }
  bool take(char wanted) {
    blanks();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  bool word(std::string_view wanted, JsonKind kind, std::int64_t number) {
    if (!text_.substr(at_).starts_with(wanted)) return false;
    at_ += wanted.size();
    Node& node = out_.nodes_.back();
    node.kind = kind;
    node.number = number;
    return true;
  }

  bool value(int depth) {
    blanks();
    if (at_ >= text_.size() || depth > kMaxJsonDepth || out_.nodes_.size() >= kMaxJsonNodes) {
      return false;
    }
    const std::size_t self = out_.nodes_.size();
    out_.nodes_.push_back({});
    if (!value_at(self, depth)) return false;
    out_.nodes_[self].after = static_cast<std::uint32_t>(out_.nodes_.size());
    return true;
  }
  bool value_at(std::size_t self, int depth) {
    switch (text_[at_]) {
      case '{':
        return members(self, depth);
      case '[':
        return elements(self, depth);
      case '"': {
        std::uint32_t start = 0;
        std::uint32_t size = 0;
        if (!text(&start, &size)) return false;
        Node& node = out_.nodes_[self];
        node.kind = JsonKind::text;
        node.number = start;
        node.size = size;
        return true;
      }
      case 't':
        return word("true", JsonKind::boolean, 1);
      case 'f':
        return word("false", JsonKind::boolean, 0);
      case 'n':
        return word("null", JsonKind::null, 0);
      default:
        return number(self);
    }
  }

  bool number(std::size_t self) {
    const bool negative = text_[at_] == '-';
    if (negative) ++at_;
    if (at_ >= text_.size() || !is_digit(text_[at_])) return false;
    const bool leads_with_zero = text_[at_] == '0';
    std::int64_t magnitude = 0;
    std::size_t digits = 0;
    for (; at_ < text_.size() && is_digit(text_[at_]); ++at_, ++digits) {
      magnitude = magnitude * 10 + (text_[at_] - '0');
      if (magnitude > kMaxMinor) return false;
    }
    if (leads_with_zero && digits > 1) return false;
    Node& node = out_.nodes_[self];
    node.kind = JsonKind::integer;
    node.number = negative ? -magnitude : magnitude;
    return true;
  }

  bool text(std::uint32_t* start, std::uint32_t* size) {
    if (!take('"')) return false;
    std::string& texts = out_.texts_;
    *start = static_cast<std::uint32_t>(texts.size());
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\') {
        if (!escape(texts)) return false;
        continue;
      }
      if (static_cast<unsigned char>(text_[at_]) < 0x20) return false;
      const std::size_t length = utf8_length(text_.substr(at_));
      if (length == 0) return false;
      texts.append(text_, at_, length);
      at_ += length;
    }
    *size = static_cast<std::uint32_t>(texts.size()) - *start;
    return take('"');
  }
  bool escape(std::string& texts) {
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
    if (++at_ >= text_.size()) return false;
    if (text_[at_] != 'u') {
      const std::size_t which = kNames.find(text_[at_]);
      if (which == std::string_view::npos) return false;
      texts += kMeant[which];
      ++at_;
      return true;
    }
    ++at_;
    std::uint32_t point = 0;
    if (!four_hex(&point)) return false;
    if (point >= 0xDC00 && point <= 0xDFFF) return false;
    if (point >= 0xD800 && point <= 0xDBFF) {
      std::uint32_t low = 0;
      if (!text_.substr(at_).starts_with("\\u")) return false;
      at_ += 2;
      if (!four_hex(&low) || low < 0xDC00 || low > 0xDFFF) return false;
      point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
    }
    append_utf8(texts, point);
    return true;
  }
  bool four_hex(std::uint32_t* out) {
    if (text_.size() - at_ < 4) return false;
    for (int i = 0; i < 4; ++i, ++at_) {
      const int value = hex_value(text_[at_]);
      if (value < 0) return false;
      *out = *out * 16 + static_cast<std::uint32_t>(value);
    }
    return true;
  }

  bool elements(std::size_t self, int depth) {
    ++at_;
    std::uint32_t count = 0;
    if (!take(']')) {
      do {
        if (!value(depth + 1)) return false;
        ++count;
      } while (take(','));
      if (!take(']')) return false;
    }
    out_.nodes_[self].kind = JsonKind::array;
    out_.nodes_[self].size = count;
    return true;
  }
  bool members(std::size_t self, int depth) {
    ++at_;
    std::uint32_t count = 0;
    out_.nodes_[self].kind = JsonKind::object;
    if (!take('}')) {
      do {
        blanks();
        std::uint32_t start = 0;
        std::uint32_t size = 0;
        if (!text(&start, &size) || !take(':')) return false;
        if (count == kMaxJsonMembers ||
            is_known(self, count, std::string_view(out_.texts_).substr(start, size)))
          return false;
        const std::size_t child = out_.nodes_.size();
        if (!value(depth + 1)) return false;
        out_.nodes_[child].key_start = start;
        out_.nodes_[child].key_size = size;
        ++count;
      } while (take(','));
      if (!take('}')) return false;
    }
    out_.nodes_[self].size = count;
    return true;
  }
  bool is_known(std::size_t self, std::uint32_t count, std::string_view key) const {
    std::size_t child = self + 1;
    for (std::uint32_t i = 0; i < count; ++i) {
      const Node& node = out_.nodes_[child];
      if (std::string_view(out_.texts_).substr(node.key_start, node.key_size) == key) return true;
      child = node.after;
    }
    return false;
  }

  std::string_view text_;
  JsonDocument& out_;
  std::size_t at_ = 0;
};

Result<JsonDocument> JsonDocument::parse(std::string_view text) {
  if (text.size() > kMaxJsonBytes) return refuse(Code::invalid_argument, "json_too_large");
  JsonDocument document;
  JsonParser parser(text, document);
  if (!parser.run()) {
    return refuse(Code::invalid_argument, "json_malformed", {},
                  "at byte " + digits_of(static_cast<std::int64_t>(parser.at())));
  }
  return document;
}

JsonKind JsonValue::kind() const {
  return document_ == nullptr ? JsonKind::absent : document_->nodes_[node_].kind;
}
std::optional<bool> JsonValue::boolean() const {
  if (kind() != JsonKind::boolean) return std::nullopt;
  return document_->nodes_[node_].number != 0;
}
std::optional<std::int64_t> JsonValue::integer() const {
  if (kind() != JsonKind::integer) return std::nullopt;
  return document_->nodes_[node_].number;
}
std::optional<std::string_view> JsonValue::text() const {
  if (kind() != JsonKind::text) return std::nullopt;
  const JsonDocument::Node& node = document_->nodes_[node_];
  return std::string_view(document_->texts_)
      .substr(static_cast<std::size_t>(node.number), node.size);
}
std::size_t JsonValue::size() const {
  const JsonKind what = kind();
  if (what != JsonKind::array && what != JsonKind::object) return 0;
  return document_->nodes_[node_].size;
}
JsonValue JsonValue::at(std::size_t index) const {
  if (index >= size()) return {};
  std::uint32_t child = node_ + 1;
  for (; index > 0; --index) child = document_->nodes_[child].after;
  return JsonValue(document_, child);
}
std::string_view JsonValue::key_at(std::size_t index) const {
  const JsonValue member = at(index);
  if (kind() != JsonKind::object || !member.exists()) return {};
  const JsonDocument::Node& node = document_->nodes_[member.node_];
  return std::string_view(document_->texts_).substr(node.key_start, node.key_size);
}
JsonValue JsonValue::operator[](std::string_view key) const {
  if (kind() != JsonKind::object) return {};
  std::uint32_t child = node_ + 1;
  for (std::size_t left = size(); left > 0; --left) {
    const JsonDocument::Node& node = document_->nodes_[child];
    if (std::string_view(document_->texts_).substr(node.key_start, node.key_size) == key) {
      return JsonValue(document_, child);
    }
    child = node.after;
  }
  return {};
}

Result<std::int64_t> integer_in(JsonValue object, std::string_view key, std::int64_t least,
                                std::int64_t most) {
  const JsonValue value = object[key];
  if (!value.exists()) return refuse(Code::invalid_argument, "field_missing", key);
  const auto number = value.integer();
  if (!number) return refuse(Code::invalid_argument, "field_type", key);
  if (*number < least || *number > most) {
    return refuse(Code::invalid_argument, "out_of_range", key);
  }
  return *number;
}

Result<std::string_view> text_in(JsonValue object, std::string_view key, std::size_t most_bytes) {
  const JsonValue value = object[key];
  if (!value.exists()) return refuse(Code::invalid_argument, "field_missing", key);
  const auto text = value.text();
  if (!text) return refuse(Code::invalid_argument, "field_type", key);
  if (text->size() > most_bytes) return refuse(Code::invalid_argument, "out_of_range", key);
  return *text;
}

Result<Money> money_in(JsonValue object, std::string_view key) {
  const JsonValue value = object[key];
  if (!value.exists()) return refuse(Code::invalid_argument, "field_missing", key);
  const auto minor = value["minor"].integer();
  const auto word = value["currency"].text();
  if (!minor || !word) return refuse(Code::invalid_argument, "field_type", key);
  const auto currency = parse_currency(*word);
  if (!currency) return refuse(Code::invalid_argument, "unknown_currency", key);
  return Money{*minor, *currency};
}

namespace {
bool is_given(JsonValue value) { return value.exists() && value.kind() != JsonKind::null; }
}  // namespace

Result<std::int64_t> integer_or(JsonValue object, std::string_view key, std::int64_t least,
                                std::int64_t most, std::int64_t otherwise) {
  if (!is_given(object[key])) return otherwise;
  return integer_in(object, key, least, most);
}
Result<std::string_view> text_or(JsonValue object, std::string_view key, std::size_t most_bytes,
                                 std::string_view otherwise) {
  if (!is_given(object[key])) return otherwise;
  return text_in(object, key, most_bytes);
}
Result<bool> boolean_or(JsonValue object, std::string_view key, bool otherwise) {
  const JsonValue value = object[key];
  if (!is_given(value)) return otherwise;
  const auto answer = value.boolean();
  if (!answer) return refuse(Code::invalid_argument, "field_type", key);
  return *answer;
}

}  // namespace topup
