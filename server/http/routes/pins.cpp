// PINs: staff fill the stock and see how much is left; a buyer looks at what was delivered. A code
// is opened for nobody else, and each look is written down.
#include "server/http/routes/pins.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "server/audit/audit_log.h"
#include "server/base/json.h"
#include "server/jobs/outbox.h"
#include "server/orders/pin_reveal.h"
#include "server/suppliers/pin_stock.h"
#include "server/suppliers/pin_store.h"
#include "shared/phone.h"

namespace topup::http::routes {
namespace {

using base::Json;
using base::money_out;
namespace pin_store = suppliers::pin_store;

constexpr std::size_t kMaxBody = 64 * 1024;
constexpr std::size_t kMostPins = 500;
constexpr std::int64_t kMaxFaceMinor = 100'000'000;

bool is_code(const std::string& text) {
  return text.size() >= 4 && text.size() <= 64 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

Result<suppliers::PinProduct> product_in(const Json& body) {
  suppliers::PinProduct product;
  for (const auto& [key, out] : {std::pair<const char*, std::string*>{"sku", &product.sku},
                                 {"country", &product.country},
                                 {"operator", &product.operator_name},
                                 {"name", &product.name}}) {
    auto text = base::text_in(body, key, 64);
    if (!text) return tl::unexpected<Error>(text.error());
    if (text->empty()) return refuse(Code::invalid_argument, "missing_field", key);
    *out = std::move(*text);
  }
  if (!is_country(product.country))
    return refuse(Code::invalid_argument, "out_of_range", "country");
  const auto face = base::money_in(body, "face", kMaxFaceMinor);
  if (!face) return tl::unexpected<Error>(face.error());
  product.face = *face;
  if (body.contains("cost")) {
    const auto cost = base::money_in(body, "cost", kMaxFaceMinor);
    if (!cost) return tl::unexpected<Error>(cost.error());
    product.cost = *cost;
  }
  if (body.contains("validity_days")) {
    const auto days = base::integer_in(body, "validity_days", 0, 3'650);
    if (!days) return tl::unexpected<Error>(days.error());
    product.validity_days = static_cast<std::uint32_t>(*days);
  }
  return product;
}

Result<std::vector<suppliers::Pin>> pins_in(const Json& body) {
  const auto found = body.find("pins");
  if (found == body.end()) return refuse(Code::invalid_argument, "missing_field", "pins");
  if (!found->is_array()) return refuse(Code::invalid_argument, "wrong_type", "pins");
  if (found->empty() || found->size() > kMostPins)
    return refuse(Code::invalid_argument, "out_of_range", "pins");
  std::vector<suppliers::Pin> pins;
  for (const Json& row : *found) {
    if (const auto only = base::only_fields(row, {"code", "serial", "expires_at_ms"}); !only)
      return tl::unexpected<Error>(only.error());
    suppliers::Pin pin;
    auto code = base::text_in(row, "code", 64);
    if (!code) return tl::unexpected<Error>(code.error());
    if (!is_code(*code)) return refuse(Code::invalid_argument, "out_of_range", "code");
    pin.code = std::move(*code);
    if (row.contains("serial")) {
      auto serial = base::text_in(row, "serial", 64);
      if (!serial) return tl::unexpected<Error>(serial.error());
      pin.serial = std::move(*serial);
    }
    if (row.contains("expires_at_ms")) {
      const auto expires = base::integer_in(row, "expires_at_ms", 0, kMaxMinor);
      if (!expires) return tl::unexpected<Error>(expires.error());
      pin.expires_at_ms = *expires;
    }
    pins.push_back(std::move(pin));
  }
  return pins;
}

Result<Response> import(const PinParts& parts, const Request& request) {
  const auto body = base::json_in(request.body, kMaxBody);
  if (!body) return tl::unexpected<Error>(body.error());
  if (const auto only = base::only_fields(
          *body, {"sku", "country", "operator", "name", "face", "cost", "validity_days", "pins"});
      !only)
    return tl::unexpected<Error>(only.error());
  const auto product = product_in(*body);
  if (!product) return tl::unexpected<Error>(product.error());
  const auto pins = pins_in(*body);
  if (!pins) return tl::unexpected<Error>(pins.error());
  const std::int64_t now = parts.clock.wall_ms();
  std::vector<suppliers::NewPin> rows;
  for (const suppliers::Pin& pin : *pins) {
    rows.push_back({base::new_id(parts.random, now), pin, product->sku,
                    std::string(suppliers::kStock), "staff:" + request.staff.text});
  }
  std::int64_t added = 0;
  parts.db.write([&](storage::Tx& tx) {
    added = 0;
    pin_store::save_product(tx, *product, "staff:" + request.staff.text, now);
    for (const suppliers::NewPin& row : rows) added += pin_store::add(tx, parts.pii, row, now);
    audit::append(tx,
                  {"staff:" + request.staff.text, "pins.imported", "pins:" + product->sku,
                   std::to_string(added) + " of " + std::to_string(rows.size())},
                  request.trace, now);
    (void)jobs::outbox::bring_forward(tx, "catalog_sync", suppliers::kStock, now);
    tx.after_commit(parts.wake_jobs);
    return true;
  });
  return Response::json(
      {{"added", added}, {"known", static_cast<std::int64_t>(rows.size()) - added}});
}

Result<Response> stock(const PinParts& parts) {
  Json products = Json::array();
  parts.db.read([&](storage::Reader& reader) {
    const auto counts = pin_store::counts(reader, parts.clock.wall_ms());
    for (const suppliers::PinProduct& product : pin_store::products(reader, "")) {
      Json row = {{"sku", product.sku},
                  {"country", product.country},
                  {"operator", product.operator_name},
                  {"name", product.name},
                  {"face", money_out(product.face)},
                  {"validity_days", product.validity_days},
                  {"available", 0},
                  {"held", 0},
                  {"delivered", 0}};
      if (product.cost.minor > 0) row["cost"] = money_out(product.cost);
      for (const suppliers::PinCount& count : counts) {
        if (count.sku != product.sku) continue;
        row["available"] = count.available;
        row["held"] = count.held;
        row["delivered"] = count.delivered;
      }
      products.push_back(std::move(row));
    }
  });
  return Response::json({{"products", products}});
}

Result<Response> reveal(const PinParts& parts, const Request& request) {
  if (const auto plain = base::no_fields_in(request.body); !plain)
    return tl::unexpected<Error>(plain.error());
  const OrderId id(std::string(request.capture("order_id")));
  const auto pins = orders::reveal_pins(parts.db, parts.clock, parts.pii, request.user, id);
  if (!pins) return tl::unexpected<Error>(pins.error());
  Json rows = Json::array();
  for (const suppliers::Pin& pin : *pins) {
    Json row = {{"code", pin.code}};
    if (!pin.serial.empty()) row["serial"] = pin.serial;
    if (pin.expires_at_ms > 0) row["expires_at_ms"] = pin.expires_at_ms;
    rows.push_back(std::move(row));
  }
  return Response::json({{"pins", rows}});
}

}  // namespace

void mount_pins(Router& router, const PinParts& parts) {
  router.add({"POST", "/api/v1/orders/{order_id}/pins", Auth::buyer, "", Pool::store, 64, false,
              Rate::costly, Audited::yes, Level::maintenance,
              [parts](const Request& request) { return reveal(parts, request); }});
  router.add({"GET", "/api/admin/pins", Auth::staff, "catalog.read", Pool::compute, 0, false,
              Rate::read, Audited::no, Level::maintenance,
              [parts](const Request&) { return stock(parts); }});
  router.add({"POST", "/api/admin/pins", Auth::staff, "catalog.write", Pool::store, kMaxBody, true,
              Rate::write, Audited::yes, Level::maintenance,
              [parts](const Request& request) { return import(parts, request); }});
}

}  // namespace topup::http::routes
