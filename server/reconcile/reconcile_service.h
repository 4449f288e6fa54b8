// The comparison of a business day: the party's statement is asked for, kept, matched with our
// records and the ledger, and the differences are settled. A run is one row for each party and day;
// it may be repeated at any time, after a crash in the middle as well, and the same statement and
// books give the same result. A channel that lists the movements of our account has a second run
// for each day, that of its fund flow, which is compared after the trade bill's and again whenever
// that changes. Blocks while the party answers. Thread-safe: one run at a time here, and those of
// other nodes meet in the database. Errors of run(): not_found/party_not_found,
// invalid_argument/day_malformed, rejected/day_not_begun.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/clock.h"
#include "server/base/random.h"
#include "server/payments/channels.h"
#include "server/reconcile/differences.h"
#include "server/reconcile/reconcile_store.h"
#include "server/storage/db.h"
#include "server/suppliers/suppliers.h"
#include "shared/result.h"

namespace topup::reconcile {

inline constexpr std::size_t kMaxDifferences = 2'000;  // above it the statement is not of this shop
inline constexpr std::int64_t kDueAfterDayMs = 10 * 3'600'000 + 30 * 60'000;  // 10:30 the next day
inline constexpr std::int64_t kCatchUpDays = 7;

inline constexpr std::string_view kRunJob = "reconcile_run";  // stored; subject: run_id#tries

struct Rules {                                      // live settings
  std::int64_t supplier_offset_ms = 8 * 3'600'000;  // of the suppliers' business day
  std::int64_t channel_fee_bp = 60;                 // of the channels' contracts; negative: unknown
};

class Reconciler {
 public:
  Reconciler(storage::Db& db, const base::Clock& clock, base::Random& random,
             const payments::Channels& channels, const suppliers::Suppliers& suppliers, Deeds deeds,
             std::function<Rules()> rules);

  // The run as it is afterwards: matched, or waiting or refused and why.
  Result<Run> run(std::string_view party, std::string_view day, std::string_view asked_by);
  // As run(), but by a job (kRunJob), which this plans in the caller's transaction.
  Result<Run> plan(storage::Tx& tx, std::string_view party, std::string_view day,
                   std::string_view asked_by, const TraceId& trace);
  void run_asked(const std::string& subject);
  // Every day that is over, was traded on and is not matched yet; each party by itself. Returns how
  // many runs ended as matched.
  int run_due();

  std::vector<Party> parties() const;
  std::optional<Party> find_party(std::string_view name) const;
  Result<StoredDifference> resolve(storage::Tx& tx, const std::string& difference_id,
                                   std::string_view how, const std::string& reason,
                                   const std::string& actor);

 private:
  struct Statement {
    std::vector<Theirs> lines;
    std::string state, why;  // of the run: matched when there is a statement
    std::optional<std::int64_t> opening_minor = {}, closing_minor = {};
  };
  template <class T>
  static bool is_had(const payments::Outcome<T>& bill, Statement& out);
  Statement ask_in_turn(const Party& party, std::string_view day, std::int64_t from_ms);
  Statement ask(const Party& party, std::string_view day, std::int64_t from_ms);
  void keep(const Run& run, const std::vector<Theirs>& lines);
  Result<Run> compare(const Party& party, Run run, std::int64_t from_ms);
  Result<bool> compare_once(const Party& party, Run& run, std::int64_t from_ms);
  void compare_again(const Party& party, std::int64_t from_ms);
  void save(const Run& run);
  void look_at_edges(const Party& party, const Run& run, std::int64_t from_ms);
  Books books() const { return {clock_, random_, deeds_}; }

  storage::Db& db_;
  const base::Clock& clock_;
  base::Random& random_;
  const payments::Channels& channels_;
  const suppliers::Suppliers& suppliers_;
  const Deeds deeds_;
  const std::function<Rules()> rules_;
  std::mutex one_at_a_time_;
};

// The UTC time of a day's beginning. Errors: invalid_argument/day_malformed.
Result<std::int64_t> day_start_ms(std::string_view day, std::int64_t offset_ms);

}  // namespace topup::reconcile
