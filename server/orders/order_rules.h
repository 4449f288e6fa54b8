// The shop's rules about an order beside its price: who is asked "again?", when the shop is open,
// which paid orders wait for a person, and whether a late payment still buys what it was for. All
// read the live limits (order_env.h) and the caller's own snapshot; none writes. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/orders/order_env.h"
#include "server/orders/order_store.h"
#include "server/storage/db.h"
#include "shared/order_state.h"
#include "shared/pricing.h"
#include "shared/result.h"

namespace topup::orders {

inline constexpr std::size_t kTailDigits = 4;

// How an account is found again without opening it; `account` is canonical ("+8613800138000", or a
// card's digits).
std::string account_index_of(const privacy::Pii& pii, std::string_view account);
// Of the last kTailDigits digits; `digits` may be the whole account.
std::string tail_index_of(const privacy::Pii& pii, std::string_view digits);

// Whether orders are taken at this moment of the day in Shanghai. From 22:00 to 06:00 is possible;
// equal hours are always.
bool is_open(const OrderLimits& limits, std::int64_t now_ms);

// Of a frozen buyer, or above the limit by itself, or together with what else its recipient gets
// within the window before it or on its day, or with what else its buyer buys on its day, or by the
// price book's own rule. An order counts by when it was placed: paying later does not take it out
// of a window.
bool needs_review(const OrderEnv& env, storage::Reader& reader, const Order& order);

// A closed order whose payment came after all: bought as it was, if the shop still sells exactly
// what its quote says and it closed no longer ago than the shop allows.
bool is_still_sold(const OrderEnv& env, storage::Reader& reader, const Order& order);

// What a right payment is to an order in this state: payment_confirmed, review_required or
// late_payment_revived.
Event event_of_payment(const OrderEnv& env, storage::Reader& reader, const Order& order);

// The buyer as the shop prices for them now; nobody ("" user) is a guest.
Buyer buyer_now(const OrderEnv& env, const PriceBook& book, const UserId& user,
                std::int64_t now_ms);
// The quote that an order of this product and account would get now.
Result<Quote> price_now(const OrderEnv& env, const PriceBook& book, const Buyer& buyer,
                        QuoteRequest request, std::int64_t now_ms);

}  // namespace topup::orders
