#include "server/app.h"

#include <sys/stat.h>

#include <filesystem>
#include <stdexcept>
#include <utility>

#include "server/auth/session.h"
#include "server/base/http_client.h"
#include "server/base/log.h"
#include "server/catalog/catalog_service.h"
#include "server/http/idempotency_store.h"
#include "server/http/live.h"
#include "server/http/routes/mounts.h"
#include "server/http/server.h"
#include "server/http/session_gate.h"
#include "server/jobs/worker.h"
#include "server/observability/metrics.h"
#include "server/orders/payment_flow.h"
#include "server/orders/refund_flow.h"
#include "server/orders/supply_flow.h"
#include "server/payments/wechat.h"
#include "server/privacy/pii.h"
#include "server/storage/migrate.h"
#include "server/suppliers/reloadly.h"

namespace topup {
namespace {

constexpr int kJobThreads = 8;
constexpr std::int64_t kCatalogAgainMs = 6 * 3'600'000;
constexpr std::int64_t kCatalogRetryMs = 5'000;
constexpr std::string_view kCatalogSync = "catalog_sync";

template <class T>
T need(Result<T> result, const std::string& what) {
  if (result) return std::move(*result);
  throw std::runtime_error(what + ": " + std::string(result.error().reason) + " " +
                           result.error().detail);
}

std::string make_data_dir(const std::string& path) {
  std::error_code failure;
  std::filesystem::create_directories(path, failure);
  if (failure)
    throw std::runtime_error("cannot make the data folder " + path + ": " + failure.message());
  ::chmod(path.c_str(), 0700);
  return path;
}

payments::WechatConfig wechat_config(const WechatSection& section, const ServerSection& server) {
  payments::WechatConfig config{section.mchid,
                                section.appid,
                                section.serial_no,
                                need(base::RsaKey::from_private_pem(section.private_key_pem),
                                     "[wechat_pay] private_key_file"),
                                section.apiv3_key,
                                {},
                                server.public_origin + "/notify/wechat",
                                section.app_name.empty() ? server.shop_name : section.app_name,
                                server.public_origin};
  for (const auto& [serial, pem] : section.verify_keys) {
    config.verify_keys.emplace_back(
        serial, need(base::RsaKey::from_public_pem(pem), "[wechat_pay] public_key_file"));
  }
  if (config.apiv3_key.size() != 32)
    throw std::runtime_error("[wechat_pay] apiv3_key_file must hold exactly 32 characters");
  return config;
}

class Shop final : public App {
 public:
  Shop(const Config& config, http::Front& front, const base::Clock& clock, base::Random& random,
       std::vector<std::string> rehearsed)
      : config_(config),
        clock_(clock),
        random_(random),
        data_dir_(make_data_dir(config.server.data_dir)),
        is_new_(!std::filesystem::exists(data_dir_ + "/topup.sqlite")),
        pii_(need(privacy::Pii::load_or_create(
                      data_dir_ + "/topup.key", random,
                      is_new_ ? privacy::KeyFile::create_if_absent : privacy::KeyFile::must_exist),
                  "the key file of personal data")),
        db_(storage::open_sqlite(data_dir_ + "/topup.sqlite")),
        migrated_(prepare_db()),
        sessions_(*db_, clock, random),
        catalog_(*db_, clock),
        worker_(*db_, clock, kJobThreads),
        live_(*db_, clock, sessions_, front),
        env_{*db_,
             clock,
             random,
             pii_,
             catalog_,
             channels_,
             suppliers_,
             order_settings(config),
             [this] { worker_.wake(); },
             [this](const OrderId& id) { live_.changed(id); },
             [this](std::string_view state) { metrics_.count_order(state); }},
        orders_(env_),
        payments_(env_),
        supply_(env_),
        refunds_(env_),
        gate_(sessions_),
        answers_(*db_, clock, random),
        router_(gate_, answers_) {
    connect_parties();
    owner_password_ = sessions_.create_owner();
    register_jobs();
    mount_routes(std::move(rehearsed));
    open_site();
  }

  ~Shop() override { stop(); }

  http::Site& site() override { return *site_; }
  bool ready() const override { return missing().empty(); }
  const std::optional<std::string>& new_owner_password() const override { return owner_password_; }
  const std::vector<http::Route>& routes() const override { return router_.routes(); }

  void start() override {
    const std::int64_t now = clock_.wall_ms();
    db_->write([&](storage::Tx& tx) {
      if (db_->engine() == "sqlite") jobs::outbox::release_all(tx, now);
      if (suppliers_.find("reloadly") != nullptr) {
        jobs::outbox::enqueue(tx, kCatalogSync, "reloadly", now, now,
                              TraceId(base::new_trace_id(random_)));
      }
      return true;
    });
    worker_.start();
  }

  void stop() override {
    if (stopped_) return;
    stopped_ = true;
    site_->stop();
    live_.stop();
    worker_.stop();
    db_->write([](storage::Tx&) { return true; });  // the last hints have run; what they use may go
    base::set_outbound_observer({});
  }

 private:
  int prepare_db() {
    db_->on_group([this](std::size_t bodies) {
      metrics_.count_store_commit(static_cast<std::int64_t>(bodies));
    });
    return storage::migrate(*db_, clock_.wall_ms());
  }

  static orders::OrderSettings order_settings(const Config& config) {
    orders::OrderSettings settings = config.orders;
    settings.public_origin = config.server.public_origin;
    return settings;
  }

  void connect_parties() {
    base::set_outbound_observer(
        [this](std::string_view party, std::string_view outcome, std::int64_t ms) {
          metrics_.count_outbound(party, outcome, ms);
        });
    if (config_.wechat_pay) {
      wechat_http_ = base::make_outbound("wechat_pay", config_.wechat_pay->origin);
      channels_.add(payments::make_wechat(wechat_config(*config_.wechat_pay, config_.server),
                                          *wechat_http_, clock_, random_));
    }
    if (config_.reloadly) {
      const ReloadlySection& section = *config_.reloadly;
      reloadly_auth_http_ = base::make_outbound("reloadly_auth", section.auth_origin, 2);
      reloadly_http_ = base::make_outbound("reloadly", section.origin);
      suppliers_.add(
          suppliers::make_reloadly({section.client_id, section.client_secret, section.origin,
                                    section.webhook_secret, *parse_currency(section.wallet)},
                                   *reloadly_auth_http_, *reloadly_http_, clock_));
    }
  }

  void register_jobs() {
    worker_.handle(std::string(orders::job_kind::kSubmit),
                   [this](const jobs::Job& job) { supply_.run_submit(job); });
    worker_.handle(std::string(orders::job_kind::kSupplierQuery),
                   [this](const jobs::Job& job) { supply_.run_query(job); });
    worker_.handle(std::string(orders::job_kind::kPaymentQuery),
                   [this](const jobs::Job& job) { payments_.run_query(job); });
    worker_.handle(std::string(orders::job_kind::kExpire),
                   [this](const jobs::Job& job) { payments_.run_expire(job); });
    worker_.handle(std::string(orders::job_kind::kRefund),
                   [this](const jobs::Job& job) { refunds_.run(job); });
    worker_.handle(std::string(kCatalogSync), [this](const jobs::Job& job) { sync_catalog(job); });
    worker_.observe([this](const std::string& kind, const std::string& outcome) {
      metrics_.count_job(kind, outcome);
    });
  }

  // Translates between two siblings that do not know each other: what a supplier lists becomes what
  // the catalogue sells.
  void sync_catalog(const jobs::Job& job) {
    const auto listed = suppliers_.find(job.subject)->products("CN");
    std::int64_t again_ms = kCatalogRetryMs;
    if (listed) {
      std::vector<catalog::Listed> items;
      for (const suppliers::ListedProduct& item : *listed) {
        items.push_back({item.supplier_operator_id, item.operator_name, item.country, item.face});
      }
      const catalog::Assortment assortment = catalog::product_changes(job.subject, items);
      if (!assortment.products.empty()) {
        const bool changed =
            catalog_.publish(job.subject, assortment, config_.pricing, "job:catalog_sync");
        base::log(base::Level::info, "catalog_synced",
                  {{"products", static_cast<std::int64_t>(assortment.products.size())},
                   {"published", changed}});
        again_ms = kCatalogAgainMs;
      }
    } else {
      base::log(base::Level::warn, "catalog_sync_failed",
                {{"supplier", job.subject}, {"reason", listed.error().reason}});
    }
    (void)storage::with_tx(*db_, [&](storage::Tx& tx) {
      return jobs::outbox::reschedule(tx, job, clock_.wall_ms() + again_ms, "");
    });
  }

  void mount_routes(std::vector<std::string> rehearsed) {
    namespace routes = http::routes;
    router_.observe(
        clock_, [this](const http::Route& route, const http::Response& response, std::int64_t us) {
          metrics_.count_http_request(route.pattern, route.method, response.status, us);
          if (response.status >= 400) metrics_.count_refusal(response.problem_reason);
        });
    routes::mount_ops(router_, {[this] { return metrics_.text(); }, [this] { return missing(); }});
    routes::mount_shop(router_, {config_.server.shop_name, std::move(rehearsed)}, catalog_,
                       sessions_, clock_);
    routes::mount_orders(router_, orders_, payments_, clock_);
    routes::mount_parties(router_, channels_, suppliers_, payments_, supply_);
    routes::mount_admin_session(router_, sessions_);
    routes::mount_admin_orders(router_, *db_, suppliers_, clock_);
  }

  void open_site() {
    http::ServerOptions options;
    options.client_files = config_.server.client_files;
    options.console_files = config_.server.console_files;
    site_ = http::make_shop_site(router_, options, [this] { return base::new_trace_id(random_); });
    site_->set_live({[this](http::WsId id, const http::WireRequest& request) {
                       if (request.target != "/api/v1/live" || !http::is_own_origin(request))
                         return false;
                       live_.opened(id);
                       return true;
                     },
                     [this](http::WsId id, std::string_view text) { live_.message(id, text); },
                     [this](http::WsId id) { live_.closed(id); }});
  }

  std::vector<std::string> missing() const {
    std::vector<std::string> out;
    if (!catalog_.current()) out.push_back("price_book");
    if (channels_.find("wechat") == nullptr) out.push_back("payment_channel");
    if (suppliers_.find("reloadly") == nullptr) out.push_back("supplier");
    return out;
  }

  Config config_;
  const base::Clock& clock_;
  base::Random& random_;
  observability::Metrics metrics_;
  std::string data_dir_;
  bool is_new_;
  privacy::Pii pii_;
  std::unique_ptr<storage::Db> db_;
  int migrated_;
  std::unique_ptr<base::Outbound> wechat_http_, reloadly_auth_http_, reloadly_http_;
  payments::Channels channels_;
  suppliers::Suppliers suppliers_;
  auth::Sessions sessions_;
  catalog::Catalog catalog_;
  jobs::Worker worker_;
  http::Live live_;
  orders::OrderEnv env_;
  orders::OrderService orders_;
  orders::PaymentFlow payments_;
  orders::SupplyFlow supply_;
  orders::RefundFlow refunds_;
  http::SessionGate gate_;
  http::StoredAnswers answers_;
  http::Router router_;
  std::unique_ptr<http::ShopSite> site_;
  std::optional<std::string> owner_password_;
  bool stopped_ = false;
};

}  // namespace

std::unique_ptr<App> App::open(const Config& config, http::Front& front, const base::Clock& clock,
                               base::Random& random, std::vector<std::string> rehearsed) {
  return std::make_unique<Shop>(config, front, clock, random, std::move(rehearsed));
}

}  // namespace topup
