#include "server/app.h"

#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

#include "server/app_account.h"
#include "server/app_buyers.h"
#include "server/app_channels.h"
#include "server/app_decoration.h"
#include "server/app_desk.h"
#include "server/app_drafts.h"
#include "server/app_keys.h"
#include "server/app_metrics.h"
#include "server/app_money.h"
#include "server/app_node.h"
#include "server/app_offers.h"
#include "server/app_orders.h"
#include "server/app_parties.h"
#include "server/app_people.h"
#include "server/app_reconcile.h"
#include "server/app_setup.h"
#include "server/app_supply.h"
#include "server/app_wechat.h"
#include "server/base/http_client.h"
#include "server/base/log.h"
#include "server/base/span.h"
#include "server/base/version.h"
#include "server/catalog/catalog_service.h"
#include "server/http/idempotency_store.h"
#include "server/http/live.h"
#include "server/http/rate_limits.h"
#include "server/http/routes/mounts.h"
#include "server/http/routes/pins.h"
#include "server/http/routes/pricing_more.h"
#include "server/http/server.h"
#include "server/http/service_level.h"
#include "server/http/session_gate.h"
#include "server/jobs/node_roll.h"
#include "server/jobs/schedule.h"
#include "server/jobs/worker.h"
#include "server/observability/metrics.h"
#include "server/observability/otlp.h"
#include "server/operate/scheduled_backups.h"
#include "server/operate/start_check.h"
#include "server/orders/payment_flow.h"
#include "server/orders/refund_flow.h"
#include "server/orders/supply_flow.h"
#include "server/privacy/pii.h"
#include "server/settings/settings.h"
#include "server/storage/lock_file.h"
#include "server/storage/migrate.h"
#include "server/storage/partitions.h"
#include "server/storage/postgres.h"
#include "server/storage/store_health.h"

namespace topup {
namespace {

constexpr std::int64_t kPartitionsAgainMs = 24 * 3'600'000;
constexpr std::string_view kBackup = "backup";
constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::string_view kIdentitySweep = "identity_sweep";
constexpr std::int64_t kSweepEveryMs = 6 * 3'600'000;
constexpr std::int64_t kLookAgainMs = 1'000;  // at what other nodes of this shop have published
constexpr std::int64_t kPruneAgainMs = 60'000;

class Shop final : public App {
 public:
  Shop(const Config& config, http::Front& front, const base::Clock& clock, base::Random& random,
       std::vector<std::string> rehearsed, MoreChannels more)
      : config_(config),
        clock_(clock),
        random_(random),
        front_(front),
        pages_(http::read_pages(config.server.client_files, config.server.console_files)),
        data_dir_(make_data_dir(config.server.data_dir)),
        node_(data_dir_, random),
        start_check_(sqlite_file(config), clock),
        db_(open_store(config, clock)),
        is_new_(!storage::has_shop(*db_)),
        keys_(config, data_dir_, node_.text(), *db_, clock, random, is_new_),
        migrated_(prepare_db()),
        settings_(*db_, clock, setting_presets(config)),
        levels_(clock),
        pii_(keys_.open()),
        store_health_(*db_, clock),
        figures_(*db_, clock, metrics_),
        setup_(config_, *db_, clock, random, pii_, rehearsed),
        parties_(config_, clock, random, setup_.real()),
        channel_parts_(config_, settings_, parties_, metrics_, setup_.hidden()),
        buyers_(config_, *db_, clock, random, pii_),
        account_(config_.server.shop_name, *db_, clock, pii_, buyers_.identities()),
        decoration_(*db_, clock),
        catalog_(*db_, clock),
        supplying_(config_, *db_, clock, parties_.suppliers(), catalog_, metrics_),
        worker_(*db_, clock, random,
                {static_cast<int>(config.jobs.threads), node_.text(), config.jobs.lease_ms,
                 config.store.url.empty() ? 0 : jobs::kStrangersMs}),
        schedules_(*db_, clock, random),
        roll_(*db_, clock, node_.text(), base::new_id(random, clock.wall_ms())),
        live_(*db_, clock, buyers_.sessions(), front, config_.orders.hold_promise_ms),
        env_{*db_,
             clock,
             random,
             pii_,
             catalog_,
             parties_.channels(),
             parties_.suppliers(),
             order_settings(config_),
             [this] { worker_.wake(); },
             [this](const OrderId& id) { live_.changed(id); },
             [this](std::string_view state) { metrics_.count_order(state); },
             {},
             &supplying_.health()},
        orders_(env_),
        payments_(env_),
        supply_(env_),
        refunds_(env_),
        order_parts_(env_, buyers_, settings_),
        offer_parts_(env_, levels_),
        draft_parts_(*db_, clock, pii_),
        staff_sessions_(*db_, clock, random, pii_, staff_rules(config_)),
        staff_accounts_(*db_, clock, random),
        approvals_(*db_, clock, random),
        role_grants_(*db_, staff_accounts_, approvals_),
        reconcile_(env_, settings_, approvals_),
        money_(env_, refunds_, approvals_, settings_),
        people_(config_, env_, keys_),
        gate_(buyers_.sessions(), staff_sessions_, is_https()),
        answers_(*db_, clock, roll_.process()),
        limits_(clock, random, config.limits.percent),
        cursors_([this](std::string_view text) { return pii_.blind_index("cursor", text); }),
        router_(gate_, answers_) {
    for (auto& channel : more) parties_.channels().add(std::move(channel));
    furnish(std::move(rehearsed));
  }

  ~Shop() override { stop(); }

  http::Site& site() override { return *site_; }
  bool ready() const override { return missing().empty(); }
  const std::optional<std::string>& new_owner_password() const override { return owner_password_; }
  const std::vector<http::Route>& routes() const override { return router_.routes(); }
  storage::Db& store() override { return *db_; }
  void adopt(const Config& config) override { parties_.adopt(config); }

  void start() override {
    const std::int64_t now = clock_.wall_ms();
    db_->write([&](storage::Tx& tx) {
      // A file has one process: every lease in it is that of a dead one.
      if (tx.engine() == "sqlite") jobs::outbox::release_all(tx, now);
      jobs::outbox::release_of(tx, node_.text(), now);
      jobs::outbox::pull_near(tx, now, config_.jobs.lease_ms, jobs::kMaxBackoffMs);
      return true;
    });
    start_check_.start();
    keys_.start(pii_);
    channel_parts_.start();
    schedules_.plant(true);
    share_limits();
    worker_.start();
    keeper_ = std::jthread([this](const std::stop_token& stop) { keep_house(stop); });
  }

  void stop() override {
    if (stopped_) return;
    stopped_ = true;
    front_.observe({});
    site_->stop();
    order_parts_.stop();
    live_.stop();
    if (keeper_.joinable()) {
      keeper_.request_stop();
      keeper_.join();
    }
    if (db_->engine() != "sqlite") roll_.leave();
    worker_.stop();
    channel_parts_.stop();
    people_.stop();
    if (backups_) backups_->stop();
    start_check_.stop();
    keys_.stop();
    wait_for_hints();
    stop_tracing();
    base::set_outbound_observer({});
  }

 private:
  // Hints of the last commits use what is taken down next. Those of PostgreSQL ran in their
  // callers.
  void wait_for_hints() {
    if (db_->engine() != "sqlite") return;
    db_->write([](storage::Tx&) { return true; });
  }

  void keep_house(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock hold(mutex);
    std::int64_t prune_at_ms = 0;
    while (!stopped.wait_for(hold, stop, std::chrono::milliseconds(kLookAgainMs),
                             [&stop] { return stop.stop_requested(); })) {
      try {
        if (db_->engine() != "sqlite") follow_others();
        share_limits();
        people_.keep_house();
        const std::int64_t now = clock_.mono_ms();
        if (now < prune_at_ms) continue;
        prune_at_ms = answers_.prune() == http::kPrunedAtOnce ? now : now + kPruneAgainMs;
      } catch (const std::exception& failure) {
        base::log(base::Level::warn, "housekeeping_failed", {{"why", failure.what()}});
      }
    }
  }

  // What the constructor does once all parts stand.
  void furnish(std::vector<std::string> rehearsed) {
    set_up_backups();
    buyers_.offer_alipay(
        {[this] { return parties_.alipay_mini_app(); },
         [this](const std::string& code) { return parties_.alipay_person(code); }});
    setup_.attach(parties_, [this] { worker_.wake(); });
    follow_settings();
    observe_world();
    owner_password_ = staff_accounts_.create_owner();
    register_jobs();
    mount_routes(std::move(rehearsed));
    open_site();
  }

  // Another node may publish a price book or change a setting at any time.
  void follow_others() {
    catalog_.refresh();
    settings_.refresh();
    offer_parts_.refresh();
  }

  // What one address, device or person may do is divided among the nodes that live.
  void share_limits() {
    if (db_->engine() != "sqlite") limits_.share_among(roll_.beat());
  }

  static base::Json setting_presets(const Config& config) {
    return {{"orders.pay_within_ms", config.orders.pay_within_ms},
            {"orders.max_unpaid_per_user", config.orders.max_unpaid_per_user},
            {"orders.repeat_window_ms", config.orders.repeat_window_ms},
            {"orders.review_above_minor", config.orders.review_above_minor},
            {"log.level", config.log_level}};
  }

  void follow_settings() {
    settings_.observe([this](const settings::Snapshot& now) {
      levels_.adopt(now);
      base::set_log_level(base::parse_level(now.text("log.level")));
      live_.tell_all(service_message());
    });
  }

  std::string service_message() const {
    base::Json message = levels_.facts();
    message["type"] = "service";
    return message.dump();
  }

  bool database_answers() const {
    try {
      db_->read([](storage::Reader& reader) {
        reader.query("SELECT 1", {}, [](const storage::Row&) {});
      });
      return true;
    } catch (const storage::SqlError&) {
      return false;
    }
  }

  static std::string sqlite_file(const Config& config) {
    return config.store.url.empty() ? config.server.data_dir + "/topup.sqlite" : "";
  }

  void set_up_backups() {
    if (config_.backup.folder.empty()) return;
    metrics_.set_backup_made_at(operate::newest_backup_ms(config_.backup.folder));
    backups_ = std::make_unique<operate::ScheduledBackups>(
        backup_order(), clock_, [this](bool is_good, std::int64_t, std::int64_t) {
          metrics_.count_backup(is_good);
          if (is_good) metrics_.set_backup_made_at(clock_.wall_ms());
        });
  }

  operate::BackupOrder backup_order() {
    return {data_dir_,
            db_->engine() == "sqlite" ? nullptr : db_.get(),
            config_.backup.folder,
            config_.backup.keep,
            false,
            std::string(base::version()),
            {},
            config_.keys.audit_head_file};
  }

  // The job only asks: on a database of several nodes one of them does.
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

  static auth::StaffRules staff_rules(const Config& config) {
    return {config.staff.totp_required, config.server.shop_name};
  }

  bool is_https() const { return config_.server.public_origin.starts_with("https://"); }

  void start_tracing() {
    const TracingSection& tracing = config_.tracing;
    if (tracing.otlp_origin.empty()) return;
    base::OutboundOptions one;
    one.ca_file = tracing.ca_file;
    one.max_connections = 1;
    otlp_http_ = base::make_outbound("otlp", tracing.otlp_origin, one);
    observability::OtlpOptions options;
    options.version = std::string(base::version());
    options.instance = node_.text();
    options.headers = tracing.headers;
    exporter_ = std::make_shared<observability::OtlpExporter>(
        *otlp_http_, options, [this](std::string_view outcome, std::int64_t spans) {
          metrics_.count_spans(outcome, spans);
        });
    base::set_span_sink([to = exporter_](base::SpanRecord&& span) { to->take(std::move(span)); },
                        static_cast<int>(tracing.sample_bp));
  }

  void stop_tracing() {
    if (!exporter_) return;
    base::set_span_sink({}, 0);
    exporter_->stop();
  }

  void observe_world() {
    base::set_outbound_observer(
        [this](std::string_view party, std::string_view outcome, std::int64_t ms) {
          metrics_.count_outbound(party, outcome, ms);
        });
    front_.observe([this](const http::DoorEvent& event) {
      metrics_.count_door(http::word_of(event.kind), event.reason, event.wall_ms);
    });
    start_tracing();
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
    order_parts_.register_jobs(worker_);
    worker_.handle(std::string(orders::job_kind::kCloseSheet),
                   [this](const jobs::Job& job) { payments_.run_close(job); });
    register_schedules();
    worker_.observe([this](const std::string& kind, const std::string& outcome) {
      metrics_.count_job(kind, outcome);
    });
    worker_.measure(
        [this](const std::string& kind, std::int64_t us) { metrics_.count_job_run(kind, us); });
  }

  // What happens again and again: {kind, subject, period, jitter, also at start}.
  void register_schedules() {
    look_after_wechat(parties_.wechat(), worker_, schedules_, metrics_);
    supplying_.attach(env_);
    supplying_.register_jobs(worker_, schedules_, supply_);
    schedules_.add(worker_, {std::string(kIdentitySweep), "shop", kSweepEveryMs, 0, true},
                   [this](const jobs::Job&) { buyers_.identities().sweep(); });
    money_.schedule(schedules_, worker_);
    if (db_->engine() == "postgres") {
      schedules_.add(worker_, {"make_partitions", "months", kPartitionsAgainMs, 0, true},
                     [this](const jobs::Job&) { make_partitions(); });
    }
    if (backups_) {
      schedules_.add(worker_, {std::string(kBackup), "own", kHourMs, 0, true},
                     [this](const jobs::Job&) {
                       (void)backups_->run_when_due(config_.backup.every_hours * kHourMs);
                     });
    }
    reconcile_.schedule(schedules_, worker_);
    draft_parts_.schedule(schedules_, worker_);
    worker_.on_clock_jump([this] { schedules_.plant(false); });
  }

  void make_partitions() {
    const storage::Partitions found = storage::make_partitions(*db_, clock_.wall_ms());
    if (found.made > 0) base::log(base::Level::info, "partitions_made", {{"count", found.made}});
    if (found.strays > 0)
      base::log(base::Level::error, "partition_strays", {{"rows", found.strays}});
  }

  void mount_routes(std::vector<std::string> rehearsed) {
    namespace routes = http::routes;
    router_.observe(
        clock_, [this](const http::Route& route, const http::Response& response, std::int64_t us) {
          metrics_.count_http_request({route.pattern, route.method, http::word_of(route.auth),
                                       http::word_of(route.rate), response.status, us});
          if (response.status >= 400) metrics_.count_refusal(response.problem_reason);
        });
    routes::mount_ops(router_, {[this] { return metrics_.text(); }, [this] { return missing(); },
                                [this] { return store_health_.trouble(); }, config_.metrics.allow,
                                config_.metrics.token});
    router_.limit(limits_);
    router_.guard([this](const http::Route& route, const http::Request& request) {
      people_.seen(route, request);
      return levels_.refusal(route, request);
    });
    if (!rehearsed.empty()) offer_parts_.seed_stations();
    routes::mount_shop(
        router_,
        {config_.server.shop_name, std::move(rehearsed), buyers_.ways_in(), &account_.content(),
         [this] { return offer_parts_.facts(); }, [this] { return decoration_.facts(); }},
        catalog_, buyers_.sessions(), levels_, clock_,
        [this](base::Json& out) { setup_.add_to(out); });
    routes::mount_sign_in(router_, buyers_.desk());
    account_.mount(router_);
    decoration_.mount(router_);
    routes::mount_orders(router_, orders_, payments_, cursors_, clock_, pii_, gate_);
    routes::mount_payments(router_, payments_, channel_parts_.choice(), buyers_.desk());
    routes::mount_checkouts(router_, orders_, payments_, channel_parts_.choice(), buyers_.desk(),
                            clock_);
    routes::mount_parties(router_, parties_.channels(), parties_.suppliers(), payments_, supply_,
                          [this](std::string_view path, std::string_view nonce) {
                            return setup_.probe().answer(path, nonce);
                          });
    setup_.mount(router_);
    routes::mount_admin_session(router_, staff_sessions_, is_https());
    const routes::StaffDesk desk{staff_sessions_, staff_accounts_, role_grants_, approvals_};
    routes::mount_admin_staff(router_, desk);
    routes::mount_admin_approvals(router_, desk);
    routes::mount_admin_orders(router_, *db_, parties_.suppliers(), channel_parts_.health(), clock_,
                               pii_);
    routes::mount_admin_catalog(
        router_,
        {*db_, clock_, supplying_.desk(), supplying_.health(), parties_.suppliers(), cursors_,
         [this] { (void)supplying_.publish("staff"); }, [this] { worker_.wake(); }});
    mount_pricing();
    routes::mount_admin_party_tests(router_, *db_, clock_, parties_.suppliers(),
                                    parties_.channels());
    routes::mount_pins(router_, {*db_, clock_, random_, pii_, orders_, [this] { worker_.wake(); }});
    order_parts_.mount(router_, desk, {orders_, parties_.channels(), cursors_, env_});
    offer_parts_.mount(router_, cursors_, [this] { (void)supplying_.publish("staff"); });
    routes::mount_admin_settings(router_, settings_, gate_, cursors_);
    money_.mount(router_, staff_sessions_);
    routes::mount_admin_jobs(router_, *db_, clock_, [this] { worker_.wake(); });
    reconcile_.mount(router_, staff_sessions_, cursors_);
    mount_desk(router_, {env_,
                         {orders_, parties_.channels(), cursors_, env_},
                         approvals_,
                         money_.refunds(),
                         payments_,
                         supply_,
                         refunds_,
                         staff_sessions_});
    people_.mount(router_, desk, cursors_, settings_);
    draft_parts_.mount(router_);
    supplying_.mount(router_);
    account_.requests().add(draft_parts_.holder());
  }

  void mount_pricing() {
    namespace routes = http::routes;
    const std::function<void()> publish = [this] { (void)supplying_.publish("staff"); };
    const routes::PricingParts pricing{*db_, supplying_.desk(), cursors_,
                                       [this] { return supplying_.shelf_state(); }, publish};
    routes::mount_admin_pricing(router_, pricing);
    const routes::PricingMore more{*db_, clock_, config_.catalog.rates, publish, pricing};
    routes::mount_admin_rates(router_, more);
    routes::mount_product_notes(router_, more);
    routes::mount_rule_drafts(router_, more);
  }

  void open_site() {
    http::ServerOptions options{.pages = std::move(pages_)};
    options.theme = [this] { return decoration_.theme(); };
    site_ = http::make_shop_site(router_, std::move(options),
                                 [this] { return base::new_trace_id(random_); });
    site_->set_live({[this](http::WsId id, const http::WireRequest& request) {
                       if (request.target != "/api/v1/live" || !http::is_own_origin(request))
                         return false;
                       live_.opened(id);
                       metrics_.count_websocket(1);
                       return true;
                     },
                     [this](http::WsId id, std::string_view text) { live_.message(id, text); },
                     [this](http::WsId id) {
                       live_.closed(id);
                       metrics_.count_websocket(-1);
                     }});
  }

  std::vector<std::string> missing() const {
    std::vector<std::string> out;
    if (!database_answers()) out.push_back("database");
    if (start_check_.found_damage()) out.push_back("database_whole");
    if (const auto trouble = store_health_.trouble(); !trouble.empty()) out.emplace_back(trouble);
    if (!catalog_.current()) out.push_back("price_book");
    if (parties_.channels().all().empty()) out.push_back("payment_channel");
    if (!supplying_.has_outside_supplier()) out.push_back("supplier");
    return out;
  }

  Config config_;
  const base::Clock& clock_;
  base::Random& random_;
  http::Front& front_;
  http::Pages pages_;  // until the site takes them
  observability::Metrics metrics_;
  std::string data_dir_;
  NodeName node_;
  operate::StartCheck start_check_;
  std::unique_ptr<storage::Db> db_;
  bool is_new_;
  ShopKeys keys_;
  int migrated_;
  settings::Settings settings_;
  http::ServiceLevels levels_;
  privacy::Pii pii_;
  mutable storage::StoreHealth store_health_;
  AppMetrics figures_;
  std::unique_ptr<base::Outbound> otlp_http_;
  std::shared_ptr<observability::OtlpExporter> exporter_;
  SetupParts setup_;
  PartyParts parties_;
  ChannelParts channel_parts_;
  BuyerParts buyers_;
  AccountParts account_;
  DecorationParts decoration_;
  catalog::Catalog catalog_;
  SupplyParts supplying_;
  jobs::Worker worker_;
  jobs::Schedules schedules_;
  jobs::NodeRoll roll_;
  http::Live live_;
  orders::OrderEnv env_;
  orders::OrderService orders_;
  orders::PaymentFlow payments_;
  orders::SupplyFlow supply_;
  orders::RefundFlow refunds_;
  OrderParts order_parts_;
  OfferParts offer_parts_;
  DraftParts draft_parts_;
  auth::StaffSessions staff_sessions_;
  auth::StaffAccounts staff_accounts_;
  admin::ApprovalService approvals_;
  admin::RoleGrants role_grants_;
  ReconcileParts reconcile_;
  MoneyParts money_;
  PeopleParts people_;
  http::SessionGate gate_;
  http::StoredAnswers answers_;
  http::RateLimits limits_;
  http::Cursors cursors_;
  http::Router router_;
  std::unique_ptr<http::ShopSite> site_;
  std::optional<std::string> owner_password_;
  bool stopped_ = false;
  std::unique_ptr<operate::ScheduledBackups> backups_;
  std::jthread keeper_;
};

}  // namespace

std::unique_ptr<storage::Db> open_store(const Config& config, const base::Clock& clock,
                                        std::int64_t statement_ms) {
  if (config.store.url.empty()) {
    return storage::open_sqlite(config.server.data_dir + "/topup.sqlite");
  }
  return storage::open_postgres({config.store.url, config.store.password, statement_ms},
                                static_cast<std::size_t>(config.store.connections), clock);
}

std::unique_ptr<App> App::open(const Config& config, http::Front& front, const base::Clock& clock,
                               base::Random& random, std::vector<std::string> rehearsed,
                               MoreChannels more) {
  return std::make_unique<Shop>(config, front, clock, random, std::move(rehearsed),
                                std::move(more));
}

}  // namespace topup
