// Whose number it is (feature X09): asks the suppliers that deliver to its country, and keeps what
// they said for a day under the number's keyed hash. Only ever a hint: nothing here refuses a
// purchase, and whoever cannot be asked in time is not waited for. The number itself is neither
// stored nor logged. Each supplier has a circuit breaker for look-ups of its own, narrower than the
// one before its connections, so that look-ups that fail never close the way of top-ups.
// Thread-safe; blocks up to kTotalMs; never inside a transaction.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/base/circuit_breaker.h"
#include "server/base/clock.h"
#include "server/privacy/pii.h"
#include "server/storage/db.h"
#include "server/suppliers/number_lookup_store.h"
#include "server/suppliers/suppliers.h"
#include "shared/token_bucket.h"

namespace topup::suppliers {

struct NumberAnswer {
  enum class Word : std::uint8_t {
    network,    // a supplier said so, and the operator is on sale
    unknown,    // a supplier was asked and does not know, or names what we do not sell
    not_asked,  // nobody could be asked in time
  };
  Word word = Word::not_asked;
  std::string country;      // ISO 3166-1 alpha-2, by the number alone
  std::string operator_id;  // ours, with network only
};
std::string_view to_word(NumberAnswer::Word word);

class NumberLookup {
 public:
  static constexpr std::int64_t kTotalMs = 4'000;  // of all suppliers asked for one number
  static constexpr std::int64_t kKnownMs = 24 * 3'600'000;
  static constexpr std::int64_t kUnknownMs = 3'600'000;
  static constexpr int kMaxAtOnce = 4;  // the workers for outside calls are there for payments, too
  static constexpr std::size_t kMaxAsked = 2;  // suppliers, for one number
  // Of one address, kept or not: whoever goes through numbers one by one soon hears nothing.
  static constexpr TokenBucketPolicy kPayer = {60, 240, 3'600'000};
  static constexpr std::size_t kMaxPayers = 4'096;
  // Of this process, whoever asks: they would otherwise pay for it with their accounts at the
  // suppliers.
  static constexpr TokenBucketPolicy kAsks = {60, 120, 60'000};
  // Six errors a minute at most, where the connections' own breaker opens with ten.
  static constexpr base::BreakerRules kBreaker = {4, 50, 60'000, 30'000};

  // The operator of ours that is on sale; "" when there is none.
  using Ours = std::function<std::string(std::string_view supplier, const LookedUp& found)>;

  NumberLookup(storage::Db& db, const base::Clock& clock, const privacy::Pii& pii,
               const Suppliers& suppliers, Ours ours);

  // `typed` names its country; `payer` is the address that asks. Errors:
  // invalid_argument/account_number_invalid.
  Result<NumberAnswer> look_up(std::string_view typed, std::string_view payer);
  int sweep();  // forgets what has expired; returns how many

  struct Figure {
    std::string supplier;  // "" where none was asked
    std::string outcome;   // network, unknown, foreign, failed, breaker; kept, often, busy, nobody
    std::int64_t count = 0;
  };
  std::vector<Figure> figures() const;  // since the process started

 private:
  class Turn;
  bool may_ask(std::string_view payer);
  bool begin();
  void end();
  NumberAnswer ask(const std::string& number, const std::string& country,
                   const std::vector<std::string>& names);
  NumberAnswer::Word ask_one(Supplier& supplier, const std::string& number, NumberAnswer* answer);
  void keep(const std::string& number_index, const NumberAnswer& answer);
  base::CircuitBreaker::Pass pass_for(const std::string& supplier);
  void count(std::string_view supplier, std::string_view outcome);

  storage::Db& db_;
  const base::Clock& clock_;
  const privacy::Pii& pii_;
  const Suppliers& suppliers_;
  const Ours ours_;
  mutable std::mutex mutex_;
  int in_flight_ = 0;
  TokenBucket bucket_;
  std::map<std::string, TokenBucket, std::less<>> payers_;
  std::map<std::string, base::CircuitBreaker> breakers_;
  std::map<std::pair<std::string, std::string>, std::int64_t> counts_;
};

}  // namespace topup::suppliers
