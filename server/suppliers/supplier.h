// The supplier port. A supplier is one file behind this interface (reloadly.cpp). Our attempt id is
// durable before the first byte of submit() leaves, and one attempt has one id for ever. Calls
// block up to their deadline, are thread-safe and never run inside a transaction. Outcome of submit
// and query: only an explicit, final refusal is rejected; anything unclear is unknown.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/ids.h"
#include "shared/money.h"
#include "shared/price_book.h"
#include "shared/result.h"

namespace topup::suppliers {

struct ListedProduct {  // a product as the supplier lists it, before we price it
  std::string supplier_operator_id;
  std::string operator_name;
  std::string country;  // ISO 3166-1 alpha-2
  Money face;           // local amount it is sold as; the least of a range
  ProductKind kind = ProductKind::airtime;
  std::string sku = {};         // what they call the product; "" where operator and amount say it
  std::int64_t most_minor = 0;  // of a range
  std::int64_t step_minor = 0;  // of a range; 0: fixed
  Money delivered = {};         // what arrives after tax, per face; 0: as the face
  Money cost = {};              // what it takes from our balance, per face; 0: not said
  std::uint32_t validity_days = 0;
  std::string name = {};  // of a bundle or PIN
};

struct SubmitRequest {
  AttemptId attempt_id;
  std::string supplier_operator_id;
  std::string country;         // ISO 3166-1 alpha-2
  std::string account_number;  // E.164: secret data, never logged
  Money face;
  // Asked right before the request leaves, when everything else is ready; false: it stays here, and
  // the outcome is held/too_late. Empty: nobody asks.
  std::function<bool()> may_leave = {};
  ProductKind kind = ProductKind::airtime;
  std::string sku = {};
  Money most_cost = {};  // above it the supplier is not asked: rejected/cost_too_high; 0: no bound
};

enum class SupplyState : std::uint8_t {
  accepted,   // taken on, not final
  succeeded,  // delivered
  rejected,   // definite: will not be delivered and nothing is owed; a code that begins with
              // REVERSED says that it was delivered and taken back
  held,  // our account or their line, not the order: nothing was sent on; try again later with the
         // same id
  unknown,    // ask again
  not_found,  // they do not know the id (yet): final only after the rule of the order service, by
              // count of queries
};
struct Pin {  // secret data: sealed at once, never logged
  std::string code, serial;
  std::int64_t expires_at_ms = 0;  // 0: not said
};
struct SupplyOutcome {
  SupplyState state = SupplyState::unknown;
  std::string supplier_order_id;  // theirs, when known
  std::string code;               // their own word
  std::optional<Money> cost;      // what it took from our balance, when said
  std::optional<Money> delivered;
  std::vector<Pin> pins = {};  // of a PIN product, on success
};

// What the supplier itself has booked, for reconciliation.
struct StatementLine {
  std::string attempt_id;  // our reference as they keep it; "" when they do not say
  std::string supplier_order_id;
  SupplyState state = SupplyState::unknown;  // succeeded, rejected (nothing owed), accepted
  std::optional<Money> cost;                 // taken from our balance
  std::int64_t at_ms = 0;
};
// Whose number it is, as the supplier sees it.
struct LookedUp {
  std::string supplier_operator_id, operator_name, country;
};

struct CallbackRequest {
  std::vector<std::pair<std::string, std::string>> headers;  // names lower case
  std::string body;
  // ?token= of the address they were told to call: what proves a caller whose protocol signs
  // nothing
  std::string token = {};
};

class Supplier {
 public:
  virtual ~Supplier() = default;
  virtual std::string_view name() const = 0;  // "reloadly": stored
  virtual Result<std::vector<ListedProduct>> products(
      const std::string& country) = 0;  // unavailable
  virtual SupplyOutcome submit(const SubmitRequest&) = 0;
  virtual SupplyOutcome query(const AttemptId&, const std::string& supplier_order_id) = 0;
  virtual Result<Money> balance() = 0;
  // Both refuse with rejected/not_offered where the supplier has no such thing, else
  // with unavailable/…
  virtual Result<LookedUp> look_up(const std::string& account_number) {
    (void)account_number;
    return refuse(Code::rejected, "not_offered");
  }
  virtual Result<std::vector<StatementLine>> statement(std::int64_t from_ms,
                                                       std::int64_t until_ms) {
    (void)from_ms, (void)until_ms;
    return refuse(Code::rejected, "not_offered");
  }
  // Whether a second request with one reference is refused or answered as the first. Where not, a
  // reference that may have left is never sent again, whatever they answer.
  virtual bool deduplicates() const { return true; }
  // A callback is a hint: the attempt it is about, to be confirmed by query().
  // forbidden/signature_invalid, forbidden/timestamp_expired, invalid_argument/callback_malformed.
  virtual Result<AttemptId> parse_callback(const CallbackRequest&) const = 0;
};

}  // namespace topup::suppliers
