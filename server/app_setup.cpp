#include "server/app_setup.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <utility>
#include <variant>

#include "server/base/wechat_app.h"
#include "server/jobs/outbox.h"
#include "server/orders/order_env.h"

namespace topup {
namespace {

constexpr std::string_view kCatalogSync = "catalog_sync";

using parties::Party;
using parties::PartyKind;
using parties::Standing;
using parties::Values;

std::string text(const Values& values, std::string_view field) {
  const auto found = values.find(field);
  return found == values.end() ? std::string() : found->second;
}

WechatSection wechat_section(const Values& values) {
  WechatSection section;
  section.origin = text(values, "origin");
  section.mchid = text(values, "mchid");
  section.appid = text(values, "appid");
  section.serial_no = text(values, "serial_no");
  section.private_key_pem = text(values, "private_key");
  section.certificate_pem = text(values, "certificate");
  section.apiv3_key = text(values, "apiv3_key");
  section.verify_keys.emplace_back(text(values, "public_key_id"), text(values, "public_key"));
  return section;
}

AlipaySection alipay_section(const Values& values) {
  AlipaySection section;
  section.origin = text(values, "origin");
  section.app_id = text(values, "app_id");
  section.seller_id = text(values, "seller_id");
  section.op_app_id = text(values, "op_app_id");
  section.bill_origin = text(values, "bill_origin");
  if (section.bill_origin.empty()) section.bill_origin = "https://dwbillcenter.alipay.com";
  section.private_key = text(values, "private_key");
  section.public_key = text(values, "public_key");
  section.app_cert = text(values, "app_cert");
  section.alipay_certs = text(values, "alipay_cert");
  section.root_certs = text(values, "root_cert");
  return section;
}

void add_supplier(const Party& party, const Values& values, Config* config) {
  const std::string wallet = text(values, "wallet");
  const std::string origin = text(values, "origin");
  if (party.word == "reloadly") {
    config->reloadly = ReloadlySection{{},
                                       text(values, "auth_origin"),
                                       origin,
                                       text(values, "client_id"),
                                       text(values, "client_secret"),
                                       text(values, "webhook_secret"),
                                       wallet};
  } else if (party.word == "dtone") {
    config->dtone = DtoneSection{{},
                                 origin,
                                 text(values, "api_key"),
                                 text(values, "api_secret"),
                                 text(values, "callback_token"),
                                 wallet};
  } else if (party.word == "dingconnect") {
    config->dingconnect = DingconnectSection{
        {}, origin, text(values, "api_key"), text(values, "callback_token"), wallet};
  } else if (party.word == "juhe") {
    config->juhe = JuheSection{{},
                               origin,
                               text(values, "open_id"),
                               text(values, "mobile_key"),
                               text(values, "fuel_key"),
                               text(values, "fuel_contact")};
  }
}

void add_platform(const Values& values, Config* config) {
  const auto app = [&](std::string_view id, std::string_view secret) {
    WechatAppSection section;
    section.origin = text(values, "origin");
    section.appid = text(values, id);
    section.secret = text(values, secret);
    return section;
  };
  config->wechat_mini.reset();
  config->wechat_oa.reset();
  if (!text(values, "mini_appid").empty()) config->wechat_mini = app("mini_appid", "mini_secret");
  if (text(values, "oa_appid").empty()) return;
  config->wechat_oa = app("oa_appid", "oa_secret");
  config->wechat_oa->authorize_origin = text(values, "authorize_origin");
  config->wechat_oa->scope = "snsapi_userinfo";
}

void add_section(const Party& party, const Values& values, Config* config) {
  if (party.word == "wechat_pay") {
    config->wechat_pay = wechat_section(values);
  } else if (party.word == "alipay") {
    config->alipay = alipay_section(values);
  } else if (party.word == "sms") {
    SmsSection section = config->sms.value_or(SmsSection());
    section.origin = text(values, "origin");
    section.path = text(values, "path");
    section.key = text(values, "key");
    section.template_name = text(values, "template");
    config->sms = std::move(section);
  } else if (party.word == "wechat_platform") {
    add_platform(values, config);
  } else {
    add_supplier(party, values, config);
  }
}

bool has_section(const Party& party, const Config& config) {
  if (party.word == "wechat_pay") return config.wechat_pay.has_value();
  if (party.word == "alipay") return config.alipay.has_value();
  if (party.word == "reloadly") return config.reloadly.has_value();
  if (party.word == "dtone") return config.dtone.has_value();
  if (party.word == "dingconnect") return config.dingconnect.has_value();
  if (party.word == "juhe") return config.juhe.has_value();
  if (party.word == "sms") return config.sms.has_value();
  return config.wechat_mini.has_value() || config.wechat_oa.has_value();
}

Config without_parties(Config config) {
  config.wechat_pay.reset();
  config.alipay.reset();
  config.reloadly.reset();
  config.dtone.reset();
  config.dingconnect.reset();
  config.juhe.reset();
  config.sms.reset();
  config.wechat_mini.reset();
  config.wechat_oa.reset();
  return config;
}

parties::Heard ask(suppliers::Supplier& supplier) {
  const auto balance = supplier.balance();
  if (balance)
    return {true, decimal_text(*balance) + " " + std::string(to_word(balance->currency))};
  if (balance.error().reason != "not_offered") return {false, std::string(balance.error().reason)};
  const auto listed = supplier.products("CN");  // one without a balance is asked for its list
  if (listed) return {true, std::to_string(listed->size())};
  return {false, std::string(listed.error().reason)};
}

parties::Heard ask(payments::PayChannel& channel, std::int64_t now_ms) {
  const auto answer = channel.query(OutTradeNo("TEST" + std::to_string(now_ms)));
  if (const auto* fail = std::get_if<payments::DefiniteFail>(&answer)) return {false, fail->code()};
  if (const auto* unknown = std::get_if<payments::Unknown>(&answer)) return {false, unknown->why};
  return {true, "no_such_payment"};
}

// Whether somebody answers at all: each message to a person costs money.
parties::Heard ask_gateway(const SmsSection& section) {
  const auto out = base::make_outbound("sms", section.origin, 1);
  base::OutboundRequest request;
  request.method = "GET";
  request.target = "/";
  request.deadline_ms = 5'000;
  const auto reply = out->call(request);
  if (reply.kind == base::OutboundReply::Kind::answered)
    return {true, std::to_string(reply.status)};
  return {false, reply.failure};
}

parties::Heard ask_app(const std::optional<WechatAppSection>& section, const base::Clock& clock) {
  const auto out = base::make_outbound("wechat_platform", section->origin, 1);
  base::WechatApp app({section->appid, section->secret}, *out, clock);
  const auto token = app.access_token();
  return token ? parties::Heard{true, section->appid}
               : parties::Heard{false, std::string(token.error().reason)};
}

}  // namespace

SetupParts::SetupParts(Config& config, storage::Db& db, const base::Clock& clock,
                       base::Random& random, const privacy::Pii& pii,
                       const std::vector<std::string>& rehearsed)
    : db_(db),
      clock_(clock),
      random_(random),
      has_rehearsal_(!rehearsed.empty()),
      file_name_(config.server.shop_name),
      bare_(without_parties(config)),
      sections_(bare_),
      worlds_(has_rehearsal_ ? parties::World::rehearsed : parties::World::live),
      real_{worlds_, sections_,
            [this](std::string_view supplier, const AttemptId& attempt) {
              return desk_.may_deliver(supplier, attempt);
            }},
      desk_(db, clock, pii, worlds_, has_rehearsal_),
      probe_(db, pii, clock, random) {
  config.server.shop_name = bare_.server.shop_name = sections_.server.shop_name = shop_name();
  // Certificates that the real party sends stay apart from those of the played one.
  if (has_rehearsal_) {
    bare_.server.data_dir += "/live";
    std::filesystem::create_directories(bare_.server.data_dir);
    sections_.server.data_dir = bare_.server.data_dir;
  }
  merge(config, rehearsed);
}

std::string SetupParts::shop_name() const {
  const std::string name = desk_.shop().name;
  return name.empty() ? file_name_ : name;
}

void SetupParts::add_to(base::Json& shop) const {
  const auto facts = desk_.shop();
  if (!facts.name.empty()) shop["name"] = facts.name;
  shop["rehearsed"] = desk_.rehearsed();
  shop["time_zone"] = facts.time_zone.empty() ? parties::kTimeZones[0] : facts.time_zone;
  shop["language"] = facts.language.empty() ? parties::kLanguages[0] : facts.language;
}

// What the file says goes before what the console holds. Beside a rehearsal channels and suppliers
// get a switch; whoever signs people in is one or the other from the start.
void SetupParts::merge(Config& config, const std::vector<std::string>& rehearsed) {
  const auto live = desk_.live_values();
  const std::int64_t now = clock_.wall_ms();
  for (const Party& party : parties::kParties) {
    Standing& how = standings_[std::string(party.word)];
    const bool is_named =
        std::find(rehearsed.begin(), rehearsed.end(), party.word) != rehearsed.end();
    how.is_played = is_named && has_section(party, config);
    how.is_in_file = !has_rehearsal_ && has_section(party, config);
    const bool has_switch = party.kind == PartyKind::channel || party.kind == PartyKind::supplier;
    how.switches_now = how.is_played && has_switch;
    const auto values = live.find(std::string(party.word));
    if (values == live.end() || how.is_in_file) continue;
    if (how.switches_now) add_section(party, values->second, &sections_);
    how.started_live = worlds_.at(party.word, now) == parties::World::live;
    if (how.started_live && !how.switches_now) add_section(party, values->second, &config);
  }
}

Config SetupParts::with(const Party& party, const Values& values) const {
  Config config = bare_;
  add_section(party, values, &config);
  return config;
}

parties::Heard SetupParts::try_keys(const Party& party, const Values& values) const {
  const Config config = with(party, values);
  try {
    if (party.word == "sms") return ask_gateway(*config.sms);
    if (party.kind == PartyKind::platform) {
      if (!config.wechat_mini) return ask_app(config.wechat_oa, clock_);
      const auto mini = ask_app(config.wechat_mini, clock_);
      return mini.is_well && config.wechat_oa ? ask_app(config.wechat_oa, clock_) : mini;
    }
    PartyParts alone(config, clock_, random_);
    if (party.kind == PartyKind::supplier) return ask(*alone.suppliers().all().front());
    return ask(*alone.channels().all().front(), clock_.wall_ms());
  } catch (const std::runtime_error& failure) {
    return {false, failure.what()};
  }
}

void SetupParts::attach(PartyParts& parts, std::function<void()> wake_jobs) {
  parties::DeskHooks hooks;
  hooks.try_keys = [this](const Party& party, const Values& values) {
    return try_keys(party, values);
  };
  hooks.take_over = [this, &parts](const Party& party, const Values& values) {
    (void)parts.take_over(party.word, with(party, values));
  };
  // A supplier in another world has another list and another balance.
  hooks.world_changed = [this, wake = std::move(wake_jobs)](storage::Tx& tx, const Party& party) {
    if (party.kind != PartyKind::supplier) return;
    const std::int64_t now = clock_.wall_ms();
    for (const std::string_view kind : {kCatalogSync, orders::job_kind::kSupplierBalance})
      jobs::outbox::enqueue(tx, kind, party.word, now + parties::kSwitchAfterMs, now, TraceId());
    tx.after_commit(wake);
  };
  desk_.attach(standings_, std::move(hooks));
}

void SetupParts::mount(http::Router& router) {
  http::routes::mount_admin_setup(router, {db_, clock_, desk_, probe_, bare_.server.public_origin,
                                           has_rehearsal_, [this] { return shop_name(); }});
}

}  // namespace topup
