#include "server/suppliers/number_lookup.h"

#include <utility>

#include "server/base/log.h"
#include "server/suppliers/reading.h"
#include "shared/phone.h"

namespace topup::suppliers {
namespace {

using Pass = base::CircuitBreaker::Pass;
using Knowledge = NumberAnswer::Word;

constexpr std::string_view kPurpose = "number_lookup";

}  // namespace

std::string_view to_word(Knowledge word) {
  constexpr std::string_view kWords[] = {"network", "unknown", "not_asked"};
  return kWords[static_cast<std::size_t>(word)];
}

// One of the few that may ask at once.
class NumberLookup::Turn {
 public:
  explicit Turn(NumberLookup& of) : of_(of), is_mine_(of.begin()) {}
  ~Turn() {
    if (is_mine_) of_.end();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  bool is_mine() const { return is_mine_; }

 private:
  NumberLookup& of_;
  const bool is_mine_;
};

NumberLookup::NumberLookup(storage::Db& db, const base::Clock& clock, const privacy::Pii& pii,
                           const Suppliers& suppliers, Ours ours)
    : db_(db),
      clock_(clock),
      pii_(pii),
      suppliers_(suppliers),
      ours_(std::move(ours)),
      bucket_(full_bucket(kAsks, clock.mono_ms())) {}

// Who finds no room pays from one bucket with all others who find none.
bool NumberLookup::may_ask(std::string_view payer) {
  const std::int64_t now = clock_.mono_ms();
  const std::lock_guard hold(mutex_);
  if (payers_.size() >= kMaxPayers && payers_.find(payer) == payers_.end()) {
    for (auto one = payers_.begin(); one != payers_.end();) {
      (void)take(kPayer, one->second, now, 0);
      one = one->second.units == full_bucket(kPayer, now).units ? payers_.erase(one) : ++one;
    }
    if (payers_.size() >= kMaxPayers) payer = {};
  }
  const auto found = payers_.try_emplace(std::string(payer), full_bucket(kPayer, now)).first;
  return take(kPayer, found->second, now, 1).allowed;
}

bool NumberLookup::begin() {
  const std::lock_guard hold(mutex_);
  if (in_flight_ >= kMaxAtOnce || !take(kAsks, bucket_, clock_.mono_ms(), 1).allowed) return false;
  ++in_flight_;
  return true;
}

void NumberLookup::end() {
  const std::lock_guard hold(mutex_);
  --in_flight_;
}

void NumberLookup::count(std::string_view supplier, std::string_view outcome) {
  const std::lock_guard hold(mutex_);
  ++counts_[{std::string(supplier), std::string(outcome)}];
}

std::vector<NumberLookup::Figure> NumberLookup::figures() const {
  const std::lock_guard hold(mutex_);
  std::vector<Figure> out;
  for (const auto& [key, count] : counts_) out.push_back({key.first, key.second, count});
  return out;
}

Pass NumberLookup::pass_for(const std::string& supplier) {
  const std::lock_guard hold(mutex_);
  return breakers_.try_emplace(supplier, kBreaker).first->second.ask(clock_.mono_ms());
}

Result<NumberAnswer> NumberLookup::look_up(std::string_view typed, std::string_view payer) {
  const auto number = normalise_phone(typed, "");
  if (!number) return tl::unexpected<Error>(number.error());
  NumberAnswer answer;
  answer.country = std::string(check_phone(*number, "").country);
  if (!may_ask(payer)) {
    count("", "often");
    return answer;
  }
  const std::string index = pii_.blind_index(kPurpose, *number);
  std::optional<number_lookup_store::Kept> kept;
  std::vector<std::string> names;
  db_.read([&](storage::Reader& reader) {
    kept = number_lookup_store::find(reader, index, clock_.wall_ms());
    if (!kept) names = number_lookup_store::suppliers_of(reader, answer.country);
  });
  if (kept) {
    count("", "kept");
    answer.operator_id = kept->operator_id;
    answer.word = kept->operator_id.empty() ? Knowledge::unknown : Knowledge::network;
    return answer;
  }
  if (names.empty()) {
    count("", "nobody");
    return answer;
  }
  const Turn turn(*this);
  if (!turn.is_mine()) {
    count("", "busy");
    return answer;
  }
  answer = ask(*number, answer.country, names);
  if (answer.word != Knowledge::not_asked) keep(index, answer);
  return answer;
}

// The next one is asked as well when the first does not know, as long as its whole time is left.
NumberAnswer NumberLookup::ask(const std::string& number, const std::string& country,
                               const std::vector<std::string>& names) {
  const std::int64_t started = clock_.mono_ms();
  NumberAnswer answer;
  answer.country = country;
  std::size_t asked = 0;
  for (const std::string& name : names) {
    Supplier* supplier = suppliers_.find(name);
    if (supplier == nullptr) continue;
    if (asked >= kMaxAsked || clock_.mono_ms() - started > kTotalMs - kLookUpMs) break;
    NumberAnswer said = answer;
    const Knowledge word = ask_one(*supplier, number, &said);
    if (word == Knowledge::network) return said;
    if (word == Knowledge::unknown) answer.word = word;
    asked += said.word == Knowledge::not_asked ? 0U : 1U;
  }
  return answer;
}

// answer->word stays not_asked for who has no look-up, or whose breaker is open.
Knowledge NumberLookup::ask_one(Supplier& supplier, const std::string& number,
                                NumberAnswer* answer) {
  const std::string name(supplier.name());
  const Pass pass = pass_for(name);
  if (pass == Pass::refused) {
    count(name, "breaker");
    return Knowledge::not_asked;
  }
  const Result<LookedUp> found = supplier.look_up(number);
  const bool is_offered = found || found.error().reason != "not_offered";
  const bool has_failed = !found && is_offered && found.error().reason != "operator_unknown";
  {
    const std::lock_guard hold(mutex_);
    base::CircuitBreaker& breaker = breakers_.at(name);
    if (!is_offered) {
      breaker.give_back(pass);
    } else {
      (void)breaker.record(pass, has_failed, clock_.mono_ms());
    }
  }
  if (!is_offered) return Knowledge::not_asked;
  answer->word = Knowledge::unknown;
  if (!found) {
    count(name, has_failed ? "failed" : "unknown");
    return has_failed ? Knowledge::not_asked : Knowledge::unknown;
  }
  // A number says its country itself: an operator of another one is their mistake or their junk.
  if (found->country == answer->country) answer->operator_id = ours_(name, *found);
  if (answer->operator_id.empty()) {
    count(name, "foreign");
    return Knowledge::unknown;
  }
  count(name, "network");
  answer->word = Knowledge::network;
  return Knowledge::network;
}

// A hint that cannot be kept is a hint all the same.
void NumberLookup::keep(const std::string& number_index, const NumberAnswer& answer) {
  const std::int64_t lives_ms = answer.word == Knowledge::network ? kKnownMs : kUnknownMs;
  try {
    db_.write([&](storage::Tx& tx) {
      number_lookup_store::save(tx, number_index, {answer.country, answer.operator_id},
                                clock_.wall_ms() + lives_ms);
      return true;
    });
  } catch (const storage::SqlError& failure) {
    base::log(base::Level::warn, "number_lookup_not_kept", {{"why", failure.what()}});
  }
}

int NumberLookup::sweep() {
  int gone = 0;
  db_.write([&](storage::Tx& tx) {
    gone = number_lookup_store::forget_expired(tx, clock_.wall_ms());
    return true;
  });
  return gone;
}

}  // namespace topup::suppliers
