// Who delivers a paid order, and under which bound. The choice itself is suppliers::select(); here
// the order, its product's ways, the price book and the lines' health are put together for it, and
// what was chosen becomes an attempt and its job in the caller's transaction. Nobody may take it
// now: a job waits and chooses again, until the promised time is over (feature X14).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/orders/order_env.h"
#include "server/orders/order_store.h"
#include "server/orders/supply_choice_store.h"
#include "server/suppliers/selection.h"

namespace topup::orders {

struct Choice {
  std::vector<Way> ways;
  suppliers::Selection selection;          // its indices are those of `ways`
  std::optional<std::int64_t> most_minor;  // of the cost, in the shop's currency
  std::vector<suppliers::Candidate> candidates;
  std::vector<suppliers::SupplyAttempt> attempts;  // of the order, so far

  const Way* chosen() const;
  bool is_too_dear() const;  // for somebody who could take it otherwise
};

Choice choose(const OrderEnv& env, storage::Reader& reader, const Order& order);
// {"at_ms":…,"judged":[{"supplier":…,"verdict":…,"cost":…}…]}, and "trials" where the attempt is
// the trial of a closed line: what is stored with the attempt.
std::string choice_text(const OrderEnv& env, const Choice& choice);
std::string choice_words(const Choice& choice);  // "reloadly low_balance, dtone closed"

// For an order that has just become paid, or whose supplier has just refused: the next attempt, or
// the job that waits for one. `wanted`: a supplier that a person chose among those who can take it;
// "" for the best.
void plan_submit(const OrderEnv& env, storage::Tx& tx, const Order& order,
                 std::string_view wanted = {});
// The attempt for choice.chosen() and the job that submits it.
void start_attempt(const OrderEnv& env, storage::Tx& tx, const Order& order, const Choice& choice);
// Sets a PIN of the shop's own stock aside until the order must be paid. False when the stock is
// the only way to deliver the product and there is none left.
bool hold_stock(const OrderEnv& env, storage::Tx& tx, const Order& order);
// It is paid, and nobody can take it on just now: no attempt is under way, or the one there was has
// been sent back untaken.
bool waits_for_supplier(storage::Reader& reader, const Order& order);
std::int64_t promised_until_ms(const OrderEnv& env, storage::Reader& reader, const Order& order);

}  // namespace topup::orders
