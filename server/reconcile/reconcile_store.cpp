#include "server/reconcile/reconcile_store.h"

#include "server/base/random.h"
#include "server/ledger/posting.h"
#include "shared/check.h"

namespace topup::reconcile {
namespace {

using storage::Reader;
using storage::Row;
using storage::Tx;
using storage::Value;

constexpr std::string_view kStandWords[] = {"done", "pending", "stuck", "failed"};

Currency currency_of(const std::string& word) {
  const auto parsed = parse_currency(word);
  check(parsed.has_value(), "a stored currency is one we know");
  return *parsed;
}

constexpr std::string_view kRunColumns =
    "r.run_id, r.party, r.day, r.state, r.why, r.asked_by, r.lines, r.agreed, r.tries, "
    "r.created_at_ms, r.finished_at_ms, r.opening_minor, r.closing_minor";

Run read_run(const Row& row) {
  Run run;
  run.id = row.text(0);
  run.party = row.text(1);
  run.day = row.text(2);
  run.state = row.text(3);
  run.why = row.text(4);
  run.asked_by = row.text(5);
  run.lines = row.integer(6);
  run.agreed = row.integer(7);
  run.tries = row.integer(8);
  run.created_at_ms = row.integer(9);
  run.finished_at_ms = row.integer(10);
  if (!row.is_null(11)) run.opening_minor = row.integer(11);
  if (!row.is_null(12)) run.closing_minor = row.integer(12);
  return run;
}

constexpr std::string_view kDifferenceColumns = R"sql(
  SELECT difference_id, run_id, party, day, kind, side, number, copy, order_id, payee, ours_minor,
         theirs_minor, ours_word, theirs_word, ours_at_ms, theirs_at_ms, currency, move_minor,
         carried_minor, waived_minor, suspense_minor, postings, state, resolution, reason,
         resolved_by, opened_at_ms, resolved_at_ms
    FROM recon_differences )sql";

StoredDifference read_difference(const Row& row) {
  StoredDifference out;
  int column = 0;
  out.id = row.text(column++);
  out.run_id = row.text(column++);
  out.party = row.text(column++);
  out.day = row.text(column++);
  Difference& what = out.what;
  const auto kind = kind_of(row.text(column++));
  const auto side = side_of(row.text(column++));
  check(kind && side, "a stored difference is of a kind we know");
  what.kind = *kind;
  what.side = *side;
  what.number = row.text(column++);
  what.copy = row.integer(column++);
  what.order_id = row.text(column++);
  what.payee = row.text(column++);
  const int amounts = column;
  column += 2;
  what.ours_word = row.text(column++);
  what.theirs_word = row.text(column++);
  what.ours_at_ms = row.integer(column++);
  what.theirs_at_ms = row.integer(column++);
  const Currency currency = currency_of(row.text(column++));
  if (!row.is_null(amounts)) what.ours = Money{row.integer(amounts), currency};
  if (!row.is_null(amounts + 1)) what.theirs = Money{row.integer(amounts + 1), currency};
  what.move = {row.integer(column++), currency};
  out.carried_minor = row.integer(column++);
  out.waived_minor = row.integer(column++);
  out.suspense_minor = row.integer(column++);
  out.postings = row.integer(column++);
  out.state = row.text(column++);
  out.resolution = row.text(column++);
  out.reason = row.text(column++);
  out.resolved_by = row.text(column++);
  out.opened_at_ms = row.integer(column++);
  out.resolved_at_ms = row.integer(column++);
  return out;
}

// A difference has one currency, that of its move.
Value minor_or_null(const std::optional<Money>& money, const Difference& what) {
  if (!money || money->currency != what.move.currency) return nullptr;
  return money->minor;
}

// What the books moved a party's account by for one reference ($1 is that account, $2 the beginning
// of its merchants' ones), and when.
constexpr std::string_view kPayments = R"sql(
  SELECT a.out_trade_no, a.order_id, a.state, a.amount_minor, a.amount_currency, a.paid_minor,
         (SELECT CAST(COALESCE(SUM(p.amount_minor), 0) AS BIGINT) FROM postings p
           WHERE p.journal_id IN ('payment:' || a.out_trade_no, 'suspense:' || a.out_trade_no,
                                  'suspense_settled:' || a.out_trade_no)
             AND (p.account = $1 OR p.account LIKE $2)),
         COALESCE((SELECT MIN(j.at_ms) FROM journals j
                    WHERE j.journal_id IN ('payment:' || a.out_trade_no,
                                           'suspense:' || a.out_trade_no)), a.updated_at_ms),
         a.payee
    FROM payment_attempts a WHERE a.channel = $3 AND )sql";
constexpr std::string_view kRefunds = R"sql(
  SELECT r.out_refund_no, r.order_id, r.state, r.amount_minor, r.amount_currency, 0,
         (SELECT CAST(COALESCE(SUM(p.amount_minor), 0) AS BIGINT) FROM postings p
           WHERE p.journal_id = 'refund:' || r.out_refund_no
             AND (p.account = $1 OR p.account LIKE $2)),
         r.created_at_ms, a.payee
    FROM refunds r JOIN payment_attempts a ON a.out_trade_no = r.out_trade_no
   WHERE a.channel = $3 AND )sql";
constexpr std::string_view kCharges = R"sql(
  SELECT s.attempt_id, s.order_id, s.state, COALESCE(s.cost_minor, 0),
         COALESCE(s.cost_currency, ''), 0,
         (SELECT CAST(COALESCE(SUM(p.amount_minor), 0) AS BIGINT) FROM journals j
            JOIN postings p ON p.journal_id = j.journal_id
           WHERE j.order_id = s.order_id AND j.template IN ('fulfilment', 'reversal')
             AND (p.account = $1 OR p.account LIKE $2)
             AND EXISTS (SELECT 1 FROM journals f WHERE f.journal_id = 'fulfilment:' || s.attempt_id)),
         COALESCE((SELECT j.at_ms FROM journals j WHERE j.journal_id = 'fulfilment:' || s.attempt_id),
                  s.updated_at_ms), ''
    FROM supplier_attempts s WHERE s.supplier = $3 AND )sql";

struct Source {
  Side side;
  std::string_view sql, key, prefix;
  std::int64_t look_back_ms;  // how long before its day's end a reference may have been made
};
constexpr std::int64_t kDay = 86'400'000;
constexpr Source kSources[] = {
    {Side::payment, kPayments, "a.out_trade_no", "T", 3 * kDay},
    {Side::refund, kRefunds, "r.out_refund_no", "RT", 30 * kDay},
    {Side::charge, kCharges, "s.attempt_id", "S", 3 * kDay},
};

Stand payment_stand(const std::string& state, std::int64_t paid_minor) {
  if (paid_minor > 0) return Stand::done;
  return state == "started" ? Stand::pending : Stand::failed;
}
Stand refund_stand(const std::string& state) {
  if (state == "succeeded") return Stand::done;
  return state == "refused" || state == "reissued" || state == "paid_by_hand" ? Stand::failed
                                                                              : Stand::pending;
}
Stand charge_stand(const std::string& state) {
  if (state == "succeeded") return Stand::done;
  return state == "rejected" ? Stand::failed : Stand::pending;
}

Ours read_ours(const Row& row, Side side) {
  Ours out;
  out.side = side;
  out.number = row.text(0);
  out.order_id = row.text(1);
  out.word = row.text(2);
  const std::string currency = row.text(4);
  out.amount = {row.integer(3), currency.empty() ? Currency::cny : currency_of(currency)};
  const std::int64_t paid = row.integer(5);
  out.booked = {row.integer(6), out.amount.currency};
  out.at_ms = row.integer(7);
  out.payee = row.text(8);
  if (side == Side::payment) {
    out.stand = payment_stand(out.word, paid);
    if (paid > 0) out.amount.minor = paid;
  } else {
    out.stand = side == Side::refund ? refund_stand(out.word) : charge_stand(out.word);
    out.amount.minor = -out.amount.minor;
  }
  return out;
}

// What carries no reference of ours is in no table of references.
bool is_of(const Party& party, Side side) {
  if (side == Side::withdrawal || side == Side::movement) return false;
  return party.is_channel == (side != Side::charge);
}

}  // namespace

std::string run_id(std::string_view party, std::string_view day) {
  return std::string(party) + "." + std::string(day);
}

std::string account_of(const Party& party, std::string_view payee) {
  if (!party.is_channel) return ledger::supplier_account(party.holder);
  return ledger::account_of(ledger::Clearing{party.holder, payee});
}

std::string funds_of(std::string_view channel) { return std::string(channel) + "_funds"; }

Stand stand_of(std::string_view word) {
  for (std::size_t i = 0; i < std::size(kStandWords); ++i) {
    if (word == kStandWords[i]) return static_cast<Stand>(i);
  }
  return Stand::pending;
}

namespace reconcile_store {

Run open_run(Tx& tx, const Run& run) {
  tx.exec(R"sql(
    INSERT INTO recon_runs (run_id, party, day, state, asked_by, created_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (run_id) DO NOTHING)sql",
          {run.id, run.party, run.day, run_state::kWaiting, run.asked_by, run.created_at_ms});
  return *find_run(tx, run.id);
}

std::optional<Run> find_run(Reader& reader, std::string_view id) {
  std::optional<Run> found;
  static const std::string sql =
      "SELECT " + std::string(kRunColumns) + " FROM recon_runs r WHERE r.run_id = $1";
  reader.query(sql, {id}, [&](const Row& row) { found = read_run(row); });
  return found;
}

void save_run(Tx& tx, const Run& run) {
  tx.exec(R"sql(
    UPDATE recon_runs SET state = $2, why = $3, lines = $4, agreed = $5, tries = $6, asked_by = $7,
           finished_at_ms = $8 WHERE run_id = $1)sql",
          {run.id, run.state, run.why, run.lines, run.agreed, run.tries, run.asked_by,
           run.finished_at_ms});
}

std::vector<Run> list_runs(Reader& reader, const Run* after, std::int64_t limit) {
  std::vector<Run> found;
  static const std::string sql = "SELECT " + std::string(kRunColumns) + R"sql(,
         (SELECT COUNT(*) FROM recon_differences d WHERE d.run_id = r.run_id AND d.state = 'open'),
         (SELECT COUNT(*) FROM recon_differences d WHERE d.run_id = r.run_id AND d.state <> 'open')
    FROM recon_runs r
   WHERE $1 = '' OR r.day < $1 OR (r.day = $1 AND r.run_id > $2)
   ORDER BY r.day DESC, r.run_id LIMIT $3)sql";
  reader.query(sql,
               {after == nullptr ? std::string_view() : std::string_view(after->day),
                after == nullptr ? std::string_view() : std::string_view(after->id), limit},
               [&](const Row& row) {
                 found.push_back(read_run(row));
                 found.back().open = row.integer(13);
                 found.back().resolved = row.integer(14);
               });
  return found;
}

void begin_lines(Tx& tx, const Run& run) {
  const auto or_null = [](const std::optional<std::int64_t>& minor) {
    return minor ? Value(*minor) : Value(nullptr);
  };
  tx.exec("DELETE FROM recon_lines WHERE run_id = $1", {run.id});
  tx.exec(
      "UPDATE recon_runs SET state = $2, opening_minor = $3, closing_minor = $4 WHERE run_id = $1",
      {run.id, run_state::kWaiting, or_null(run.opening_minor), or_null(run.closing_minor)});
}

void insert_line(Tx& tx, std::string_view id, std::int64_t line, const Theirs& what) {
  tx.exec(
      R"sql(
    INSERT INTO recon_lines (run_id, line, side, number, their_number, payee, word, stand,
                             amount_minor, amount_currency, has_amount, fee_minor, at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13))sql",
      {id, line, to_word(what.side), what.number, what.their_number, what.payee, what.word,
       kStandWords[static_cast<std::size_t>(what.stand)], what.amount.minor,
       to_word(what.amount.currency), std::int64_t{what.says_amount}, what.fee.minor, what.at_ms});
}

std::vector<Theirs> lines_of(Reader& reader, std::string_view id, std::optional<Side> only) {
  std::vector<Theirs> found;
  reader.query(R"sql(
    SELECT side, number, their_number, payee, word, stand, amount_minor, amount_currency,
           has_amount, fee_minor, at_ms FROM recon_lines
     WHERE run_id = $1 AND ($2 = '' OR side = $2) ORDER BY line)sql",
               {id, only ? to_word(*only) : std::string_view()}, [&](const Row& row) {
                 Theirs line;
                 line.side = side_of(row.text(0)).value_or(Side::payment);
                 line.number = row.text(1);
                 line.their_number = row.text(2);
                 line.payee = row.text(3);
                 line.word = row.text(4);
                 line.stand = stand_of(row.text(5));
                 line.amount = {row.integer(6), currency_of(row.text(7))};
                 line.says_amount = row.integer(8) != 0;
                 line.fee = {row.integer(9), line.amount.currency};
                 line.at_ms = row.integer(10);
                 found.push_back(std::move(line));
               });
  return found;
}

std::vector<Neighbour> numbers_of(Reader& reader, std::string_view id) {
  std::vector<Neighbour> found;
  reader.query("SELECT side, number FROM recon_lines WHERE run_id = $1", {id}, [&](const Row& row) {
    found.push_back({side_of(row.text(0)).value_or(Side::payment), row.text(1)});
  });
  return found;
}

bool has_open_edge(Reader& reader, std::string_view id) {
  return reader.query(R"sql(
    SELECT 1 FROM recon_differences
     WHERE run_id = $1 AND ((kind = 'day_edge' AND state = 'open')
        OR (kind IN ('missing_theirs', 'refund_missing') AND move_minor <> 0)) LIMIT 1)sql",
                      {id}, [](const Row&) {}) > 0;
}

void save_total(Tx& tx, std::string_view id, const Total& total) {
  tx.exec(R"sql(
    INSERT INTO recon_totals (run_id, payee, currency, lines, in_minor, out_minor, fee_minor,
                              booked_fee_minor, bookings)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (run_id, payee, currency) DO UPDATE
       SET lines = $4, in_minor = $5, out_minor = $6, fee_minor = $7, booked_fee_minor = $8,
           bookings = $9)sql",
          {id, total.payee, to_word(total.currency), total.lines, total.in_minor, total.out_minor,
           total.fee_minor, total.booked_fee_minor, total.bookings});
}

std::vector<Total> totals_of(Reader& reader, std::string_view id) {
  std::vector<Total> found;
  reader.query(
      R"sql(
    SELECT payee, currency, lines, in_minor, out_minor, fee_minor, booked_fee_minor, bookings
      FROM recon_totals WHERE run_id = $1 ORDER BY payee, currency)sql",
      {id}, [&](const Row& row) {
        found.push_back({row.text(0), currency_of(row.text(1)), row.integer(2), row.integer(3),
                         row.integer(4), row.integer(5), row.integer(6), row.integer(7)});
      });
  return found;
}

std::vector<StoredDifference> differences_of_run(Reader& reader, std::string_view id) {
  std::vector<StoredDifference> found;
  static const std::string sql =
      std::string(kDifferenceColumns) + "WHERE run_id = $1 ORDER BY side, number, copy, kind";
  reader.query(sql, {id}, [&](const Row& row) { found.push_back(read_difference(row)); });
  return found;
}

std::optional<StoredDifference> find_difference(Reader& reader, std::string_view id) {
  std::optional<StoredDifference> found;
  static const std::string sql = std::string(kDifferenceColumns) + "WHERE difference_id = $1";
  reader.query(sql, {id}, [&](const Row& row) { found = read_difference(row); });
  return found;
}

void insert_difference(Tx& tx, const StoredDifference& row) {
  const Difference& what = row.what;
  tx.exec(R"sql(
    INSERT INTO recon_differences (difference_id, run_id, party, day, kind, side, number, copy,
        order_id, payee, ours_minor, theirs_minor, ours_word, theirs_word, ours_at_ms,
        theirs_at_ms, currency, move_minor, state, opened_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
            $20))sql",
          {row.id,
           row.run_id,
           row.party,
           row.day,
           to_word(what.kind),
           to_word(what.side),
           what.number,
           what.copy,
           what.order_id,
           what.payee,
           minor_or_null(what.ours, what),
           minor_or_null(what.theirs, what),
           what.ours_word,
           what.theirs_word,
           what.ours_at_ms,
           what.theirs_at_ms,
           to_word(what.move.currency),
           what.move.minor,
           row.state,
           row.opened_at_ms});
  save_difference(tx, row);
}

void save_difference(Tx& tx, const StoredDifference& row) {
  const Difference& what = row.what;
  tx.exec(
      R"sql(
    UPDATE recon_differences SET ours_minor = $2, theirs_minor = $3, ours_word = $4,
           theirs_word = $5, move_minor = $6, carried_minor = $7, waived_minor = $8,
           suspense_minor = $9, postings = $10, state = $11, resolution = $12, reason = $13,
           resolved_by = $14, resolved_at_ms = $15 WHERE difference_id = $1)sql",
      {row.id, minor_or_null(what.ours, what), minor_or_null(what.theirs, what), what.ours_word,
       what.theirs_word, what.move.minor, row.carried_minor, row.waived_minor, row.suspense_minor,
       row.postings, row.state, row.resolution, row.reason, row.resolved_by, row.resolved_at_ms});
}

std::vector<StoredDifference> list_differences(Reader& reader, const DifferenceFilter& filter,
                                               std::string_view after_id, std::int64_t limit) {
  std::vector<StoredDifference> found;
  static const std::string sql = std::string(kDifferenceColumns) + R"sql(
    WHERE ($1 = '' OR run_id = $1) AND ($2 = '' OR state = $2) AND difference_id > $3
    ORDER BY difference_id LIMIT $4)sql";
  reader.query(sql, {filter.run_id, filter.state, after_id, limit},
               [&](const Row& row) { found.push_back(read_difference(row)); });
  return found;
}

std::vector<Money> suspense(Reader& reader) {
  std::vector<Money> found;
  reader.query(R"sql(
    SELECT currency, CAST(SUM(suspense_minor) AS BIGINT) FROM recon_differences
     WHERE suspense_minor <> 0 GROUP BY currency ORDER BY currency)sql",
               {}, [&](const Row& row) {
                 found.push_back({row.integer(1), currency_of(row.text(0))});
               });
  return found;
}

std::optional<std::int64_t> first_order_ms(Reader& reader) {
  std::optional<std::int64_t> found;
  reader.query("SELECT MIN(created_at_ms) FROM orders", {}, [&](const Row& row) {
    if (!row.is_null(0)) found = row.integer(0);
  });
  return found;
}

std::vector<Ours> ours_between(Reader& reader, const Party& party, std::int64_t from_ms,
                               std::int64_t until_ms) {
  std::vector<Ours> found;
  const std::string account = account_of(party, "");
  for (const Source& source : kSources) {
    if (!is_of(party, source.side)) continue;
    const std::string prefix(source.prefix);
    const std::string key(source.key);
    const std::string low = prefix + base::id_floor(from_ms - source.look_back_ms);
    const std::string high = prefix + base::id_floor(until_ms);
    const std::string sql = std::string(source.sql) + key + " >= $4 AND " + key + " < $5";
    reader.query(sql, {account, account + ".%", party.holder, low, high}, [&](const Row& row) {
      Ours one = read_ours(row, source.side);
      if (one.at_ms >= from_ms && one.at_ms < until_ms) found.push_back(std::move(one));
    });
  }
  return found;
}

std::optional<Ours> ours_of(Reader& reader, const Party& party, Side side,
                            std::string_view number) {
  std::optional<Ours> found;
  const std::string account = account_of(party, "");
  if (number.empty() || !is_of(party, side)) return found;
  static const std::string sqls[] = {std::string(kPayments) + "a.out_trade_no = $4",
                                     std::string(kRefunds) + "r.out_refund_no = $4",
                                     std::string(kCharges) + "s.attempt_id = $4"};
  reader.query(sqls[static_cast<std::size_t>(side)],
               {account, account + ".%", party.holder, number},
               [&](const Row& row) { found = read_ours(row, side); });
  return found;
}

}  // namespace reconcile_store
}  // namespace topup::reconcile
