// A request's path as logs and spans show it: without its query, and without the number that a
// segment "phone" announces. Pure; thread-safe.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace topup::base {

inline std::string shown_path(std::string_view target) {
  constexpr std::string_view kAnnounced = "/phone/";
  const std::string_view path = target.substr(0, target.find('?'));
  const std::size_t found = path.find(kAnnounced);
  if (found == std::string_view::npos) return std::string(path);
  const std::size_t from = found + kAnnounced.size();
  const std::size_t until = std::min(path.find('/', from), path.size());
  return std::string(path.substr(0, from)) + "***" + std::string(path.substr(until));
}

}  // namespace topup::base
