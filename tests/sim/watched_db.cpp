#include "tests/sim/watched_db.h"

#include <algorithm>
#include <array>
#include <utility>

#include "shared/order_state.h"
#include "tests/sim/wallet_port.h"
#include "tests/sim/wallets.h"

namespace topup::sim {
namespace {

// The table that a writing statement names.
std::string_view table_of(std::string_view sql) {
  constexpr std::array<std::string_view, 3> kVerbs = {"INSERT INTO ", "UPDATE ", "DELETE FROM "};
  for (const std::string_view verb : kVerbs) {
    const std::size_t at = sql.find(verb);
    if (at == std::string_view::npos) continue;
    const std::string_view rest = sql.substr(at + verb.size());
    return rest.substr(0, rest.find_first_of(" (\n"));
  }
  return "";
}

// Replayed by a fixed number of values, as the statements of the mark have no more.
constexpr std::size_t kMostHeldValues = 16;

}  // namespace

class WatchedDb::WatchedTx final : public storage::Tx {
 public:
  WatchedTx(WatchedDb& db, storage::Tx& real, Seen& seen)
      : db_(db), real_(real), seen_(seen), bug_(db.bug_) {}

  int query(std::string_view sql, std::initializer_list<storage::Value> values,
            const std::function<void(const storage::Row&)>& row) override {
    if (sql.find("RETURNING") != std::string_view::npos) return write_rows(sql, values, row);
    if (db_.world_.is_dead()) throw Crash{};
    return real_.query(sql, values, row);
  }
  int exec(std::string_view sql, std::initializer_list<storage::Value> values) override {
    const std::string_view table = table_of(sql);
    before(table);
    int rows = 0;
    if (db_.bug_ == Bug::none) {
      rows = real_.exec(sql, values);
    } else {
      std::string text(sql);
      if (bug_.treat(table, &text, values) == Treatment::drop) return 0;
      if (db_.bug_ == Bug::sent_before_mark) keep(text, values);
      rows = text == sql ? real_.exec(sql, values) : real_.exec(lasting(text), values);
    }
    db_.note_statement(seen_, table, values);
    return rows;
  }
  void after_commit(std::function<void()> hint) override { seen_.hints.push_back(std::move(hint)); }
  void script(std::string_view sql) override { real_.script(sql); }
  std::string_view engine() const override { return real_.engine(); }

 private:
  int write_rows(std::string_view sql, std::initializer_list<storage::Value> values,
                 const std::function<void(const storage::Row&)>& row) {
    const std::string_view table = table_of(sql);
    before(table);
    const int rows = real_.query(settled(sql), values, row);
    db_.note_statement(seen_, table, values);
    return rows;
  }
  // Which of two jobs that are due at the same moment comes first is the engine's choice; here it
  // is settled, so that runs are the same on both.
  static std::string_view settled(std::string_view sql) {
    static const std::string_view kOrder = "ORDER BY run_at_ms LIMIT";
    const std::size_t at = sql.find(kOrder);
    if (at == std::string_view::npos) return sql;
    std::string text(sql);
    text.replace(at, kOrder.size(), "ORDER BY run_at_ms, job_id LIMIT");
    return lasting(text);
  }
  void before(std::string_view table) {
    ++db_.world_.counts.statements;
    ++db_.writes_;
    db_.world_.crash_point("before a statement on ", table);
  }
  void keep(const std::string& sql, std::initializer_list<storage::Value> values) {
    Held held{sql, {}};
    for (const storage::Value& value : values) {
      if (const auto* number = std::get_if<std::int64_t>(&value)) {
        held.values.emplace_back(*number);
      } else if (const auto* text = std::get_if<std::string_view>(&value)) {
        held.values.emplace_back(std::string(*text));
      } else {
        held.values.emplace_back(nullptr);
      }
    }
    db_.holding_.push_back(std::move(held));
  }
  // A store may keep the text of a statement as the key of what it prepared.
  static std::string_view lasting(const std::string& text) {
    static std::map<std::string, std::string> texts;
    return texts.emplace(text, text).first->second;
  }

  WatchedDb& db_;
  storage::Tx& real_;
  Seen& seen_;
  StatementBug bug_;
};

void WatchedDb::read(const std::function<void(storage::Reader&)>& body) {
  if (world_.is_dead()) throw Crash{};
  world_.yield_point();
  const bool before = std::exchange(world_.is_inside_transaction, true);
  try {
    real_.read(body);
  } catch (...) {
    world_.is_inside_transaction = before;
    throw;
  }
  world_.is_inside_transaction = before;
}

void WatchedDb::write(const std::function<bool(storage::Tx&)>& body) {
  if (world_.is_dead()) throw Crash{};
  world_.yield_point();
  Seen seen;
  bool is_kept = false, is_held_back = false, died = false;
  world_.is_inside_transaction = true;
  try {
    real_.write([&](storage::Tx& tx) {
      seen = held_.empty() ? Seen() : held_seen_;
      seen.is_mark = false;
      holding_.clear();
      died = is_held_back = false;
      replay_held(tx);
      WatchedTx watched(*this, tx, seen);
      try {
        is_kept = body(watched);
        if (!is_kept) return false;
        judge(tx, seen);
        world_.crash_point("before a commit");
      } catch (const Crash&) {
        if (bug_ != Bug::half_transaction) throw;
        died = is_kept = true;
      }
      is_held_back = bug_ == Bug::sent_before_mark && seen.is_mark && !died;
      return is_kept && !is_held_back;
    });
  } catch (...) {
    world_.is_inside_transaction = false;
    throw;
  }
  world_.is_inside_transaction = false;
  if (is_held_back) {
    held_ = std::move(holding_);
    held_seen_ = seen;
    return;
  }
  if (is_kept) held_.clear();
  if (died) throw Crash{};
  if (!is_kept) return;
  after_commit(seen);
  world_.crash_point("after a commit");
  for (const auto& hint : seen.hints) hint();
}

void WatchedDb::replay_held(storage::Tx& tx) {
  for (const Held& held : held_) {
    std::array<storage::Value, kMostHeldValues> v;
    v.fill(nullptr);
    for (std::size_t i = 0; i < std::min(held.values.size(), kMostHeldValues); ++i) {
      const OwnedValue& value = held.values[i];
      if (const auto* number = std::get_if<std::int64_t>(&value)) v[i] = *number;
      if (const auto* text = std::get_if<std::string>(&value)) v[i] = std::string_view(*text);
    }
    tx.exec(held.sql, {v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], v[11],
                       v[12], v[13], v[14], v[15]});
  }
}

void WatchedDb::note_statement(Seen& seen, std::string_view table,
                               std::initializer_list<storage::Value> values) {
  if (table == "order_events") {
    seen.moves.push_back({std::string(text_of(values, 0)), std::string(text_of(values, 2)),
                          std::string(text_of(values, 3)), std::string(text_of(values, 4))});
    seen.is_mark = seen.is_mark || seen.moves.back().event == "submit";
  } else if (table == "account_balances" || table == "postings") {
    seen.touched_books = true;
  } else if (table == "journals") {
    seen.booked_orders.emplace_back(text_of(values, 3));
  } else if (table == "outbox") {
    seen.touched_jobs = true;
  } else if (table == "pin_stock") {
    seen.touched_pins = true;
  } else if (table.starts_with("wallet")) {
    seen.touched_wallets = true;
    if (table == "wallet_entries")
      seen.wallet_moves.push_back(std::string(text_of(values, 3)) + " " +
                                  std::string(text_of(values, 4)));
  } else if (table == "audit_log") {
    ++seen.audit_rows;
  }
}

void WatchedDb::judge(storage::Tx& tx, const Seen& seen) {
  std::map<std::string, std::string> states;
  for (const OrderMove& move : seen.moves) {
    if (move.event == "place") {
      states[move.order] = move.to;
      continue;
    }
    const auto from = parse_state(move.from);
    const auto event = parse_event(move.event);
    const auto to = from && event ? next(*from, *event) : std::nullopt;
    if (!to || to_word(*to) != move.to)
      world_.fail("I3", move.order + ": " + move.from + " -" + move.event + "-> " + move.to);
    const std::string known = states.count(move.order) != 0      ? states[move.order]
                              : state_of_.count(move.order) != 0 ? state_of_[move.order]
                                                                 : move.from;
    if (known != move.from) world_.fail("I3", move.order + " was " + known + ", not " + move.from);
    states[move.order] = move.to;
  }
  if (static_cast<std::int64_t>(seen.moves.size()) > seen.audit_rows)
    world_.fail("I10", seen.moves.front().order + ": a state change without its audit row");
  if (seen.touched_books) judge_books(tx, seen);
  if (seen.touched_pins) pins_.judge(world_, tx);
  if (seen.touched_wallets) judge_wallets(world_, tx);
}

void WatchedDb::judge_books(storage::Tx& tx, const Seen& seen) {
  tx.query(
      "SELECT currency, SUM(balance_minor) FROM account_balances GROUP BY currency"
      " HAVING SUM(balance_minor) <> 0",
      {}, [&](const storage::Row& row) {
        world_.fail("I1", "the books in " + row.text(0) + " sum to " + row.text(1));
      });
  for (const std::string& order : seen.booked_orders) {
    tx.query(
        "SELECT p.amount_currency, SUM(p.amount_minor) FROM journals j JOIN postings p"
        " ON p.journal_id = j.journal_id WHERE j.order_id = $1 GROUP BY p.amount_currency"
        " HAVING SUM(p.amount_minor) <> 0",
        {order}, [&](const storage::Row& row) {
          world_.fail("I1", order + " sums to " + row.text(1) + " " + row.text(0));
        });
  }
  if (world_.has_bills_begun) return;
  tx.query(
      "SELECT account, balance_minor FROM account_balances WHERE (account LIKE 'liability.%' AND"
      " balance_minor > 0) OR (account LIKE 'asset.channel%' AND account <> $1 AND"
      " balance_minor < 0)",
      {kWalletClearing}, [&](const storage::Row& row) {
        world_.fail("I5", row.text(0) + " stands at " + std::to_string(row.integer(1)));
      });
}

void WatchedDb::after_commit(Seen& seen) {
  ++world_.counts.commits;
  if (seen.touched_pins) pins_.keep();
  jobs_changed_ = jobs_changed_ || seen.touched_jobs;
  for (const OrderMove& move : seen.moves) {
    state_of_[move.order] = move.to;
    if (move.event == "supplier_succeeded") world_.heard_deliveries.insert(move.order);
    world_.note("order " + move.order + " " + move.from + " -" + move.event + "-> " + move.to);
  }
  for (const std::string& move : seen.wallet_moves) world_.note("wallet " + move);
}

}  // namespace topup::sim
