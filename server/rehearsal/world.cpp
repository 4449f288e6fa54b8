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

#include "server/rehearsal/reloadly.h"
#include "server/rehearsal/wechat_pay.h"

namespace topup::rehearsal {
namespace {

constexpr int kPortsTried = 20;  // beyond the wanted one
constexpr std::size_t kMaxKeyFile = 16 * 1024;
constexpr char kMchid[] = "1716000001";
constexpr char kAppid[] = "wx7265686561727361";

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
        {"reloadly_webhook_secret", base::new_token(random)}};
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
    wechat_ =
        std::make_unique<WechatPay>(around_, WechatIdentity{{kMchid, kAppid, options.shop_origin},
                                                            access_.merchant_serial_no,
                                                            access_.apiv3_key,
                                                            access_.platform_key_id,
                                                            merchant_key,
                                                            platform_key});
    const ReloadlyIdentity reseller{
        access_.reloadly_client_id, access_.reloadly_client_secret, access_.reloadly_webhook_secret,
        options.shop_origin.empty() ? "" : options.shop_origin + "/callback/reloadly"};
    reloadly_auth_ = std::make_unique<ReloadlyAuth>(around_, reseller);
    reloadly_ = std::make_unique<Reloadly>(around_, reseller);
    listen(options.first_port, front);
  }
  ~WorldOfParties() override { stop(); }

  const PartyAccess& access() const override { return access_; }
  void start() override {
    timers_.start();
    wechat_->start();
    reloadly_auth_->start();
    reloadly_->start();
  }
  void stop() override {
    timers_.stop();
    wechat_->stop();
    reloadly_auth_->stop();
    reloadly_->stop();
  }
  std::vector<std::string> parties() const override { return {wechat_->name(), reloadly_->name()}; }

 private:
  void listen(std::uint16_t first_port, http::Front& front) {
    std::uint32_t next = first_port;
    access_.wechat_origin = listen_somewhere(front, *wechat_, next);
    access_.reloadly_auth_origin = listen_somewhere(front, *reloadly_auth_, next);
    access_.reloadly_origin = listen_somewhere(front, *reloadly_, next);
    wechat_->set_origin(access_.wechat_origin);
    reloadly_auth_->set_audience(access_.reloadly_origin);
  }

  std::unique_ptr<storage::Db> db_;
  Timers timers_;
  Surroundings around_;
  PartyAccess access_;
  std::unique_ptr<WechatPay> wechat_;
  std::unique_ptr<ReloadlyAuth> reloadly_auth_;
  std::unique_ptr<Reloadly> reloadly_;
};

}  // namespace

std::unique_ptr<World> World::open(WorldOptions options, http::Front& front,
                                   const base::Clock& clock, base::Random& random) {
  make_folder(options.data_dir, 0700);
  return std::make_unique<WorldOfParties>(options, front, clock, random);
}

}  // namespace topup::rehearsal
