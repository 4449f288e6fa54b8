// What staff look for among orders: the filters of a request, read once, and its pages. The list of
// the console and its export ask here. See order_narrow_store.h for what has no index.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/http/routes/mounts.h"
#include "server/orders/order_narrow_store.h"
#include "server/orders/order_store.h"

namespace topup::http::routes {

// A moment in milliseconds; 0 when it is not given.
Result<std::int64_t> moment_in(std::string_view text, std::string_view name);

class OrderSearch {
 public:
  struct Wanted {
    std::string q, state, channel, supplier, kind;
    std::string from_ms, to_ms;
  };
  struct Page {
    std::vector<orders::Order> orders;  // newest first
    std::string next_cursor;            // "" when nothing further fits
    OrderId looked_to;                  // nothing newer than this fits further; often empty
  };
  // Errors: invalid_argument/out_of_range. `find` outlives it.
  static Result<OrderSearch> of(const OrderFinding& find, Wanted wanted);
  // Errors: invalid_argument/cursor_malformed.
  Result<Page> page(std::string_view cursor, std::int64_t rows) const;
  // The filters as text, for the audit trail: without what was searched for, which may be a number.
  std::string shown() const;

 private:
  OrderSearch(const OrderFinding& find, Wanted wanted) : find_(&find), wanted_(std::move(wanted)) {}
  Result<bool> read();
  std::vector<orders::Order> by_reference(storage::Reader& reader) const;
  Page look(storage::Reader& reader, const OrderId& before, std::int64_t rows) const;
  Page list(storage::Reader& reader, const orders::order_store::Selection& wanted,
            const OrderId& before, std::int64_t rows) const;
  bool fits(storage::Reader& reader, const orders::Order& order) const;

  const OrderFinding* find_;
  Wanted wanted_;
  orders::order_store::Selection base_;
  orders::order_narrow_store::Narrow narrow_;
  std::string name_;
};

}  // namespace topup::http::routes
