// A merchant and reseller outside every service of the shop: a real door, the rehearsal world
// behind it, a site that hears notifications, and raw clients that sign as the parties ask. Each
// object has its own folder and its own free ports.
#pragma once

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "server/base/clock.h"
#include "server/base/crypto.h"
#include "server/base/http_client.h"
#include "server/base/json.h"
#include "server/base/random.h"
#include "server/http/front.h"
#include "server/rehearsal/wire_text.h"
#include "server/rehearsal/world.h"

namespace topup::rehearsal::test {

using base::Json;
using base::OutboundReply;

struct Heard {
  std::string path, body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return value;
    }
    return {};
  }
};

class ListeningShop final : public http::Site {
 public:
  std::size_t body_limit(std::string_view, std::string_view) override { return 64 * 1024; }
  void handle(http::WireRequest request, http::Answer answer) override {
    int status = request.method == "GET" ? 200 : 204;
    {
      const std::lock_guard lock(mutex_);
      heard_.push_back({request.target, request.body, request.headers});
      if (refusals_ > 0) {
        --refusals_;
        status = 500;
      }
    }
    changed_.notify_all();
    answer("HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: 0\r\n\r\n",
           request.keep_alive);
  }
  void refuse_next(int count) {
    const std::lock_guard lock(mutex_);
    refusals_ = count;
  }
  // What was heard once there are `count` of them, or what there is after ten seconds.
  std::vector<Heard> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(10), [&] { return heard_.size() >= count; });
    return heard_;
  }
  // As wait_for, and then a little longer, for those that must not come.
  std::vector<Heard> settle(std::size_t count) {
    wait_for(count);
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    const std::lock_guard lock(mutex_);
    return heard_;
  }
  void forget() {
    const std::lock_guard lock(mutex_);
    heard_.clear();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Heard> heard_;
  int refusals_ = 0;
};

// The system's time, moved ahead by hand.
class SkippingClock final : public base::Clock {
 public:
  explicit SkippingClock(const std::atomic<std::int64_t>& skip_ms) : skip_ms_(skip_ms) {}
  std::int64_t wall_ms() const override { return system_.wall_ms() + skip_ms_; }
  std::int64_t mono_ms() const override { return system_.mono_ms() + skip_ms_; }

 private:
  const std::atomic<std::int64_t>& skip_ms_;
  base::SystemClock system_;
};

enum class Keys {
  own,
  shared
};  // shared: those of the first world of this run, since making keys is slow

class RehearsedShop {
 public:
  explicit RehearsedShop(int speed_percent = 1, std::uint16_t first_port = 0,
                         Keys keys = Keys::shared)
      : speed_(speed_percent), first_port_(first_port) {
    folder = std::filesystem::temp_directory_path() / ("rehearsal-" + base::hex(random.bytes(8)));
    if (keys == Keys::shared) copy_keys();
    open();
  }
  ~RehearsedShop() {
    close();
    std::filesystem::remove_all(folder);
  }
  RehearsedShop(const RehearsedShop&) = delete;
  RehearsedShop& operator=(const RehearsedShop&) = delete;

  void open() {
    front = http::make_front(2);
    shop_port_ = front->listen("127.0.0.1", shop_port_, shop);
    origin = "http://127.0.0.1:" + std::to_string(shop_port_);
    world = World::open({folder.string(), first_port_, speed_, origin}, *front, clock, random);
    front->start();
    world->start();
    const auto& access = world->access();
    wechat = base::make_outbound("wechat", access.wechat_origin);
    auth = base::make_outbound("auth", access.reloadly_auth_origin);
    reloadly = base::make_outbound("reloadly", access.reloadly_origin);
  }
  void close() {
    wechat.reset();
    auth.reset();
    reloadly.reset();
    if (front) front->stop(100);
    if (world) world->stop();
    world.reset();
    front.reset();
  }
  void restart() {
    close();
    open();
  }

  // A request to WeChat Pay, signed as this merchant; `spoil` may change the pieces before they are
  // sent.
  struct Signed {
    std::string mchid, serial_no, timestamp, nonce, body, signed_body, scheme;
    std::string accept = "application/json", user_agent = "topup-test", wechatpay_serial = {};
  };
  OutboundReply ask(const std::string& method, const std::string& target, const Json& body = {},
                    const std::function<void(Signed&)>& spoil = {}) {
    const auto& access = world->access();
    Signed parts{access.mchid,
                 access.merchant_serial_no,
                 std::to_string(clock.wall_ms() / 1'000),
                 base::new_nonce(random),
                 body.is_null() ? "" : body.dump(),
                 body.is_null() ? "" : body.dump(),
                 "WECHATPAY2-SHA256-RSA2048"};
    if (spoil) spoil(parts);
    const auto key = base::RsaKey::from_private_pem(access.merchant_private_key_pem);
    const auto signature =
        base::sign_sha256_rsa(*key, method + "\n" + target + "\n" + parts.timestamp + "\n" +
                                        parts.nonce + "\n" + parts.signed_body + "\n");
    base::OutboundRequest request{method, target, {}, parts.body};
    request.headers = {
        {"Authorization", parts.scheme + " mchid=\"" + parts.mchid + "\",nonce_str=\"" +
                              parts.nonce + "\",signature=\"" + signature + "\",timestamp=\"" +
                              parts.timestamp + "\",serial_no=\"" + parts.serial_no + "\""},
        {"Accept", parts.accept},
        {"User-Agent", parts.user_agent}};
    if (!parts.wechatpay_serial.empty()) {
      request.headers.emplace_back("Wechatpay-Serial", parts.wechatpay_serial);
    }
    if (method == "POST") request.headers.emplace_back("Content-Type", "application/json");
    return wechat->call(request);
  }

  Json prepay_body(const std::string& out_trade_no, bool is_h5 = true) const {
    const auto& access = world->access();
    Json body = {{"appid", access.appid},
                 {"mchid", access.mchid},
                 {"description", "话费充值 100 元"},
                 {"out_trade_no", out_trade_no},
                 {"notify_url", origin + "/callback/wechat"},
                 {"amount", {{"total", 9850}, {"currency", "CNY"}}}};
    if (is_h5) {
      body["scene_info"] = {
          {"payer_client_ip", "127.0.0.1"},
          {"h5_info", {{"type", "Wap"}, {"app_name", "Topup"}, {"app_url", origin}}}};
    } else {
      body["payer"] = {{"openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}};
    }
    return body;
  }
  OutboundReply prepay(const std::string& out_trade_no) {
    return ask("POST", "/v3/pay/transactions/h5", prepay_body(out_trade_no));
  }
  // Places the order and gives the target of its sheet.
  std::string sheet_of(const std::string& out_trade_no) {
    const auto reply = prepay(out_trade_no);
    REQUIRE(reply.status == 200);
    const auto url = Json::parse(reply.body).at("h5_url").get<std::string>();
    REQUIRE(url.substr(0, world->access().wechat_origin.size()) == world->access().wechat_origin);
    return url.substr(world->access().wechat_origin.size());
  }
  OutboundReply control(base::Outbound& party, const std::string& target, const Json& body) {
    return party.call({.method = "POST",
                       .target = target,
                       .headers = {{"Content-Type", "application/json"}},
                       .body = body.dump()});
  }
  OutboundReply page(const std::string& target) {
    return wechat->call({.method = "GET", .target = target, .headers = {}, .body = {}});
  }
  OutboundReply post_form(const std::string& target, const std::string& fields) {
    return wechat->call({.method = "POST",
                         .target = target,
                         .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                         .body = fields});
  }
  Json query(const std::string& out_trade_no) {
    const auto reply = ask("GET", "/v3/pay/transactions/out-trade-no/" + out_trade_no +
                                      "?mchid=" + world->access().mchid);
    return Json::parse(reply.body);
  }
  bool is_signed_by_platform(const std::function<std::string(std::string_view)>& header,
                             const std::string& body) const {
    const auto key = base::RsaKey::from_public_pem(world->access().platform_public_key_pem);
    return header("wechatpay-serial") == world->access().platform_key_id &&
           base::verify_sha256_rsa(*key,
                                   header("wechatpay-timestamp") + "\n" +
                                       header("wechatpay-nonce") + "\n" + body + "\n",
                                   header("wechatpay-signature"));
  }
  bool is_genuine(const OutboundReply& reply) const {
    return is_signed_by_platform([&](std::string_view name) { return reply.header(name); },
                                 reply.body);
  }
  bool is_genuine(const Heard& heard) const {
    return is_signed_by_platform([&](std::string_view name) { return heard.header(name); },
                                 heard.body);
  }
  Json decrypted(const Heard& heard) const {
    const Json resource = Json::parse(heard.body).at("resource");
    const auto bytes = base::from_base64(resource.at("ciphertext").get<std::string>());
    REQUIRE(bytes);
    const auto plain =
        base::open_aes_gcm(world->access().apiv3_key, resource.at("nonce").get<std::string>(),
                           resource.at("associated_data").get<std::string>(), *bytes);
    REQUIRE(plain);
    return Json::parse(*plain);
  }

  // Reloadly.
  OutboundReply token_call(const std::string& secret, const std::string& audience) {
    return auth->call({.method = "POST",
                       .target = "/oauth/token",
                       .headers = {{"Content-Type", "application/json"}},
                       .body = Json{{"client_id", world->access().reloadly_client_id},
                                    {"client_secret", secret},
                                    {"grant_type", "client_credentials"},
                                    {"audience", audience}}
                                   .dump()});
  }
  std::string fresh_token() {
    const auto& access = world->access();
    const auto reply = token_call(access.reloadly_client_secret, access.reloadly_origin);
    REQUIRE(reply.status == 200);
    return Json::parse(reply.body).at("access_token").get<std::string>();
  }
  OutboundReply reseller(const std::string& method, const std::string& target,
                         const Json& body = {}, std::int64_t deadline_ms = 5'000) {
    if (token.empty()) token = fresh_token();
    return reloadly->call({.method = method,
                           .target = target,
                           .headers = {{"Authorization", "Bearer " + token},
                                       {"Accept", "application/com.reloadly.topups-v1+json"},
                                       {"Content-Type", "application/json"}},
                           .body = body.is_null() ? "" : body.dump(),
                           .deadline_ms = deadline_ms});
  }
  static Json topup_body(const std::string& identifier, const std::string& phone, int cny = 50) {
    return {{"operatorId", 1161},
            {"amount", cny},
            {"useLocalAmount", true},
            {"customIdentifier", identifier},
            {"recipientPhone", {{"countryCode", "CN"}, {"number", phone}}}};
  }
  std::string balance() {  // the digits as sent: "100000.00000"
    const auto body = reseller("GET", "/accounts/balance").body;
    const auto at = body.find("\"balance\":") + 10;
    return body.substr(at, body.find_first_of(",}", at) - at);
  }
  Json report_of(const std::string& identifier) {
    const auto reply =
        reseller("GET", "/topups/reports/transactions?customIdentifier=" + identifier);
    return Json::parse(reply.body).at("content");
  }

  std::atomic<std::int64_t> clock_skip_ms{0};
  SkippingClock clock{clock_skip_ms};
  base::SystemRandom random;
  ListeningShop shop;
  std::filesystem::path folder;
  std::string origin, token;
  std::unique_ptr<http::Front> front;
  std::unique_ptr<World> world;
  std::unique_ptr<base::Outbound> wechat, auth, reloadly;

 private:
  void copy_keys() {
    static const auto merchant = base::RsaKey::generate();
    static const auto platform = base::RsaKey::generate();
    static const auto authority = base::RsaKey::generate();
    std::filesystem::create_directories(folder / "rehearsal");
    std::ofstream(folder / "rehearsal/wechat_merchant.pem") << merchant.private_pem();
    std::ofstream(folder / "rehearsal/wechat_platform.pem") << platform.private_pem();
    std::ofstream(folder / "rehearsal/alipay_app.pem") << merchant.private_pem();
    std::ofstream(folder / "rehearsal/alipay.pem") << platform.private_pem();
    std::ofstream(folder / "rehearsal/wechat_authority.pem") << authority.private_pem();
  }

  const int speed_;
  const std::uint16_t first_port_;
  std::uint16_t shop_port_ = 0;  // kept over a restart: notifications name it
};

// Tries until it holds or ten seconds have gone.
template <class Holds>
bool soon(Holds holds) {
  for (int i = 0; i < 1'000; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

}  // namespace topup::rehearsal::test
