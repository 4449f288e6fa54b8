// The outside parties that take and deliver money, wired: a channel for each section of a payment
// channel and a supplier for each section of a supplier, with the connections they call through.
// Beside a rehearsal each of them stands behind a switch between both worlds. Throws
// std::runtime_error in words for the operator. Filled by the constructor; afterwards only
// take_over() changes it: thread-safe.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/clock.h"
#include "server/base/http_client.h"
#include "server/base/random.h"
#include "server/config.h"
#include "server/parties/switched_channel.h"
#include "server/parties/switched_supplier.h"
#include "server/payments/alipay_people.h"
#include "server/payments/channel_health.h"
#include "server/payments/channels.h"
#include "server/payments/wechat.h"
#include "server/suppliers/suppliers.h"

namespace topup {

// The real world beside a rehearsal: which party is in it, and the sections of those that ever
// were.
struct RealWorld {
  const parties::Worlds& worlds;
  const Config& sections;
  parties::SwitchedSupplier::MayDeliver may_deliver;
};

class PartyParts {
 public:
  // `config` holds the sections of the played parties where there is a `real` world beside them.
  PartyParts(const Config& config, const base::Clock& clock, base::Random& random,
             const RealWorld* real = nullptr);
  payments::Channels& channels() { return channels_; }
  const payments::Channels& channels() const { return channels_; }
  payments::ChannelHealth& channel_health() { return channel_health_; }
  // Null without one.
  payments::WechatChannel* wechat() { return wechat_; }
  // The mini-program in Alipay's app, of the world that Alipay is in now; "" without one.
  std::string alipay_mini_app() const;
  Result<std::string> alipay_person(const std::string& code) const;
  // Takes over the keys and payees of the channels while the shop runs. Throws std::runtime_error
  // in words for the operator, and then nothing has changed.
  void adopt(const Config& config);
  // The party's section of `config` is what it uses in the real world from now on. False when it
  // has no switch. Throws as the constructor does, and then nothing has changed.
  bool take_over(std::string_view party, const Config& config);
  suppliers::Suppliers& suppliers() { return suppliers_; }
  const suppliers::Suppliers& suppliers() const { return suppliers_; }

 private:
  // One party's connections; the object lives as long as the shop.
  base::Outbound& connection(const std::string& party, const std::string& origin,
                             const TlsSection& tls, int most_connections = 0);
  void add_channel(std::unique_ptr<payments::PayChannel> channel, const std::string& party,
                   const RealWorld* real);
  void add_supplier(std::unique_ptr<suppliers::Supplier> supplier, const RealWorld* real);
  std::unique_ptr<payments::WechatChannel> make_wechat(const Config& config);
  // Null when `config` has no such section.
  std::unique_ptr<payments::PayChannel> channel_for(std::string_view party, const Config& config);
  std::unique_ptr<suppliers::Supplier> supplier_for(std::string_view party, const Config& config);
  std::shared_ptr<payments::AlipayPeople> alipay_people_for(const Config& config);
  std::shared_ptr<payments::AlipayPeople> alipay_people() const;
  void look_after_real_wechat(const RealWorld& real);

  const base::Clock& clock_;
  base::Random& random_;
  const RealWorld* const real_;
  mutable std::mutex mutex_;  // of connections_, kept_ and those who sign in with Alipay
  std::vector<std::unique_ptr<base::Outbound>> connections_;
  payments::ChannelHealth channel_health_;
  payments::Channels channels_;
  suppliers::Suppliers suppliers_;
  payments::WechatChannel* wechat_ = nullptr;
  std::shared_ptr<payments::AlipayPeople> alipay_people_, live_alipay_people_;
  std::vector<std::shared_ptr<payments::PayChannel>> kept_;  // that wechat_ may point to
  std::map<std::string, parties::SwitchedChannel*, std::less<>> switched_channels_;
  std::map<std::string, parties::SwitchedSupplier*, std::less<>> switched_suppliers_;
};

}  // namespace topup
