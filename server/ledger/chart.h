// The chart of accounts. An account is a family, or a family with the party it stands for:
// "asset.channel_clearing.wechat", and ".1900000109" after it where a channel pays several
// merchants. Currencies are kept apart within an account. Stored words: never rename one; a new
// family is a migration, too (table accounts). A debit is positive, a credit negative: what is ours
// and what we spend is positive, what we owe and what we earn negative.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace topup::ledger {

namespace account {
inline constexpr std::string_view kBank = "asset.bank";  // settled money, by bank account
inline constexpr std::string_view kChannelClearing =
    "asset.channel_clearing";  // money a payment channel holds for us, by channel and payee
inline constexpr std::string_view kSupplierPrepaid =
    "asset.supplier_prepaid";  // our balance at a supplier
inline constexpr std::string_view kCustomerLiability =
    "liability.customer_orders";  // paid, not yet delivered or refunded
inline constexpr std::string_view kRefundsPayable =
    "liability.refunds_payable";  // to be paid out by another way than it came
inline constexpr std::string_view kSuspense =
    "liability.suspense";  // money nobody has explained yet: each part of it is a work item
inline constexpr std::string_view kWalletAvailable = "liability.wallet_available";
inline constexpr std::string_view kWalletHeld = "liability.wallet_held";
inline constexpr std::string_view kCapital = "equity.capital";  // what the owner put in or took out
inline constexpr std::string_view kCurrencyExchange =
    "equity.currency_exchange";  // the bridge between the two currencies of one journal
inline constexpr std::string_view kRevenue = "revenue.sales";
inline constexpr std::string_view kCostOfSales = "cost.sales";
inline constexpr std::string_view kChannelFees = "cost.channel_fees";  // by channel
inline constexpr std::string_view kAdjustments = "cost.adjustments";
inline constexpr std::string_view kCurrencyDifference = "cost.currency_difference";
}  // namespace account

enum class Kind : std::uint8_t { asset, liability, equity, revenue, cost };
enum class Side : std::uint8_t { debit, credit, either };  // on which its balance usually lies

struct Family {
  std::string_view name;
  Kind kind;
  Side normal;
  std::size_t most_parts;  // names of parties that may follow the family
};

inline constexpr std::array kChart = {
    Family{account::kBank, Kind::asset, Side::debit, 1},
    Family{account::kChannelClearing, Kind::asset, Side::debit, 2},
    Family{account::kSupplierPrepaid, Kind::asset, Side::debit, 1},
    Family{account::kCustomerLiability, Kind::liability, Side::credit, 0},
    Family{account::kRefundsPayable, Kind::liability, Side::credit, 0},
    Family{account::kSuspense, Kind::liability, Side::credit, 0},
    Family{account::kWalletAvailable, Kind::liability, Side::credit, 0},
    Family{account::kWalletHeld, Kind::liability, Side::credit, 0},
    Family{account::kCapital, Kind::equity, Side::credit, 0},
    Family{account::kCurrencyExchange, Kind::equity, Side::either, 0},
    Family{account::kRevenue, Kind::revenue, Side::credit, 0},
    Family{account::kCostOfSales, Kind::cost, Side::debit, 0},
    Family{account::kChannelFees, Kind::cost, Side::debit, 1},
    Family{account::kAdjustments, Kind::cost, Side::either, 0},
    Family{account::kCurrencyDifference, Kind::cost, Side::either, 0},
};

constexpr bool is_party_name(std::string_view part) {
  if (part.empty() || part.size() > 64) return false;
  for (const char c : part) {
    const bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (!is_word) return false;
  }
  return true;
}

// Where an account's family stands in the chart; kChart.size() for a name that it does not have. A
// place and not an address, for the proofs below: under -fsanitize=undefined GCC 12 takes no
// comparison of an address for a constant.
constexpr std::size_t place_in_chart(std::string_view name) {
  for (std::size_t i = 0; i < kChart.size(); ++i) {
    const Family& family = kChart[i];
    if (!name.starts_with(family.name)) continue;
    std::string_view rest = name.substr(family.name.size());
    if (!rest.empty() && rest.front() != '.') continue;
    std::size_t parts = 0;
    bool is_sound = true;
    while (!rest.empty() && is_sound) {
      rest.remove_prefix(1);
      const std::size_t end = rest.find('.');
      is_sound = is_party_name(rest.substr(0, end)) && ++parts <= family.most_parts;
      rest = end == std::string_view::npos ? std::string_view() : rest.substr(end);
    }
    if (is_sound) return i;
  }
  return kChart.size();
}

// The family of an account; nullptr for a name that the chart does not have.
constexpr const Family* family_of(std::string_view name) {
  const std::size_t place = place_in_chart(name);
  return place == kChart.size() ? nullptr : &kChart[place];
}

constexpr std::string_view word_of(Kind kind) {
  constexpr std::array<std::string_view, 5> kWords = {"asset", "liability", "equity", "revenue",
                                                      "cost"};
  return kWords[static_cast<std::size_t>(kind)];
}
constexpr std::string_view word_of(Side side) {
  constexpr std::array<std::string_view, 3> kWords = {"debit", "credit", "either"};
  return kWords[static_cast<std::size_t>(side)];
}

static_assert(place_in_chart("asset.channel_clearing.wechat.1900000109") < kChart.size());
static_assert(place_in_chart("asset.channel_clearing.") == kChart.size());
static_assert(place_in_chart("asset.bank.icbc.two") == kChart.size());
static_assert(place_in_chart("asset.invented") == kChart.size());
static_assert(place_in_chart("revenue.sales2") == kChart.size());

}  // namespace topup::ledger
