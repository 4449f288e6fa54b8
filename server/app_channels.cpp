#include "server/app_channels.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace topup {
namespace {

constexpr std::int64_t kLookEveryMs = 500;

payments::SceneOrders orders_of(const PaymentsSection& section) {
  return {{"h5", section.h5},
          {"jsapi", section.jsapi},
          {"mini_program", section.mini_program},
          {"alipay_mini", section.alipay_mini},
          {"native", section.native}};
}

}  // namespace

ChannelParts::ChannelParts(const Config& config, const settings::Settings& settings,
                           PartyParts& parties, observability::Metrics& metrics,
                           const std::function<bool(std::string_view)>& is_hidden)
    : channels_(parties.channels()),
      health_(parties.channel_health()),
      choice_(channels_, health_, orders_of(config.payments),
              [&settings, is_hidden](std::string_view name) {
                if (is_hidden && is_hidden(name)) return true;
                const auto paused = settings.current()->list("payments.paused");
                return std::find(paused.begin(), paused.end(), name) != paused.end();
              }) {
  metrics.add_source([this](observability::Sheet& sheet) {
    for (const payments::HealthReport& seen : health_.all()) {
      sheet.gauge("payment_channel_health", "0 green, 1 amber, 2 red.",
                  static_cast<std::int64_t>(seen.health), {{"channel", seen.channel}});
    }
  });
}

void ChannelParts::start() {
  trials_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void ChannelParts::stop() {
  if (!trials_.joinable()) return;
  trials_.request_stop();
  trials_.join();
}

void ChannelParts::run(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock hold(mutex);
  while (!stopped.wait_for(hold, stop, std::chrono::milliseconds(kLookEveryMs),
                           [&stop] { return stop.stop_requested(); })) {
    health_.look();
    for (const std::string& name : health_.due_trials()) {
      payments::PayChannel* channel = channels_.find(name);
      if (channel != nullptr && !stop.stop_requested()) payments::try_channel(*channel);
    }
  }
}

}  // namespace topup
