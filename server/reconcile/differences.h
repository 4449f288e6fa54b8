// What becomes of the differences of a run: kept, posted, told to people and resolved, all in the
// caller's transaction. A difference in money moves the party's account to what the party says and
// stands in suspense until a person explains it or it goes away by itself; the suspense of a
// difference is what its open work item holds, at each moment. Settling the same comparison again
// changes nothing. Errors of resolve(): not_found/difference_not_found,
// conflict/difference_resolved, conflict/work_item_settled, rejected/resolution_not_offered.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/clock.h"
#include "server/base/random.h"
#include "server/reconcile/reconcile_store.h"
#include "server/storage/db.h"
#include "shared/ids.h"
#include "shared/result.h"

namespace topup::reconcile {

inline constexpr std::string_view kWorkItem = "reconciliation";  // stored; subject: difference_id

// Stored words of what a person decides.
namespace resolution {
inline constexpr std::string_view kAcceptTheirs = "accept_theirs";  // they are right: it is ours to
                                                                    // bear, or to keep; a
                                                                    // withdrawal is at the bank
inline constexpr std::string_view kSettleLater = "settle_later";    // they are to put it right on
                                                                    // another day
inline constexpr std::string_view kNote = "note";                   // no money: seen
inline constexpr std::string_view kQueryAgain = "query_again";      // ask the party; it stays open
inline constexpr std::string_view kAgreed = "agreed";  // by itself: both sides agree now
}  // namespace resolution

// What the other folders do for this one, in the same transaction; wired by the composition root.
struct Deeds {
  // A person must look; `held` is the money in suspense.
  std::function<void(storage::Tx& tx, const std::string& subject, const std::string& order_id,
                     const std::string& detail, Money held)>
      open_item;
  // False when no such item is open.
  std::function<bool(storage::Tx& tx, const std::string& subject, const std::string& by,
                     std::string_view resolution)>
      close_item;
  // The job that asks the party about the reference is due now. False: nothing to ask about.
  std::function<bool(storage::Tx& tx, Side side, const std::string& number)> query_again;
};

struct Books {  // outlived by all it names
  const base::Clock& clock;
  base::Random& random;
  const Deeds& deeds;
};

// Brings the stored differences of a run to what was found; returns how many are open.
std::int64_t settle(const Books& books, storage::Tx& tx, const Party& party, const Run& run,
                    const std::vector<Difference>& found);

// Fees that the party kept on this day, less what is in question: booked once, corrected when a
// later statement says otherwise. A fund flow books none: the trade bill's run does.
void book_fees(const Books& books, storage::Tx& tx, const Party& party, const Run& run,
               Total& total, std::int64_t fee_minor);

// In the order in which a page offers them.
std::vector<std::string_view> offered(const StoredDifference& row);
Result<StoredDifference> resolve(const Books& books, storage::Tx& tx, const Party& party,
                                 const std::string& difference_id, std::string_view how,
                                 const std::string& reason, const std::string& actor);

}  // namespace topup::reconcile
