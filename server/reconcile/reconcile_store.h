// Rows of recon_runs, recon_lines, recon_totals and recon_differences, and what our own books say
// of a day at a party. Every function takes the transaction or reader of its caller.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/reconcile/matcher.h"
#include "server/storage/db.h"
#include "shared/money.h"

namespace topup::reconcile {

namespace run_state {  // stored
inline constexpr std::string_view kWaiting = "waiting";
inline constexpr std::string_view kMatched = "matched";
inline constexpr std::string_view kRefused = "refused";
inline constexpr std::string_view kNotOffered = "not_offered";
}  // namespace run_state
namespace difference_state {  // stored
inline constexpr std::string_view kOpen = "open";
inline constexpr std::string_view kResolved = "resolved";
}  // namespace difference_state

struct Run {
  std::string id, party, day, state, why, asked_by;
  std::int64_t lines = 0, agreed = 0, tries = 0;
  std::int64_t created_at_ms = 0, finished_at_ms = 0;
  std::int64_t open = 0, resolved = 0;  // differences; of lists only
  // Of a fund flow, in CNY: before and after the day's movements; without any, as without one.
  std::optional<std::int64_t> opening_minor = {}, closing_minor = {};
};
std::string run_id(std::string_view party, std::string_view day);

struct Total {
  std::string payee;
  Currency currency = Currency::cny;
  std::int64_t lines = 0, in_minor = 0, out_minor = 0, fee_minor = 0;
  std::int64_t booked_fee_minor = 0, bookings = 0;
};

struct StoredDifference {
  std::string id, run_id, party, day;
  Difference what;
  std::int64_t carried_minor = 0, waived_minor = 0, suspense_minor = 0, postings = 0;
  std::string state, resolution, reason, resolved_by;
  std::int64_t opened_at_ms = 0, resolved_at_ms = 0;
};

// Whose statement is compared, where the account of ours stands in the books, and how its records
// are found. A channel's fund flow is a party of its own: the same account, another statement.
struct Party {
  std::string name;    // of the statement: its runs have it
  std::string holder;  // of the account: a channel's or a supplier's name
  bool is_channel = false;
  bool is_funds = false;               // the statement is the fund flow
  std::int64_t offset_ms = 0;          // of its business day
  std::int64_t fee_bp = -1;            // of its contract; negative: not known
  std::int64_t edge_ms = 10 * 60'000;  // how far its clock may be off ours
  std::int64_t slack_minor = 0;        // what its statement rounds away
};
std::string account_of(const Party& party, std::string_view payee);
// The stored name of a channel's fund flow.
std::string funds_of(std::string_view channel);
Stand stand_of(std::string_view word);

namespace reconcile_store {

// Makes the run if there is none.
Run open_run(storage::Tx& tx, const Run& run);
std::optional<Run> find_run(storage::Reader& reader, std::string_view id);
void save_run(storage::Tx& tx, const Run& run);
// Newest day first, those after the place (day, id) of `after` when there is one.
std::vector<Run> list_runs(storage::Reader& reader, const Run* after, std::int64_t limit);

// Until its new lines are compared, the run waits: whoever dies in between leaves no day that
// counts as matched by a part of its statement.
void begin_lines(storage::Tx& tx, const Run& run);
void insert_line(storage::Tx& tx, std::string_view run_id, std::int64_t line, const Theirs& what);
std::vector<Theirs> lines_of(storage::Reader& reader, std::string_view run_id,
                             std::optional<Side> only = std::nullopt);
// Failed lines as well: what they contradict is a difference of that day, and of no other.
std::vector<Neighbour> numbers_of(storage::Reader& reader, std::string_view run_id);
// Something of the run waits for a neighbouring day's statement.
bool has_open_edge(storage::Reader& reader, std::string_view run_id);
void save_total(storage::Tx& tx, std::string_view run_id, const Total& total);
std::vector<Total> totals_of(storage::Reader& reader, std::string_view run_id);

std::vector<StoredDifference> differences_of_run(storage::Reader& reader, std::string_view run_id);
std::optional<StoredDifference> find_difference(storage::Reader& reader, std::string_view id);
void insert_difference(storage::Tx& tx, const StoredDifference& row);
void save_difference(storage::Tx& tx, const StoredDifference& row);
struct DifferenceFilter {
  std::string_view run_id, state;  // "" for all
};
// By id, those after `after_id` ("" for the first).
std::vector<StoredDifference> list_differences(storage::Reader& reader,
                                               const DifferenceFilter& filter,
                                               std::string_view after_id, std::int64_t limit);
// Money in suspense that differences stand for, by currency: for whoever proves the books.
std::vector<Money> suspense(storage::Reader& reader);

// The day of the shop's first order; nothing for a shop without one.
std::optional<std::int64_t> first_order_ms(storage::Reader& reader);

// What our books hold at the party between two moments: found by the time that leads our
// references.
std::vector<Ours> ours_between(storage::Reader& reader, const Party& party, std::int64_t from_ms,
                               std::int64_t until_ms);
std::optional<Ours> ours_of(storage::Reader& reader, const Party& party, Side side,
                            std::string_view number);

}  // namespace reconcile_store
}  // namespace topup::reconcile
