// Where a change comes from: set around each request and job, read by the audit trail. The stores
// carry it to the thread that runs a body, as they do with the trace id.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace topup::base {

struct Origin {
  std::string address;  // of the client, as text; masked before it is kept
  std::string device;   // what the client says it is, at most kMaxDevice bytes of printable ASCII
  std::string session;  // a prefix of the session's hash; or "job:<kind>"
};
inline constexpr std::size_t kMaxDevice = 120;

// Keeps printable ASCII only, at most kMaxDevice bytes of it.
std::string device_text(std::string_view user_agent);

// While it lives, changes of this thread have this origin; scopes nest. The origin must outlive it.
class OriginScope {
 public:
  explicit OriginScope(const Origin* origin) : previous_(current_) { current_ = origin; }
  ~OriginScope() { current_ = previous_; }
  OriginScope(const OriginScope&) = delete;
  OriginScope& operator=(const OriginScope&) = delete;
  static const Origin* current() { return current_; }  // nullptr outside any scope

 private:
  static thread_local const Origin* current_;
  const Origin* previous_;
};

}  // namespace topup::base
