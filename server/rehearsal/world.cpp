#include "server/rehearsal/world.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>

#include "server/rehearsal/alipay.h"
#include "server/rehearsal/alipay_keys.h"
#include "server/rehearsal/dingconnect.h"
#include "server/rehearsal/dtone.h"
#include "server/rehearsal/juhe.h"
#include "server/rehearsal/reloadly.h"
#include "server/rehearsal/sms_inbox.h"
#include "server/rehearsal/wechat_pay.h"
#include "server/rehearsal/wechat_platform.h"

namespace topup::rehearsal {
namespace {

constexpr int kPortsTried = 20;  // beyond the wanted one
constexpr std::size_t kMaxKeyFile = 16 * 1024;
constexpr char kMchid[] = "1716000001";
constexpr char kAppid[] = "wx7265686561727361";
constexpr char kAlipayAppId[] = "2021004100000001";
constexpr char kAlipaySellerId[] = "2088720000000001";
constexpr char kAlipayMiniAppId[] = "2021004100000002";
constexpr char kFirstStation[] = "1716000101";  // merchants below the service provider
constexpr char kSecondStation[] = "1716000102";
constexpr char kMiniAppid[] = "wx6d696e6970726f67";

std::runtime_error file_error(const std::string& doing, const std::string& path) {
  return std::runtime_error("cannot " + doing + " " + path + ": " + std::strerror(errno));
}

void make_folder(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) throw file_error("make", path);
}

// The name appears only when the whole key is on disk, so that a kill never leaves half a key.
void write_key_file(const std::string& path, const std::string& pem) {
  const std::string partial = path + ".new";
  const int fd = ::open(partial.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) throw file_error("write", partial);
  const auto written = ::write(fd, pem.data(), pem.size());
  const bool is_whole = written == static_cast<ssize_t>(pem.size()) && ::fsync(fd) == 0;
  ::close(fd);
  if (!is_whole || std::rename(partial.c_str(), path.c_str()) != 0) throw file_error("write", path);
}

base::RsaKey kept_key(const std::string& path) {
  if (std::ifstream file(path, std::ios::binary); file) {
    std::string pem(kMaxKeyFile, '\0');
    file.read(pem.data(), static_cast<std::streamsize>(pem.size()));
    pem.resize(static_cast<std::size_t>(file.gcount()));
    const auto key = base::RsaKey::from_private_pem(pem);
    if (!key) throw std::runtime_error(path + " is not a private RSA key");
    return *key;
  }
  const auto key = base::RsaKey::generate();
  write_key_file(path, key.private_pem());
  return key;
}

// Names and secrets drawn once and then kept.
class Identity {
 public:
  Identity(storage::Db& db, base::Random& random) {
    std::string serial = base::hex(random.bytes(20));
    std::transform(serial.begin(), serial.end(), serial.begin(),
                   [](char c) { return c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c; });
    const std::map<std::string, std::string> fresh = {
        {"merchant_serial_no", serial},
        {"apiv3_key", base::new_nonce(random)},
        {"platform_key_id", "PUB_KEY_ID_0117160000012026" + random_digits(random, 16)},
        {"reloadly_client_id", base::new_token(random).substr(0, 32)},
        {"reloadly_client_secret", base::new_token(random)},
        {"reloadly_webhook_secret", base::new_token(random)},
        {"mini_secret", base::hex(random.bytes(16))},
        {"oa_secret", base::hex(random.bytes(16))},
        {"sms_key", base::new_token(random)},
        {"dtone_api_key", base::new_token(random).substr(0, 32)},
        {"dtone_api_secret", base::new_token(random)},
        {"dingconnect_api_key", base::new_token(random).substr(0, 32)},
        {"juhe_open_id", "JH" + base::hex(random.bytes(16))},
        {"juhe_mobile_key", base::hex(random.bytes(16))},
        {"juhe_fuel_key", base::hex(random.bytes(16))},
        {"supplier_callback_token", base::new_token(random)}};
    db.write([&](storage::Tx& tx) {
      tx.exec("CREATE TABLE IF NOT EXISTS identity (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
              {});
      for (const auto& [name, value] : fresh) {
        tx.exec(R"sql(
          INSERT INTO identity (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING)sql",
                {name, value});
      }
      return true;
    });
    db.read([&](storage::Reader& reader) {
      reader.query("SELECT name, value FROM identity", {},
                   [&](const storage::Row& row) { kept_[row.text(0)] = row.text(1); });
    });
  }
  const std::string& operator[](const std::string& name) const { return kept_.at(name); }

 private:
  std::map<std::string, std::string> kept_;
};

// The wanted port, or the next free one, or any; moves `next` past it.
std::string listen_somewhere(http::Front& front, http::Site& site, std::uint32_t& next) {
  const std::string loopback = "127.0.0.1";
  const auto origin = [&](std::uint16_t port) {
    return "http://" + loopback + ":" + std::to_string(port);
  };
  for (int tried = 0; next != 0 && tried <= kPortsTried && next <= 65'535; ++tried, ++next) {
    try {
      const auto port = front.listen(loopback, static_cast<std::uint16_t>(next), site);
      ++next;
      return origin(port);
    } catch (const std::runtime_error&) {
      continue;  // taken by another program
    }
  }
  return origin(front.listen(loopback, 0, site));
}

class WorldOfParties final : public World {
 public:
  WorldOfParties(const WorldOptions& options, http::Front& front, const base::Clock& clock,
                 base::Random& random)
      : db_(storage::open_sqlite(options.data_dir + "/rehearsal.sqlite")),
        timers_(clock),
        around_{*db_, clock, random, timers_, std::clamp(options.speed_percent, 1, 10'000)} {
    const Identity identity(*db_, random);
    const std::string keys = options.data_dir + "/rehearsal";
    make_folder(keys, 0700);
    const auto merchant_key = kept_key(keys + "/wechat_merchant.pem");
    const auto platform_key = kept_key(keys + "/wechat_platform.pem");
    const auto authority_key = kept_key(keys + "/wechat_authority.pem");
    access_.mchid = kMchid;
    access_.appid = kAppid;
    access_.merchant_serial_no = identity["merchant_serial_no"];
    access_.merchant_private_key_pem = merchant_key.private_pem();
    access_.apiv3_key = identity["apiv3_key"];
    access_.platform_key_id = identity["platform_key_id"];
    access_.platform_public_key_pem = platform_key.public_pem();
    access_.reloadly_client_id = identity["reloadly_client_id"];
    access_.reloadly_client_secret = identity["reloadly_client_secret"];
    access_.reloadly_webhook_secret = identity["reloadly_webhook_secret"];
    wechat_ = std::make_unique<WechatPay>(
        around_,
        WechatIdentity{
            {kMchid, kAppid, options.shop_origin, kMiniAppid, {kFirstStation, kSecondStation}},
            access_.merchant_serial_no,
            access_.apiv3_key,
            access_.platform_key_id,
            merchant_key,
            platform_key,
            authority_key});
    access_.platform_authority_pem = wechat_->authority_pem();
    const ReloadlyIdentity reseller{
        access_.reloadly_client_id, access_.reloadly_client_secret, access_.reloadly_webhook_secret,
        options.shop_origin.empty() ? "" : options.shop_origin + "/callback/reloadly"};
    reloadly_auth_ = std::make_unique<ReloadlyAuth>(around_, reseller);
    reloadly_ = std::make_unique<Reloadly>(around_, reseller);
    access_.mini_appid = kMiniAppid;
    access_.mini_secret = identity["mini_secret"];
    access_.oa_secret = identity["oa_secret"];
    access_.sms_key = identity["sms_key"];
    platform_ = std::make_unique<WechatPlatform>(
        around_, WechatPlatformIdentity{{{kMiniAppid, access_.mini_secret, AppKind::mini_program},
                                         {kAppid, access_.oa_secret, AppKind::official_account}},
                                        options.shop_origin});
    sms_ = std::make_unique<SmsInbox>(around_, access_.sms_key);
    open_suppliers(identity, options.shop_origin);
    open_alipay(keys, options.shop_origin, authority_key);
    listen(options.first_port, front);
  }
  ~WorldOfParties() override { stop(); }

  const PartyAccess& access() const override { return access_; }
  void start() override {
    timers_.start();
    wechat_->start();
    reloadly_auth_->start();
    reloadly_->start();
    platform_->start();
    sms_->start();
    alipay_->start();
    dtone_->start();
    dingconnect_->start();
    juhe_->start();
  }
  void stop() override {
    timers_.stop();
    wechat_->stop();
    reloadly_auth_->stop();
    reloadly_->stop();
    platform_->stop();
    sms_->stop();
    alipay_->stop();
    dtone_->stop();
    dingconnect_->stop();
    juhe_->stop();
  }
  std::vector<std::string> parties() const override {
    return {wechat_->name(), reloadly_->name(), platform_->name(),    sms_->name(),
            alipay_->name(), dtone_->name(),    dingconnect_->name(), juhe_->name()};
  }

 private:
  void open_suppliers(const Identity& identity, const std::string& shop) {
    const std::string token = identity["supplier_callback_token"];
    const auto callback = [&](const std::string& name) {
      return shop.empty() ? "" : shop + "/callback/" + name;
    };
    access_.supplier_callback_token = token;
    access_.dtone_api_key = identity["dtone_api_key"];
    access_.dtone_api_secret = identity["dtone_api_secret"];
    dtone_ = std::make_unique<Dtone>(
        around_, DtoneIdentity{access_.dtone_api_key, access_.dtone_api_secret});
    access_.dingconnect_api_key = identity["dingconnect_api_key"];
    const std::string ding_url = callback("dingconnect");
    dingconnect_ = std::make_unique<Dingconnect>(
        around_, DingconnectIdentity{access_.dingconnect_api_key,
                                     ding_url.empty() ? "" : ding_url + "?token=" + token});
    access_.juhe_open_id = identity["juhe_open_id"];
    access_.juhe_mobile_key = identity["juhe_mobile_key"];
    access_.juhe_fuel_key = identity["juhe_fuel_key"];
    juhe_ =
        std::make_unique<Juhe>(around_, JuheIdentity{access_.juhe_open_id, access_.juhe_mobile_key,
                                                     access_.juhe_fuel_key, callback("juhe")});
  }
  // One played authority signs for both channels: making keys is slow.
  void open_alipay(const std::string& keys, const std::string& shop_origin,
                   const base::RsaKey& authority) {
    const AlipayPapers papers = make_alipay_papers(kept_key(keys + "/alipay_app.pem"),
                                                   kept_key(keys + "/alipay.pem"), authority);
    access_.alipay_app_id = kAlipayAppId;
    access_.alipay_seller_id = kAlipaySellerId;
    access_.alipay_op_app_id = kAlipayMiniAppId;
    access_.alipay_app_key_pem = papers.app_key.private_pem();
    access_.alipay_public_key_pem = papers.alipay_key.public_pem();
    access_.alipay_app_cert_pem = papers.app_cert_pem;
    access_.alipay_cert_pem = papers.alipay_cert_pem;
    access_.alipay_root_pem = papers.root_pem;
    alipay_ = std::make_unique<Alipay>(
        around_, AlipayIdentity{{kAlipayAppId, kAlipaySellerId, kAlipayMiniAppId, shop_origin},
                                papers.app_key,
                                papers.alipay_key,
                                papers.app_cert_sn,
                                papers.root_cert_sn,
                                papers.alipay_cert_sn});
  }

  void listen(std::uint16_t first_port, http::Front& front) {
    std::uint32_t next = first_port;
    access_.wechat_origin = listen_somewhere(front, *wechat_, next);
    access_.reloadly_auth_origin = listen_somewhere(front, *reloadly_auth_, next);
    access_.reloadly_origin = listen_somewhere(front, *reloadly_, next);
    access_.wechat_platform_origin = listen_somewhere(front, *platform_, next);
    access_.sms_origin = listen_somewhere(front, *sms_, next);
    access_.alipay_origin = listen_somewhere(front, *alipay_, next);
    access_.dtone_origin = listen_somewhere(front, *dtone_, next);
    access_.dingconnect_origin = listen_somewhere(front, *dingconnect_, next);
    access_.juhe_origin = listen_somewhere(front, *juhe_, next);
    const std::vector<Neighbour> desks = {{wechat_->name(), access_.wechat_origin},
                                          {alipay_->name(), access_.alipay_origin},
                                          {reloadly_->name(), access_.reloadly_origin},
                                          {dtone_->name(), access_.dtone_origin},
                                          {dingconnect_->name(), access_.dingconnect_origin},
                                          {juhe_->name(), access_.juhe_origin},
                                          {platform_->name(), access_.wechat_platform_origin},
                                          {sms_->name(), access_.sms_origin}};
    for (Party* party : std::initializer_list<Party*>{wechat_.get(), alipay_.get(), reloadly_.get(),
                                                      dtone_.get(), dingconnect_.get(), juhe_.get(),
                                                      platform_.get(), sms_.get()}) {
      party->set_neighbours(desks);
    }
    wechat_->set_origin(access_.wechat_origin);
    alipay_->set_origin(access_.alipay_origin);
    reloadly_auth_->set_audience(access_.reloadly_origin);
  }

  std::unique_ptr<storage::Db> db_;
  Timers timers_;
  Surroundings around_;
  PartyAccess access_;
  std::unique_ptr<WechatPay> wechat_;
  std::unique_ptr<ReloadlyAuth> reloadly_auth_;
  std::unique_ptr<Reloadly> reloadly_;
  std::unique_ptr<WechatPlatform> platform_;
  std::unique_ptr<SmsInbox> sms_;
  std::unique_ptr<Alipay> alipay_;
  std::unique_ptr<Dtone> dtone_;
  std::unique_ptr<Dingconnect> dingconnect_;
  std::unique_ptr<Juhe> juhe_;
};

}  // namespace

std::unique_ptr<World> World::open(WorldOptions options, http::Front& front,
                                   const base::Clock& clock, base::Random& random) {
  make_folder(options.data_dir, 0700);
  return std::make_unique<WorldOfParties>(options, front, clock, random);
}

}  // namespace topup::rehearsal
