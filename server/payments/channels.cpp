#include "server/payments/channels.h"

#include <utility>

#include "shared/check.h"

namespace topup::payments {

void Channels::add(std::unique_ptr<PayChannel> channel) {
  check(channel != nullptr && find(channel->name()) == nullptr, "channels: two of one name");
  channels_.push_back(std::move(channel));
}

PayChannel* Channels::find(std::string_view name) const {
  for (const auto& channel : channels_)
    if (channel->name() == name) return channel.get();
  return nullptr;
}

}  // namespace topup::payments
