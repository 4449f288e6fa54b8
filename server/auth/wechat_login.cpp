#include "server/auth/wechat_login.h"

#include <algorithm>
#include <utility>

#include "server/auth/wechat_journey_store.h"
#include "server/base/crypto.h"
#include "server/base/json.h"
#include "server/base/log.h"
#include "shared/phone.h"

namespace topup::auth {
namespace {

namespace rows = wechat_journey_store;
using base::Json;

std::string hash_of(std::string_view token) { return base::hex(base::sha256(token)); }

tl::unexpected<Error> not_offered() { return refuse(Code::rejected, "sign_in_not_offered"); }
tl::unexpected<Error> state_foreign() { return refuse(Code::forbidden, "state_foreign", "state"); }

std::string escaped(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

}  // namespace

std::optional<base::WechatToken> SealedTokens::load(const std::string& appid) {
  std::optional<rows::TokenRow> row;
  try {
    db_.read([&](storage::Reader& reader) { row = rows::find_token(reader, appid); });
  } catch (const storage::SqlError&) {
    return std::nullopt;
  }
  if (!row) return std::nullopt;
  auto text = pii_.open("wechat_tokens", "token_sealed", appid, row->sealed);
  if (!text) return std::nullopt;
  return base::WechatToken{*text, row->expires_at_ms};
}

void SealedTokens::keep(const std::string& appid, const base::WechatToken& token) {
  const rows::TokenRow row{pii_.seal("wechat_tokens", "token_sealed", appid, token.text),
                           token.expires_at_ms};
  try {
    db_.write([&](storage::Tx& tx) {
      rows::save_token(tx, appid, row);
      return true;
    });
  } catch (const storage::SqlError& failure) {
    base::log(base::Level::warn, "wechat_token_not_shared", {{"why", failure.what()}});
  }
}

bool is_return_path(std::string_view path) {
  if (path.empty() || path.size() > kMaxReturnPath || path[0] != '/') return false;
  if (path.starts_with("//")) return false;
  // A browser drops control characters and reads a backslash as a slash: either could make "//".
  return std::all_of(path.begin(), path.end(),
                     [](char c) { return c > 0x20 && c < 0x7f && c != '\\'; });
}

Result<Proof> WechatLogin::of_mini_program(const std::string& code) const {
  if (apps_.mini == nullptr) return not_offered();
  const auto person = apps_.mini->person_of_login_code(code);
  if (!person) return tl::unexpected<Error>(person.error());
  return Proof{std::string(identity_kind::kWechatMini), apps_.mini->appid(), person->openid,
               person->unionid};
}

Result<Proof> WechatLogin::of_shared_phone(const std::string& code) const {
  if (apps_.mini == nullptr) return not_offered();
  const auto phone = apps_.mini->phone_of_code(code);
  if (!phone) return tl::unexpected<Error>(phone.error());
  const auto number = normalise_phone("+" + phone->calling_code + phone->number, "");
  if (!number) return refuse(Code::rejected, "phone_invalid", "code");
  return Proof{std::string(identity_kind::kPhone), "", *number, ""};
}

Result<Departure> WechatLogin::depart(std::string_view return_path) const {
  if (apps_.oa == nullptr) return not_offered();
  if (!is_return_path(return_path)) {
    return refuse(Code::invalid_argument, "out_of_range", "return_path",
                  "a path of this shop, starting with one slash");
  }
  const std::string state = base::new_nonce(random_);  // WeChat takes letters and digits only
  const std::string browser = base::new_token(random_);
  const std::int64_t now = clock_.wall_ms();
  db_.write([&](storage::Tx& tx) {
    rows::insert(tx, hash_of(state), hash_of(browser), return_path, now, now + kJourneyMs);
    return true;
  });
  return Departure{
      apps_.authorize_origin + "/connect/oauth2/authorize?appid=" + escaped(apps_.oa->appid()) +
          "&redirect_uri=" + escaped(apps_.callback_url) +
          "&response_type=code&scope=" + apps_.scope + "&state=" + state + "#wechat_redirect",
      browser};
}

Result<std::string> WechatLogin::arrive(std::string_view state, const std::string& code,
                                        std::string_view browser_token) const {
  if (apps_.oa == nullptr) return not_offered();
  const std::string hash = hash_of(state);
  std::string return_path;
  const auto taken = storage::with_tx(db_, [&](storage::Tx& tx) -> Result<bool> {
    const auto journey = rows::find(tx, hash_of(browser_token), clock_.wall_ms());
    if (!journey || !base::constant_time_equal(journey->state_hash, hash)) return state_foreign();
    return_path = journey->return_path;
    if (!rows::move(tx, hash, "started", "asked", "")) return state_foreign();
    return true;
  });
  if (!taken) return tl::unexpected<Error>(taken.error());
  if (code.empty()) return return_path;
  const auto person = apps_.oa->person_of_oauth_code(code);
  if (!person) return tl::unexpected<Error>(person.error());
  const Json proof = {{"openid", person->openid}, {"unionid", person->unionid}};
  const std::string sealed = pii_.seal("wechat_journeys", "proof_sealed", hash, proof.dump());
  db_.write([&](storage::Tx& tx) { return rows::move(tx, hash, "asked", "proven", sealed); });
  return return_path;
}

Result<Proof> WechatLogin::claim(std::string_view browser_token) const {
  const auto not_proven = [] { return refuse(Code::unauthenticated, "sign_in_not_proven"); };
  if (apps_.oa == nullptr) return not_offered();
  if (browser_token.empty()) return not_proven();
  rows::Journey journey;
  const auto taken = storage::with_tx(db_, [&](storage::Tx& tx) -> Result<bool> {
    const auto found = rows::find(tx, hash_of(browser_token), clock_.wall_ms());
    if (!found || found->state != "proven") return not_proven();
    journey = *found;
    if (!rows::move(tx, found->state_hash, "proven", "spent", "")) return not_proven();
    return true;
  });
  if (!taken) return tl::unexpected<Error>(taken.error());
  const auto plain =
      pii_.open("wechat_journeys", "proof_sealed", journey.state_hash, journey.proof_sealed);
  if (!plain) return not_proven();
  const auto proof = base::json_in(*plain);
  if (!proof) return not_proven();
  return Proof{std::string(identity_kind::kWechatOa), apps_.oa->appid(),
               base::text_in(*proof, "openid").value_or(""),
               base::text_in(*proof, "unionid").value_or("")};
}

}  // namespace topup::auth
