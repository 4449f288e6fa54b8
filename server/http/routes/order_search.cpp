#include "server/http/routes/order_search.h"

#include "server/orders/order_rules.h"
#include "server/payments/payment_store.h"
#include "server/suppliers/supplier_store.h"
#include "shared/phone.h"

namespace topup::http::routes {
namespace {

using orders::order_store::Selection;

constexpr std::size_t kMaxSearch = 64;
constexpr std::size_t kMaxParty = 32;
constexpr std::size_t kMaxPlainDigits = 20;
constexpr std::int64_t kMaxWallMs = 4'102'444'800'000;

bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// What a text may be, the surest first: a reference of ours or of another party's, then an end of a
// number, a whole number, a card, a buyer.
std::vector<Selection> readings_of(const OrderFinding& find, std::string_view q) {
  std::vector<Selection> readings;
  const auto add_account = [&](std::string_view account) {
    Selection one;
    one.account_index = orders::account_index_of(find.env.pii, account);
    readings.push_back(std::move(one));
  };
  if (q.size() == orders::kTailDigits && all_digits(q)) {
    Selection one;
    one.tail_index = orders::tail_index_of(find.env.pii, q);
    readings.push_back(std::move(one));
    return readings;
  }
  if (const auto mainland = normalise_mainland_phone(q)) add_account(*mainland);
  const auto abroad = normalise_phone(q, "");
  if (abroad && (readings.empty() || !all_digits(q))) add_account(*abroad);
  if (all_digits(q) && q.size() <= kMaxPlainDigits) add_account(q);
  Selection buyer;
  buyer.user = UserId(std::string(q));
  readings.push_back(std::move(buyer));
  return readings;
}

// The products on sale of that kind. What was sold once and is no longer on the shelf is not found
// by its kind.
std::string products_of(const catalog::Catalog& catalog, ProductKind kind) {
  std::string list = "|";
  if (const auto current = catalog.current()) {
    for (const Product& product : (*current)->book.products) {
      if (product.kind == kind) list += product.id.text + "|";
    }
  }
  return list;
}

}  // namespace

Result<std::int64_t> moment_in(std::string_view text, std::string_view name) {
  if (text.empty()) return std::int64_t{0};
  if (!all_digits(text) || text.size() > 13 || std::stoll(std::string(text)) > kMaxWallMs)
    return refuse(Code::invalid_argument, "out_of_range", name, "milliseconds since 1970");
  return std::stoll(std::string(text));
}

Result<OrderSearch> OrderSearch::of(const OrderFinding& find, Wanted wanted) {
  OrderSearch search(find, std::move(wanted));
  if (const auto read = search.read(); !read) return tl::unexpected<Error>(read.error());
  return search;
}

Result<bool> OrderSearch::read() {
  const auto known = parse_state(wanted_.state);
  if (!wanted_.state.empty() && !known)
    return refuse(Code::invalid_argument, "out_of_range", "state");
  if (known) base_.states.push_back(*known);
  const auto from = moment_in(wanted_.from_ms, "from_ms");
  if (!from) return tl::unexpected<Error>(from.error());
  const auto to = moment_in(wanted_.to_ms, "to_ms");
  if (!to) return tl::unexpected<Error>(to.error());
  base_.from_ms = *from;
  base_.to_ms = *to;
  if (wanted_.q.size() > kMaxSearch) return refuse(Code::invalid_argument, "out_of_range", "q");
  if (wanted_.channel.size() > kMaxParty)
    return refuse(Code::invalid_argument, "out_of_range", "channel");
  if (wanted_.supplier.size() > kMaxParty)
    return refuse(Code::invalid_argument, "out_of_range", "supplier");
  narrow_.channel = wanted_.channel;
  narrow_.supplier = wanted_.supplier;
  if (!wanted_.kind.empty()) {
    const auto kind = parse_product_kind(wanted_.kind);
    if (!kind) return refuse(Code::invalid_argument, "out_of_range", "kind");
    narrow_.products = products_of(find_->env.catalog, *kind);
  }
  // The filter is part of the name: a cursor of one list does not go on in another.
  name_ = "admin_orders/" + wanted_.state + "/" + std::to_string(*from) + "/" +
          std::to_string(*to) + "/" + wanted_.channel + "/" + wanted_.supplier + "/" +
          wanted_.kind + "/" + wanted_.q;
  return true;
}

std::string OrderSearch::shown() const {
  std::string text;
  const auto add = [&text](std::string_view name, std::string_view value) {
    if (!value.empty()) text.append(name).append("=").append(value).append(" ");
  };
  add("state", wanted_.state);
  add("from", wanted_.from_ms);
  add("to", wanted_.to_ms);
  add("channel", wanted_.channel);
  add("supplier", wanted_.supplier);
  add("kind", wanted_.kind);
  add("search", wanted_.q.empty() ? "" : "yes");
  return text;
}

Result<OrderSearch::Page> OrderSearch::page(std::string_view cursor, std::int64_t rows) const {
  const auto place = find_->cursors.place_of(name_, "", cursor);
  if (!place) return tl::unexpected<Error>(place.error());
  Page page;
  find_->env.db.read([&](storage::Reader& reader) { page = look(reader, OrderId(*place), rows); });
  if (page.orders.size() > static_cast<std::size_t>(rows)) {
    page.orders.pop_back();
    page.next_cursor = find_->cursors.make(name_, "", page.orders.back().id.text);
    page.looked_to = OrderId();
  } else if (!page.looked_to.empty()) {
    page.next_cursor = find_->cursors.make(name_, "", page.looked_to.text);
  }
  return page;
}

OrderSearch::Page OrderSearch::look(storage::Reader& reader, const OrderId& before,
                                    std::int64_t rows) const {
  if (wanted_.q.empty()) return list(reader, base_, before, rows + 1);
  Page found;
  found.orders = by_reference(reader);
  if (!found.orders.empty()) return found;
  for (Selection reading : readings_of(*find_, wanted_.q)) {
    reading.states = base_.states;
    reading.from_ms = base_.from_ms;
    reading.to_ms = base_.to_ms;
    found = list(reader, reading, before, rows + 1);
    if (!found.orders.empty() || !found.looked_to.empty()) return found;
  }
  return found;
}

std::vector<orders::Order> OrderSearch::by_reference(storage::Reader& reader) const {
  std::vector<orders::Order> found;
  std::vector<std::string> channels;
  for (const auto& channel : find_->channels.all()) channels.emplace_back(channel->name());
  for (const OrderId& id : orders::order_store::find_by_reference(reader, wanted_.q, channels)) {
    if (auto order = orders::order_store::find(reader, id); order && fits(reader, *order))
      found.push_back(std::move(*order));
  }
  return found;
}

OrderSearch::Page OrderSearch::list(storage::Reader& reader, const Selection& wanted,
                                    const OrderId& before, std::int64_t rows) const {
  Page page;
  if (narrow_.is_none()) {
    page.orders = orders::order_store::list(reader, wanted, before, rows);
    return page;
  }
  const auto found = orders::order_narrow_store::list(reader, wanted, narrow_, before, rows);
  page.looked_to = found.looked_to;
  for (const OrderId& id : found.ids) {
    if (auto order = orders::order_store::find(reader, id))
      page.orders.push_back(std::move(*order));
  }
  return page;
}

bool OrderSearch::fits(storage::Reader& reader, const orders::Order& order) const {
  if (!base_.states.empty() && base_.states.front() != order.state) return false;
  if (base_.from_ms != 0 && order.created_at_ms < base_.from_ms) return false;
  if (base_.to_ms != 0 && order.created_at_ms >= base_.to_ms) return false;
  if (!narrow_.products.empty() &&
      narrow_.products.find("|" + order.product.text + "|") == std::string::npos)
    return false;
  const auto has = [](const auto& rows, const auto& is) {
    for (const auto& row : rows) {
      if (is(row)) return true;
    }
    return false;
  };
  if (!narrow_.channel.empty() &&
      !has(payments::payment_store::attempts_of(reader, order.id),
           [this](const auto& attempt) { return attempt.channel == narrow_.channel; }))
    return false;
  return narrow_.supplier.empty() ||
         has(suppliers::supplier_store::attempts_of(reader, order.id),
             [this](const auto& attempt) { return attempt.supplier == narrow_.supplier; });
}

}  // namespace topup::http::routes
