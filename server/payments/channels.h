// The payment channels of this shop, by the name that orders store. Filled while the server starts,
// only read afterwards: find() is then thread-safe, and what it returns lives as long as the
// registry.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "server/payments/channel.h"

namespace topup::payments {

class Channels {
 public:
  void add(
      std::unique_ptr<PayChannel> channel);  // a second one of the same name is a broken invariant
  PayChannel* find(std::string_view name) const;  // nullptr when the shop has none of that name
  const std::vector<std::unique_ptr<PayChannel>>& all() const {
    return channels_;
  }  // in the order added

 private:
  std::vector<std::unique_ptr<PayChannel>> channels_;
};

}  // namespace topup::payments
