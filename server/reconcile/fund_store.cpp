#include "server/reconcile/fund_store.h"

#include <array>

#include "shared/check.h"
#include "shared/time_point.h"

namespace topup::reconcile::fund_store {
namespace {

using storage::Reader;
using storage::Row;

constexpr std::int64_t kBalanceDays = 31;  // of standing still that a balance is looked back for

// The ids of the trade bill's runs of the day and its neighbours.
std::array<std::string, 3> trade_runs(const Party& funds, std::int64_t from_ms) {
  std::array<std::string, 3> out;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::int64_t at = from_ms + (static_cast<std::int64_t>(i) - 1) * kDayMs;
    out[i] = run_id(funds.holder, day_text(at, funds.offset_ms));
  }
  return out;
}

std::string day_of(const Party& funds, std::int64_t at_ms) {
  return day_text(at_ms, funds.offset_ms);
}

void add_lines(Reader& reader, const std::string& run, std::string_view only, Trade& trade) {
  reader.query(R"sql(
    SELECT side, CASE WHEN number = '' THEN their_number ELSE number END, their_number, stand,
           fee_minor, at_ms, amount_minor FROM recon_lines
     WHERE run_id = $1 AND payee = '' AND ($2 = '' OR side = $2) ORDER BY line)sql",
               {run, only}, [&](const Row& row) {
                 const auto side = side_of(row.text(0));
                 check(side.has_value(), "a stored line is of a side we know");
                 TradeSaid& said = trade[{*side, row.text(1)}];
                 ++said.lines;
                 said.their_number = row.text(2);
                 said.stand = stand_of(row.text(3));
                 if (said.stand != Stand::failed) said.fee_minor += row.integer(4);
                 said.at_ms = row.integer(5);
                 said.amount_minor = row.integer(6);
               });
}

// A refund that no line has is found by its payment, in our record of it.
void add_differences(Reader& reader, const std::string& run, std::string_view only, Trade& trade) {
  reader.query(R"sql(
    SELECT side, number, kind, order_id, currency, carried_minor, waived_minor,
           CASE WHEN theirs_at_ms = 0 THEN ours_at_ms ELSE theirs_at_ms END,
           COALESCE(ours_minor, 0),
           COALESCE((SELECT r.out_trade_no FROM refunds r WHERE r.out_refund_no = d.number), '')
      FROM recon_differences d
     WHERE run_id = $1 AND payee = '' AND ($2 = '' OR side = $2))sql",
               {run, only}, [&](const Row& row) {
                 const auto side = side_of(row.text(0));
                 const auto kind = kind_of(row.text(2));
                 const auto currency = parse_currency(row.text(4));
                 check(side && kind && currency, "a stored difference is of a kind we know");
                 TradeSaid& said = trade[{*side, row.text(1)}];
                 said.order_id = row.text(3);
                 said.currency = *currency;
                 if (said.at_ms == 0) said.at_ms = row.integer(7);
                 if (*kind == Kind::fee_differs) {
                   said.waived_fee_minor += row.integer(6);
                 } else {
                   said.carried_minor += row.integer(5);
                   said.waived_minor += row.integer(6);
                 }
                 said.has_difference = true;
                 if (said.lines > 0 || *side != Side::refund) return;
                 said.amount_minor = row.integer(8);
                 said.payment = row.text(9);
               });
}

Unnamed read_unnamed(const Row& row, Side side) {
  const auto currency = parse_currency(row.text(2));
  check(currency.has_value(), "a stored currency is one we know");
  return {side, row.text(0), {row.integer(1), *currency}, row.text(3), row.integer(4)};
}

}  // namespace

Trade trade_said(Reader& reader, const Party& funds, std::int64_t from_ms,
                 std::optional<Side> only) {
  Trade trade;
  const std::string_view side = only ? to_word(*only) : std::string_view();
  for (const std::string& run : trade_runs(funds, from_ms)) {
    add_lines(reader, run, side, trade);
    add_differences(reader, run, side, trade);
  }
  return trade;
}

std::vector<Unnamed> unnamed_moves(Reader& reader, const Party& funds, std::string_view run_id,
                                   std::int64_t from_ms, std::int64_t until_ms) {
  std::vector<Unnamed> found;
  for (const Side side : {Side::withdrawal, Side::movement}) {
    reader.query(
        R"sql(
      SELECT l.their_number, l.amount_minor, l.amount_currency, l.word, l.at_ms
        FROM recon_runs r JOIN recon_lines l ON l.run_id = r.run_id
       WHERE r.party = $1 AND r.day >= $2 AND r.day < $3 AND (r.state = 'matched' OR r.run_id = $4)
         AND l.side IN ('withdrawal', 'movement') AND l.side = $5)sql",
        {funds.name, day_of(funds, from_ms), day_of(funds, until_ms), run_id, to_word(side)},
        [&](const Row& row) { found.push_back(read_unnamed(row, side)); });
  }
  return found;
}

// A settlement's first posting on the account is what reached the bank, a later one its fee.
std::vector<Unnamed> entries(Reader& reader, const Party& funds, std::int64_t from_ms,
                             std::int64_t until_ms) {
  std::vector<Unnamed> found;
  for (const Side side : {Side::withdrawal, Side::movement}) {
    reader.query(
        R"sql(
      SELECT p.journal_id || '/' || p.line, p.amount_minor, p.amount_currency,
             COALESCE((SELECT MIN(b.account) FROM postings b WHERE b.journal_id = j.journal_id
                        AND b.account LIKE 'asset.bank%'), ''), j.at_ms
        FROM journals j JOIN postings p ON p.journal_id = j.journal_id
       WHERE j.template IN ('settlement', 'channel_fee') AND j.subject NOT LIKE 'recon/%'
         AND j.at_ms >= $2 AND j.at_ms < $3 AND p.account = $1
         AND CASE WHEN j.template = 'settlement' AND p.line <= 2 THEN 'withdrawal'
                  ELSE 'movement' END = $4
         AND NOT EXISTS (SELECT 1 FROM journals b
                          WHERE b.journal_id = 'taken_back:' || j.journal_id))sql",
        {account_of(funds, ""), from_ms, until_ms, to_word(side)},
        [&](const Row& row) { found.push_back(read_unnamed(row, side)); });
  }
  return found;
}

bool has_runs(Reader& reader, const Party& funds, std::int64_t from_ms, std::int64_t until_ms) {
  std::int64_t count = 0;
  reader.query(
      "SELECT COUNT(*) FROM recon_runs WHERE party = $1 AND day >= $2 AND day < $3"
      " AND state = 'matched'",
      {funds.name, day_of(funds, from_ms), day_of(funds, until_ms)},
      [&](const Row& row) { count = row.integer(0); });
  return count >= (until_ms - from_ms) / kDayMs;
}

std::optional<Money> balance_before(Reader& reader, const Party& funds, std::int64_t from_ms) {
  for (std::int64_t back = 1; back <= kBalanceDays; ++back) {
    const std::int64_t at = from_ms - back * kDayMs;
    const auto run = reconcile_store::find_run(reader, run_id(funds.name, day_of(funds, at)));
    if (!run || run->state != run_state::kMatched || run->finished_at_ms < at + kDayMs) break;
    if (run->closing_minor) return fen(*run->closing_minor);
  }
  return std::nullopt;
}

std::vector<std::int64_t> stamp(Reader& reader, const Party& funds, std::int64_t from_ms) {
  std::vector<std::int64_t> out;
  const auto runs = trade_runs(funds, from_ms);
  const auto keep = [&out](const Row& row) {
    for (int column = 0; column < 3; ++column) out.push_back(row.integer(column));
  };
  reader.query(R"sql(
    SELECT COUNT(*), CAST(COALESCE(SUM(tries), 0) AS BIGINT), COALESCE(MAX(finished_at_ms), 0)
      FROM recon_runs WHERE run_id IN ($1, $2, $3) AND state = 'matched')sql",
               {runs[0], runs[1], runs[2]}, keep);
  reader.query(R"sql(
    SELECT CAST(COALESCE(SUM(postings), 0) AS BIGINT),
           CAST(COALESCE(SUM(carried_minor), 0) AS BIGINT),
           CAST(COALESCE(SUM(waived_minor), 0) AS BIGINT)
      FROM recon_differences WHERE run_id IN ($1, $2, $3))sql",
               {runs[0], runs[1], runs[2]}, keep);
  reader.query(R"sql(
    SELECT COUNT(*), COALESCE(MAX(at_ms), 0), COALESCE(MIN(at_ms), 0) FROM journals
     WHERE template IN ('settlement', 'channel_fee', 'taken_back')
       AND subject NOT LIKE 'recon/%')sql",
               {}, keep);
  return out;
}

bool is_stale(Reader& reader, const Party& funds, const Run& run, std::int64_t from_ms) {
  const auto runs = trade_runs(funds, from_ms);
  const bool has_moved_on =
      reader.query(R"sql(
    SELECT 1 FROM recon_runs WHERE run_id IN ($1, $2, $3) AND state = 'matched'
       AND finished_at_ms > $4
    UNION ALL
    SELECT 1 FROM recon_differences WHERE run_id IN ($1, $2, $3) AND resolved_at_ms >= $4
    LIMIT 1)sql",
                   {runs[0], runs[1], runs[2], run.finished_at_ms}, [](const Row&) {}) > 0;
  if (has_moved_on) return true;
  const bool has_unnamed =
      reader.query(
          "SELECT 1 FROM recon_lines WHERE run_id = $1 AND side IN ('withdrawal', 'movement')"
          " LIMIT 1",
          {run.id}, [](const Row&) {}) > 0 ||
      reader.query(
          "SELECT 1 FROM recon_differences WHERE run_id = $1 AND side IN ('withdrawal', "
          "'movement') LIMIT 1",
          {run.id}, [](const Row&) {}) > 0;
  return has_unnamed && reader.query(R"sql(
    SELECT 1 FROM journals WHERE template IN ('settlement', 'channel_fee', 'taken_back')
       AND subject NOT LIKE 'recon/%' AND at_ms >= $1 LIMIT 1)sql",
                                     {run.finished_at_ms}, [](const Row&) {}) > 0;
}

}  // namespace topup::reconcile::fund_store
