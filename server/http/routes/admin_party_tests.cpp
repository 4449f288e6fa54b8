// Asks an outside party something that changes nothing there, so that staff see whether the keys
// and the way to it work: a supplier for our balance, a payment channel for a payment that never
// was.
#include <string>
#include <variant>

#include "server/audit/audit_log.h"
#include "server/http/routes/mounts.h"

namespace topup::http::routes {
namespace {

using base::Json;

struct Heard {
  bool is_well = false;
  std::string said;  // the party's word, or what went wrong on the way
};

Heard ask(suppliers::Supplier& supplier) {
  const auto balance = supplier.balance();
  if (balance) {
    return {true, decimal_text(*balance) + " " + std::string(to_word(balance->currency))};
  }
  return {balance.error().reason == "not_offered", std::string(balance.error().reason)};
}

Heard ask(payments::PayChannel& channel, std::int64_t now_ms) {
  const auto answer = channel.query(OutTradeNo("TEST" + std::to_string(now_ms)));
  if (const auto* fail = std::get_if<payments::DefiniteFail>(&answer)) return {false, fail->code()};
  if (const auto* unknown = std::get_if<payments::Unknown>(&answer)) return {false, unknown->why};
  return {true, "no_such_payment"};
}

}  // namespace

void mount_admin_party_tests(Router& router, storage::Db& db, const base::Clock& clock,
                             const suppliers::Suppliers& suppliers,
                             const payments::Channels& channels) {
  router.add({"POST", "/api/admin/parties/{party}/test", Auth::staff, "catalog.write",
              Pool::outside, 64, false, Rate::costly, Audited::yes, Level::maintenance,
              [&](const Request& request) -> Result<Response> {
                if (const auto plain = base::no_fields_in(request.body); !plain)
                  return tl::unexpected<Error>(plain.error());
                const std::string party(request.capture("party"));
                suppliers::Supplier* supplier = suppliers.find(party);
                payments::PayChannel* channel = channels.find(party);
                if (supplier == nullptr && channel == nullptr)
                  return refuse(Code::not_found, "party_unknown", "party");
                const std::int64_t began = clock.mono_ms();
                const Heard heard =
                    supplier != nullptr ? ask(*supplier) : ask(*channel, clock.wall_ms());
                const std::int64_t took = clock.mono_ms() - began;
                db.write([&](storage::Tx& tx) {
                  audit::append(tx,
                                {"staff:" + request.staff.text, "party.tested", "party:" + party,
                                 heard.is_well ? "answered" : heard.said},
                                request.trace, clock.wall_ms());
                  return true;
                });
                return Response::json({{"party", party},
                                       {"kind", supplier != nullptr ? "supplier" : "channel"},
                                       {"ok", heard.is_well},
                                       {"said", heard.said},
                                       {"took_ms", took}});
              }});
}

}  // namespace topup::http::routes
