// Exchange rates as staff see and set them.
#include "server/catalog/exchange_rate_store.h"
#include "server/http/routes/pricing_more.h"
#include "shared/time_point.h"

namespace topup::http::routes {
namespace {

using base::Json;
namespace exchange_rates = catalog::exchange_rates;

constexpr std::size_t kMaxBody = 2'048;
constexpr std::size_t kMaxText = 200;

Json entry_json(const exchange_rates::Entry& entry, std::int64_t now_ms) {
  const bool is_set = entry.set_at_ms > 0;
  Json row = {{"currency", to_word(entry.rate.from)},
              {"rate", rate_text(entry.rate)},
              {"source", is_set ? entry.source : std::string("configuration")},
              {"is_stale", is_set && entry.valid_until_ms <= now_ms}};
  if (is_set) {
    row["set_at_ms"] = entry.set_at_ms;
    row["valid_until_ms"] = entry.valid_until_ms;
    row["reason"] = entry.reason;
    row["set_by"] = entry.set_by;
  }
  return row;
}

Json rates_json(const PricingMore& more) {
  const std::int64_t now = more.clock.wall_ms();
  Json rows = Json::array();
  more.db.read([&](storage::Reader& reader) {
    rows = Json::array();
    for (const auto& entry : exchange_rates::in_force(reader, more.configured)) {
      Json row = entry_json(entry, now);
      row["history"] = Json::array();
      for (const auto& before : exchange_rates::history(reader, entry.rate.from))
        row["history"].push_back(entry_json(before, now));
      rows.push_back(std::move(row));
    }
  });
  return {{"rates", std::move(rows)},
          {"most_drift_bp", exchange_rates::kMostDriftBp},
          {"most_valid_days", exchange_rates::kMostValidDays},
          {"now_ms", now}};
}

Result<std::string> words_in(const Json& body, const char* key) {
  auto text = base::text_in(body, key, kMaxText);
  if (text && text->find_first_not_of(" \t\r\n") == std::string::npos)
    return refuse(Code::invalid_argument, "reason_missing", key);
  return text;
}

Result<exchange_rates::Entry> entry_in(const PricingMore& more, const Request& request) {
  const auto body = base::json_in(request.body);
  if (!body) return tl::unexpected<Error>(body.error());
  const auto only =
      base::only_fields(*body, {"currency", "rate", "valid_days", "source", "reason"});
  if (!only) return tl::unexpected<Error>(only.error());
  const auto word = base::text_in(*body, "currency", 3);
  if (!word) return tl::unexpected<Error>(word.error());
  const auto currency = parse_currency(*word);
  if (!currency) return refuse(Code::invalid_argument, "out_of_range", "currency");
  const auto text = base::text_in(*body, "rate", 24);
  if (!text) return tl::unexpected<Error>(text.error());
  const auto rate = parse_rate(*text, *currency, Currency::cny);
  if (!rate) return refuse(Code::invalid_argument, "out_of_range", "rate");
  const auto days = base::integer_in(*body, "valid_days", 1, exchange_rates::kMostValidDays);
  if (!days) return tl::unexpected<Error>(days.error());
  const auto source = words_in(*body, "source");
  if (!source) return tl::unexpected<Error>(source.error());
  const auto reason = words_in(*body, "reason");
  if (!reason) return tl::unexpected<Error>(reason.error());
  const std::int64_t now = more.clock.wall_ms();
  return exchange_rates::Entry{*rate,   now,     now + *days * kDayMs,
                               *source, *reason, "staff:" + request.staff.text};
}

Result<Response> set(const PricingMore& more, const Request& request) {
  const auto entry = entry_in(more, request);
  if (!entry) return tl::unexpected<Error>(entry.error());
  const auto done = storage::with_tx(more.db, [&](storage::Tx& tx) {
    return exchange_rates::set(tx, more.configured, *entry, request.trace);
  });
  if (!done) return tl::unexpected<Error>(done.error());
  more.publish();
  return Response::json(rates_json(more));
}

}  // namespace

void mount_admin_rates(Router& router, const PricingMore& more) {
  router.add(
      {"GET", "/api/admin/rates", Auth::staff, "catalog.read", Pool::compute, 0, false, Rate::read,
       Audited::no, Level::maintenance,
       [more](const Request&) -> Result<Response> { return Response::json(rates_json(more)); }});
  router.add({"POST", "/api/admin/rates", Auth::staff, "prices.write", Pool::store, kMaxBody, true,
              Rate::write, Audited::yes, Level::maintenance,
              [more](const Request& request) { return set(more, request); }});
}

}  // namespace topup::http::routes
