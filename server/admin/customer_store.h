// Rows of users as staff look at them, and customer_notes. Every list is answered from an index, a
// page at a time; tests ask the engine how it would.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"
#include "shared/ids.h"

namespace topup::admin {

struct Customer {
  UserId user;
  std::int64_t created_at_ms = 0;
  std::int64_t frozen_at_ms = 0;  // 0: not frozen
  UserId merged_into;             // empty: a user of their own
};
struct CustomerNote {
  std::string id;
  UserId user;
  StaffId staff;
  std::string text_sealed;
  std::int64_t at_ms = 0;
};
// Which customers a list holds.
enum class CustomerList : std::uint8_t { all, frozen, guest, wechat, phone };

namespace customer_store {

inline constexpr std::int64_t kMaxCounted = 1'000;  // orders of one customer, for a list
inline constexpr std::int64_t kMaxNotes = 200;      // of one customer

std::optional<Customer> find(storage::Reader& reader, const UserId& user);
// Newest first, after `before` (empty: from the newest); users who became somebody else are not in
// it.
std::vector<Customer> list(storage::Reader& reader, CustomerList wanted, const UserId& before,
                           std::int64_t limit);
std::string_view list_sql(CustomerList wanted);

// At most `limit` each, newest first. By the end of a bound phone number; by whom orders were for.
std::vector<UserId> by_tail(storage::Reader& reader, std::string_view tail_index,
                            std::int64_t limit);
std::vector<UserId> by_identity(storage::Reader& reader, std::string_view kind,
                                std::string_view app, std::string_view subject_index);
std::vector<UserId> by_order_account(storage::Reader& reader, std::string_view account_index,
                                     std::int64_t limit);
std::vector<UserId> by_order_tail(storage::Reader& reader, std::string_view tail_index,
                                  std::int64_t limit);

struct OrderFigures {
  std::int64_t count = 0;  // up to kMaxCounted
  std::string last_id;     // "" for none
};
OrderFigures orders_of(storage::Reader& reader, const UserId& user);

// False when the customer has kMaxNotes already.
bool insert_note(storage::Tx& tx, const CustomerNote& note);
std::vector<CustomerNote> notes_of(storage::Reader& reader, const UserId& user);  // oldest first

}  // namespace customer_store
}  // namespace topup::admin
