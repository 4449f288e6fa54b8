#include "server/reconcile/differences.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "server/audit/audit_log.h"
#include "server/base/log.h"
#include "server/ledger/chart.h"
#include "server/ledger/ledger_store.h"

namespace topup::reconcile {
namespace {

constexpr std::string_view kSystem = "system";

void post(const Books& books, storage::Tx& tx, const ledger::Journal& journal) {
  ledger::post(tx, journal, OrderId(), base::TraceScope::current(), books.clock.wall_ms());
}

std::string fees_of(const Party& party) {
  return std::string(ledger::account::kChannelFees) + "." + party.holder;
}

std::string next_subject(StoredDifference& row) {
  return "recon/" + row.id + "/" + std::to_string(++row.postings);
}

Money suspense_of(const StoredDifference& row) {
  return {row.suspense_minor, row.what.move.currency};
}

// The account moves to where the party says it is; what is new in that has no explanation yet.
void carry(const Books& books, storage::Tx& tx, const Party& party, StoredDifference& row) {
  const std::int64_t step = row.what.move.minor - row.waived_minor - row.carried_minor;
  if (step == 0) return;
  post(books, tx,
       ledger::account_unexplained(next_subject(row), account_of(party, row.what.payee),
                                   {step, row.what.move.currency}));
  row.carried_minor += step;
  row.suspense_minor += step;
}

std::string detail_of(const StoredDifference& row) {
  return std::string(to_word(row.what.kind)) + " " + row.party + " " + row.day + " " +
         row.what.number + " " + decimal_text(row.what.move) + " " +
         std::string(to_word(row.what.move.currency));
}

void tell(const Books& books, storage::Tx& tx, std::string_view actor, std::string_view action,
          const StoredDifference& row, const std::string& detail) {
  audit::append(tx, {actor, action, row.id, detail}, base::TraceScope::current(),
                books.clock.wall_ms());
}

void close(const Books& books, StoredDifference& row, std::string_view how, const std::string& by,
           const std::string& reason) {
  row.state = difference_state::kResolved;
  row.resolution = how;
  row.resolved_by = by;
  row.reason = reason;
  row.resolved_at_ms = books.clock.wall_ms();
}

bool has_reference(Side side) { return side != Side::withdrawal && side != Side::movement; }

bool is_open(const StoredDifference& row) { return row.state == difference_state::kOpen; }

// A difference that was there before, as it is found now; nullptr: it is not found any more.
void update(const Books& books, storage::Tx& tx, const Party& party, StoredDifference row,
            const Difference* found) {
  const bool was_open = is_open(row);
  const std::int64_t moved_before = row.postings;
  if (found != nullptr) {
    row.what.ours = found->ours;
    row.what.theirs = found->theirs;
    row.what.ours_word = found->ours_word;
    row.what.theirs_word = found->theirs_word;
  }
  row.what.move.minor = found == nullptr ? 0 : found->move.minor;
  if (found == nullptr) row.waived_minor = 0;
  carry(books, tx, party, row);
  const bool is_gone = found == nullptr || found->is_over;
  if (row.suspense_minor != 0) {
    row.state = difference_state::kOpen;
  } else if (was_open && is_gone) {
    close(books, row, resolution::kAgreed, std::string(kSystem), "");
  }
  const bool changed = row.postings != moved_before || was_open != is_open(row);
  reconcile_store::save_difference(tx, row);
  if (!changed) return;
  if (was_open) (void)books.deeds.close_item(tx, row.id, std::string(kSystem), "agreed");
  if (is_open(row)) {
    books.deeds.open_item(tx, row.id, row.what.order_id, detail_of(row), suspense_of(row));
  }
  tell(books, tx, kSystem, is_open(row) ? "reconcile.changed" : "reconcile.agreed", row,
       detail_of(row));
}

void open(const Books& books, storage::Tx& tx, const Party& party, const Run& run,
          const Difference& found) {
  StoredDifference row;
  row.id = base::new_id(books.random, books.clock.wall_ms());
  row.run_id = run.id;
  row.party = run.party;
  row.day = run.day;
  row.what = found;
  row.opened_at_ms = books.clock.wall_ms();
  row.state = difference_state::kOpen;
  if (found.is_over) close(books, row, resolution::kAgreed, std::string(kSystem), "");
  reconcile_store::insert_difference(tx, row);
  if (found.is_over) return;
  carry(books, tx, party, row);
  reconcile_store::save_difference(tx, row);
  tell(books, tx, kSystem, "reconcile.opened", row, detail_of(row));
  // A day edge waits for the next day's statement, not for a person.
  if (found.kind == Kind::day_edge) return;
  books.deeds.open_item(tx, row.id, found.order_id, detail_of(row), suspense_of(row));
  base::log(base::Level::warn, "reconcile_difference",
            {{"kind", to_word(found.kind)}, {"party", run.party}, {"day", run.day}});
}

// What it was after all, when they are right.
std::string explanation_of(const Party& party, const StoredDifference& row) {
  if (row.what.kind == Kind::fee_differs) return fees_of(party);
  if (row.what.side != Side::withdrawal) return std::string(ledger::account::kAdjustments);
  // It reached the bank, or it never did: then it leaves the account that a person named.
  const bool is_named = ledger::family_of(row.what.ours_word) != nullptr;
  return is_named ? row.what.ours_word : ledger::bank_account("");
}

using Key = std::tuple<Side, std::string, std::int64_t, Kind>;
Key key_of(const Difference& what) { return {what.side, what.number, what.copy, what.kind}; }

}  // namespace

std::int64_t settle(const Books& books, storage::Tx& tx, const Party& party, const Run& run,
                    const std::vector<Difference>& found) {
  std::map<Key, const Difference*> left;
  for (const Difference& one : found) left[key_of(one)] = &one;
  for (StoredDifference& row : reconcile_store::differences_of_run(tx, run.id)) {
    const auto still = left.find(key_of(row.what));
    update(books, tx, party, std::move(row), still == left.end() ? nullptr : still->second);
    if (still != left.end()) left.erase(still);
  }
  for (const auto& [key, one] : left) open(books, tx, party, run, *one);
  std::int64_t count = 0;
  for (const StoredDifference& row : reconcile_store::differences_of_run(tx, run.id))
    count += is_open(row) ? 1 : 0;
  return count;
}

void book_fees(const Books& books, storage::Tx& tx, const Party& party, const Run& run,
               Total& total, std::int64_t fee_minor) {
  const std::int64_t step = fee_minor - total.booked_fee_minor;
  if (step == 0 || !party.is_channel || party.is_funds) return;
  const std::string payee = total.payee.empty() ? "own" : total.payee;
  const std::string subject = "recon/" + run.id + "/" + payee + "/" +
                              std::string(to_word(total.currency)) + "/" +
                              std::to_string(++total.bookings);
  post(books, tx,
       ledger::channel_fee(subject, {party.holder, total.payee}, {-step, total.currency}));
  total.booked_fee_minor = fee_minor;
}

std::vector<std::string_view> offered(const StoredDifference& row) {
  if (!is_open(row)) return {};
  std::vector<std::string_view> out;
  const bool can_ask = row.what.ours.has_value() && row.what.kind != Kind::duplicate_theirs &&
                       row.what.kind != Kind::fee_differs && has_reference(row.what.side);
  const bool is_state =
      row.what.kind == Kind::state_differs || row.what.kind == Kind::refund_state_differs ||
      row.what.kind == Kind::missing_theirs || row.what.kind == Kind::refund_missing;
  if (can_ask && is_state) out.push_back(resolution::kQueryAgain);
  if (row.suspense_minor != 0) {
    out.push_back(resolution::kAcceptTheirs);
    // Both sides agree again: nothing is left for them to put right, and the next comparison would
    // only undo it.
    if (row.what.move.minor != 0) out.push_back(resolution::kSettleLater);
  } else {
    out.push_back(resolution::kNote);
  }
  return out;
}

Result<StoredDifference> resolve(const Books& books, storage::Tx& tx, const Party& party,
                                 const std::string& difference_id, std::string_view how,
                                 const std::string& reason, const std::string& actor) {
  auto row = reconcile_store::find_difference(tx, difference_id);
  if (!row) return refuse(Code::not_found, "difference_not_found", "difference_id");
  if (!is_open(*row)) return refuse(Code::conflict, "difference_resolved");
  const auto ways = offered(*row);
  if (std::find(ways.begin(), ways.end(), how) == ways.end())
    return refuse(Code::rejected, "resolution_not_offered", "resolution");
  if (how == resolution::kQueryAgain) {
    if (!books.deeds.query_again(tx, row->what.side, row->what.number))
      return refuse(Code::rejected, "resolution_not_offered", "resolution");
    tell(books, tx, actor, "reconcile.query_again", *row, reason);
    return std::move(*row);
  }
  const bool has_item = row->what.kind != Kind::day_edge;
  if (has_item && !books.deeds.close_item(tx, row->id, actor, how))
    return refuse(Code::conflict, "work_item_settled");
  const Money held = suspense_of(*row);
  if (how == resolution::kAcceptTheirs) {
    post(books, tx, ledger::suspense_moved(next_subject(*row), explanation_of(party, *row), held));
  } else if (how == resolution::kSettleLater) {
    post(books, tx,
         ledger::suspense_moved(next_subject(*row), account_of(party, row->what.payee), held));
    row->carried_minor -= held.minor;
    row->waived_minor += held.minor;
  }
  row->suspense_minor = 0;
  close(books, *row, how, actor, reason);
  reconcile_store::save_difference(tx, *row);
  tell(books, tx, actor, "reconcile.resolved", *row, std::string(how) + ": " + reason);
  return std::move(*row);
}

}  // namespace topup::reconcile
