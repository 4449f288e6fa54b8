// Setting the shop up: the wizard's state, keys of outside parties, going live one by one, and the
// self-test of the notification addresses. Mounted by app_setup.cpp.
#pragma once

#include <functional>
#include <string>

#include "server/base/clock.h"
#include "server/http/router.h"
#include "server/http/routes/mounts.h"
#include "server/parties/notify_probe.h"
#include "server/parties/party_desk.h"
#include "server/storage/db.h"

namespace topup::http::routes {

struct SetupDesk {
  storage::Db& db;
  const base::Clock& clock;
  parties::PartyDesk& desk;
  const parties::NotifyProbe& probe;
  std::string public_origin;
  bool has_rehearsal = false;
  std::function<std::string()> shop_name;
};
void mount_admin_setup(Router& router, const SetupDesk& desk);

// What a page asks first. `now` adds what may change while the shop runs: its name, its language,
// which parties are still played.
using ShopNow = std::function<void(base::Json&)>;
void mount_shop(Router& router, const ShopFacts& facts, const catalog::Catalog& catalog,
                auth::BuyerSessions& sessions, const ServiceLevels& levels,
                const base::Clock& clock, const ShopNow& now);

// Where channels and suppliers call. `answer` is what the shop says to a probe of its own that came
// to a path: "" to anybody else's.
using AnswerProbe = std::function<std::string(std::string_view path, std::string_view nonce)>;
void mount_parties(Router& router, const payments::Channels& channels,
                   const suppliers::Suppliers& suppliers, const orders::PaymentFlow& payments,
                   const orders::SupplyFlow& supply, const AnswerProbe& answer);

}  // namespace topup::http::routes
