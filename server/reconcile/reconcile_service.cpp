#include "server/reconcile/reconcile_service.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>
#include <utility>
#include <variant>

#include "server/base/log.h"
#include "server/jobs/outbox.h"
#include "server/ledger/chart.h"
#include "server/reconcile/day.h"
#include "server/reconcile/fund_store.h"
#include "server/reconcile/funds.h"
#include "shared/time_point.h"

namespace topup::reconcile {
namespace {

constexpr std::size_t kLinesAtOnce = 500;  // in one transaction, so that nobody waits long for it
constexpr int kCompareTries = 4;           // orders go on while we compare
constexpr std::int64_t kSupplierSlackMinor = 1;  // wallets keep more digits than statements show
constexpr std::int64_t kSupplierEdgeMs = 2 * 3'600'000;  // statements without a zone
constexpr std::size_t kMaxWhyBytes = 200;
constexpr char kTryMark = '#';                                        // in no run's id
constexpr std::string_view kTradeBillMissing = "trade_bill_missing";  // it comes first

Theirs of_bill(const payments::BillLine& line) {
  Theirs out;
  const bool is_refund = line.kind == payments::BillKind::refund;
  out.side = is_refund ? Side::refund : Side::payment;
  out.number = is_refund ? line.out_refund_no.text : line.out_trade_no.text;
  out.their_number = line.transaction_id.text;
  out.amount = {is_refund ? -line.amount.minor : line.amount.minor, line.amount.currency};
  out.fee = {-line.fee.minor, line.fee.currency};
  out.payee = line.payee;
  out.word = line.state;
  out.at_ms = line.at_ms;
  const std::string& word = line.state;
  if (word == "PROCESSING" || word == "NOTPAY" || word == "USERPAYING") out.stand = Stand::pending;
  if (word == "ABNORMAL") out.stand = Stand::stuck;
  if (word == "CLOSED" || word == "PAYERROR" || word == "FAIL") out.stand = Stand::failed;
  return out;
}

Theirs of_statement(const suppliers::StatementLine& line) {
  using suppliers::SupplyState;
  Theirs out;
  out.side = Side::charge;
  out.number = line.attempt_id;
  out.their_number = line.supplier_order_id;
  out.says_amount = line.cost.has_value();
  if (line.cost) out.amount = {-line.cost->minor, line.cost->currency};
  out.fee.currency = out.amount.currency;
  out.at_ms = line.at_ms;
  out.stand = line.state == SupplyState::succeeded  ? Stand::done
              : line.state == SupplyState::rejected ? Stand::failed
                                                    : Stand::pending;
  out.word = out.stand == Stand::done     ? "succeeded"
             : out.stand == Stand::failed ? "rejected"
                                          : "accepted";
  return out;
}

Run fresh_run(const Party& party, std::string_view day, std::string_view asked_by,
              std::int64_t now_ms) {
  Run fresh;
  fresh.id = run_id(party.name, day);
  fresh.party = party.name;
  fresh.day = day;
  fresh.asked_by = asked_by;
  fresh.created_at_ms = now_ms;
  return fresh;
}

using TotalKey = std::pair<std::string, Currency>;

std::map<TotalKey, Total> totals_of(const std::vector<Theirs>& lines) {
  std::map<TotalKey, Total> totals;
  for (const Theirs& line : lines) {
    Total& total = totals[{line.payee, line.amount.currency}];
    total.payee = line.payee;
    total.currency = line.amount.currency;
    ++total.lines;
    if (line.stand == Stand::failed) continue;
    (line.amount.minor > 0 ? total.in_minor : total.out_minor) += line.amount.minor;
    total.fee_minor += line.fee.minor;
  }
  return totals;
}

}  // namespace

Result<std::int64_t> day_start_ms(std::string_view day, std::int64_t offset_ms) {
  using namespace std::chrono;
  const auto number = [&day](std::size_t from, std::size_t count) {
    int value = -1;
    const char* end = day.data() + from + count;
    const auto read = std::from_chars(day.data() + from, end, value);
    return read.ec == std::errc{} && read.ptr == end ? value : -1;
  };
  const auto malformed = [] { return refuse(Code::invalid_argument, "day_malformed", "day"); };
  if (day.size() != 10 || day[4] != '-' || day[7] != '-') return malformed();
  const int years = number(0, 4), months = number(5, 2), days_in = number(8, 2);
  if (years < 2000 || months < 1 || days_in < 1) return malformed();
  const year_month_day date{year(years), month(static_cast<unsigned>(months)),
                            std::chrono::day(static_cast<unsigned>(days_in))};
  if (!date.ok()) return malformed();
  return duration_cast<milliseconds>(sys_days(date).time_since_epoch()).count() - offset_ms;
}

Reconciler::Reconciler(storage::Db& db, const base::Clock& clock, base::Random& random,
                       const payments::Channels& channels, const suppliers::Suppliers& suppliers,
                       Deeds deeds, std::function<Rules()> rules)
    : db_(db),
      clock_(clock),
      random_(random),
      channels_(channels),
      suppliers_(suppliers),
      deeds_(std::move(deeds)),
      rules_(std::move(rules)) {}

std::vector<Party> Reconciler::parties() const {
  const Rules rules = rules_();
  std::vector<Party> out;
  for (const auto& channel : channels_.all()) {
    Party party;
    party.name = party.holder = channel->name();
    party.is_channel = true;
    party.offset_ms = kShanghaiOffsetMs;
    party.fee_bp = rules.channel_fee_bp;
    out.push_back(party);
    if (!channel->has_fund_bill()) continue;
    party.name = funds_of(party.holder);
    party.is_funds = true;
    party.fee_bp = -1;
    out.push_back(std::move(party));
  }
  for (const auto& supplier : suppliers_.all()) {
    Party party;
    party.name = party.holder = supplier->name();
    party.offset_ms = rules.supplier_offset_ms;
    party.edge_ms = kSupplierEdgeMs;
    party.slack_minor = kSupplierSlackMinor;
    out.push_back(std::move(party));
  }
  return out;
}

std::optional<Party> Reconciler::find_party(std::string_view name) const {
  for (Party& party : parties()) {
    if (party.name == name) return std::move(party);
  }
  return std::nullopt;
}

// False: there is no bill to use; why is kept.
template <class T>
bool Reconciler::is_had(const payments::Outcome<T>& bill, Statement& out) {
  if (const auto* unknown = std::get_if<payments::Unknown>(&bill)) {
    out.state = run_state::kWaiting;
    out.why = unknown->why;
  } else if (const auto* refused = std::get_if<payments::DefiniteFail>(&bill)) {
    const bool has_none = refused->code() == "not_offered";
    out.state = has_none ? run_state::kNotOffered : run_state::kRefused;
    out.why = refused->code() + (refused->message().empty() ? "" : ": " + refused->message());
  }
  if (out.why.size() > kMaxWhyBytes) out.why.resize(kMaxWhyBytes);
  return out.state == run_state::kMatched;
}

Reconciler::Statement Reconciler::ask(const Party& party, std::string_view day,
                                      std::int64_t from_ms) {
  Statement out;
  out.state = run_state::kMatched;
  if (!party.is_channel) {
    const auto lines = suppliers_.find(party.name)->statement(from_ms, from_ms + kDayMs);
    if (!lines) {
      out.why = lines.error().reason;
      const bool has_none = out.why == "not_offered";
      out.state = has_none ? run_state::kNotOffered : run_state::kWaiting;
      return out;
    }
    for (const auto& line : *lines) out.lines.push_back(of_statement(line));
    return out;
  }
  payments::PayChannel& channel = *channels_.find(party.holder);
  if (party.is_funds) {
    const auto funds = channel.fund_bill(day);
    if (!is_had(funds, out)) return out;
    const auto& lines = std::get<std::vector<payments::FundLine>>(funds);
    out.lines = fold_funds(lines);
    if (const auto ends = ends_of(lines)) {
      out.opening_minor = ends->opening.minor;
      out.closing_minor = ends->closing.minor;
    }
    return out;
  }
  const auto bill = channel.bill(day);
  if (!is_had(bill, out)) return out;
  for (const auto& line : std::get<payments::Bill>(bill).lines) out.lines.push_back(of_bill(line));
  // A merchant's name becomes part of an account's.
  for (const Theirs& line : out.lines) {
    if (line.payee.empty() || ledger::is_party_name(line.payee)) continue;
    out.state = run_state::kRefused;
    out.why = "payee_malformed";
  }
  return out;
}

void Reconciler::keep(const Run& run, const std::vector<Theirs>& lines) {
  db_.write([&](storage::Tx& tx) {
    reconcile_store::begin_lines(tx, run);
    return true;
  });
  for (std::size_t from = 0; from < lines.size(); from += kLinesAtOnce) {
    const std::size_t until = std::min(from + kLinesAtOnce, lines.size());
    db_.write([&](storage::Tx& tx) {
      for (std::size_t i = from; i < until; ++i)
        reconcile_store::insert_line(tx, run.id, static_cast<std::int64_t>(i), lines[i]);
      return true;
    });
  }
}

void Reconciler::save(const Run& run) {
  db_.write([&](storage::Tx& tx) {
    reconcile_store::save_run(tx, run);
    return true;
  });
}

// Reads in one snapshot, decides outside any transaction, and writes only if what it decided about
// still is as it was. False: an order has moved on meanwhile.
Result<bool> Reconciler::compare_once(const Party& party, Run& run, std::int64_t from_ms) {
  Day day;
  db_.read([&](storage::Reader& reader) { day = read_day(reader, party, run, from_ms); });
  if (!day.is_ready) {
    run.state = run_state::kWaiting;
    run.why = kTradeBillMissing;
    return true;
  }
  const Matched matched = match(party, day);
  run.lines = matched.lines;
  run.agreed = matched.agreed;
  run.why.clear();
  run.state = run_state::kMatched;
  if (matched.differences.size() > kMaxDifferences) {
    run.state = run_state::kRefused;
    run.why = "too_many_differences: " + std::to_string(matched.differences.size());
    return true;
  }
  std::map<TotalKey, Total> totals = totals_of(day.lines);
  std::map<TotalKey, std::int64_t> questioned;
  for (const Difference& one : matched.differences) {
    if (one.kind == Kind::fee_differs) questioned[{one.payee, one.move.currency}] += one.move.minor;
  }
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<bool> {
    if (!is_as_read(tx, party, day, matched.differences)) return refuse(Code::conflict, "moved_on");
    for (const Total& kept : reconcile_store::totals_of(tx, run.id)) {
      Total& total = totals[{kept.payee, kept.currency}];
      total.payee = kept.payee;
      total.currency = kept.currency;
      total.booked_fee_minor = kept.booked_fee_minor;
      total.bookings = kept.bookings;
    }
    for (auto& [key, total] : totals) {
      const auto open = questioned.find(key);
      const std::int64_t in_question = open == questioned.end() ? 0 : open->second;
      book_fees(books(), tx, party, run, total, total.fee_minor - in_question);
      reconcile_store::save_total(tx, run.id, total);
    }
    settle(books(), tx, party, run, matched.differences);
    Run saved = run;
    saved.finished_at_ms = clock_.wall_ms();
    reconcile_store::save_run(tx, saved);
    return true;
  });
}

Result<Run> Reconciler::compare(const Party& party, Run run, std::int64_t from_ms) {
  for (int tried = 0; tried < kCompareTries; ++tried) {
    const auto done = compare_once(party, run, from_ms);
    if (done) break;
    if (tried + 1 == kCompareTries) {
      run.state = run_state::kWaiting;
      run.why = done.error().reason;
    }
  }
  if (run.state != run_state::kMatched) save(run);
  return run;
}

// A fund flow is compared with what the trade bill's run made of the books.
Reconciler::Statement Reconciler::ask_in_turn(const Party& party, std::string_view day,
                                              std::int64_t from_ms) {
  std::optional<Run> trade;
  if (party.is_funds) {
    db_.read([&](storage::Reader& reader) {
      trade = reconcile_store::find_run(reader, run_id(party.holder, day));
    });
  }
  if (party.is_funds && (!trade || trade->state != run_state::kMatched))
    return {{}, std::string(run_state::kWaiting), std::string(kTradeBillMissing), {}, {}};
  return ask(party, day, from_ms);
}

// A day that was matched before, by the lines that were kept.
void Reconciler::compare_again(const Party& party, std::int64_t from_ms) {
  std::optional<Run> known;
  db_.read([&](storage::Reader& reader) {
    known =
        reconcile_store::find_run(reader, run_id(party.name, day_text(from_ms, party.offset_ms)));
  });
  if (known && known->state == run_state::kMatched)
    (void)compare(party, std::move(*known), from_ms);
}

Result<Run> Reconciler::run(std::string_view party_name, std::string_view day,
                            std::string_view asked_by) {
  const auto party = find_party(party_name);
  if (!party) return refuse(Code::not_found, "party_not_found", "party");
  const auto from = day_start_ms(day, party->offset_ms);
  if (!from) return tl::unexpected<Error>(from.error());
  if (*from > clock_.wall_ms()) return refuse(Code::rejected, "day_not_begun", "day");
  const std::lock_guard turn(one_at_a_time_);
  const Run fresh = fresh_run(*party, day, asked_by, clock_.wall_ms());
  Run run;
  db_.write([&](storage::Tx& tx) {
    run = reconcile_store::open_run(tx, fresh);
    return true;
  });
  ++run.tries;
  run.asked_by = asked_by;
  const Statement statement = ask_in_turn(*party, day, *from);
  if (statement.state != run_state::kMatched) {
    // What an earlier statement said still stands.
    if (run.state != run_state::kMatched) run.state = statement.state;
    run.why = statement.why;
    save(run);
    return run;
  }
  run.opening_minor = statement.opening_minor;
  run.closing_minor = statement.closing_minor;
  keep(run, statement.lines);
  auto done = compare(*party, std::move(run), *from);
  if (!done) return done;
  // What waited at midnight is explained now, or is missing.
  compare_again(*party, *from - kDayMs);
  if (party->is_funds) compare_again(*party, *from + kDayMs);  // its balance goes on from this one
  if (const auto funds = find_party(funds_of(party->name))) {
    for (const std::int64_t days : {-1, 0, 1}) compare_again(*funds, *from + days * kDayMs);
  }
  std::optional<Run> now;
  db_.read([&](storage::Reader& reader) { now = reconcile_store::find_run(reader, done->id); });
  base::log(base::Level::info, "reconciled",
            {{"party", now->party},
             {"day", now->day},
             {"state", now->state},
             {"lines", now->lines},
             {"agreed", now->agreed}});
  return std::move(*now);
}

Result<Run> Reconciler::plan(storage::Tx& tx, std::string_view party_name, std::string_view day,
                             std::string_view asked_by, const TraceId& trace) {
  const auto party = find_party(party_name);
  if (!party) return refuse(Code::not_found, "party_not_found", "party");
  const auto from = day_start_ms(day, party->offset_ms);
  if (!from) return tl::unexpected<Error>(from.error());
  const std::int64_t now = clock_.wall_ms();
  if (*from > now) return refuse(Code::rejected, "day_not_begun", "day");
  Run run = reconcile_store::open_run(tx, fresh_run(*party, day, asked_by, now));
  run.asked_by = asked_by;
  reconcile_store::save_run(tx, run);
  // A job that is at its end takes nothing more on: what is asked after the run it made is another.
  const std::string subject = run.id + kTryMark + std::to_string(run.tries);
  jobs::outbox::enqueue(tx, kRunJob, subject, now, now, trace, jobs::Priority::background);
  return run;
}

void Reconciler::run_asked(const std::string& subject) {
  const std::string id = subject.substr(0, subject.find(kTryMark));
  std::optional<Run> planned;
  db_.read([&](storage::Reader& reader) { planned = reconcile_store::find_run(reader, id); });
  if (planned) (void)run(planned->party, planned->day, planned->asked_by);
}

// A day is compared again when the next day's statement is here; whoever died in between left what
// was not there at midnight waiting, or missing, for ever. A fund flow is, too, when what it is
// compared with has moved.
void Reconciler::look_at_edges(const Party& party, const Run& run, std::int64_t from_ms) {
  if (run.state != run_state::kMatched) return;
  bool is_stale = false;
  db_.read([&](storage::Reader& reader) {
    is_stale = party.is_funds && fund_store::is_stale(reader, party, run, from_ms);
    if (is_stale || !reconcile_store::has_open_edge(reader, run.id)) return;
    const std::string day = day_text(from_ms + kDayMs, party.offset_ms);
    const auto next = reconcile_store::find_run(reader, run_id(party.name, day));
    is_stale =
        next && next->state == run_state::kMatched && next->finished_at_ms > run.finished_at_ms;
  });
  if (!is_stale) return;
  const std::lock_guard turn(one_at_a_time_);
  (void)compare(party, run, from_ms);
}

int Reconciler::run_due() {
  std::optional<std::int64_t> first;
  db_.read([&](storage::Reader& reader) { first = reconcile_store::first_order_ms(reader); });
  if (!first) return 0;
  int matched = 0;
  const std::int64_t now = clock_.wall_ms();
  for (const Party& party : parties()) {
    const std::int64_t today = start_of_day_ms(now, party.offset_ms);
    const std::int64_t oldest =
        std::max(start_of_day_ms(*first, party.offset_ms), today - kCatchUpDays * kDayMs);
    for (std::int64_t from = oldest; from + kDayMs + kDueAfterDayMs <= now; from += kDayMs) {
      const std::string day = day_text(from, party.offset_ms);
      std::optional<Run> known;
      db_.read([&](storage::Reader& reader) {
        known = reconcile_store::find_run(reader, run_id(party.name, day));
      });
      // One that was compared before its day was over is compared again.
      const bool is_early = known && known->finished_at_ms < from + kDayMs;
      if (known && known->state != run_state::kWaiting && !is_early) {
        look_at_edges(party, *known, from);
        continue;
      }
      const auto done = run(party.name, day, "system");
      matched += done && done->state == run_state::kMatched ? 1 : 0;
    }
  }
  return matched;
}

Result<StoredDifference> Reconciler::resolve(storage::Tx& tx, const std::string& difference_id,
                                             std::string_view how, const std::string& reason,
                                             const std::string& actor) {
  const auto row = reconcile_store::find_difference(tx, difference_id);
  if (!row) return refuse(Code::not_found, "difference_not_found", "difference_id");
  const auto party = find_party(row->party);
  if (!party) return refuse(Code::not_found, "party_not_found", "party");
  return reconcile::resolve(books(), tx, *party, difference_id, how, reason, actor);
}

}  // namespace topup::reconcile
