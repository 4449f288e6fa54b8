#include "tests/sim/bills.h"

#include <algorithm>

#include "server/ledger/chart.h"
#include "server/ledger/posting.h"
#include "server/reconcile/matcher.h"
#include "shared/time_point.h"

namespace topup::sim {
namespace {

constexpr std::int64_t kPrintedAfterMs = 9 * 3'600'000;  // the day
constexpr std::string_view kDone = "SUCCESS";

std::string number_of(const payments::BillLine& line) {
  return line.kind == payments::BillKind::refund ? line.out_refund_no.text : line.out_trade_no.text;
}
std::string_view side_of(const payments::BillLine& line) {
  return line.kind == payments::BillKind::refund ? "refund" : "payment";
}
std::int64_t signed_minor(const payments::BillLine& line) {
  return line.kind == payments::BillKind::refund ? -line.amount.minor : line.amount.minor;
}
// As the contract says; positive is what the channel keeps.
void charge(payments::BillLine& line) {
  line.fee = {-reconcile::contract_fee({signed_minor(line), line.amount.currency}, kContractFeeBp),
              line.amount.currency};
}
// Whose account a statement is about: its fund flow is named after a channel.
std::string holder_of(const std::string& party) {
  const std::string suffix = reconcile::funds_of("");
  return party.ends_with(suffix) ? party.substr(0, party.size() - suffix.size()) : party;
}
// Nothing moves an account, aliens neither, before its first payment: so it is known where its
// balance begins.
bool has_moved(const ChannelModel& model, std::int64_t before_ms) {
  return std::any_of(model.sheets().begin(), model.sheets().end(), [before_ms](const auto& one) {
    return one.second.state == payments::TradeState::paid &&
           one.second.paid_at_ms + World::kTrueOffsetMs < before_ms;
  });
}
// Refunds that left the account and are not done: the books wait for their end.
std::set<std::string> stuck_in(const std::vector<payments::BillLine>& bill) {
  std::set<std::string> numbers;
  for (const payments::BillLine& line : bill) {
    const bool is_refund = line.kind == payments::BillKind::refund;
    if (is_refund && line.state != kDone) numbers.insert(line.out_refund_no.text);
  }
  return numbers;
}
// A refund and what is given back of a fee, as Alipay says them: by the payment's number.
void name_by_payment(const std::vector<payments::BillLine>& bill,
                     std::vector<payments::FundLine>& funds) {
  std::map<std::string, std::string> payments;
  for (const payments::BillLine& line : bill) {
    if (line.kind == payments::BillKind::refund)
      payments[line.out_refund_no.text] = line.out_trade_no.text;
  }
  for (payments::FundLine& moved : funds) {
    const auto payment = payments.find(moved.number);
    if (payment != payments.end()) moved.number = payment->second;
  }
}
std::string_view word_of(payments::RefundState state) {
  if (state == payments::RefundState::succeeded) return kDone;
  return state == payments::RefundState::processing ? "PROCESSING" : "ABNORMAL";
}

}  // namespace

testing::SeededRandom Bills::chance_of(const std::string& party, const std::string& day) const {
  std::uint64_t hash = seed_ + 14695981039346656037U;
  for (const char c : party + day) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return testing::SeededRandom(hash);
}

void Bills::note(const std::string& party, const std::string& day, std::string_view kind,
                 std::string_view side, const std::string& number, int copy) {
  // Nobody says on which day a line that is not there is missing.
  const bool is_missing = kind == "missing_theirs" || kind == "refund_missing";
  slips_.insert(party + " " + (is_missing ? std::string("-") : day) + " " + std::string(kind) +
                " " + std::string(side) + " " + number + " " + std::to_string(copy));
}

std::optional<payments::Bill> Bills::bill_of(const ChannelModel& model, const std::string& day) {
  const auto from = reconcile::day_start_ms(day, kShanghaiOffsetMs);
  if (!from || world_.true_ms() < *from + kDayMs + kPrintedAfterMs) return std::nullopt;
  const auto is_of_day = [&](std::int64_t at_ms) {
    const std::int64_t at = at_ms + World::kTrueOffsetMs;
    return at >= *from && at < *from + kDayMs;
  };
  const auto [page, is_new] = pages_.try_emplace({model.name(), day});
  std::vector<payments::BillLine>& lines = page->second.bill;
  if (is_new) {
    for (const auto& [no, sheet] : model.sheets()) {
      if (sheet.state != payments::TradeState::paid || !is_of_day(sheet.paid_at_ms)) continue;
      payments::BillLine line;
      line.out_trade_no = OutTradeNo(no);
      line.transaction_id = TransactionId(model.name() + "-" + no);
      line.amount = sheet.paid;
      line.state = kDone;
      line.at_ms = sheet.paid_at_ms + World::kTrueOffsetMs;
      lines.push_back(std::move(line));
    }
    for (const auto& [no, refund] : model.refunds()) {
      if (!is_of_day(refund.at_ms)) continue;
      payments::BillLine line;
      line.kind = payments::BillKind::refund;
      line.out_refund_no = OutRefundNo(no);
      line.out_trade_no = refund.trade;
      line.transaction_id = TransactionId(model.name() + "-" + refund.trade.text);
      line.amount = refund.amount;
      line.state = word_of(refund.state);
      line.at_ms = refund.at_ms + World::kTrueOffsetMs;
      lines.push_back(std::move(line));
    }
    for (payments::BillLine& line : lines) {
      if (line.state == kDone) charge(line);
    }
    slip(model.name(), day, lines, has_moved(model, *from + kDayMs));
    ++world_.counts.bills;
    world_.has_bills_begun = true;
  }
  payments::Bill bill;
  bill.lines = lines;
  return bill;
}

void Bills::slip(const std::string& party, const std::string& day,
                 std::vector<payments::BillLine>& bill, bool may_invent) {
  testing::SeededRandom chance = chance_of(party, day);
  std::vector<payments::BillLine> said;
  for (payments::BillLine& line : bill) {
    said.push_back(line);
    if (!chance.percent(world_.faults.bill_slips) || line.state != kDone) continue;
    const bool is_refund = line.kind == payments::BillKind::refund;
    const auto tell = [&](std::string_view kind, int copy) {
      note(party, day, kind, side_of(line), number_of(line), copy);
    };
    switch (chance.below(5)) {
      case 0:
        said.pop_back();
        tell(is_refund ? "refund_missing" : "missing_theirs", 0);
        break;
      case 1:
        said.back().amount.minor += 7;
        charge(said.back());
        tell("amount_differs", 0);
        break;
      case 2:
        said.back().fee.minor += is_refund ? -3 : 3;  // of a refund, given back
        tell("fee_differs", 0);
        break;
      case 3:
        said.push_back(line);
        tell("duplicate_theirs", 1);
        break;
      default:
        said.back().state = "CLOSED";
        tell(is_refund ? "refund_state_differs" : "state_differs", 0);
    }
  }
  if (chance.percent(world_.faults.bill_slips) && may_invent) {
    payments::BillLine alien;
    alien.out_trade_no = OutTradeNo("TALIEN" + day);
    alien.transaction_id = TransactionId(party + "-alien");
    alien.amount = fen(1'234);
    alien.state = kDone;
    charge(alien);
    said.push_back(alien);
    note(party, day, "missing_ours", "payment", alien.out_trade_no.text, 0);
  }
  bill = std::move(said);
}

bool Bills::has_slipped(const std::string& number) const {
  return std::any_of(slips_.begin(), slips_.end(), [&number](const std::string& slip) {
    return slip.find(" " + number + " ") != std::string::npos;
  });
}

// The account runs on, so the days before are printed first.
std::int64_t Bills::closing_before(const ChannelModel& model, std::int64_t from_ms) {
  if (!has_moved(model, from_ms)) return 0;
  const std::string before = day_text(from_ms - kDayMs, kShanghaiOffsetMs);
  (void)funds_of(model, before);
  return pages_.at({reconcile::funds_of(model.name()), before}).closing;
}

std::optional<std::vector<payments::FundLine>> Bills::funds_of(const ChannelModel& model,
                                                               const std::string& day) {
  const auto bill = bill_of(model, day);
  if (!bill) return std::nullopt;
  const std::string party = reconcile::funds_of(model.name());
  const auto [page, is_new] = pages_.try_emplace({party, day});
  std::vector<payments::FundLine>& funds = page->second.funds;
  if (is_new) {
    const std::int64_t from = *reconcile::day_start_ms(day, kShanghaiOffsetMs);
    for (const payments::BillLine& line : bill->lines) {
      if (line.state == "CLOSED") continue;
      const bool is_refund = line.kind == payments::BillKind::refund;
      payments::FundLine moved;
      moved.kind = is_refund ? payments::FundKind::refund : payments::FundKind::payment;
      moved.number = number_of(line);
      moved.business_no = line.transaction_id.text;
      moved.amount = {signed_minor(line), line.amount.currency};
      moved.at_ms = std::max(line.at_ms, from);  // an alien has no time
      funds.push_back(moved);
      moved.kind = payments::FundKind::fee;
      moved.amount = {-line.fee.minor, line.fee.currency};
      if (line.fee.minor != 0) funds.push_back(moved);
    }
    slip(party, day, funds, has_moved(model, from + kDayMs));
    std::stable_sort(funds.begin(), funds.end(),
                     [](const auto& a, const auto& b) { return a.at_ms < b.at_ms; });
    std::int64_t balance = closing_before(model, from);
    for (std::size_t i = 0; i < funds.size(); ++i) {
      funds[i].flow_no = "F" + day + "-" + std::to_string(i);
      funds[i].balance = fen(balance += funds[i].amount.minor);
    }
    page->second.closing = balance;
    ++world_.counts.bills;
  }
  std::vector<payments::FundLine> told = funds;
  if (model.name() == "alipay") name_by_payment(bill->lines, told);
  return told;
}

// Only of what the trade bill has right, so that one slip is one difference.
void Bills::slip(const std::string& party, const std::string& day,
                 std::vector<payments::FundLine>& funds, bool may_invent) {
  testing::SeededRandom chance = chance_of(party, day);
  std::vector<payments::FundLine> said;
  for (std::size_t i = 0; i < funds.size(); ++i) {
    const payments::FundLine& line = funds[i];
    said.push_back(line);
    const bool has_fee = i + 1 < funds.size() && funds[i + 1].kind == payments::FundKind::fee;
    if (line.kind == payments::FundKind::fee || !has_fee) continue;
    const payments::FundLine& fee = funds[++i];
    said.push_back(fee);
    if (!chance.percent(world_.faults.bill_slips) || has_slipped(line.number)) continue;
    const bool is_refund = line.kind == payments::FundKind::refund;
    const auto tell = [&](std::string_view kind, int copy) {
      note(party, day, kind, is_refund ? "refund" : "payment", line.number, copy);
    };
    switch (chance.below(4)) {
      case 0:
        said.resize(said.size() - 2);
        tell(is_refund ? "refund_missing" : "missing_theirs", 0);
        break;
      case 1:
        (said.end() - 2)->amount.minor += 7;
        tell("amount_differs", 0);
        break;
      case 2:
        said.back().amount.minor += is_refund ? 3 : -3;  // as above
        tell("fee_differs", 0);
        break;
      default:
        said.push_back(line);
        said.push_back(fee);
        tell("duplicate_theirs", 1);
    }
  }
  if (chance.percent(world_.faults.bill_slips) && may_invent) {
    payments::FundLine moved;
    moved.kind = payments::FundKind::other;
    moved.amount = fen(4'321);
    moved.at_ms = *reconcile::day_start_ms(day, kShanghaiOffsetMs);
    said.insert(said.begin(), moved);
    note(party, day, "missing_ours", "movement", "F" + day + "-0", 0);
  }
  funds = std::move(said);
}

std::optional<std::vector<suppliers::StatementLine>> Bills::statement_of(const SupplierModel& model,
                                                                         std::int64_t from_ms,
                                                                         std::int64_t until_ms) {
  if (world_.true_ms() < until_ms + kPrintedAfterMs) return std::nullopt;
  const std::string day = day_text(from_ms, kShanghaiOffsetMs);
  const auto [page, is_new] = pages_.try_emplace({model.name(), day});
  std::vector<suppliers::StatementLine>& lines = page->second.statement;
  if (is_new) {
    for (const auto& [reference, booking] : model.bookings()) {
      const std::int64_t at = booking.at_ms + World::kTrueOffsetMs;
      for (std::int64_t i = 0; i < booking.charged; ++i) {
        if (at < from_ms || at >= until_ms) continue;
        suppliers::StatementLine line;
        line.attempt_id = reference;
        line.supplier_order_id = model.name() + "-" + reference;
        line.state = suppliers::SupplyState::succeeded;
        line.cost = booking.cost;
        line.at_ms = at;
        lines.push_back(std::move(line));
      }
    }
    slip(model.name(), day, lines);
    ++world_.counts.bills;
    world_.has_bills_begun = true;
  }
  return lines;
}

void Bills::slip(const std::string& party, const std::string& day,
                 std::vector<suppliers::StatementLine>& statement) {
  testing::SeededRandom chance = chance_of(party, day);
  std::vector<suppliers::StatementLine> said;
  for (suppliers::StatementLine& line : statement) {
    said.push_back(line);
    if (!chance.percent(world_.faults.bill_slips)) continue;
    const auto tell = [&](std::string_view kind, int copy) {
      note(party, day, kind, "charge", line.attempt_id, copy);
    };
    switch (chance.below(4)) {
      case 0:
        said.pop_back();
        tell("missing_theirs", 0);
        break;
      case 1:
        said.back().cost->minor += 50;
        tell("amount_differs", 0);
        break;
      case 2:
        said.push_back(line);
        tell("duplicate_theirs", 1);
        break;
      default:
        said.back().state = suppliers::SupplyState::rejected;
        tell("state_differs", 0);
    }
  }
  statement = std::move(said);
}

std::vector<std::pair<std::string, std::string>> Bills::printed() const {
  std::vector<std::pair<std::string, std::string>> all;
  for (const auto& [key, page] : pages_) all.push_back(key);
  return all;
}

std::map<std::string, std::int64_t> Bills::totals() const {
  std::map<std::string, std::int64_t> totals;
  for (const auto& [key, page] : pages_) {
    const std::string account = ledger::account_of(ledger::Clearing{holder_of(key.first), ""});
    const auto bill = pages_.find({holder_of(key.first), key.second});
    const std::set<std::string> stuck = stuck_in(bill->second.bill);
    for (const payments::FundLine& line : page.funds)
      totals[account] += stuck.count(line.number) == 0 ? line.amount.minor : 0;
    const bool is_followed = pages_.count({reconcile::funds_of(key.first), key.second}) != 0;
    for (const payments::BillLine& line : page.bill) {
      if (is_followed) break;  // by what the account moved by
      if (line.state == kDone) totals[account] += signed_minor(line) - line.fee.minor;
    }
    for (const suppliers::StatementLine& line : page.statement) {
      if (line.state == suppliers::SupplyState::succeeded)
        totals[ledger::supplier_account(key.first)] -= line.cost->minor;
    }
  }
  return totals;
}

// ---- people

void Accountant::look() {
  shop_.serve([&](Node& node) {
    std::vector<reconcile::StoredDifference> open;
    node.env.db.read([&](storage::Reader& reader) {
      open = reconcile::reconcile_store::list_differences(
          reader, {"", reconcile::difference_state::kOpen}, "", 100);
    });
    for (const reconcile::StoredDifference& one : open) {
      if (one.what.kind == reconcile::Kind::day_edge || left_alone_.count(one.id) != 0) continue;
      if (chance_.percent(30)) {
        left_alone_.insert(one.id);
        continue;
      }
      const bool is_theirs = chance_.percent(50) || one.what.move.minor == 0;
      const std::string_view how = one.suspense_minor == 0 ? reconcile::resolution::kNote
                                   : is_theirs             ? reconcile::resolution::kAcceptTheirs
                                                           : reconcile::resolution::kSettleLater;
      const auto done = storage::with_tx(node.env.db, [&](storage::Tx& tx) {
        return node.reconciler.resolve(tx, one.id, how, "seen by the desk", "staff:desk");
      });
      if (!done) {
        if (done.error().reason != std::string_view("difference_resolved"))
          world_.fail("I9", "a difference cannot be settled: " + std::string(done.error().reason));
        continue;
      }
      ++world_.counts.resolved;
      world_.note("the desk settles " + one.what.number + ": " + std::string(how));
    }
  });
}

// ---- what must be true

namespace {

struct Shown {
  std::set<std::string> differences;
  std::map<std::string, std::int64_t> accounts;     // USD and CNY never share one here
  std::map<std::string, std::int64_t> put_off;      // by account: theirs to mend on another day
  std::map<std::string, std::int64_t> in_suspense;  // by currency, of differences
  std::int64_t journals = 0, open = 0, items = 0;
};

std::string account_of(const Parties& parties, const std::string& statement) {
  const std::string party = holder_of(statement);
  const bool is_channel = std::any_of(parties.channels.begin(), parties.channels.end(),
                                      [&](const auto& one) { return one->name() == party; });
  return is_channel ? ledger::account_of(ledger::Clearing{party, ""})
                    : ledger::supplier_account(party);
}

Shown look_at(storage::Reader& reader, const Parties& parties) {
  Shown shown;
  reader.query(
      "SELECT party, day, kind, side, number, copy, state, resolution, waived_minor, "
      "suspense_minor,"
      " currency, move_minor FROM recon_differences ORDER BY difference_id",
      {}, [&](const storage::Row& row) {
        const bool is_open = row.text(6) == reconcile::difference_state::kOpen;
        shown.put_off[account_of(parties, row.text(0))] += row.integer(8);
        shown.in_suspense[row.text(10)] += row.integer(9);
        // What both sides agree on by now was a matter of dates, whatever people said meanwhile;
        // but nothing may wait for a date for ever.
        if (row.integer(11) == 0) {
          if (is_open && row.text(2) == "day_edge")
            shown.differences.insert("waits: " + row.text(4));
          return;
        }
        shown.open += is_open ? 1 : 0;
        std::string line = row.text(0);
        const bool is_missing = row.text(2) == "missing_theirs" || row.text(2) == "refund_missing";
        for (int column = 1; column <= 5; ++column)
          line += " " + (column == 1 && is_missing ? std::string("-") : row.text(column));
        shown.differences.insert(line);
      });
  reader.query("SELECT account, balance_minor FROM account_balances", {},
               [&](const storage::Row& row) { shown.accounts[row.text(0)] += row.integer(1); });
  reader.query("SELECT COUNT(*) FROM journals", {},
               [&](const storage::Row& row) { shown.journals = row.integer(0); });
  reader.query(
      "SELECT COUNT(*) FROM work_items w JOIN recon_differences d ON d.difference_id = w.subject"
      " WHERE w.kind = 'reconciliation' AND w.state = 'open' AND d.state = 'open'"
      " AND d.move_minor <> 0",
      {}, [&](const storage::Row& row) { shown.items = row.integer(0); });
  return shown;
}

// Of orders whose payment did not fit: what a person has to decide.
std::map<std::string, std::int64_t> suspense_in_books(storage::Reader& reader) {
  std::map<std::string, std::int64_t> found;
  reader.query(
      "SELECT p.amount_currency, SUM(p.amount_minor) FROM postings p JOIN journals j"
      " ON j.journal_id = p.journal_id WHERE p.account = 'liability.suspense' AND j.order_id = ''"
      " GROUP BY p.amount_currency",
      {}, [&](const storage::Row& row) { found[row.text(0)] = row.integer(1); });
  return found;
}

void judge_differences(World& world, const std::set<std::string>& slips, const Shown& shown) {
  for (const std::string& slip : slips) {
    if (shown.differences.count(slip) == 0) world.fail("I9", "not found: " + slip);
  }
  for (const std::string& found : shown.differences) {
    if (slips.count(found) == 0) world.fail("I9", "invented: " + found);
  }
  if (shown.open != shown.items)
    world.fail("I9", std::to_string(shown.open) + " differences are open, " +
                         std::to_string(shown.items) + " of them somebody's to look at");
}

}  // namespace

void judge_bills(World& world, storage::Db& db, Shop& shop, const Bills& bills,
                 const Parties& parties) {
  Shown shown;
  std::map<std::string, std::int64_t> suspense;
  db.read([&](storage::Reader& reader) {
    shown = look_at(reader, parties);
    suspense = suspense_in_books(reader);
  });
  for (const std::string& slip : bills.slips()) world.note("a bill slipped: " + slip);
  world.counts.differences += static_cast<std::int64_t>(shown.differences.size());
  judge_differences(world, bills.slips(), shown);
  for (const auto& [account, theirs] : bills.totals()) {
    const std::int64_t wanted = theirs - shown.put_off[account];
    if (shown.accounts[account] != wanted)
      world.fail("I9", account + " stands at " + std::to_string(shown.accounts[account]) +
                           ", by the bills and what was put off at " + std::to_string(wanted));
  }
  for (const auto& [currency, minor] : shown.in_suspense) {
    if (suspense[currency] != -minor)
      world.fail("I9", "differences hold " + std::to_string(minor) + " " + currency +
                           ", the books " + std::to_string(-suspense[currency]));
  }
  for (const auto& [party, day] : bills.printed()) {
    shop.serve([&, &name = party, &date = day](Node& node) {
      const auto again = node.compare(name, date);
      if (!again || again->state != reconcile::run_state::kMatched)
        world.fail("I9", name + " " + date + " cannot be compared again");
    });
  }
  Shown after;
  db.read([&](storage::Reader& reader) { after = look_at(reader, parties); });
  if (after.journals != shown.journals || after.differences != shown.differences)
    world.fail("I9", "the same comparison again changed something");
}

}  // namespace topup::sim
