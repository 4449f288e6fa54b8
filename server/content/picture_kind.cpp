#include "server/content/picture_kind.h"

#include <optional>

namespace topup::content {
namespace {

using Found = std::optional<PictureFacts>;

std::int64_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}
std::int64_t big_endian(std::string_view bytes, std::size_t at, std::size_t size) {
  std::int64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value * 256 + byte_at(bytes, at + i);
  return value;
}
std::int64_t little_endian(std::string_view bytes, std::size_t at, std::size_t size) {
  std::int64_t value = 0;
  for (std::size_t i = size; i > 0; --i) value = value * 256 + byte_at(bytes, at + i - 1);
  return value;
}

// PNG (ISO/IEC 15948) §5.2 and §11.2.2: the signature, then IHDR with width and height.
Found png(std::string_view bytes) {
  using namespace std::string_view_literals;
  if (!bytes.starts_with("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"sv) || bytes.size() < 33) return {};
  return PictureFacts{"png", big_endian(bytes, 16, 4), big_endian(bytes, 20, 4)};
}

// The frame headers SOF0 to SOF15; C4, C8 and CC are other things (ITU T.81 table B.1).
bool is_frame(std::int64_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

// ITU T.81 annex B: segments of a marker and a length, until the frame header with its size.
Found jpeg(std::string_view bytes) {
  if (!bytes.starts_with("\xFF\xD8\xFF")) return {};
  for (std::size_t at = 2; at + 9 < bytes.size();) {
    if (byte_at(bytes, at) != 0xFF) return {};
    const std::int64_t marker = byte_at(bytes, at + 1);
    const std::int64_t length = big_endian(bytes, at + 2, 2);
    if (is_frame(marker))
      return PictureFacts{"jpeg", big_endian(bytes, at + 7, 2), big_endian(bytes, at + 5, 2)};
    if (length < 2) return {};
    at += 2 + static_cast<std::size_t>(length);
  }
  return {};
}

// RFC 9649 §2.5 to §2.7: a RIFF container whose first chunk says how large the picture is.
Found webp(std::string_view bytes) {
  if (!bytes.starts_with("RIFF") || bytes.size() < 30 || bytes.substr(8, 4) != "WEBP") return {};
  const std::string_view chunk = bytes.substr(12, 4);
  if (chunk == "VP8X")
    return PictureFacts{"webp", little_endian(bytes, 24, 3) + 1, little_endian(bytes, 27, 3) + 1};
  if (chunk == "VP8L" && byte_at(bytes, 20) == 0x2F) {
    const std::int64_t packed = little_endian(bytes, 21, 4);
    return PictureFacts{"webp", packed % 0x4000 + 1, packed / 0x4000 % 0x4000 + 1};
  }
  if (chunk == "VP8 " && bytes.substr(23, 3) == "\x9D\x01\x2A") {
    return PictureFacts{"webp", little_endian(bytes, 26, 2) % 0x4000,
                        little_endian(bytes, 28, 2) % 0x4000};
  }
  return {};
}

}  // namespace

Result<PictureFacts> picture_facts(std::string_view bytes) {
  if (bytes.size() > kMaxPictureBytes) return refuse(Code::rejected, "picture_too_large", "bytes");
  for (const auto reader : {png, jpeg, webp}) {
    const Found found = reader(bytes);
    if (!found) continue;
    if (found->width < 1 || found->height < 1) break;
    if (found->width > kMaxPictureSide || found->height > kMaxPictureSide)
      return refuse(Code::rejected, "picture_too_large", "bytes", "4096 by 4096 at most");
    return *found;
  }
  return refuse(Code::rejected, "picture_kind_unknown", "bytes", "PNG, JPEG or WebP");
}

std::string_view picture_media_type(std::string_view kind) {
  if (kind == "png") return "image/png";
  return kind == "jpeg" ? "image/jpeg" : "image/webp";
}

}  // namespace topup::content
