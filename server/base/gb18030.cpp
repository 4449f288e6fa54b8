#include "server/base/gb18030.h"

#include <iconv.h>

#include <memory>

namespace topup::base {
namespace {

struct Close {
  void operator()(void* converter) const { iconv_close(converter); }
};

// No character takes more than twice the bytes on the other side: two become three, four at most
// four, and two of UTF-8 four of GB18030.
std::optional<std::string> converted(std::string_view text, const char* from, const char* to) {
  iconv_t opened = iconv_open(to, from);
  if (opened == reinterpret_cast<iconv_t>(-1)) return std::nullopt;
  const std::unique_ptr<void, Close> converter(opened);
  std::string out(text.size() * 2 + 16, '\0');
  char* in_at = const_cast<char*>(text.data());  // iconv's signature; it reads only
  std::size_t in_left = text.size();
  char* out_at = out.data();
  std::size_t out_left = out.size();
  const std::size_t done = iconv(converter.get(), &in_at, &in_left, &out_at, &out_left);
  if (done == static_cast<std::size_t>(-1) || in_left != 0) return std::nullopt;
  out.resize(out.size() - out_left);
  return out;
}

}  // namespace

std::optional<std::string> utf8_of_gb18030(std::string_view text) {
  return converted(text, "GB18030", "UTF-8");
}
std::optional<std::string> gb18030_of_utf8(std::string_view text) {
  return converted(text, "UTF-8", "GB18030");
}

}  // namespace topup::base
