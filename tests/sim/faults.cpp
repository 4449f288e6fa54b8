#include "tests/sim/faults.h"

namespace topup::sim {
namespace {

constexpr std::array<std::string_view, kFaultCount> kWords = {
    "crash",          "request_loss",   "reply_loss",
    "late_arrival",   "notice_loss",    "notice_duplicate",
    "notice_delay",   "wrong_amount",   "forged",
    "late_payment",   "double_payment", "cancel_race",
    "clock_jump",     "freeze",         "supplier_reject",
    "supplier_held",  "supplier_slow",  "supplier_turncoat",
    "refund_refused", "preempt",        "refund_abnormal",
    "wallet_payment", "wallet_adjusted"};
constexpr std::array<std::string_view, 7> kProfiles = {
    "swarm", "all-callbacks-lost", "no-dedup-supplier", "clock", "pg", "calm", "file"};

// The most that each may be drawn as, and how often in a hundred seeds it is there at all.
struct Span {
  Fault fault;
  std::int64_t most;
  std::int64_t seeds_in_100;
};
constexpr std::size_t kLaterFaults = 2;
constexpr std::array<Span, kFaultCount - kLaterFaults> kSpans = {
    {{Fault::crash, 250, 75},          {Fault::request_loss, 40, 60},
     {Fault::reply_loss, 40, 60},      {Fault::late_arrival, 30, 50},
     {Fault::notice_loss, 60, 50},     {Fault::notice_duplicate, 50, 50},
     {Fault::notice_delay, 60, 50},    {Fault::wrong_amount, 6, 50},
     {Fault::forged, 20, 50},          {Fault::late_payment, 12, 60},
     {Fault::double_payment, 20, 60},  {Fault::cancel_race, 25, 60},
     {Fault::clock_jump, 12, 50},      {Fault::freeze, 6, 40},
     {Fault::supplier_reject, 40, 70}, {Fault::supplier_held, 30, 50},
     {Fault::supplier_slow, 80, 60},   {Fault::supplier_turncoat, 5, 40},
     {Fault::refund_refused, 30, 40},  {Fault::preempt, 8, 50},
     {Fault::refund_abnormal, 3, 30}}};
// Drawn last, so that the runs of seeds without them are what they were.
constexpr std::array<Span, kLaterFaults> kLaterSpans = {
    {{Fault::wallet_payment, 90, 30}, {Fault::wallet_adjusted, 80, 60}}};

}  // namespace

std::string_view to_word(Fault fault) { return kWords[static_cast<std::size_t>(fault)]; }
std::optional<Fault> parse_fault(std::string_view word) {
  for (std::size_t i = 0; i < kFaultCount; ++i) {
    if (kWords[i] == word) return static_cast<Fault>(i);
  }
  return std::nullopt;
}
std::string_view to_word(Profile profile) { return kProfiles[static_cast<std::size_t>(profile)]; }
std::optional<Profile> parse_profile(std::string_view word) {
  for (std::size_t i = 0; i < kProfiles.size(); ++i) {
    if (kProfiles[i] == word) return static_cast<Profile>(i);
  }
  return std::nullopt;
}

void Faults::heal() {
  const bool never_called = rate(Fault::notice_loss) == 100;
  rates_.fill(0);
  if (never_called) set(Fault::notice_loss, 100);
}

Faults Faults::draw(testing::SeededRandom& chance, Profile profile) {
  Faults faults;
  const auto draw_one = [&](const Span& span) {
    const bool is_there = chance.percent(span.seeds_in_100);
    const std::int64_t rate = 1 + chance.below(span.most);
    if (is_there && profile != Profile::calm) faults.set(span.fault, rate);
  };
  for (const Span& span : kSpans) draw_one(span);
  faults.supplier_deduplicates = chance.percent(50);
  faults.shop_reviews = chance.percent(50);
  faults.two_nodes = chance.percent(40);
  faults.has_midnight = chance.percent(25);
  faults.has_bills = chance.percent(40);
  const bool slips = chance.percent(60);
  const std::int64_t slip_rate = 1 + chance.below(25);
  if (slips && profile != Profile::calm) faults.bill_slips = slip_rate;
  switch (profile) {
    case Profile::all_callbacks_lost:
      faults.set(Fault::notice_loss, 100);
      faults.set(Fault::late_payment, 0);  // without callbacks only the bill of the day tells of it
      break;
    case Profile::no_dedup_supplier:
      faults.supplier_deduplicates = false;
      faults.set(Fault::late_arrival, 15);
      faults.set(Fault::reply_loss, 25);
      break;
    case Profile::clock:
      faults.set(Fault::clock_jump, 24);
      faults.set(Fault::late_arrival, 30);
      break;
    case Profile::swarm:
    case Profile::pg:
    case Profile::calm:
    case Profile::file:
      break;
  }
  // Bills are matched with ten minutes of grace at midnight (Party::edge_ms); a clock an hour off
  // just then makes true differences, which a person settles.
  if (faults.has_midnight && faults.has_bills) faults.set(Fault::clock_jump, 0);
  for (const Span& span : kLaterSpans) draw_one(span);
  faults.has_wallets = faults.rate(Fault::wallet_payment) > 0;
  return faults;
}

}  // namespace topup::sim
