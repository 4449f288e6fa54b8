#include "server/suppliers/exact_json.h"

#include <cstdint>
#include <utility>
#include <vector>

namespace topup::suppliers {
namespace {

using base::Json;

constexpr std::string_view kMark = "\x01";
constexpr std::string_view kDumpedMark = "\"\\u0001";

// Builds the same tree as the parser's own handler, but for number_float(). The bytes have passed
// base::json_in() before, so depth and size are bounded.
class LiteralReader final : public nlohmann::json_sax<Json> {
 public:
  Json take() { return std::move(root_); }

  bool null() override { return put(Json()); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t, const string_t& literal) override { return put(literal); }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    key_ = std::move(name);
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  Json* place(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Json& parent = *open_.back();
    if (parent.is_object()) return &(parent[key_] = std::move(value));
    parent.push_back(std::move(value));
    return &parent.back();
  }
  bool put(Json value) {
    place(std::move(value));
    return true;
  }
  // A pointer stays good while its container is open: siblings are only added after it is closed.
  bool open(Json container) {
    open_.push_back(place(std::move(container)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  Json root_;
  std::vector<Json*> open_;
  std::string key_;
};

}  // namespace

Result<Json> exact_json_in(std::string_view bytes) {
  auto gate = base::json_in(bytes, base::kMaxPartyJsonBytes);
  if (!gate) return gate;
  LiteralReader reader;
  if (!Json::sax_parse(bytes.begin(), bytes.end(), &reader)) {
    return refuse(Code::invalid_argument, "json_malformed");
  }
  return reader.take();
}

std::string literal_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_number_integer() ? value.dump() : std::string();
}

std::optional<Money> amount_in(const Json& object, const char* key, Currency currency,
                               Round round) {
  if (!object.is_object() || !object.contains(key)) return std::nullopt;
  const auto amount = parse_decimal_rounded(literal_text(object[key]), currency, round);
  return amount ? std::optional<Money>(*amount) : std::nullopt;
}

std::optional<Money> exact_amount(const Json& value, Currency currency) {
  const std::string text = literal_text(value);
  const auto down = parse_decimal_rounded(text, currency, Round::down);
  const auto up = parse_decimal_rounded(text, currency, Round::up);
  if (!down || !up || *down != *up) return std::nullopt;
  return *down;
}

Json literal(const std::string& digits) { return std::string(kMark) + digits; }

std::string dump_exact(const Json& value) {
  const std::string dumped = value.dump();
  std::string out;
  std::size_t at = 0;
  while (true) {
    const auto mark = dumped.find(kDumpedMark, at);
    if (mark == std::string::npos) return out + dumped.substr(at);
    const auto end = dumped.find('"', mark + 1);
    out += dumped.substr(at, mark - at);
    out += dumped.substr(mark + kDumpedMark.size(), end - mark - kDumpedMark.size());
    at = end + 1;
  }
}

}  // namespace topup::suppliers
