// What kind of picture these bytes are, by the bytes themselves: neither a file's name nor what the
// sender says about it counts. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "shared/result.h"

namespace topup::content {

inline constexpr std::size_t kMaxPictureBytes = 200'000;
inline constexpr std::int64_t kMaxPictureSide = 4'096;  // a small file must not unpack into a flood

struct PictureFacts {
  std::string_view kind;  // "png", "jpeg" or "webp"; stored words, do not rename
  std::int64_t width = 0, height = 0;
};

// Errors: rejected/picture_too_large, rejected/picture_kind_unknown.
Result<PictureFacts> picture_facts(std::string_view bytes);
std::string_view picture_media_type(std::string_view kind);  // "image/png" …

}  // namespace topup::content
