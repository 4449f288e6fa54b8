#include "server/auth/staff_password.h"

#include <algorithm>
#include <atomic>

#include "server/base/crypto.h"

namespace topup::auth {
namespace {

constexpr int kHashAtOnce = 2;
constexpr std::size_t kMinDifferent = 5;
constexpr std::size_t kSaltBytes = 16;

class Turn {
 public:
  Turn() : is_mine_(taken_.fetch_add(1) < kHashAtOnce + kMaxHashWaiters) {}
  ~Turn() { taken_.fetch_sub(1); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  bool is_mine() const { return is_mine_; }

 private:
  static inline std::atomic<int> taken_{0};
  bool is_mine_;
};

const std::string& nobodys_password() {
  static const std::string stored = base::hash_password("nobody", "0123456789abcdef");
  return stored;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace

Result<bool> password_is_good(std::string_view name, std::string_view password) {
  if (password.size() < kMinPassword) return refuse(Code::rejected, "password_too_short");
  if (password.size() > kMaxPassword) return refuse(Code::rejected, "password_too_long");
  std::string different(password);
  std::sort(different.begin(), different.end());
  different.erase(std::unique(different.begin(), different.end()), different.end());
  const bool holds_name = lower(password).find(lower(name)) != std::string::npos;
  if (different.size() < kMinDifferent || holds_name)
    return refuse(Code::rejected, "password_too_simple");
  return true;
}

std::string random_password(base::Random& random) { return base::new_token(random).substr(0, 20); }

Result<bool> password_is(std::string_view password, std::string_view stored) {
  const Turn turn;
  if (!turn.is_mine()) return refuse(Code::unavailable, "sign_in_busy");
  const bool right = base::verify_password(password, stored.empty() ? nobodys_password() : stored);
  return right && !stored.empty();
}

Result<std::string> hashed(std::string_view password, base::Random& random) {
  const Turn turn;
  if (!turn.is_mine()) return refuse(Code::unavailable, "sign_in_busy");
  return base::hash_password(password, random.bytes(kSaltBytes));
}

}  // namespace topup::auth
