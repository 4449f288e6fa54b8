#include "server/reconcile/day.h"

#include <algorithm>
#include <set>

#include "server/reconcile/fund_store.h"
#include "server/reconcile/funds.h"
#include "shared/time_point.h"

namespace topup::reconcile {
namespace {

using storage::Reader;

Terms terms_of(const Party& party, std::int64_t from_ms) {
  Terms terms;
  terms.from_ms = from_ms;
  terms.until_ms = from_ms + kDayMs;
  terms.fee_bp = party.fee_bp;
  terms.slack_minor = party.slack_minor;
  terms.edge_ms = party.edge_ms;
  terms.moves_fees = party.is_funds;
  return terms;
}

void read_records(Reader& reader, const Party& party, const std::vector<Theirs>& lines, Day& day) {
  day.ours = reconcile_store::ours_between(reader, party, day.terms.from_ms, day.terms.until_ms);
  std::set<std::pair<Side, std::string>> known;
  for (const Ours& one : day.ours) known.insert({one.side, one.number});
  for (const Theirs& line : lines) {
    if (!known.insert({line.side, line.number}).second) continue;
    auto one = reconcile_store::ours_of(reader, party, line.side, line.number);
    if (one) day.ours.push_back(std::move(*one));
  }
  for (const Ours& one : day.ours) day.booked[{one.side, one.number}] = one.booked;
}

void read_neighbours(Reader& reader, const Party& party, const Run& run, Day& day) {
  for (const bool is_after : {false, true}) {
    const std::int64_t at = day.terms.from_ms + (is_after ? kDayMs : -kDayMs);
    const std::string other = run_id(run.party, day_text(at, party.offset_ms));
    const auto neighbour = reconcile_store::find_run(reader, other);
    if (!neighbour || neighbour->state != run_state::kMatched) continue;
    (is_after ? day.terms.has_after : day.terms.has_before) = true;
    for (Neighbour& one : reconcile_store::numbers_of(reader, other))
      day.neighbours.push_back(std::move(one));
    if (!party.is_funds) continue;
    // Refunds may stand there under their payment's number.
    const auto refunds = reconcile_store::lines_of(reader, other, Side::refund);
    if (refunds.empty()) continue;
    for (Theirs& line : as_traded(refunds, fund_store::trade_said(reader, party, at, Side::refund)))
      day.neighbours.push_back({line.side, std::move(line.number)});
  }
}

// References that the trade bill's run has differences for, and that may be in no line here.
void add_traded(Reader& reader, const Party& party, const Trade& trade, Day& day) {
  for (const auto& [key, said] : trade) {
    if (!said.has_difference || day.booked.count(key) != 0) continue;
    auto record = reconcile_store::ours_of(reader, party, key.first, key.second);
    if (record) day.booked[key] = record->booked;
    day.ours.push_back(record ? std::move(*record) : only_traded(key.first, key.second, said));
  }
}

// Each record as the account of the shop's own has it.
void account_for(const Trade& trade, Day& day) {
  for (Ours& own : day.ours) {
    if (day.booked.count({own.side, own.number}) == 0) continue;  // only the trade bill knew it
    if (!own.payee.empty()) own.booked.minor = 0;
    own.payee.clear();
    const auto said = trade.find({own.side, own.number});
    own = as_accounted(std::move(own), said == trade.end() ? TradeSaid{} : said->second);
  }
}

Ours entry_of(const Unnamed& booked) {
  Ours out;
  out.side = booked.side;
  out.number = booked.number;
  out.amount = out.booked = booked.amount;
  out.word = booked.word;
  out.stand = Stand::done;
  out.at_ms = booked.at_ms;
  return out;
}

// What carries no reference gets that of the entry it is paired with; an entry of this day that no
// movement was for is ours alone, once every day it may have moved on was compared.
void add_unnamed(Reader& reader, const Party& party, const Run& run, Day& day) {
  const std::int64_t span = kEntryDays * kDayMs;
  const std::int64_t from = day.terms.from_ms, until = day.terms.until_ms;
  const auto booked = fund_store::entries(reader, party, from - span, until + span);
  const auto pairs = pair_unnamed(
      fund_store::unnamed_moves(reader, party, run.id, from - span, until + span), booked);
  std::set<std::string> moved;
  std::map<std::string, const Unnamed*> entries;
  for (const Unnamed& entry : booked) entries[entry.number] = &entry;
  for (const auto& [flow_no, entry] : pairs) moved.insert(entry);
  for (Theirs& line : day.traded) {
    const auto pair = pairs.find(line.their_number);
    if (line.side != Side::withdrawal && line.side != Side::movement) continue;
    if (pair == pairs.end()) continue;
    line.number = pair->second;
    Ours own = entry_of(*entries.at(pair->second));
    own.at_ms = line.at_ms;  // people book it when they see it
    own.fee = Money{0, own.booked.currency};
    day.ours.push_back(std::move(own));
  }
  const std::int64_t first =
      start_of_day_ms(reconcile_store::first_order_ms(reader).value_or(from), party.offset_ms);
  if (!fund_store::has_runs(reader, party, std::max(first, from - span), from)) return;
  for (const Unnamed& entry : booked) {
    const bool is_of_day = entry.at_ms >= from && entry.at_ms < until;
    if (is_of_day && moved.count(entry.number) == 0) day.ours.push_back(entry_of(entry));
  }
}

void read_funds(Reader& reader, const Party& party, const Run& run, Day& day) {
  const auto trade_run = reconcile_store::find_run(reader, run_id(party.holder, run.day));
  day.is_ready = trade_run && trade_run->state == run_state::kMatched;
  if (!day.is_ready) return;
  const Trade trade = fund_store::trade_said(reader, party, day.terms.from_ms);
  day.stamp = fund_store::stamp(reader, party, day.terms.from_ms);
  day.traded = as_traded(day.lines, trade);
  read_records(reader, party, day.traded, day);
  add_traded(reader, party, trade, day);
  account_for(trade, day);
  add_unnamed(reader, party, run, day);
  read_neighbours(reader, party, run, day);
  if (!run.opening_minor || !run.closing_minor) return;
  const auto before = fund_store::balance_before(reader, party, day.terms.from_ms);
  day.balance = balance_difference(day.lines, before.value_or(fen(*run.opening_minor)),
                                   fen(*run.closing_minor));
}

}  // namespace

Day read_day(Reader& reader, const Party& party, const Run& run, std::int64_t from_ms) {
  Day day;
  day.terms = terms_of(party, from_ms);
  day.lines = reconcile_store::lines_of(reader, run.id);
  if (party.is_funds) {
    read_funds(reader, party, run, day);
    return day;
  }
  read_records(reader, party, day.lines, day);
  read_neighbours(reader, party, run, day);
  return day;
}

Matched match(const Party& party, const Day& day) {
  Matched matched =
      match(party.is_funds ? day.traded : day.lines, day.ours, day.neighbours, day.terms);
  if (day.balance) matched.differences.push_back(*day.balance);
  return matched;
}

bool is_as_read(Reader& reader, const Party& party, const Day& day,
                const std::vector<Difference>& differences) {
  for (const Difference& one : differences) {
    const auto now = reconcile_store::ours_of(reader, party, one.side, one.number);
    const auto then = day.booked.find({one.side, one.number});
    const bool is_same =
        now ? then != day.booked.end() && now->booked == then->second : then == day.booked.end();
    if (!is_same) return false;
  }
  return !party.is_funds || day.stamp == fund_store::stamp(reader, party, day.terms.from_ms);
}

}  // namespace topup::reconcile
