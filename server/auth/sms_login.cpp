#include "server/auth/sms_login.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "server/auth/sms_code_store.h"
#include "server/base/crypto.h"
#include "server/base/log.h"
#include "shared/phone.h"

namespace topup::auth {
namespace {

namespace rows = sms_code_store;
constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kDayMs = 24 * kHourMs;
constexpr std::uint32_t kCodes = 1'000'000;

// Each code is as likely as any other: what does not fit evenly is drawn again.
std::string draw_code(base::Random& random) {
  constexpr std::uint32_t kEven = UINT32_MAX - UINT32_MAX % kCodes;
  std::uint32_t drawn = 0;
  do {
    const std::string bytes = random.bytes(4);
    drawn = 0;
    for (const char c : bytes) drawn = (drawn << 8) | static_cast<unsigned char>(c);
  } while (drawn >= kEven);
  std::string digits = std::to_string(drawn % kCodes);
  return std::string(6 - digits.size(), '0') + digits;
}

tl::unexpected<Error> code_wrong() {
  return refuse(Code::unauthenticated, "sms_code_wrong", "code");
}

std::string_view word_of(Sent sent) {
  return sent == Sent::sent ? "sent" : sent == Sent::refused ? "refused" : "unknown";
}

}  // namespace

SmsLogin::SmsLogin(storage::Db& db, const base::Clock& clock, base::Random& random,
                   const privacy::Pii& pii, const Identities& identities, const SignInLog& log,
                   SmsSettings settings, CodeSender sender)
    : db_(db),
      clock_(clock),
      random_(random),
      pii_(pii),
      identities_(identities),
      log_(log),
      settings_(std::move(settings)),
      sender_(std::move(sender)) {}

Result<std::string> SmsLogin::number_of(std::string_view typed, std::string_view country) const {
  if (std::find(settings_.countries.begin(), settings_.countries.end(), country) ==
      settings_.countries.end())
    return refuse(Code::rejected, "sms_country_not_served", "country");
  auto number = normalise_phone(typed, country);
  if (!number) return refuse(Code::rejected, "phone_invalid", "phone", number.error().detail);
  return number;
}

std::string SmsLogin::hash_of(std::string_view code_id, std::string_view code) const {
  return pii_.blind_index("sms code", std::string(code_id) + '\x1f' + std::string(code));
}

Result<bool> SmsLogin::within_limits(storage::Reader& reader, std::string_view phone,
                                     std::string_view network, std::string_view device) const {
  struct Rule {
    rows::By by;
    std::string_view key;
    std::int64_t most, window_ms;
  };
  const SmsLimits& limits = settings_.limits;
  const std::array rules = {Rule{rows::By::phone, phone, 1, limits.phone_gap_ms},
                            Rule{rows::By::phone, phone, limits.phone_hour, kHourMs},
                            Rule{rows::By::phone, phone, limits.phone_day, kDayMs},
                            Rule{rows::By::address, network, limits.network_hour, kHourMs},
                            Rule{rows::By::device, device, limits.device_hour, kHourMs},
                            Rule{rows::By::shop, "", limits.shop_day, kDayMs}};
  const std::int64_t now = clock_.wall_ms();
  std::int64_t wait = 0;
  for (const Rule& rule : rules) {
    const auto at = rows::nth_newest_ms(reader, rule.by, rule.key, rule.most);
    if (at) wait = std::max(wait, *at + rule.window_ms - now);
    if (wait > 0) break;
  }
  if (wait <= 0) return true;
  return refuse(Code::rate_limited, "sms_too_often", "phone", std::to_string((wait + 999) / 1'000));
}

Result<CodeAsked> SmsLogin::ask(std::string_view typed, std::string_view country,
                                std::string_view purpose, std::string_view device,
                                const Caller& caller) {
  const auto number = number_of(typed, country);
  if (!number) return tl::unexpected<Error>(number.error());
  const std::string network = address_network(caller.address);
  rows::CodeRow row;
  row.phone_index = identities_.index_of(identity_kind::kPhone, "", *number);
  row.address_index = pii_.blind_index("sms network", network);
  row.device_index = pii_.blind_index(
      "sms device",
      device.empty() ? network + " " + device_class(caller.user_agent) : std::string(device));
  row.purpose = purpose;
  const auto may_send = [&](storage::Reader& reader) {
    return within_limits(reader, row.phone_index, row.address_index, row.device_index);
  };
  // Most of a flood ends here, on a reader; what passes is asked once more where it counts.
  Result<bool> allowed = true;
  db_.read([&](storage::Reader& reader) { allowed = may_send(reader); });
  if (!allowed) return tl::unexpected<Error>(allowed.error());

  const std::int64_t now = clock_.wall_ms();
  const std::string code = draw_code(random_);
  row.code_id = base::new_id(random_, now);
  row.code_hash = hash_of(row.code_id, code);
  row.created_at_ms = now;
  row.expires_at_ms = now + kCodeMs;
  const auto taken = storage::with_tx(db_, [&](storage::Tx& tx) -> Result<bool> {
    const auto still = may_send(tx);
    if (still) rows::insert(tx, row);
    return still;
  });
  if (!taken) return tl::unexpected<Error>(taken.error());

  const Sent sent = sender_(*number, code, kCodeMs / 60'000, row.code_id);
  db_.write([&](storage::Tx& tx) {
    rows::set_state(tx, row.code_id, word_of(sent));
    return true;
  });
  base::log(sent == Sent::sent ? base::Level::info : base::Level::warn, "sms_code",
            {{"outcome", word_of(sent)}, {"purpose", purpose}, {"to", mask_phone(*number)}});
  if (sent == Sent::refused) return refuse(Code::unavailable, "sms_unavailable", "phone");
  return CodeAsked{settings_.limits.phone_gap_ms, row.expires_at_ms};
}

Result<Proof> SmsLogin::check(std::string_view typed, std::string_view country,
                              std::string_view purpose, std::string_view code,
                              const Caller& caller) {
  const auto number = number_of(typed, country);
  if (!number) return tl::unexpected<Error>(number.error());
  const Proof proof{std::string(identity_kind::kPhone), "", *number, ""};
  const std::string phone = identities_.index_of(proof.kind, "", *number);
  Result<bool> outcome = true;
  db_.write([&](storage::Tx& tx) {
    const std::int64_t now = clock_.wall_ms();
    outcome = log_.may_try(tx, phone, caller);
    if (!outcome) return false;
    const auto row = rows::newest(tx, phone, purpose);
    const bool is_open =
        row && !row->is_used && row->expires_at_ms > now && row->tries < kMaxCodeTries;
    if (row) rows::count_try(tx, row->code_id);
    // Hashed in any case, so that time does not tell whether a code was sent.
    const std::string given = hash_of(row ? row->code_id : "none", code);
    const bool is_right =
        base::constant_time_equal(given, row ? row->code_hash : std::string(64, '0'));
    if (is_open && is_right) {
      rows::use(tx, row->code_id, now);
    } else {
      outcome = code_wrong();
    }
    return true;
  });
  if (outcome) return proof;
  if (outcome.error().reason == "sms_code_wrong")
    identities_.refused(proof, outcome.error().reason, caller);
  return tl::unexpected<Error>(outcome.error());
}

}  // namespace topup::auth
