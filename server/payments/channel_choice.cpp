#include "server/payments/channel_choice.h"

#include <algorithm>

namespace topup::payments {

Scene scene_of_word(std::string_view word) {
  if (word == "native") return Scene::native;
  const bool is_in_app = word == "jsapi" || word == "mini_program" || word == "alipay_mini";
  return is_in_app ? Scene::jsapi : Scene::h5;
}

std::vector<HealthReport> ChannelChoice::offers(std::string_view scene_word) const {
  std::vector<std::string> names;
  for (const auto& [word, order] : orders_)
    if (word == scene_word) names = order;
  if (names.empty())
    for (const auto& channel : channels_.all()) names.emplace_back(channel->name());
  std::vector<HealthReport> offered;
  for (const std::string& name : names) {
    const PayChannel* channel = channels_.find(name);
    if (is_paused_ && is_paused_(name)) continue;
    if (channel != nullptr && channel->offers(scene_of_word(scene_word)))
      offered.push_back(health_.report(name));
  }
  std::stable_partition(offered.begin(), offered.end(),
                        [](const HealthReport& report) { return report.health != Health::red; });
  return offered;
}

Result<std::string> ChannelChoice::pick(std::string_view scene_word, std::string_view wanted,
                                        std::string* alternative) const {
  alternative->clear();
  if (!wanted.empty() && channels_.find(wanted) == nullptr)
    return refuse(Code::invalid_argument, "channel_unknown", "channel");
  const std::vector<HealthReport> offered = offers(scene_word);
  if (offered.empty()) return refuse(Code::rejected, "scene_not_offered", "scene");
  if (wanted.empty()) return offered.front().channel;
  const auto found = std::find_if(offered.begin(), offered.end(), [&](const HealthReport& report) {
    return report.channel == wanted;
  });
  if (found == offered.end()) return refuse(Code::rejected, "scene_not_offered", "scene");
  if (found->health != Health::red || offered.front().health == Health::red) return found->channel;
  *alternative = offered.front().channel;
  return refuse(Code::unavailable, "channel_unhealthy", "channel");
}

}  // namespace topup::payments
