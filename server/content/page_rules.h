// What a laid-out home page may be. It is data of a small shape, not a program: blocks of known
// kinds, texts that are text, links that are names of places in the shop (never addresses),
// pictures by name. Pure. Errors: invalid_argument/page_malformed, rejected/page_block_needed,
// rejected/picture_not_found; `detail` says which block.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

#include "server/base/json.h"
#include "shared/result.h"

namespace topup::content {

inline constexpr std::int64_t kPageSchema = 1;
inline constexpr std::size_t kMaxPageBytes = 48 * 1024;
inline constexpr std::size_t kMaxBlocks = 30;

// Stored words; do not rename. Their colours are in web/api/themes.ts.
inline constexpr std::array<std::string_view, 6> kThemes = {"ink",  "harbour", "lagoon",
                                                            "plum", "brick",   "sand"};
// Pictures that every page has with it (web/client/src/static/banners).
inline constexpr std::array<std::string_view, 4> kBundledPictures = {"waves", "hills", "sun",
                                                                     "dots"};
// Where a banner, a notice or an entry leads.
inline constexpr std::array<std::string_view, 12> kPlaces = {
    "orders", "recipients", "coupons", "member", "stations",  "inbox",
    "help",   "find",       "airtime", "data",   "fuel_card", "pin"};

bool is_theme(std::string_view word);
bool is_bundled_picture(std::string_view name);

using HasPicture = std::function<bool(std::string_view name)>;
// The page with nothing in it but what was understood.
Result<base::Json> checked_page(const base::Json& page, const HasPicture& has_picture);
// What buyers get of a page that was checked: without its hidden blocks.
base::Json shown_page(const base::Json& page);
// The uploaded pictures that stand on it.
std::vector<std::string> pictures_of(const base::Json& page);

}  // namespace topup::content
