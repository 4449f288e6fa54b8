// The channel's adapter in the shop: each call goes over the wire to the model. Bugs that live in
// an adapter are planted here.
#pragma once

#include <memory>

#include "tests/sim/channel_model.h"

namespace topup::sim {

std::unique_ptr<payments::PayChannel> make_channel_port(World& world, ChannelModel& model,
                                                        Wire& wire, Bug bug);

}  // namespace topup::sim
