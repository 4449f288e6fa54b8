// Number plates of mainland cars, GA 36-2018: a province, a letter, and five characters; six for
// new-energy cars; 警, 挂, 学 at the end for police, trailers and driving schools; 港 or 澳 at the
// end of 粤Z for cars of Hong Kong and Macau. Plates of embassies, the army and the armed police
// are not known here. Pure; thread-safe.
#pragma once

#include <string_view>

#include "shared/typed_text.h"

namespace topup {

// Sent as its word, never as its number.
enum class PlateKind : std::uint8_t {
  unknown,
  usual,
  new_energy,
  police,
  trailer,
  school,
  hong_kong,
  macau
};
std::string_view to_word(PlateKind kind);

struct PlateCheck : FieldCheck {        // `text` is UTF-8, capitals, no marks: "粤B12345"
  PlateKind kind = PlateKind::unknown;  // of a valid plate
};

// Blanks, hyphens and the middle dot are skipped, small letters become capitals. Reasons:
// plate_province_unknown, plate_letter_missing, plate_letter_unused (I and O), plate_bad_character,
// plate_new_energy_wrong, plate_too_long.
PlateCheck check_plate(std::string_view typed);

}  // namespace topup
