// The whole shop over its own door with a payment channel that answers at once and signs as WeChat
// Pay would have the page do, so that what is measured is ours alone. Its jobs stand still. Also
// the floors: the same cryptography and commits with nothing around them.
//   topup_bench_money serve DATA_DIR KEYS.json OPEN_ORDERS [postgres://…]   prints its port
//   topup_bench_money floor create|notify DATA_DIR KEYS.json SECONDS        prints how many a
//   second
#include <signal.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "server/app.h"
#include "server/base/clock.h"
#include "server/base/crypto.h"
#include "server/base/json.h"
#include "server/base/log.h"
#include "server/base/process.h"
#include "server/base/random.h"
#include "server/entrance.h"
#include "server/http/front.h"
#include "server/payments/channel.h"
#include "server/payments/wechat_sign.h"
#include "server/storage/db.h"
#include "server/storage/migrate.h"
#include "shared/price_book.h"

namespace {

using namespace topup;  // NOLINT: one small program above every namespace of ours

constexpr int kOrdersAtOnce = 2'000;
constexpr int kFloorGroup = 64;
constexpr int kFloorThreads = 2;
constexpr std::int64_t kDayMs = 86'400'000;

std::string text_of(const base::Json& keys, const char* name) {
  return keys.at(name).get<std::string>();
}

base::Json read_keys(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream all;
  all << in.rdbuf();
  return base::Json::parse(all.str());
}

base::RsaKey private_key(const base::Json& keys) {
  auto key = base::RsaKey::from_private_pem(text_of(keys, "merchant_key"));
  if (!key) throw std::runtime_error("merchant_key");
  return std::move(*key);
}

class BenchChannel final : public payments::PayChannel {
 public:
  BenchChannel(base::RsaKey key, std::string appid, base::Random& random, const base::Clock& clock)
      : key_(std::move(key)), appid_(std::move(appid)), random_(random), clock_(clock) {}
  std::string_view name() const override { return "bench"; }
  payments::Outcome<payments::PrepayTicket> prepay(
      const payments::PrepayRequest& request) override {
    const std::string stamp = std::to_string(clock_.wall_ms() / 1'000);
    const std::string nonce = base::new_token(random_).substr(0, 32);
    const std::string package = "prepay_id=" + request.out_trade_no.text;
    const std::string sign =
        base::sign_sha256_rsa(key_, payments::wechat_pay_sign_text(appid_, stamp, nonce, package));
    payments::PrepayTicket ticket;
    ticket.scene = payments::Scene::jsapi;
    ticket.invoke = {{"appId", appid_},    {"timeStamp", stamp}, {"nonceStr", nonce},
                     {"package", package}, {"signType", "RSA"},  {"paySign", sign}};
    ticket.h5_url = "https://pay.example/" + request.out_trade_no.text + "#" + sign;
    return ticket;
  }
  payments::Outcome<payments::Trade> query(const OutTradeNo&) override { return unasked(); }
  payments::Outcome<payments::Trade> close(const OutTradeNo&) override { return unasked(); }
  payments::Outcome<payments::RefundTrade> refund(const payments::RefundRequest&) override {
    return unasked();
  }
  payments::Outcome<payments::RefundTrade> query_refund(const OutRefundNo&) override {
    return unasked();
  }
  Result<payments::Notification> parse_notify(const payments::NotifyRequest&) const override {
    return refuse(Code::forbidden, "signature_invalid");
  }

 private:
  static payments::Unknown unasked() { return {"the bench asks for prepay only"}; }
  base::RsaKey key_;
  std::string appid_;
  base::Random& random_;
  const base::Clock& clock_;
};

void publish_book(storage::Db& db, std::int64_t now_ms) {
  PriceBook book;
  book.version = 1;
  book.published_at_ms = now_ms;
  book.countries = {{"CN", "中国", "China"}};
  book.operators = {
      {"cn-mobile", "中国移动", "China Mobile", "CN", MainlandOperator::mobile, CardIssuer::none}};
  Product product;
  product.id = ProductId("cn-mobile-10000");
  product.face = product.delivered = fen(10'000);
  book.products = {product};
  PriceRule rule;
  rule.id = "default";
  rule.rate_bp = 9'950;
  book.rules = {rule};
  const std::string bytes = encode(canonical(std::move(book)));
  db.write([&](storage::Tx& tx) {
    tx.exec(
        "INSERT INTO price_books (version, bytes, fingerprint, published_at_ms)"
        " VALUES (1, $1, $2, $3)",
        {storage::Blob{bytes}, fingerprint(bytes), now_ms});
    // Who delivers it, so that a payment goes on to a supplier and not to a person.
    tx.exec(
        "INSERT INTO supplier_products (product_id, supplier, supplier_operator_id, country,"
        " face_minor, cost_minor) VALUES ('cn-mobile-10000', 'reloadly', '1', 'CN', 10000, 9600)",
        {});
    return true;
  });
}

constexpr std::string_view kOrder = R"sql(
  INSERT INTO orders (order_id, user_id, client_key, client_fingerprint, state, version, product_id, operator_id,
    operator_name_zh, operator_name_en, account_sealed, account_masked, face_minor, face_currency, payable_minor,
    payable_currency, delivered_minor, delivered_currency, quote, event_seq, trace_id, created_at_ms, updated_at_ms,
    pay_by_ms)
  VALUES ($1, $2, $1, 'f', 'paying', 2, 'cn-mobile-10000', 'cn-mobile', '中国移动', 'China Mobile', $3,
    '138****1234', 10000, 'CNY', 9950, 'CNY', 10000, 'CNY', '{}', 2, $1, $4, $4, $5))sql";
constexpr std::string_view kEvent = R"sql(
  INSERT INTO order_events (order_id, seq, event, from_state, to_state, actor, reason, trace_id, at_ms)
  VALUES ($1, $2, $3, $4, $5, 'system', '', $1, $6))sql";
constexpr std::string_view kAttempt = R"sql(
  INSERT INTO payment_attempts (out_trade_no, order_id, channel, scene, state, amount_minor, amount_currency, paid_minor,
    expires_at_ms, created_at_ms, updated_at_ms)
  VALUES ($1, $2, 'wechat', 'jsapi', 'started', 9950, 'CNY', 0, $4, $3, $3))sql";

// Orders that wait for their money, with ids as the shop makes them: out_trade_no is T, the time
// and 0000000000000001, 0000000000000002 …
void open_orders(storage::Db& db, std::int64_t orders, const std::string& id_time,
                 std::int64_t now_ms) {
  for (std::int64_t done = 0; done < orders; done += kOrdersAtOnce) {
    db.write([&](storage::Tx& tx) {
      for (std::int64_t i = done; i < orders && i < done + kOrdersAtOnce; ++i) {
        const std::string id = id_time + std::to_string(10'000'000'000'000'000 + i + 1).substr(1),
                          user = "bench-user-" + std::to_string(i / 8);
        if (i % 8 == 0)
          tx.exec("INSERT INTO users (user_id, created_at_ms) VALUES ($1, $2)", {user, now_ms});
        tx.exec(kOrder, {id, user, "v1.00000000." + std::string(56, 'A'), now_ms, now_ms + kDayMs});
        tx.exec(kEvent, {id, std::int64_t{1}, "place", "", "awaiting_payment", now_ms});
        tx.exec(kEvent,
                {id, std::int64_t{2}, "start_payment", "awaiting_payment", "paying", now_ms});
        tx.exec(kAttempt, {"T" + id, id, now_ms, now_ms + kDayMs});
      }
      return true;
    });
  }
}

Config config_for(const std::string& data_dir, const base::Json& keys, const std::string& url) {
  Config config;
  config.server.data_dir = data_dir;
  config.limits.percent = 0;  // one client stands for many
  config.orders.max_unpaid_per_user = 1'000;
  config.orders.repeat_window_ms = config.orders.review_above_minor = 0;
  config.jobs.threads = 0;  // what follows a payment is not measured
  config.log_level = "error";
  config.store.url = url;
  WechatSection wechat;
  wechat.origin = "http://127.0.0.1:1";
  wechat.mchid = text_of(keys, "mchid");
  wechat.appid = text_of(keys, "appid");
  wechat.serial_no = "0123456789";
  wechat.private_key_pem = text_of(keys, "merchant_key");
  wechat.apiv3_key = text_of(keys, "apiv3_key");
  wechat.verify_keys = {{text_of(keys, "platform_key_id"), text_of(keys, "platform_key")}};
  config.wechat_pay = wechat;
  ReloadlySection reloadly;
  reloadly.origin = reloadly.auth_origin = "http://127.0.0.1:1";
  reloadly.client_id = reloadly.client_secret = reloadly.webhook_secret = "bench";
  config.reloadly = reloadly;
  return config;
}

int serve(const std::string& data_dir, const base::Json& keys, std::int64_t orders,
          const std::string& url) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  base::set_log_level(base::Level::error);
  base::SystemClock clock;
  base::SystemRandom random;
  std::filesystem::create_directories(data_dir);
  Config config = config_for(data_dir, keys, url);
  const std::unique_ptr<http::Front> front = http::make_front(2);
  Entrance entrance;
  const std::uint16_t port = front->listen("127.0.0.1", 0, entrance);
  config.server.public_origin = "http://127.0.0.1:" + std::to_string(port);
  {
    // A shop makes its keys while it is still empty.
    App::open(config, *front, clock, random, {}, {})->stop();
    const auto db = open_store(config, clock);
    publish_book(*db, clock.wall_ms());
    open_orders(*db, orders, text_of(keys, "id_time"), clock.wall_ms());
  }
  App::MoreChannels more;
  more.push_back(
      std::make_unique<BenchChannel>(private_key(keys), text_of(keys, "appid"), random, clock));
  const auto app = App::open(config, *front, clock, random, {}, std::move(more));
  entrance.set_site(&app->site());
  front->start();
  std::printf("%u\n", port);
  std::fflush(stdout);
  int which = 0;
  sigwait(&signals, &which);
  front->stop(2'000);
  app->stop();
  return 0;
}

// One payment as the ledger would book it, and no more.
void book(storage::Tx& tx, const std::string& number) {
  tx.exec("INSERT INTO floor_orders (number, state) VALUES ($1, 'paid')", {number});
  for (const std::int64_t line : {1, 2})
    tx.exec("INSERT INTO floor_postings (number, line, minor) VALUES ($1, $2, $3)",
            {number, line, line == 1 ? std::int64_t{9'950} : std::int64_t{-9'950}});
}

void floor_crypto(bool is_create, const base::RsaKey& key, const std::string& signature,
                  const std::string& seal_key, const std::string& sealed) {
  const std::string text(300, 'x');
  if (is_create) {
    (void)base::sign_sha256_rsa(key, text);
    return;
  }
  if (!base::verify_sha256_rsa(key, text, signature)) std::abort();
  if (!base::open_aes_gcm(seal_key, std::string(12, 'n'), "transaction", sealed)) std::abort();
}

int floor(bool is_create, const std::string& data_dir, const base::Json& keys, int seconds) {
  std::filesystem::create_directories(data_dir);
  const auto db = storage::open_sqlite(data_dir + "/floor.sqlite");
  db->write([](storage::Tx& tx) {
    tx.exec("CREATE TABLE floor_orders (number TEXT PRIMARY KEY, state TEXT NOT NULL)", {});
    tx.exec(
        "CREATE TABLE floor_postings (number TEXT NOT NULL, line BIGINT NOT NULL,"
        " minor BIGINT NOT NULL, PRIMARY KEY (number, line))",
        {});
    return true;
  });
  const base::RsaKey key = private_key(keys);
  const std::string signature = base::sign_sha256_rsa(key, std::string(300, 'x'));
  const std::string seal_key = text_of(keys, "apiv3_key");
  const std::string sealed =
      base::seal_aes_gcm(seal_key, std::string(12, 'n'), "transaction", std::string(700, 'y'));
  std::atomic<std::int64_t> done = 0;
  std::atomic<bool> over = false;
  std::vector<std::jthread> threads;
  for (int t = 0; t < kFloorThreads; ++t) {
    threads.emplace_back([&, t] {
      for (std::int64_t round = 0; !over; ++round) {
        for (int i = 0; i < kFloorGroup; ++i)
          floor_crypto(is_create, key, signature, seal_key, sealed);
        db->write([&](storage::Tx& tx) {
          for (int i = 0; i < kFloorGroup; ++i)
            book(tx, std::to_string(t) + "-" + std::to_string(round) + "-" + std::to_string(i));
          return true;
        });
        done += kFloorGroup;
      }
    });
  }
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  over = true;
  const std::int64_t counted = done;
  threads.clear();
  std::printf("%lld\n", static_cast<long long>(counted / seconds));
  return 0;
}

int usage() {
  std::fprintf(stderr,
               "usage: topup_bench_money serve DATA_DIR KEYS.json OPEN_ORDERS [postgres://…]\n"
               "       topup_bench_money floor create|notify DATA_DIR KEYS.json SECONDS\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  topup::base::share_heaps();  // as the shop does
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() < 4) return usage();
  try {
    if (words[0] == "serve")
      return serve(words[1], read_keys(words[2]), std::atoll(words[3].c_str()),
                   words.size() > 4 ? words[4] : "");
    if (words[0] != "floor" || words.size() != 5) return usage();
    return floor(words[1] == "create", words[2], read_keys(words[3]), std::atoi(words[4].c_str()));
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "topup_bench_money: %s\n", failure.what());
    return 1;
  }
}
