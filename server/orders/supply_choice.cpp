#include "server/orders/supply_choice.h"

#include <algorithm>

#include "server/base/json.h"
#include "server/base/log.h"
#include "server/jobs/outbox.h"
#include "server/orders/transition.h"
#include "server/suppliers/pin_stock.h"
#include "server/suppliers/pin_store.h"
#include "shared/check.h"

namespace topup::orders {
namespace {

using catalog::catalog_store::SupplierProduct;
using suppliers::Candidate;
using suppliers::LineState;
using suppliers::Verdict;
namespace supplier_store = suppliers::supplier_store;

constexpr std::int64_t kFirstWaitMs = 2'000;
// What is paid in the last second is heard a little later.
constexpr std::int64_t kHoldAfterMs = 10 * 60'000;
constexpr std::size_t kMaxWords = 200;

bool offers(const SupplierProduct& way, Money wanted) {
  if (way.face.minor == 0) return true;
  if (way.face.currency != wanted.currency) return false;
  if (way.step_minor == 0) return way.face.minor == wanted.minor;
  return wanted.minor >= way.face.minor && wanted.minor <= way.most_minor &&
         (wanted.minor - way.face.minor) % way.step_minor == 0;
}

Money cost_of(const SupplierProduct& way, Money wanted) {
  if (way.step_minor == 0 || way.cost.minor == 0) return way.cost;
  return {suppliers::scaled(way.cost.minor, wanted.minor, way.face.minor, Round::up),
          way.cost.currency};
}

bool is_due(LineState state, std::int64_t reopen_at_ms, std::int64_t now) {
  return (state == LineState::closed || state == LineState::trial) && now >= reopen_at_ms;
}

Candidate candidate_of(const OrderEnv& env, const Way& way, const Order& order,
                       const std::vector<suppliers::SupplyAttempt>& attempts, std::int64_t now) {
  Candidate one;
  one.supplier = way.product.supplier;
  one.cost = cost_of(way.product, order.face);
  one.priority = way.product.priority;
  one.is_enabled = way.product.is_enabled;
  one.is_configured = env.suppliers.find(one.supplier) != nullptr;
  one.offers_amount = offers(way.product, order.face);
  one.was_tried = std::any_of(attempts.begin(), attempts.end(),
                              [&](const auto& before) { return before.supplier == one.supplier; });
  one.line = std::max(way.supplier_state, way.operator_state);
  const bool supplier_ready = way.supplier_state == LineState::open ||
                              is_due(way.supplier_state, way.supplier_reopen_at_ms, now);
  const bool operator_ready = way.operator_state == LineState::open ||
                              is_due(way.operator_state, way.operator_reopen_at_ms, now);
  one.is_trial_due = one.line != LineState::open && supplier_ready && operator_ready;
  one.balance = way.balance;
  return one;
}

// What the amount cost when the price was shown: by the book that was in force then.
std::optional<Money> quoted_cost(const OrderEnv& env, storage::Reader& reader, const Order& order) {
  const auto cost_in = [&](const PriceBook& book) -> std::optional<Money> {
    const Product* product = book.find(order.product);
    if (product == nullptr || product->cost.minor == 0) return std::nullopt;
    return Money{product->is_range() ? suppliers::scaled(product->cost.minor, order.face.minor,
                                                         product->face.minor, Round::up)
                                     : product->cost.minor,
                 product->cost.currency};
  };
  const auto current = env.catalog.current();
  if (current && (*current)->book.published_at_ms <= order.created_at_ms)
    return cost_in((*current)->book);
  const auto stored = catalog::catalog_store::book_at(reader, order.created_at_ms);
  if (!stored) return std::nullopt;
  const Result<PriceBook> book = decode(stored->bytes);
  return book ? cost_in(*book) : std::nullopt;
}

std::vector<Rate> rates_of(const OrderEnv& env, Currency* shop) {
  const auto current = env.catalog.current();
  if (!current) return {};
  *shop = (*current)->book.currency;
  return (*current)->book.rates;
}

// The same share above the quoted cost, in the money in which this supplier is paid.
Money most_cost(const Choice& choice) {
  const suppliers::Judged& best = choice.selection.front();
  const Money cost = choice.candidates[best.candidate].cost;
  if (!choice.most_minor || best.cost_minor <= 0) return {};
  return {std::max(cost.minor,
                   suppliers::scaled(cost.minor, *choice.most_minor, best.cost_minor, Round::down)),
          cost.currency};
}

void begin_trials(const OrderEnv& env, storage::Tx& tx, const Way& way, const AttemptId& attempt) {
  namespace lines = suppliers::supplier_line_store;
  const std::int64_t trial_ms =
      env.health == nullptr ? suppliers::HealthRules().trial_ms : env.health->rules().trial_ms;
  const auto begin = [&](const std::string& name) {
    auto line = lines::find(tx, name);
    if (!line || line->state == LineState::open) return;
    line->state = LineState::trial;
    line->trial_attempt = attempt.text;
    line->changed_at_ms = env.clock.wall_ms();
    line->reopen_at_ms = line->changed_at_ms + trial_ms;
    lines::save(tx, *line);
  };
  begin(way.product.supplier);
  begin(suppliers::line_of(way.product.supplier, way.product.supplier_operator_id));
}

// A person may send an order elsewhere while an attempt that nobody took on still waits: that one
// is over, so that never two of one order can leave.
void retire_others(const OrderEnv& env, storage::Tx& tx,
                   const std::vector<suppliers::SupplyAttempt>& attempts) {
  for (suppliers::SupplyAttempt attempt : attempts) {
    if (attempt.state != suppliers::supply_state::kCreated) continue;
    attempt.state = suppliers::supply_state::kRejected;
    attempt.code = "replaced";
    attempt.updated_at_ms = env.clock.wall_ms();
    supplier_store::save(tx, attempt);
  }
}

void wait_for_one(const OrderEnv& env, storage::Tx& tx, const Order& order, const Choice& choice) {
  if (choice.is_too_dear()) {
    open_work_item(env, tx, "cost_above_quote", order.id.text, order.id, choice_words(choice));
  } else if (!suppliers::may_wait(choice.selection)) {
    open_work_item(env, tx, "no_supplier", order.id.text, order.id,
                   "no supplier delivers " + order.product.text + ": " + choice_words(choice));
  }
  base::log(base::Level::warn, "supply_waits",
            {{"order_id", order.id.text}, {"why", choice_words(choice)}});
  retire_others(env, tx, choice.attempts);
  const std::int64_t now = env.clock.wall_ms();
  jobs::outbox::enqueue(tx, job_kind::kSupplyWait, order.id.text, now + kFirstWaitMs, now,
                        order.trace, jobs::Priority::money);
  tx.after_commit(env.wake_jobs);
}

// Whoever a person chose takes the place of the best, if they can take the order at all.
void prefer(Choice& choice, std::string_view wanted) {
  const auto found = std::find_if(
      choice.selection.begin(), choice.selection.end(), [&](const suppliers::Judged& one) {
        return choice.candidates[one.candidate].supplier == wanted &&
               (one.verdict == Verdict::chosen || one.verdict == Verdict::standby);
      });
  if (found == choice.selection.end()) return;
  choice.selection.front().verdict = Verdict::standby;
  found->verdict = Verdict::chosen;
  std::rotate(choice.selection.begin(), found, found + 1);
}

}  // namespace

const Way* Choice::chosen() const {
  const suppliers::Judged* best = suppliers::chosen_of(selection);
  return best == nullptr ? nullptr : &ways[best->candidate];
}

bool Choice::is_too_dear() const {
  return std::any_of(selection.begin(), selection.end(),
                     [](const auto& one) { return one.verdict == Verdict::too_dear; });
}

Choice choose(const OrderEnv& env, storage::Reader& reader, const Order& order) {
  Choice choice;
  choice.ways = supply_choice_store::ways_of(reader, order.product);
  choice.attempts = supplier_store::attempts_of(reader, order.id);
  const std::int64_t now = env.clock.wall_ms();
  for (const Way& way : choice.ways)
    choice.candidates.push_back(candidate_of(env, way, order, choice.attempts, now));
  Currency shop = Currency::cny;
  const std::vector<Rate> rates = rates_of(env, &shop);
  const std::optional<Money> quoted = quoted_cost(env, reader, order);
  const auto in_shop =
      quoted ? suppliers::in_shop_currency(*quoted, rates, shop) : std::optional<std::int64_t>();
  if (in_shop) {
    choice.most_minor = suppliers::scaled(*in_shop, kBasisPointsPerWhole + env.settings.cost_cap_bp,
                                          kBasisPointsPerWhole, Round::down);
  }
  choice.selection = suppliers::select(choice.candidates, rates, shop, choice.most_minor);
  return choice;
}

std::string choice_text(const OrderEnv& env, const Choice& choice) {
  base::Json judged = base::Json::array();
  for (const suppliers::Judged& one : choice.selection) {
    const Candidate& candidate = choice.candidates[one.candidate];
    base::Json row = {{"supplier", candidate.supplier},
                      {"verdict", suppliers::to_word(one.verdict)},
                      {"priority", candidate.priority}};
    if (candidate.cost.minor > 0) row["cost"] = base::money_out(candidate.cost);
    if (one.cost_minor >= 0) row["cost_minor"] = one.cost_minor;
    if (candidate.balance) row["balance"] = base::money_out(*candidate.balance);
    judged.push_back(std::move(row));
  }
  base::Json out = {{"at_ms", env.clock.wall_ms()}, {"judged", std::move(judged)}};
  if (choice.most_minor) out["most_minor"] = *choice.most_minor;
  const Way* way = choice.chosen();
  if (way != nullptr &&
      (way->supplier_state != LineState::open || way->operator_state != LineState::open)) {
    out["trials"] = base::Json::array();
    if (way->supplier_state != LineState::open)
      out["trials"].push_back(suppliers::trial_word(way->product.supplier));
    if (way->operator_state != LineState::open)
      out["trials"].push_back(suppliers::trial_word(
          suppliers::line_of(way->product.supplier, way->product.supplier_operator_id)));
  }
  return out.dump();
}

std::string choice_words(const Choice& choice) {
  std::string words;
  for (const suppliers::Judged& one : choice.selection) {
    if (!words.empty()) words += ", ";
    words += choice.candidates[one.candidate].supplier + " " +
             std::string(suppliers::to_word(one.verdict));
  }
  if (words.empty()) return "no supplier lists it";
  return words.substr(0, kMaxWords);
}

void start_attempt(const OrderEnv& env, storage::Tx& tx, const Order& order, const Choice& choice) {
  const Way* way = choice.chosen();
  check(way != nullptr, "an attempt goes to somebody");
  retire_others(env, tx, choice.attempts);
  suppliers::SupplyAttempt attempt;
  attempt.created_at_ms = env.clock.wall_ms();
  attempt.attempt_no = static_cast<std::int64_t>(choice.attempts.size()) + 1;
  attempt.id = AttemptId("S" + order.id.text + std::to_string(attempt.attempt_no));
  attempt.order = order.id;
  attempt.supplier = way->product.supplier;
  attempt.supplier_operator_id = way->product.supplier_operator_id;
  attempt.country = way->product.country;
  attempt.state = suppliers::supply_state::kCreated;
  attempt.sku = way->product.sku;
  attempt.kind = way->product.kind;
  attempt.most_cost = most_cost(choice);
  attempt.choice = choice_text(env, choice);
  supplier_store::insert(tx, attempt);
  if (choice.candidates[choice.selection.front().candidate].line != LineState::open)
    begin_trials(env, tx, *way, attempt.id);
  const TraceId& trace = order.trace.empty() ? base::TraceScope::current() : order.trace;
  jobs::outbox::enqueue(tx, job_kind::kSubmit, attempt.id.text, attempt.created_at_ms,
                        attempt.created_at_ms, trace, jobs::Priority::money);
  tx.after_commit(env.wake_jobs);
}

void plan_submit(const OrderEnv& env, storage::Tx& tx, const Order& order,
                 std::string_view wanted) {
  Choice choice = choose(env, tx, order);
  if (!wanted.empty()) prefer(choice, wanted);
  if (choice.chosen() != nullptr) {
    start_attempt(env, tx, order, choice);
  } else {
    wait_for_one(env, tx, order, choice);
  }
}

bool hold_stock(const OrderEnv& env, storage::Tx& tx, const Order& order) {
  const auto ways = catalog::catalog_store::supplier_products_of(tx, order.product);
  const std::int64_t now = env.clock.wall_ms();
  bool has_other = ways.empty();
  for (const SupplierProduct& way : ways) {
    if (way.supplier != suppliers::kStock) {
      has_other = has_other || way.is_enabled;
    } else if (way.is_enabled && suppliers::pin_store::hold(tx, way.sku, order.id,
                                                            order.pay_by_ms + kHoldAfterMs, now)) {
      return true;
    }
  }
  return has_other;
}

bool waits_for_supplier(storage::Reader& reader, const Order& order) {
  if (order.state != State::paid) return false;
  const auto attempts = supplier_store::attempts_of(reader, order.id);
  return attempts.empty() || attempts.back().state != suppliers::supply_state::kCreated ||
         attempts.back().queries > 0;
}

std::int64_t promised_until_ms(const OrderEnv& env, storage::Reader& reader, const Order& order) {
  return supply_choice_store::paid_at_ms(reader, order.id) + env.settings.hold_promise_ms;
}

}  // namespace topup::orders
