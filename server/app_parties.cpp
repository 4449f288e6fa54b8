#include "server/app_parties.h"

#include <stdexcept>
#include <string>
#include <utility>

#include "server/base/certificate.h"
#include "server/base/client_certificate.h"
#include "server/base/crypto.h"
#include "server/payments/alipay.h"
#include "server/payments/wechat.h"
#include "server/suppliers/dingconnect.h"
#include "server/suppliers/dtone.h"
#include "server/suppliers/juhe.h"
#include "server/suppliers/reading.h"
#include "server/suppliers/reloadly.h"

namespace topup {
namespace {

base::RsaKey need_key(Result<base::RsaKey> key, const std::string& what) {
  if (key) return std::move(*key);
  throw std::runtime_error(what + ": " + std::string(key.error().reason) + " " +
                           std::string(key.error().detail.view()));
}

payments::WechatConfig wechat_config(const WechatSection& section, const Config& whole) {
  const ServerSection& server = whole.server;
  payments::WechatConfig config{section.mchid,
                                section.appid,
                                section.serial_no,
                                need_key(base::RsaKey::from_private_pem(section.private_key_pem),
                                         "[wechat_pay] private_key_file"),
                                section.apiv3_key,
                                {},
                                server.public_origin + "/notify/wechat",
                                section.app_name.empty() ? server.shop_name : section.app_name,
                                server.public_origin,
                                {}};
  if (whole.wechat_mini) config.more_appids.push_back(whole.wechat_mini->appid);
  if (whole.wechat_oa) config.more_appids.push_back(whole.wechat_oa->appid);
  for (const auto& [serial, pem] : section.verify_keys) {
    config.verify_keys.emplace_back(
        serial, need_key(base::RsaKey::from_public_pem(pem), "[wechat_pay] public_key_file"));
  }
  config.certificate_folder = server.data_dir + "/wechat_certificates";
  config.authority_pem = section.authority_pem;
  config.default_payee = section.sub_mchid;
  config.payees = section.payees;
  config.prepays_per_second = section.prepays_per_second;
  if (!section.certificate_pem.empty()) {
    const auto own = payments::read_platform_certificate(section.certificate_pem);
    if (!own || own->serial != section.serial_no)
      throw std::runtime_error("[wechat_pay] certificate_file is not of the serial_no given");
    config.certificate_until_ms = own->until_ms;
  }
  if (config.apiv3_key.size() != 32)
    throw std::runtime_error("[wechat_pay] apiv3_key_file must hold exactly 32 characters");
  return config;
}

std::vector<base::CertificateFacts> need_certificates(const std::string& pem,
                                                      const std::string& what) {
  auto found = base::certificates_in(pem);
  if (found) return std::move(*found);
  throw std::runtime_error(what + " holds no certificate (PEM)");
}

void add_certificates(const AlipaySection& section, payments::AlipayConfig& config) {
  const auto own = need_certificates(section.app_cert, "[alipay] app_cert_file");
  const auto roots = need_certificates(section.root_certs, "[alipay] root_cert_file");
  config.app_cert_sn = payments::alipay_cert_sn(own.front());
  config.root_cert_sn = payments::alipay_root_cert_sn(roots);
  for (const auto& one : need_certificates(section.alipay_certs, "[alipay] alipay_cert_file")) {
    auto key = base::RsaKey::from_public_pem(one.public_key_pem);
    if (key) config.verify_keys.emplace_back(payments::alipay_cert_sn(one), std::move(*key));
  }
  if (config.verify_keys.empty())
    throw std::runtime_error("[alipay] alipay_cert_file holds no RSA certificate");
}

payments::AlipayConfig alipay_config(const AlipaySection& section, const ServerSection& server) {
  payments::AlipayConfig config{
      section.app_id,
      section.seller_id,
      need_key(payments::alipay_private_key(section.private_key), "[alipay] private_key_file"),
      {},
      "",
      "",
      section.origin,
      server.public_origin + "/notify/alipay",
      section.subject.empty() ? server.shop_name : section.subject,
      section.op_app_id,
      section.bill_origin};
  if (!section.mini_private_key.empty())
    config.mini_key = need_key(payments::alipay_private_key(section.mini_private_key),
                               "[alipay] mini_private_key_file");
  if (!section.mini_public_key.empty())
    config.mini_verify_keys.emplace_back(
        "", need_key(payments::alipay_public_key(section.mini_public_key),
                     "[alipay] mini_public_key_file"));
  if (!section.app_cert.empty()) {
    add_certificates(section, config);
  } else {
    config.verify_keys.emplace_back(
        "", need_key(payments::alipay_public_key(section.public_key), "[alipay] public_key_file"));
  }
  return config;
}

}  // namespace

PartyParts::PartyParts(const Config& config, const base::Clock& clock, base::Random& random,
                       const RealWorld* real)
    : clock_(clock), random_(random), real_(real), channel_health_(clock) {
  if (config.wechat_pay) {
    auto channel = make_wechat(config);
    wechat_ = channel.get();
    add_channel(std::move(channel), "wechat_pay", real);
  }
  alipay_people_ = alipay_people_for(config);
  if (auto channel = channel_for("alipay", config)) add_channel(std::move(channel), "alipay", real);
  for (const char* party : {"reloadly", "dtone", "dingconnect", "juhe"})
    if (auto supplier = supplier_for(party, config)) add_supplier(std::move(supplier), real);
}

base::Outbound& PartyParts::connection(const std::string& party, const std::string& origin,
                                       const TlsSection& tls, int most_connections) {
  if (!tls.client_certificate_file.empty() && !origin.starts_with("https://"))
    throw std::runtime_error(party + ": client_certificate_file wants an origin with https");
  base::OutboundOptions options;
  options.ca_file = tls.ca_file;
  if (most_connections > 0) options.max_connections = most_connections;
  auto made = base::make_outbound(party, origin, options,
                                  {tls.client_certificate_file, tls.client_key_file});
  const std::lock_guard hold(mutex_);
  connections_.push_back(std::move(made));
  return *connections_.back();
}

// Each call of a channel tells its health; `party` names the connections it goes through.
void PartyParts::add_channel(std::unique_ptr<payments::PayChannel> channel,
                             const std::string& party, const RealWorld* real) {
  channel_health_.add(std::string(channel->name()), party);
  if (real != nullptr) {
    auto both =
        std::make_unique<parties::SwitchedChannel>(std::move(channel), party, real->worlds, clock_);
    switched_channels_[party] = both.get();
    channel = std::move(both);
    if (real->worlds.was_ever_live(party)) take_over(party, real->sections);
    if (party == "wechat_pay") look_after_real_wechat(*real);
  }
  channels_.add(payments::watched(std::move(channel), channel_health_, clock_));
}

void PartyParts::add_supplier(std::unique_ptr<suppliers::Supplier> supplier,
                              const RealWorld* real) {
  if (real != nullptr) {
    const std::string party(supplier->name());
    auto both = std::make_unique<parties::SwitchedSupplier>(std::move(supplier), real->worlds,
                                                            clock_, real->may_deliver);
    switched_suppliers_[party] = both.get();
    supplier = std::move(both);
    if (real->worlds.was_ever_live(party)) take_over(party, real->sections);
  }
  suppliers_.add(std::move(supplier));
}

bool PartyParts::take_over(std::string_view party, const Config& config) {
  if (const auto found = switched_channels_.find(party); found != switched_channels_.end()) {
    std::shared_ptr<payments::PayChannel> channel = channel_for(party, config);
    if (!channel) return true;
    auto people = party == "alipay" ? alipay_people_for(config) : nullptr;
    const std::lock_guard hold(mutex_);
    if (people) live_alipay_people_ = std::move(people);
    kept_.push_back(channel);
    found->second->set_live(std::move(channel));
    return true;
  }
  if (const auto found = switched_suppliers_.find(party); found != switched_suppliers_.end()) {
    if (auto supplier = supplier_for(party, config)) found->second->set_live(std::move(supplier));
    return true;
  }
  return false;
}

// Whose keys are looked after is told once, at the start.
void PartyParts::look_after_real_wechat(const RealWorld& real) {
  if (kept_.empty() || real.worlds.at("wechat_pay", clock_.wall_ms()) != parties::World::live)
    return;
  if (auto* found = dynamic_cast<payments::WechatChannel*>(kept_.back().get())) wechat_ = found;
}

std::unique_ptr<payments::WechatChannel> PartyParts::make_wechat(const Config& config) {
  base::Outbound& http =
      connection("wechat_pay", config.wechat_pay->origin, config.wechat_pay->tls);
  return payments::make_wechat(wechat_config(*config.wechat_pay, config), http, clock_, random_);
}

std::unique_ptr<payments::PayChannel> PartyParts::channel_for(std::string_view party,
                                                              const Config& config) {
  if (party == "wechat_pay" && config.wechat_pay) return make_wechat(config);
  if (party == "alipay" && config.alipay) {
    base::Outbound& http = connection("alipay", config.alipay->origin, config.alipay->tls);
    base::Outbound* bills = nullptr;
    if (config.alipay->bill_origin != config.alipay->origin)
      bills = &connection("alipay_bills", config.alipay->bill_origin, config.alipay->tls, 2);
    return payments::make_alipay(alipay_config(*config.alipay, config.server), http, clock_, bills);
  }
  return nullptr;
}

std::shared_ptr<payments::AlipayPeople> PartyParts::alipay_people_for(const Config& config) {
  if (!config.alipay || config.alipay->op_app_id.empty()) return nullptr;
  base::Outbound& http = connection("alipay_people", config.alipay->origin, config.alipay->tls, 4);
  return std::make_shared<payments::AlipayPeople>(alipay_config(*config.alipay, config.server),
                                                  http, clock_);
}

std::shared_ptr<payments::AlipayPeople> PartyParts::alipay_people() const {
  const bool is_live =
      real_ != nullptr && real_->worlds.at("alipay", clock_.wall_ms()) == parties::World::live;
  const std::lock_guard hold(mutex_);
  return is_live ? live_alipay_people_ : alipay_people_;
}

std::string PartyParts::alipay_mini_app() const {
  const auto people = alipay_people();
  return people ? people->app_id() : "";
}

Result<std::string> PartyParts::alipay_person(const std::string& code) const {
  const auto people = alipay_people();
  if (!people) return refuse(Code::rejected, "sign_in_not_offered");
  return people->person_of_code(code);
}

void PartyParts::adopt(const Config& config) {
  if (wechat_ == nullptr || !config.wechat_pay) return;
  const auto adopted = wechat_->adopt(wechat_config(*config.wechat_pay, config));
  if (!adopted) throw std::runtime_error("[wechat_pay] mchid and appid change only with a restart");
}

std::unique_ptr<suppliers::Supplier> PartyParts::supplier_for(std::string_view party,
                                                              const Config& config) {
  if (party == "reloadly" && config.reloadly) {
    const ReloadlySection& section = *config.reloadly;
    base::Outbound& auth = connection("reloadly_auth", section.auth_origin, section.tls, 2);
    base::Outbound& airtime = connection("reloadly", section.origin, section.tls);
    return suppliers::make_reloadly({section.client_id, section.client_secret, section.origin,
                                     section.webhook_secret, *parse_currency(section.wallet)},
                                    auth, airtime, clock_);
  }
  if (party == "dtone" && config.dtone) {
    const DtoneSection& section = *config.dtone;
    base::Outbound& http = connection("dtone", section.origin, section.tls);
    return suppliers::make_dtone({section.api_key, section.api_secret,
                                  config.server.public_origin + "/callback/dtone?token=" +
                                      suppliers::query_text(section.callback_token),
                                  section.callback_token, *parse_currency(section.wallet)},
                                 http, clock_);
  }
  if (party == "dingconnect" && config.dingconnect) {
    const DingconnectSection& section = *config.dingconnect;
    base::Outbound& http = connection("dingconnect", section.origin, section.tls);
    return suppliers::make_dingconnect(
        {section.api_key, section.callback_token, *parse_currency(section.wallet)}, http);
  }
  if (party == "juhe" && config.juhe) {
    const JuheSection& section = *config.juhe;
    base::Outbound& http = connection("juhe", section.origin, section.tls);
    return suppliers::make_juhe(
        {section.open_id, section.mobile_key, section.fuel_key, section.fuel_contact}, http,
        clock_);
  }
  return nullptr;
}

}  // namespace topup
