// The values of one statement as libpq wants them: everything in binary, so that no length is lost.
// Texts are borrowed for as long as it lives.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <variant>

#include "server/storage/db.h"
#include "shared/check.h"

namespace topup::storage {

struct Bound {
  static constexpr std::size_t kMaxValues = 32;
  using Oid = unsigned int;  // of a type, as libpq names it
  static constexpr Oid kInt8 = 20;
  static constexpr Oid kText = 25;
  static constexpr Oid kBytea = 17;

  explicit Bound(std::initializer_list<Value> values) : count(static_cast<int>(values.size())) {
    check(values.size() <= kMaxValues, "too many SQL values");
    std::size_t i = 0;
    for (const Value& value : values) {
      if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        auto bits = static_cast<std::uint64_t>(*integer);
        for (std::size_t byte = 8; byte-- > 0; bits >>= 8) {
          numbers[i][byte] = static_cast<char>(bits & 0xFF);
        }
        set(i, kInt8, {numbers[i].data(), 8});
      } else if (const auto* text = std::get_if<std::string_view>(&value)) {
        set(i, kText, *text);
      } else if (const auto* blob = std::get_if<Blob>(&value)) {
        set(i, kBytea, blob->bytes);
      }
      const Oid type = types[i];
      signature = signature << 2 | (type == kInt8    ? 1U
                                    : type == kText  ? 2U
                                    : type == kBytea ? 3U
                                                     : 0U);
      ++i;
    }
  }

  int count;
  std::uint64_t signature = 0;
  std::array<Oid, kMaxValues> types{};  // 0: NULL, whose type follows from its place
  std::array<const char*, kMaxValues> bytes{};
  std::array<int, kMaxValues> lengths{};
  std::array<int, kMaxValues> formats{};

 private:
  void set(std::size_t i, Oid type, std::string_view value) {
    types[i] = type;
    bytes[i] = value.data() == nullptr ? "" : value.data();
    lengths[i] = static_cast<int>(value.size());
    formats[i] = 1;
  }
  std::array<std::array<char, 8>, kMaxValues> numbers{};
};

}  // namespace topup::storage
