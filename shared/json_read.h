// Reads JSON text that crosses the border into the core: strict RFC 8259 in UTF-8, integers only.
// A fraction, an exponent, a number beyond 2^53 - 1, a member twice, half a surrogate pair, deeper
// nesting or more text than the bounds below are refusals, never guesses. Errors of parse():
// json_too_large, json_malformed (the byte offset is in `detail`). Errors of the readers:
// field_missing, field_type, out_of_range; `field` is the member's name. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/money.h"
#include "shared/result.h"

namespace topup {

inline constexpr std::size_t kMaxJsonBytes = 256 * 1024;
inline constexpr std::size_t kMaxJsonNodes = 20'000;
inline constexpr int kMaxJsonDepth = 12;
inline constexpr std::uint32_t kMaxJsonMembers = 256;  // of one object

enum class JsonKind : std::uint8_t { absent, null, boolean, integer, text, array, object };

class JsonDocument;

// A place in a document, two words wide; valid while its document lives. Asking it for what it is
// not gives nothing; a member or element that is not there is `absent`.
class JsonValue {
 public:
  JsonValue() = default;
  JsonKind kind() const;
  bool exists() const { return kind() != JsonKind::absent; }
  std::optional<bool> boolean() const;
  std::optional<std::int64_t> integer() const;
  std::optional<std::string_view> text() const;
  std::size_t size() const;  // elements or members; 0 for anything else
  JsonValue at(std::size_t index) const;
  std::string_view key_at(std::size_t index) const;  // the name of an object's member
  JsonValue operator[](std::string_view key) const;

 private:
  friend class JsonDocument;
  JsonValue(const JsonDocument* document, std::uint32_t node) : document_(document), node_(node) {}
  const JsonDocument* document_ = nullptr;
  std::uint32_t node_ = 0;
};

class JsonDocument {
 public:
  static Result<JsonDocument> parse(std::string_view text);  // copies what it needs of `text`
  JsonValue root() const { return JsonValue(this, 0); }

 private:
  friend class JsonValue;
  friend class JsonParser;
  struct Node {
    JsonKind kind = JsonKind::null;
    std::uint32_t size = 0;       // of an array, object or text
    std::int64_t number = 0;      // integer, boolean, or where a text starts in texts_
    std::uint32_t after = 0;      // the node behind this one and all it holds
    std::uint32_t key_start = 0;  // of an object's member
    std::uint32_t key_size = 0;
  };
  std::vector<Node> nodes_;
  std::string texts_;
};

// Members of an object. The first three refuse an absent member; `_or` take `otherwise` for an
// absent or null one. A text is counted in bytes.
Result<std::int64_t> integer_in(JsonValue object, std::string_view key, std::int64_t least,
                                std::int64_t most);
Result<std::string_view> text_in(JsonValue object, std::string_view key, std::size_t most_bytes);
Result<Money> money_in(JsonValue object, std::string_view key);  // {"minor":9850,"currency":"CNY"}
Result<std::int64_t> integer_or(JsonValue object, std::string_view key, std::int64_t least,
                                std::int64_t most, std::int64_t otherwise);
Result<std::string_view> text_or(JsonValue object, std::string_view key, std::size_t most_bytes,
                                 std::string_view otherwise);
Result<bool> boolean_or(JsonValue object, std::string_view key, bool otherwise);

}  // namespace topup
