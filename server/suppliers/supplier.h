// The supplier port. A supplier is one file behind this interface (reloadly.cpp). Our attempt id is
// durable before the first byte of submit() leaves, and one attempt has one id for ever. Calls
// block up to their deadline, are thread-safe and never run inside a transaction. Outcome of submit
// and query: only an explicit, final refusal is rejected; anything unclear is unknown.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/ids.h"
#include "shared/money.h"
#include "shared/result.h"

namespace topup::suppliers {

struct ListedProduct {  // a product as the supplier lists it, before we price it
  std::string supplier_operator_id;
  std::string operator_name;
  std::string country;  // ISO 3166-1 alpha-2
  Money face;           // local amount the recipient gets
};

struct SubmitRequest {
  AttemptId attempt_id;
  std::string supplier_operator_id;
  std::string country;         // ISO 3166-1 alpha-2
  std::string account_number;  // E.164: secret data, never logged
  Money face;
};

enum class SupplyState : std::uint8_t {
  accepted,   // taken on, not final
  succeeded,  // delivered
  rejected,   // definite: will not be delivered and nothing is owed
  held,  // our account or their line, not the order: nothing was sent on; try again later with the
         // same id
  unknown,    // ask again
  not_found,  // they do not know the id (yet): final only after the rule of the order service, by
              // count of queries
};
struct SupplyOutcome {
  SupplyState state = SupplyState::unknown;
  std::string supplier_order_id;  // theirs, when known
  std::string code;               // their own word
  std::optional<Money> cost;      // what it took from our balance, when said
  std::optional<Money> delivered;
};

struct CallbackRequest {
  std::vector<std::pair<std::string, std::string>> headers;  // names lower case
  std::string body;
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
  // A callback is a hint: the attempt it is about, to be confirmed by query().
  // forbidden/signature_invalid, forbidden/timestamp_expired, invalid_argument/callback_malformed.
  virtual Result<AttemptId> parse_callback(const CallbackRequest&) const = 0;
};

}  // namespace topup::suppliers
