// The choice between payment channels, wired: what the configuration offers in each scene, the
// trials that bring a red channel back, and what is measured of it. start() begins the trials;
// stop() waits for one under way, at most as long as a call may take.
#pragma once

#include <functional>
#include <string_view>
#include <thread>

#include "server/app_parties.h"
#include "server/base/clock.h"
#include "server/config.h"
#include "server/observability/metrics.h"
#include "server/payments/channel_choice.h"
#include "server/payments/channel_health.h"
#include "server/payments/channels.h"
#include "server/settings/settings.h"

namespace topup {

class ChannelParts {
 public:
  ChannelParts(const Config& config, const settings::Settings& settings, PartyParts& parties,
               observability::Metrics& metrics,
               const std::function<bool(std::string_view)>& is_hidden = {});
  ~ChannelParts() { stop(); }
  const payments::ChannelChoice& choice() const { return choice_; }
  const payments::ChannelHealth& health() const { return health_; }
  void start();
  void stop();  // safe to repeat

 private:
  void run(const std::stop_token& stop);
  const payments::Channels& channels_;
  payments::ChannelHealth& health_;
  payments::ChannelChoice choice_;
  std::jthread trials_;
};

}  // namespace topup
