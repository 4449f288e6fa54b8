// Rows of messages (what a buyer is told of an order, once for each topic), message_quotas (how
// often a buyer has agreed to a subscribe template) and shipping_reports.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"
#include "shared/ids.h"

namespace topup::notify {

// Stored words; do not rename.
namespace message_state {
inline constexpr std::string_view kQueued = "queued";
inline constexpr std::string_view kShown = "shown";  // in the shop's own inbox only
inline constexpr std::string_view kSent = "sent";
inline constexpr std::string_view kFailed = "failed";  // every way outside refused
}  // namespace message_state
namespace shipping_state {
inline constexpr std::string_view kQueued = "queued";
inline constexpr std::string_view kReported = "reported";
inline constexpr std::string_view kFailed = "failed";
}  // namespace shipping_state

struct Message {
  std::string id;
  UserId user;
  OrderId order;
  std::string topic;
  std::string way;  // inbox, subscribe, template, sms: the one tried last
  std::string state, template_id, party_id, code;
  std::int64_t tries = 0, read_at_ms = 0, created_at_ms = 0, updated_at_ms = 0;
};
struct ShippingReport {
  OutTradeNo out_trade_no;
  OrderId order;
  std::string state, code;
  std::int64_t tries = 0, created_at_ms = 0, updated_at_ms = 0;
};

namespace message_store {

inline constexpr std::int64_t kMaxQuota = 50;  // of one template; more agreeing changes nothing

// False when this order has a message of that topic.
bool insert(storage::Tx& tx, const Message& message);
// What was told once is told again: unread, and of now.
void show_again(storage::Tx& tx, const OrderId& order, std::string_view topic, std::int64_t now_ms);
std::optional<Message> find(storage::Reader& reader, const std::string& id);
void save(storage::Tx& tx, const Message& message);  // way, state, template, party, code, tries
// Newest first, after `before` ("" from the newest).
std::vector<Message> of_user(storage::Reader& reader, const UserId& user, std::string_view before,
                             std::int64_t limit);
std::vector<Message> of_order(storage::Reader& reader, const OrderId& order);
// False when it is not theirs; reading twice keeps the first time.
bool mark_read(storage::Tx& tx, const UserId& user, std::string_view id, std::int64_t now_ms);
// Short messages tried since a moment: to one buyer and by the whole shop.
std::int64_t sms_since(storage::Reader& reader, const UserId& user, std::int64_t since_ms);
std::int64_t all_sms_since(storage::Reader& reader, std::int64_t since_ms);

void accept(storage::Tx& tx, const UserId& user, std::string_view template_id, std::int64_t now_ms);
std::int64_t quota(storage::Reader& reader, const UserId& user, std::string_view template_id);
// One less. False when there is none.
bool spend_quota(storage::Tx& tx, const UserId& user, std::string_view template_id,
                 std::int64_t now_ms);
void clear_quota(storage::Tx& tx, const UserId& user, std::string_view template_id,
                 std::int64_t now_ms);

// False when this payment has one.
bool insert_report(storage::Tx& tx, const ShippingReport& report);
std::optional<ShippingReport> find_report(storage::Reader& reader, const OutTradeNo& no);
std::vector<ShippingReport> reports_of(storage::Reader& reader, const OrderId& order);
void save_report(storage::Tx& tx, const ShippingReport& report);  // state, code, tries

}  // namespace message_store
}  // namespace topup::notify
