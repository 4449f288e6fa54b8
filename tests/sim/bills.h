// What the parties print of each business day, and what must become of it: the real reconciliation
// runs on these bills in the nights after the run. Some lines say something else than happened;
// each such slip must be found, nothing else may be, and what is decided is booked once. A bill is
// printed once and says the same whenever it is asked for.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "server/payments/channel.h"
#include "server/reconcile/reconcile_store.h"
#include "server/suppliers/supplier.h"
#include "tests/sim/shop.h"

namespace topup::sim {

inline constexpr std::int64_t kContractFeeBp = 60;
inline constexpr std::int64_t kBillNights = 4;  // after the day of the first order

class Bills {
 public:
  Bills(World& world, std::uint64_t seed) : world_(world), seed_(seed) {}

  // nullopt: not printed yet.
  std::optional<payments::Bill> bill_of(const ChannelModel& model, const std::string& day);
  // What the account moved by: the bill's lines, slips and all, and slips of its own.
  std::optional<std::vector<payments::FundLine>> funds_of(const ChannelModel& model,
                                                          const std::string& day);
  std::optional<std::vector<suppliers::StatementLine>> statement_of(const SupplierModel& model,
                                                                    std::int64_t from_ms,
                                                                    std::int64_t until_ms);
  // "party day kind side number copy" of each line that says something else.
  const std::set<std::string>& slips() const { return slips_; }
  std::vector<std::pair<std::string, std::string>> printed() const;  // party, day
  // What the party's lines move our account there by, fees and all.
  std::map<std::string, std::int64_t> totals() const;

 private:
  struct Page {  // of a bill
    std::vector<payments::BillLine> bill;
    std::vector<suppliers::StatementLine> statement;
    std::vector<payments::FundLine> funds;
    std::int64_t closing = 0;  // of the account, after the funds
  };
  std::int64_t closing_before(const ChannelModel& model, std::int64_t from_ms);
  void slip(const std::string& party, const std::string& day, std::vector<payments::BillLine>& bill,
            bool may_invent);
  void slip(const std::string& party, const std::string& day,
            std::vector<payments::FundLine>& funds, bool may_invent);
  bool has_slipped(const std::string& number) const;
  void slip(const std::string& party, const std::string& day,
            std::vector<suppliers::StatementLine>& statement);
  testing::SeededRandom chance_of(const std::string& party, const std::string& day) const;
  void note(const std::string& party, const std::string& day, std::string_view kind,
            std::string_view side, const std::string& number, int copy);

  World& world_;
  std::uint64_t seed_;
  std::map<std::pair<std::string, std::string>, Page> pages_;
  std::set<std::string> slips_;
};

// Who decides about differences: now and then looks at what is open and settles some of it.
class Accountant {
 public:
  Accountant(World& world, Shop& shop, std::uint64_t seed)
      : world_(world), shop_(shop), chance_(seed * 13 + 6) {}
  void look();

 private:
  World& world_;
  Shop& shop_;
  testing::SeededRandom chance_;
  std::set<std::string> left_alone_;
};

// After the last night: the slips are the differences, books and bills agree but for what is known,
// and the same comparison again changes nothing.
void judge_bills(World& world, storage::Db& db, Shop& shop, const Bills& bills,
                 const Parties& parties);

}  // namespace topup::sim
