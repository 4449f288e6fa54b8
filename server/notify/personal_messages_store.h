// What a buyer was told, and which messages they agreed to, told and removed.
#pragma once

#include "server/privacy/data_requests.h"

namespace topup::notify {

privacy::Holder messages_holder();
// No message outside the shop any more: what was agreed to is taken back. How many templates.
int forget_subscriptions(storage::Tx& tx, const UserId& user);

}  // namespace topup::notify
