// Signing in at the rehearsed Alipay: my.getAuthCode gives a page a code, and the mini-program's
// server exchanges it once, in time, for who that was.
#include "server/rehearsal/alipay.h"

namespace topup::rehearsal {
namespace {

using base::Json;

constexpr std::int64_t kCodeMs = 5 * 60'000;
constexpr std::size_t kMaxCode = 64;

}  // namespace

// {"open_id"?}: the buyer allows it; without one a new person.
Answered Alipay::control_auth_code(const Asked& asked) {
  const auto body = base::json_in(asked.body);
  if (!body || asked.header("content-type").substr(0, 16) != "application/json")
    return Answered::json({{"code", "CONTROL_REFUSED"}, {"message", "wants a JSON object"}}, 400);
  std::string open_id = base::text_in(*body, "open_id", 128).value_or("");
  if (open_id.empty()) open_id = base::hex(around().random.bytes(16)) + "01";
  const std::string code = base::hex(around().random.bytes(16));
  around().db.write([&](storage::Tx& tx) {
    alipay_book::insert_code(tx, code, open_id, around().clock.wall_ms() + kCodeMs);
    return true;
  });
  return Answered::json({{"auth_code", code}, {"open_id", open_id}});
}

// Not wrapped in code and msg when all is well.
Answered Alipay::oauth_token(const Pairs& params) {
  const std::string code = alipay_param(params, "code");
  std::optional<std::string> open_id;
  const bool is_code = alipay_param(params, "grant_type") == "authorization_code" &&
                       !code.empty() && code.size() <= kMaxCode;
  if (is_code) {
    around().db.write([&](storage::Tx& tx) {
      open_id = alipay_book::take_code(tx, code, around().clock.wall_ms());
      return true;
    });
  }
  if (!open_id) return refused({"40002", "isv.code-invalid", "授权码code无效"});
  return said(params, {{"access_token", base::hex(around().random.bytes(20))},
                       {"auth_start", spaced_time(around().clock.wall_ms(), 8 * 60)},
                       {"expires_in", 1'296'000},
                       {"open_id", *open_id},
                       {"re_expires_in", 2'592'000},
                       {"refresh_token", base::hex(around().random.bytes(20))}});
}

}  // namespace topup::rehearsal
