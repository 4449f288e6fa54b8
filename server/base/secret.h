// Bytes that must not outlive their use: overwritten when dropped, never compared with ==, never
// copied by accident. Compare with constant_time_equal (crypto.h).
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "shared/result.h"

namespace topup::base {

// The bodies are in crypto.cpp.
void cleanse(std::string& bytes);  // overwrites, then empties

// A key of 32 bytes out of a passphrase: scrypt N=2^16 r=8 p=1, about 250 ms and 64 MiB. For key
// files, once at start; never on a request.
std::string scrypt_key(std::string_view passphrase, std::string_view salt16);

Result<std::string> from_hex(std::string_view text);  // either case; hex_malformed

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string bytes) noexcept : bytes_(std::move(bytes)) { cleanse(bytes); }
  ~Secret() { cleanse(bytes_); }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)) { cleanse(other.bytes_); }
  Secret& operator=(Secret&& other) noexcept {
    if (this == &other) return *this;
    cleanse(bytes_);
    bytes_ = std::move(other.bytes_);
    cleanse(other.bytes_);
    return *this;
  }
  Secret copy() const { return Secret(std::string(bytes_)); }
  std::string_view view() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }
  friend bool operator==(const Secret&, const Secret&) = delete;

 private:
  std::string bytes_;
};

}  // namespace topup::base
