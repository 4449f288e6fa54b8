#include "shared/plate.h"

#include "shared/utf8_text.h"

namespace topup {
namespace {

constexpr std::u32string_view kProvinces =
    U"京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼";
constexpr std::size_t kUsualSize = 7;
constexpr std::size_t kNewEnergySize = 8;

struct Ending {
  char32_t character;
  PlateKind kind;
  bool needs_guangdong_z;
};
constexpr Ending kEndings[] = {
    {U'警', PlateKind::police, false}, {U'挂', PlateKind::trailer, false},
    {U'学', PlateKind::school, false}, {U'港', PlateKind::hong_kong, true},
    {U'澳', PlateKind::macau, true},
};

struct Plate {
  char32_t characters[kNewEnergySize] = {};
  std::size_t size = 0;
  PlateKind ending = PlateKind::unknown;  // of a special last character
};

// A to E for purely electric cars, F to K without I for others: first of the six on small cars,
// last on large ones.
bool is_energy_letter(char32_t code) { return code >= 'A' && code <= 'K' && code != 'I'; }

// How many of the plate's first `size` characters agree with a new-energy plate.
std::size_t new_energy_length(const Plate& plate, bool is_large) {
  for (std::size_t at = 2; at < plate.size; ++at) {
    const char32_t code = plate.characters[at];
    const bool wants_letter = at == (is_large ? kNewEnergySize - 1 : 2);
    const bool takes_any = at == 3 && !is_large;
    if (!takes_any && (wants_letter ? !is_energy_letter(code) : !is_digit(code))) return at;
  }
  return plate.size;
}

PlateKind ending_of(const Plate& plate, char32_t code) {
  const bool is_guangdong_z = plate.characters[0] == U'粤' && plate.characters[1] == 'Z';
  for (const Ending& ending : kEndings) {
    const bool is_allowed =
        plate.size == kUsualSize - 1 && (is_guangdong_z || !ending.needs_guangdong_z);
    if (ending.character == code && is_allowed) return ending.kind;
  }
  return PlateKind::unknown;
}

// Takes one character or says why it cannot stand there.
const char* take(Plate& plate, char32_t code) {
  const bool is_capital = code >= 'A' && code <= 'Z';
  if (plate.size == kNewEnergySize || plate.ending != PlateKind::unknown) return "plate_too_long";
  if (plate.size == 0) {
    if (kProvinces.find(code) == std::u32string_view::npos) return "plate_province_unknown";
  } else if (code == 'I' || code == 'O') {
    return "plate_letter_unused";
  } else if (plate.size == 1) {
    if (!is_capital) return "plate_letter_missing";
  } else if (!is_capital && !is_digit(code)) {
    plate.ending = ending_of(plate, code);
    if (plate.ending == PlateKind::unknown) return "plate_bad_character";
  }
  plate.characters[plate.size++] = code;
  return nullptr;
}

}  // namespace

std::string_view to_word(PlateKind kind) {
  constexpr std::string_view kWords[] = {"unknown", "usual",  "new_energy", "police",
                                         "trailer", "school", "hong_kong",  "macau"};
  return kWords[static_cast<std::size_t>(kind)];
}

PlateCheck check_plate(std::string_view typed) {
  PlateCheck check;
  Plate plate;
  const char* defect = typed.size() > kMaxTypedBytes ? "plate_too_long" : nullptr;
  TypedText text(typed);
  while (defect == nullptr && text.next()) {
    char32_t code = text.code;
    const bool is_dot = code == '.' || code == 0xB7 || code == 0x2022;
    if (code == ' ' || code == '-' || is_dot) continue;
    if (code >= 'a' && code <= 'z') code -= 'a' - 'A';
    defect = take(plate, code);
    if (defect == nullptr) append_utf8(check.text, code);
  }
  std::size_t bad_at = plate.size;
  if (defect == nullptr && plate.size == kNewEnergySize) {
    const std::size_t small = new_energy_length(plate, false);
    const std::size_t large = new_energy_length(plate, true);
    bad_at = small > large ? small : large;
    if (bad_at < kNewEnergySize) defect = "plate_new_energy_wrong";
    check.kind = PlateKind::new_energy;
  } else if (plate.size == kUsualSize) {
    check.kind = plate.ending == PlateKind::unknown ? PlateKind::usual : plate.ending;
  }
  if (defect != nullptr) {
    reject(check, bad_at, defect);
    check.kind = PlateKind::unknown;
  } else if (plate.size >= kUsualSize) {
    check.verdict = FieldVerdict::valid;
  } else if (plate.size > 0) {
    check.verdict = FieldVerdict::incomplete;
  }
  return check;
}

}  // namespace topup
