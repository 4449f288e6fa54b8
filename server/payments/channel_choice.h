// Which channels a buyer is offered, and which one a new payment begins on: in the order that the
// operator gave for the scene, those in red last. Pure but for the health it reads; thread-safe.
// Errors: channel_unknown, scene_not_offered, channel_unhealthy (another one would do).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/payments/channel_health.h"
#include "server/payments/channels.h"

namespace topup::payments {

// By the word of the scene as buyers name it: h5, jsapi, mini_program, alipay_mini, native.
using SceneOrders = std::vector<std::pair<std::string, std::vector<std::string>>>;
Scene scene_of_word(std::string_view word);  // h5 for a word that is none

class ChannelChoice {
 public:
  // `orders`: a scene without a list, or with an empty one, takes every channel that offers it, as
  // they were added. `is_paused`: those that the operator lets begin no payment now.
  ChannelChoice(const Channels& channels, const ChannelHealth& health, SceneOrders orders,
                std::function<bool(std::string_view)> is_paused = {})
      : channels_(channels),
        health_(health),
        orders_(std::move(orders)),
        is_paused_(std::move(is_paused)) {}

  std::vector<HealthReport> offers(std::string_view scene_word) const;
  // The channel to begin on. `wanted` "": the shop chooses. A red channel is refused only while
  // another one would do, which then stands in `alternative`.
  Result<std::string> pick(std::string_view scene_word, std::string_view wanted,
                           std::string* alternative) const;

 private:
  const Channels& channels_;
  const ChannelHealth& health_;
  const SceneOrders orders_;
  const std::function<bool(std::string_view)> is_paused_;
};

}  // namespace topup::payments
