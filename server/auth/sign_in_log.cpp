#include "server/auth/sign_in_log.h"

#include <algorithm>
#include <string>
#include <utility>

#include "server/auth/sign_in_log_store.h"

namespace topup::auth {
namespace {

constexpr std::string_view kNetworkPurpose = "sign_in network";

std::int64_t lock_ms(std::int64_t failures) {
  if (failures < kFreeSignInFailures) return 0;
  if (failures >= kMostSignInFailures) return kLongSignInLockMs;
  return kFirstSignInLockMs << (failures - kFreeSignInFailures);
}

tl::unexpected<Error> locked(std::int64_t ms) {
  return refuse(Code::rate_limited, "sign_in_locked", {}, std::to_string((ms + 999) / 1'000));
}

}  // namespace

Result<bool> SignInLog::may_try(storage::Reader& reader, std::string_view subject_index,
                                const Caller& caller) const {
  const std::int64_t now = clock_.wall_ms();
  if (!subject_index.empty()) {
    const auto failures =
        sign_in_log_store::failures_of(reader, subject_index, now - kFailuresCountMs);
    const std::int64_t left = failures.last_ms + lock_ms(failures.count) - now;
    if (failures.count > 0 && left > 0) return locked(left);
  }
  const std::string network = pii_.blind_index(kNetworkPurpose, address_network(caller.address));
  const auto failures = sign_in_log_store::failures_from(reader, network, now - kNetworkWindowMs);
  if (failures.count >= kMaxNetworkFailures)
    return locked(std::max<std::int64_t>(failures.last_ms + kNetworkWindowMs - now, 1'000));
  return true;
}

void SignInLog::append(storage::Tx& tx, SignIn entry, std::string_view outcome,
                       std::string_view reason, const Caller& caller) const {
  entry.outcome = outcome;
  entry.reason = reason;
  entry.address_masked = masked_address(caller.address);
  entry.device = device_class(caller.user_agent);
  entry.at_ms = clock_.wall_ms();
  sign_in_log_store::insert(tx, base::new_id(random_, entry.at_ms), entry,
                            pii_.blind_index(kNetworkPurpose, address_network(caller.address)),
                            caller.trace);
}

void SignInLog::succeeded(storage::Tx& tx, const SignIn& entry, const Caller& caller) const {
  append(tx, entry, "signed_in", "", caller);
}

void SignInLog::failed(storage::Tx& tx, const SignIn& entry, std::string_view reason,
                       const Caller& caller) const {
  append(tx, entry, "refused", reason, caller);
}

void SignInLog::failed(const SignIn& entry, std::string_view reason, const Caller& caller) const {
  db_.write([&](storage::Tx& tx) {
    failed(tx, entry, reason, caller);
    return true;
  });
}

std::vector<SignIn> SignInLog::list(const UserId& user) const {
  std::vector<SignIn> found;
  db_.read([&](storage::Reader& reader) {
    found = sign_in_log_store::list(reader, user, kMaxSignInsListed);
  });
  return found;
}

}  // namespace topup::auth
