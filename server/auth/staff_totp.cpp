#include "server/auth/staff_totp.h"

#include <stdexcept>

#include "server/auth/totp.h"
#include "server/base/crypto.h"

namespace topup::auth {
namespace {

constexpr std::string_view kTable = "staff";
constexpr std::string_view kColumn = "totp_sealed";
constexpr std::string_view kNextColumn = "totp_next_sealed";
constexpr std::size_t kRecoveryBytes = 10;  // 80 bits: 16 digits of base 32
constexpr std::size_t kCodeDigits = 6;

bool is_totp(std::string_view code) {
  if (code.size() != kCodeDigits) return false;
  for (const char c : code) {
    if (c < '0' || c > '9') return false;
  }
  return true;
}

// As people type it: small letters and dashes are no difference.
std::string recovery_hash(std::string_view code) {
  std::string plain;
  for (const char c : code) {
    if (c == '-' || c == ' ') continue;
    plain += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return base::hex(base::sha256(plain));
}

}  // namespace

std::string StaffTotp::open(std::string_view column, const StaffId& staff,
                            std::string_view sealed) const {
  auto secret = pii_.open(kTable, column, staff.text, sealed);
  if (!secret) throw std::runtime_error("the second factor of a member of staff does not open");
  return std::move(*secret);
}

bool StaffTotp::use(storage::Tx& tx, const staff_store::Staff& staff, std::string_view code,
                    std::int64_t now_ms) const {
  if (staff.totp_sealed.empty()) return false;
  if (!is_totp(code)) {
    return staff_store::use_recovery_code(tx, staff.id, recovery_hash(code), now_ms);
  }
  const std::string secret = open(kColumn, staff.id, staff.totp_sealed);
  const auto step = totp_step(secret, code, now_ms, staff.totp_last_step);
  return step && staff_store::use_totp_step(tx, staff.id, *step);
}

TotpOffer StaffTotp::offer(storage::Tx& tx, const staff_store::Staff& staff) const {
  const std::string secret = random_.bytes(kTotpSecretBytes);
  staff_store::save_next_totp(tx, staff.id, pii_.seal(kTable, kNextColumn, staff.id.text, secret));
  return {base32(secret), totp_uri(issuer_, staff.name, secret)};
}

Result<std::vector<std::string>> StaffTotp::confirm(storage::Tx& tx,
                                                    const staff_store::Staff& staff,
                                                    std::string_view code,
                                                    std::int64_t now_ms) const {
  if (staff.totp_next_sealed.empty()) return refuse(Code::conflict, "totp_not_offered");
  const std::string secret = open(kNextColumn, staff.id, staff.totp_next_sealed);
  const auto step = totp_step(secret, code, now_ms, 0);
  if (!step) return refuse(Code::rejected, "totp_wrong", "totp");
  staff_store::save_totp(tx, staff.id, pii_.seal(kTable, kColumn, staff.id.text, secret), *step);
  return renew_recovery_codes(tx, staff.id);
}

std::vector<std::string> StaffTotp::renew_recovery_codes(storage::Tx& tx,
                                                         const StaffId& staff) const {
  std::vector<std::string> codes, hashes;
  for (std::size_t i = 0; i < kRecoveryCodes; ++i) {
    std::string code = base32(random_.bytes(kRecoveryBytes));
    hashes.push_back(recovery_hash(code));
    for (const std::size_t dash : {12U, 8U, 4U}) code.insert(dash, 1, '-');
    codes.push_back(std::move(code));
  }
  staff_store::replace_recovery_codes(tx, staff, hashes);
  return codes;
}

}  // namespace topup::auth
