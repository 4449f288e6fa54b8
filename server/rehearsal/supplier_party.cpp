#include "server/rehearsal/supplier_party.h"

#include <algorithm>
#include <utility>

namespace topup::rehearsal {
namespace {

using base::Json;

constexpr int kWorkers = 8;
constexpr std::int64_t kTakesMs = 400;
constexpr std::int64_t kSlowMs = 20'000;
constexpr std::int64_t kReversedAfterMs = 2'000;
constexpr int kDuplicates = 3;
constexpr std::int64_t kMaxBalanceMinor = 100'000'000'000;
constexpr std::int64_t kPlantedMinor = 100;  // a statement's amount is off by this

constexpr FaultKind kFaults[] = {
    {"outage", "a call is answered unavailable and has no effect"},
    {"lost", "an order's connection is dropped before anything happens"},
    {"reply_lost", "an order's connection is dropped after it was taken on"},
    {"time_out", "an order is taken on and its answer held back for 20 s"},
    {"refused", "an order is refused for its recipient"},
    {"failed", "an order is taken on and fails at the operator"},
    {"late", "an order takes 20 s"},
    {"stuck", "an order stays in progress for a day"},
    {"reversed", "an order succeeds and is taken back 2 s later"},
    {"drop_callbacks", "no callback is sent for an order"},
    {"duplicate_callbacks", "three callbacks are sent for an order"},
    {"forged_callback", "a forged callback goes before the good one"},
    {"statement_missing", "an order is left out of statements"},
    {"statement_amount", "an order stands in statements at another cost"},
    {"statement_extra", "statements hold an order that nobody placed"},
};

bool is_open(const SupplierOrder& order) {
  return order.state == "processing" || order.state == "reserved";
}

}  // namespace

SupplierParty::SupplierParty(Surroundings surroundings, std::string party, SupplierTrade trade)
    : Party(surroundings, party, kWorkers),
      trade_(std::move(trade)),
      book_(party),
      armed_(surroundings.db, party, {std::begin(kFaults), std::end(kFaults)}),
      replays_(surroundings.db, party),
      deduplicates_(trade_.deduplicates) {
  around().db.write([this](storage::Tx& tx) {
    book_.create_tables(tx, trade_.first_balance);
    return true;
  });
}

void SupplierParty::start() {
  Party::start();
  std::vector<SupplierOrder> open;
  std::vector<OwedCallback> owed;
  around().db.read([&](storage::Reader& reader) {
    open = book_.unfinished(reader);
    owed = book_.owed_callbacks(reader);
  });
  for (const auto& order : open) schedule(order);
  for (const auto& callback : owed) owe(callback);
}

Answered SupplierParty::answer(const Asked& asked) {
  if (is_loopback_client(asked)) {
    if (asked.is("GET", {"magic"}) || asked.is("GET", {})) return magic_list();
    if (asked.is("GET", {"control"}) || asked.is("POST", {"control"})) return control(asked);
    if (asked.is("GET", {"control", "orders", "*"})) return control_order(asked);
  }
  if (armed_.take("outage")) return outage();
  return api(asked);
}

bool SupplierParty::is_taken(const base::OutboundReply& reply) const {
  return reply.kind == base::OutboundReply::Kind::answered && reply.status >= 200 &&
         reply.status < 300;
}

Course SupplierParty::course_of(const std::string& account) {
  if (auto replayed = replays_.take()) {  // nothing else decides
    if (!replayed->refusal.empty()) shape_refusal(*replayed);
    return *replayed;
  }
  Course course;
  course.takes_ms = around().scaled(kTakesMs);
  if (account.size() >= 4)
    apply_magic(std::string_view(account).substr(account.size() - 4), course);
  if (armed_.take("refused")) course.refusal = refusal_word();
  if (armed_.take("lost")) course.is_lost = true;
  if (armed_.take("reply_lost")) course.is_dropped = true;
  if (armed_.take("time_out")) course.holds_ms = around().scaled(kSlowMs);
  if (armed_.take("late")) course.takes_ms = around().scaled(kSlowMs);
  if (armed_.take("stuck")) course.takes_ms = kStuckMs;
  if (armed_.take("reversed")) course.reversed_after_ms = around().scaled(kReversedAfterMs);
  if (armed_.take("failed")) {
    course.end = "failed";
    course.code = failure_word();
  }
  if (armed_.take("drop_callbacks")) course.callbacks = 0;
  if (armed_.take("duplicate_callbacks")) course.callbacks = kDuplicates;
  if (armed_.take("forged_callback")) course.is_forged_first = true;
  return course;
}

void SupplierParty::move_balance(storage::Tx& tx, std::int64_t by_minor) const {
  book_.set_balance(tx, book_.balance(tx).minor + by_minor);
}

SupplierParty::Placed SupplierParty::place(SupplierOrder& order, const Course& course) {
  order.created_ms = around().clock.wall_ms();
  order.takes_ms = course.takes_ms;
  if (order.state == "processing") order.due_ms = order.created_ms + course.takes_ms;
  order.end = course.end;
  if (course.end != "succeeded") order.code = course.code;
  order.reversed_after_ms = course.reversed_after_ms;
  order.callbacks = course.callbacks;
  order.is_forged_first = course.is_forged_first;
  if (armed_.take("statement_missing")) order.plant = "missing";
  if (armed_.take("statement_amount")) order.plant = "amount";
  const bool has_extra = armed_.take("statement_extra");
  Placed placed = Placed::done;
  around().db.write([&](storage::Tx& tx) {
    placed = Placed::done;
    if (deduplicates_ && !book_.find_by_reference(tx, order.reference).empty()) {
      placed = Placed::duplicate;
    } else if (book_.balance(tx).minor < order.cost.minor) {
      placed = Placed::poor;
    }
    if (placed != Placed::done) return false;
    if (!trade_.debits_on_success) move_balance(tx, -order.cost.minor);
    order.number = book_.insert(tx, order);
    if (has_extra) {
      SupplierOrder extra = order;
      extra.reference = "X" + std::to_string(order.number);
      extra.state = "succeeded";
      extra.ended_ms = order.created_ms;
      extra.reversed_after_ms = 0;
      extra.plant.clear();
      book_.insert(tx, extra);
    }
    return true;
  });
  if (placed == Placed::done) schedule(order);
  return placed;
}

void SupplierParty::schedule(const SupplierOrder& order) {
  const std::int64_t now = around().clock.wall_ms();
  if (is_open(order)) {
    later(order.due_ms - now, [this, number = order.number] { finish(number); });
  } else if (order.state == "succeeded" && order.reversed_after_ms > 0) {
    later(order.ended_ms + order.reversed_after_ms - now,
          [this, number = order.number] { reverse(number); });
  }
}

bool SupplierParty::confirm(std::int64_t number) {
  std::optional<SupplierOrder> order;
  around().db.write([&](storage::Tx& tx) {
    order = book_.find(tx, number);
    if (!order || order->state != "reserved") {
      order.reset();
      return false;
    }
    order->state = "processing";
    order->due_ms = around().clock.wall_ms() + order->takes_ms;
    book_.save(tx, *order);
    return true;
  });
  if (order) schedule(*order);
  return order.has_value();
}

bool SupplierParty::cancel(std::int64_t number) {
  bool is_done = false;
  around().db.write([&](storage::Tx& tx) {
    auto order = book_.find(tx, number);
    is_done = order && order->state == "reserved";
    if (!is_done) return false;
    order->state = "cancelled";
    order->ended_ms = around().clock.wall_ms();
    book_.save(tx, *order);
    if (!trade_.debits_on_success) move_balance(tx, order->cost.minor);
    return true;
  });
  return is_done;
}

std::vector<OwedCallback> SupplierParty::owe_callbacks(storage::Tx& tx,
                                                       const SupplierOrder& order) const {
  std::vector<OwedCallback> owed;
  if (order.callback_url.empty() || order.callbacks == 0) return owed;
  const auto add = [&](bool is_forged) {
    OwedCallback callback = callback_of(order, is_forged);
    callback.url = order.callback_url;
    callback.due_ms = around().clock.wall_ms();
    callback.row_id = book_.insert_callback(tx, callback);
    owed.push_back(std::move(callback));
  };
  if (order.is_forged_first) add(true);
  for (int i = 0; i < order.callbacks; ++i) add(false);
  return owed;
}

void SupplierParty::finish(std::int64_t number) {
  std::vector<OwedCallback> owed;
  std::optional<SupplierOrder> ended;
  const std::int64_t now = around().clock.wall_ms();
  around().db.write([&](storage::Tx& tx) {
    owed.clear();
    ended.reset();
    auto order = book_.find(tx, number);
    if (!order || !is_open(*order)) return false;
    if (order->due_ms > now) {  // confirmed meanwhile, or the clocks differ by a moment
      ended = std::move(order);
      return false;
    }
    const bool is_reserved = order->state == "reserved";
    order->state = is_reserved ? "cancelled" : order->end;
    order->ended_ms = now;
    book_.save(tx, *order);
    const bool is_delivered = order->state == "succeeded";
    if (is_delivered == trade_.debits_on_success) {
      move_balance(tx, is_delivered ? -order->cost.minor : order->cost.minor);
    }
    if (!is_reserved) owed = owe_callbacks(tx, *order);
    ended = std::move(order);
    return true;
  });
  if (ended) schedule(*ended);
  for (const auto& callback : owed) owe(callback);
}

void SupplierParty::reverse(std::int64_t number) {
  std::vector<OwedCallback> owed;
  around().db.write([&](storage::Tx& tx) {
    owed.clear();
    auto order = book_.find(tx, number);
    if (!order || order->state != "succeeded") return false;
    order->state = "reversed";
    book_.save(tx, *order);
    move_balance(tx, order->cost.minor);
    owed = owe_callbacks(tx, *order);
    return true;
  });
  for (const auto& callback : owed) owe(callback);
}

std::string SupplierParty::random_digits(std::size_t count) const {
  std::string digits = around().random.bytes(count);
  for (char& c : digits) c = static_cast<char>('0' + static_cast<unsigned char>(c) % 10);
  return digits;
}

Answered SupplierParty::shaped(Answered answered, const Course& course) const {
  if (course.is_failing) answered = outage();
  answered.hold_ms = course.holds_ms;
  answered.is_dropped = course.is_dropped;
  return answered;
}

void SupplierParty::owe(const OwedCallback& callback) {
  later(callback.due_ms - around().clock.wall_ms(),
        [this, row_id = callback.row_id] { deliver(row_id); });
}

void SupplierParty::deliver(std::int64_t row_id) {
  std::optional<OwedCallback> callback;
  around().db.read(
      [&](storage::Reader& reader) { callback = book_.find_callback(reader, row_id); });
  if (!callback) return;
  const auto reply =
      post_out(callback->url, {{"Content-Type", callback->content_type}}, callback->body);
  const auto tried = static_cast<std::size_t>(callback->attempts);
  const bool is_over = is_taken(reply) || tried >= trade_.callback_again_ms.size();
  ++callback->attempts;
  if (!is_over) {
    callback->due_ms =
        around().clock.wall_ms() + around().scaled(trade_.callback_again_ms.at(tried));
  }
  around().db.write([&](storage::Tx& tx) {
    if (is_over) {
      book_.end_callback(tx, row_id);
    } else {
      book_.postpone_callback(tx, row_id, callback->attempts, callback->due_ms);
    }
    return true;
  });
  if (!is_over) owe(*callback);
}

std::vector<SupplierOrder> SupplierParty::with_reference(const std::string& reference) const {
  std::vector<SupplierOrder> found;
  around().db.read(
      [&](storage::Reader& reader) { found = book_.find_by_reference(reader, reference); });
  return found;
}

std::optional<SupplierOrder> SupplierParty::with_number(std::int64_t number) const {
  std::optional<SupplierOrder> found;
  around().db.read([&](storage::Reader& reader) { found = book_.find(reader, number); });
  return found;
}

std::vector<SupplierOrder> SupplierParty::listed(std::int64_t from_ms,
                                                 std::int64_t until_ms) const {
  std::vector<SupplierOrder> found;
  around().db.read(
      [&](storage::Reader& reader) { found = book_.made_between(reader, from_ms, until_ms); });
  std::erase_if(found, [](const SupplierOrder& order) { return order.plant == "missing"; });
  for (auto& order : found) {
    if (order.plant == "amount") order.cost.minor += kPlantedMinor;
  }
  return found;
}

Money SupplierParty::balance() const {
  Money out;
  around().db.read([&](storage::Reader& reader) { out = book_.balance(reader); });
  return out;
}

Money SupplierParty::holding() const {
  Money out{0, trade_.first_balance.currency};
  std::vector<SupplierOrder> unfinished;
  around().db.read([&](storage::Reader& reader) { unfinished = book_.unfinished(reader); });
  for (const auto& order : unfinished) {
    if (is_open(order)) out.minor += order.cost.minor;
  }
  return out;
}

Result<bool> SupplierParty::control_command(const Json& body) {
  if (const auto log = body.find("replay"); log != body.end()) {
    if (!log->is_null()) return replays_.add(*log, around().speed_percent);
    replays_.clear();
    return true;
  }
  if (const auto minor = base::integer_in(body, "balance_minor", 0, kMaxBalanceMinor)) {
    around().db.write([&](storage::Tx& tx) {
      book_.set_balance(tx, *minor);
      return true;
    });
    return true;
  }
  if (const auto refuses = base::bool_in(body, "deduplicates")) {
    deduplicates_ = *refuses;
    return true;
  }
  if (const auto reference = base::text_in(body, "reverse")) {
    const auto found = with_reference(*reference);
    for (const auto& order : found) reverse(order.number);
    return !found.empty();
  }
  const auto kind = base::text_in(body, "next");
  const auto count = body.contains("count") ? base::integer_in(body, "count", 0, kMaxArmed)
                                            : Result<std::int64_t>(1);
  return kind && count && armed_.arm(*kind, *count);
}

Answered SupplierParty::control(const Asked& asked) {
  if (asked.method == "POST") {
    const bool is_json = asked.header("content-type").substr(0, 16) == "application/json";
    const auto body = base::json_in(asked.body);
    const Result<bool> done =
        body && body->is_object() && is_json ? control_command(*body) : Result<bool>(false);
    if (!done) return not_replayed(done.error());
    if (!*done) {
      return Answered::json(
          {{"reason",
            "wants JSON: next and count, balance_minor, deduplicates, reverse or replay"}},
          400);
    }
  }
  return Answered::json({{"party", name()},
                         {"armed", armed_.listed()},
                         {"replays", replays_.waiting()},
                         {"deduplicates", deduplicates_.load()},
                         {"balance_minor", balance().minor}});
}

// What the supplier's own book says, so that a test compares both sides without signing in.
Answered SupplierParty::control_order(const Asked& asked) const {
  const auto found = with_reference(asked.segments[2]);
  if (found.empty()) return Answered::json({{"known", false}, {"count", 0}, {"delivered", 0}});
  const auto delivered = std::count_if(found.begin(), found.end(), [](const SupplierOrder& order) {
    return order.state == "succeeded";
  });
  return Answered::json({{"known", true},
                         {"count", found.size()},
                         {"delivered", delivered},
                         {"state", found.back().state},
                         {"number", found.back().number},
                         {"cost_minor", found.back().cost.minor}});
}

Answered SupplierParty::magic_list() const {
  Json numbers = Json::array();
  for (const auto& row : trade_.magic) {
    numbers.push_back({{"ends_with", row.word}, {"meaning", row.meaning}});
  }
  return Answered::json({{"party", name() + ", rehearsed"},
                         {"control",
                          "POST /control {\"next\": kind, \"count\": n}, "
                          "{\"balance_minor\": n}, {\"deduplicates\": bool}, "
                          "{\"reverse\": reference} or {\"replay\": a log of one attempt}"},
                         {"look", "GET /control/orders/REFERENCE"},
                         {"kinds", armed_.listed()},
                         {"recipient_numbers", numbers},
                         {"all_other_numbers", "succeed"}});
}

Money dollars_of_e5(std::int64_t usd_e5) { return {(usd_e5 + 999) / 1'000, Currency::usd}; }

}  // namespace topup::rehearsal
