#include "shared/phone_tables.h"

#include <algorithm>
#include <iterator>

#include "shared/phone_packing.h"

namespace topup {
namespace {

#include <phone_tables.inc>

constexpr std::size_t kCountries = std::size(kPhoneCodeSteps);
static_assert(kCountries < 0xFF);
static_assert(2 * kCountries + 1 == sizeof kPhoneIsos && kCountries + 1 == sizeof kPhoneTrunks);

struct Unpacked {
  std::uint16_t targets[kPhoneEdges] = {};
  std::uint16_t bits[kPhoneEdges] = {};
  PhoneCountry rows[kCountries] = {};
  std::uint8_t by_iso[PhoneTables::kLetters * PhoneTables::kLetters] = {};
};

// A state stands in front of those that only it leads to; the shared ones stand in front of all.
class Unpacking {
 public:
  explicit Unpacking(Unpacked& made) : made_(made), choices_(Unpacker(kPhonePacked)) {
    made_.bits[0] = PhoneTables::kLastEdge;
    for (std::uint16_t& place : shared_) place = state(0);
    for (PhoneCountry& country : made_.rows) country.start = target(-1, true);
  }

 private:
  std::uint16_t target(int depth, bool is_first) {
    if (choices_.is_shared(depth, is_first, false)) return shared_[choices_.shared(depth, 0)];
    return state(depth + 1);
  }

  std::uint16_t state(int depth) {
    const std::size_t place = edges_;
    std::uint16_t* bits = made_.bits + place;
    const unsigned accepts = choices_.accepts(false) ? PhoneTables::kAccepts : 0;
    const auto mark = [bits](int edge, unsigned more) {
      bits[edge] = static_cast<std::uint16_t>(bits[edge] | more);
    };
    DigitEdges edges;
    choices_.edges(edges);
    // A state without edges has one that takes no digit.
    const int rows = std::max(edges.count, 1);
    edges_ += static_cast<std::size_t>(rows);
    for (int i = 0; i < rows; ++i) mark(i, accepts);
    mark(rows - 1, PhoneTables::kLastEdge);
    for (unsigned digit = 0; digit < 10; ++digit) {
      const int edge = edges.edge_of[digit];
      if (edge != 0) mark(edge - 1, 1U << digit);
    }
    for (int i = 0; i < edges.count; ++i)
      made_.targets[place + static_cast<std::size_t>(i)] = target(depth, i == 0);
    return static_cast<std::uint16_t>(place);
  }

  Unpacked& made_;
  PlanChoices<Unpacker> choices_;
  std::uint16_t shared_[kPhoneShared];
  std::size_t edges_ = 1;
};

void set_trunk(PhoneCountry& country, char letter) {
  if (letter == '6') {
    country.trunk[0] = '0';
    country.trunk[1] = '6';
  } else if (letter != '-') {
    country.trunk[0] = letter;
  }
}

const Unpacked& unpack() {
  static Unpacked made;
  const Unpacking unpacking(made);
  unsigned code = 0;
  for (std::size_t i = 0; i < kCountries; ++i) {
    PhoneCountry& country = made.rows[i];
    country.iso[0] = kPhoneIsos[2 * i];
    country.iso[1] = kPhoneIsos[2 * i + 1];
    set_trunk(country, kPhoneTrunks[i]);
    code += kPhoneCodeSteps[i];
    country.calling_code = static_cast<std::uint16_t>(code);
    made.by_iso[PhoneTables::place_of_iso(country.iso_text())] = static_cast<std::uint8_t>(i + 1);
  }
  return made;
}

}  // namespace

const PhoneTables& phone_tables() {
  static const PhoneTables kTables = [] {
    const Unpacked& made = unpack();
    return PhoneTables{made.targets, made.bits, made.rows, kCountries, made.by_iso};
  }();
  return kTables;
}

}  // namespace topup
