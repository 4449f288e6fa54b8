#include "server/payments/wechat_calls.h"

#include <algorithm>
#include <utility>

#include "server/base/log.h"
#include "server/payments/wechat_reading.h"
#include "server/payments/wechat_text.h"
#include "shared/check.h"

namespace topup::payments {
namespace {

using base::Json;

constexpr std::int64_t kCallDeadlineMs = 10'000;
constexpr std::int64_t kDownloadDeadlineMs = 3'000;  // a notification is to be answered within 5 s
constexpr std::size_t kMaxMessageBytes = 200;
constexpr std::size_t kMaxCodeBytes = 64;
constexpr std::size_t kMaxListed = 16;  // certificates in one download
constexpr std::size_t kMaxSealedBytes = 16 * 1024;
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kSerialDigits = 40;
constexpr std::string_view kCertificatePath = "/v3/certificates";

std::string http_word(int status) { return "http_" + std::to_string(status); }

bool is_code(std::string_view code) {
  return !code.empty() && std::all_of(code.begin(), code.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool is_certificate_serial(std::string_view serial) {
  return serial.size() == kSerialDigits && std::all_of(serial.begin(), serial.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
         });
}

// Where a false refusal would cost money, an unsigned one is not believed.
bool wants_signed_refusal(WechatCall call) {
  return call == WechatCall::refund || call == WechatCall::query_refund;
}

void check_config(const WechatConfig& config) {
  check(!config.mchid.empty() && !config.appid.empty(), "wechat: mchid and appid are needed");
  check(config.apiv3_key.size() == 32, "wechat: apiv3_key is not 32 bytes");
}

}  // namespace

WechatCalls::WechatCalls(WechatConfig config, base::Outbound& outbound, const base::Clock& clock,
                         base::Random& random)
    : outbound_(outbound),
      clock_(clock),
      random_(random),
      keys_(clock, config.certificate_folder, config.authority_pem),
      pace_(clock, config.prepays_per_second) {
  check_config(config);
  keys_.set_fixed(config.verify_keys);
  config_ = std::make_shared<const WechatConfig>(std::move(config));
}

std::shared_ptr<const WechatConfig> WechatCalls::config() const {
  const std::lock_guard lock(mutex_);
  return config_;
}

Result<bool> WechatCalls::adopt(WechatConfig config) {
  check_config(config);
  const auto fresh = std::make_shared<const WechatConfig>(std::move(config));
  const std::lock_guard lock(mutex_);
  if (fresh->mchid != config_->mchid || fresh->appid != config_->appid)
    return refuse(Code::conflict, "needs_restart", "[wechat_pay]", "mchid and appid stay");
  if (fresh->apiv3_key != config_->apiv3_key) former_apiv3_key_ = config_->apiv3_key;
  keys_.set_fixed(fresh->verify_keys);
  config_ = fresh;
  return true;
}

base::OutboundRequest WechatCalls::signed_request(const WechatConfig& config,
                                                  std::string_view method,
                                                  const std::string& target,
                                                  const std::string& body,
                                                  std::int64_t deadline_ms) const {
  const std::string timestamp = std::to_string(clock_.wall_ms() / 1000);
  const std::string nonce = base::new_nonce(random_);
  const WechatSigned parts{method, target, timestamp, nonce, body};
  base::OutboundRequest request;
  request.headers = {
      {"Authorization",
       wechat_authorization(config.private_key, config.mchid, config.serial_no, parts)},
      {"Accept", "application/json"},
      {"User-Agent", "topup-server"},
  };
  if (method == "POST") request.headers.emplace_back("Content-Type", "application/json");
  // Asks a merchant on its way from certificates to the public key to be answered with the latter.
  if (std::string id = keys_.public_key_id(); !id.empty())
    request.headers.emplace_back("Wechatpay-Serial", std::move(id));
  request.method = std::string(method);
  request.target = target;
  request.body = body;
  request.deadline_ms = deadline_ms;
  return request;
}

WechatSignature WechatCalls::check(const WechatHeaders& headers, std::string_view body,
                                   bool may_wait) const {
  const auto key_of = [&](std::string_view serial) {
    auto key = keys_.find(serial);
    if (key || !is_certificate_serial(serial)) return key;
    (void)keys_.fetch([this] { return download(); }, may_wait);
    return keys_.find(serial);
  };
  return check_wechat_signature(WechatKeyOf(key_of), clock_.wall_ms(), headers, body);
}

bool WechatCalls::refresh_certificates() const {
  return keys_.fetch([this] { return download(); }, true);
}

std::optional<std::vector<PlatformCertificate>> WechatCalls::certificates_in(
    std::string_view body) const {
  const auto json = base::json_in(body, base::kMaxPartyJsonBytes);
  if (!json || !json->is_object()) return {};
  const auto list = json->find("data");
  if (list == json->end() || !list->is_array() || list->size() > kMaxListed) return {};
  std::vector<PlatformCertificate> out;
  for (const Json& each : *list) {
    if (!each.is_object()) return {};
    const auto sealed = base::object_in(each, "encrypt_certificate");
    if (!sealed) return {};
    const auto ciphertext = base::text_in(**sealed, "ciphertext", kMaxSealedBytes);
    const auto bytes = ciphertext ? base::from_base64(*ciphertext) : Result<std::string>("");
    const std::string nonce = text_or(**sealed, "nonce", "");
    if (!bytes || nonce.size() != kNonceBytes) return {};
    const auto pem = open(nonce, text_or(**sealed, "associated_data", ""), *bytes);
    if (!pem) return {};
    auto read = read_platform_certificate(*pem);
    // Other algorithms may stand in the list as well; only one that says something false is amiss.
    if (!read) continue;
    if (read->serial != text_or(each, "serial_no", "")) return {};
    out.push_back(std::move(*read));
  }
  return out;
}

// The API v3 key opens the very first list; its own signature is then checked with what it brought.
Fetched WechatCalls::download() const {
  const auto now = config();
  const auto reply = outbound_.call(
      signed_request(*now, "GET", std::string(kCertificatePath), "", kDownloadDeadlineMs));
  const auto failed = [&](std::string_view why) {
    base::log(base::Level::warn, "wechat_certificates_failed",
              {{"status", reply.status}, {"why", why}});
    return Fetched::failed;
  };
  if (reply.kind != base::OutboundReply::Kind::answered) return failed(reply.failure);
  if (reply.status == 404) {
    base::log(base::Level::info, "wechat_has_no_certificates", {{"status", reply.status}});
    return Fetched::none;
  }
  if (reply.status != 200) return failed(http_word(reply.status));
  const auto found = certificates_in(reply.body);
  if (!found) return failed("answer_malformed");
  const auto key_of = [&](std::string_view serial) {
    auto known = keys_.find(serial);
    for (const PlatformCertificate& each : *found) {
      if (!known && each.serial == serial && keys_.is_acceptable(each)) known = each.key;
    }
    return known;
  };
  const auto verdict =
      check_wechat_signature(WechatKeyOf(key_of), clock_.wall_ms(), reply.headers, reply.body);
  if (verdict != WechatSignature::valid) return failed(to_word(verdict));
  const auto added = static_cast<std::int64_t>(keys_.take(*found));
  base::log(base::Level::info, "wechat_certificates_fetched",
            {{"listed", static_cast<std::int64_t>(found->size())}, {"new", added}});
  return Fetched::some;
}

WechatAnswer WechatCalls::read_refusal(WechatCall call, const base::OutboundReply& reply,
                                       WechatSignature verdict) const {
  WechatAnswer answer;
  answer.why = http_word(reply.status);
  const auto body = base::json_in(reply.body, base::kMaxPartyJsonBytes);
  if (reply.status == 429) answer.meaning = WechatMeaning::later;
  if (!body || !body->is_object()) return answer;
  const auto code = base::text_in(*body, "code", kMaxCodeBytes);
  if (!code || !is_code(*code)) return answer;
  const bool is_signed = verdict == WechatSignature::valid;
  const bool is_believed =
      is_signed || (verdict == WechatSignature::absent && !wants_signed_refusal(call));
  answer.why = is_believed ? *code : std::string(to_word(verdict));
  if (is_believed) answer.meaning = wechat_meaning(call, reply.status, *code);
  const auto message = base::text_in(*body, "message", base::kMaxPartyJsonBytes);
  if (message) answer.message = wechat_clean_text(*message, kMaxMessageBytes);
  return answer;
}

WechatAnswer WechatCalls::read(WechatCall call, const base::OutboundReply& reply) const {
  using Kind = base::OutboundReply::Kind;
  WechatAnswer answer;
  if (reply.kind != Kind::answered) {
    answer.why = reply.kind == Kind::not_sent ? "not_sent" : reply.failure;
    if (answer.why.empty()) answer.why = "no_answer";
    return answer;
  }
  const auto verdict = check(reply.headers, reply.body, true);
  if (reply.status >= 400 && reply.status < 500) return read_refusal(call, reply, verdict);
  answer.why = http_word(reply.status);
  if (reply.status != 200 && reply.status != 204) return answer;
  if (verdict != WechatSignature::valid) {
    answer.why = to_word(verdict);
    return answer;
  }
  if (reply.status == 200) {
    auto body = base::json_in(reply.body, base::kMaxPartyJsonBytes);
    answer.why = "answer_malformed";
    if (!body || !body->is_object()) return answer;
    answer.body = std::move(*body);
  }
  answer.is_ok = true;
  answer.why.clear();
  return answer;
}

WechatAnswer WechatCalls::exchange(WechatCall call, std::string_view method,
                                   const std::string& target, const std::string& body) {
  const auto now = config();
  WechatAnswer answer;
  for (int tries = 0; tries < 2; ++tries) {
    if (!pace_.may_send(call)) {
      answer.why = "paced";
      answer.meaning = WechatMeaning::later;
      return answer;
    }
    const auto reply = outbound_.call(signed_request(*now, method, target, body, kCallDeadlineMs));
    answer = read(call, reply);
    pace_.heard(call, answer.is_ok ? WechatMeaning::absent : answer.meaning);
    if (answer.is_ok) return answer;
    const bool is_probe = answer.why == to_word(WechatSignature::probe);
    const auto level = answer.meaning == WechatMeaning::absent || (is_probe && tries == 0)
                           ? base::Level::info
                           : base::Level::warn;
    base::log(level, "wechat_call_failed",
              {{"call", to_word(call)},
               {"status", reply.status},
               {"why", answer.why},
               {"request_id", reply.header("Request-ID").substr(0, kMaxCodeBytes)}});
    if (!is_probe) return answer;
  }
  return answer;
}

base::OutboundReply WechatCalls::fetch_unsigned(const std::string& target, std::size_t most_bytes) {
  base::OutboundRequest request =
      signed_request(*config(), "GET", target, "", base::kMaxDeadlineMs);
  request.most_answer_bytes = most_bytes;
  return outbound_.call(request);
}

Result<std::string> WechatCalls::open(std::string_view nonce, std::string_view aad,
                                      std::string_view sealed) const {
  std::string former;
  std::shared_ptr<const WechatConfig> now;
  {
    const std::lock_guard lock(mutex_);
    now = config_;
    former = former_apiv3_key_;
  }
  auto plain = base::open_aes_gcm(now->apiv3_key, nonce, aad, sealed);
  if (plain || former.empty()) return plain;
  return base::open_aes_gcm(former, nonce, aad, sealed);
}

}  // namespace topup::payments
