// Where outside parties report. The adapter verifies the raw body; only then a service hears of it.
// A refusal writes nothing and is logged once by the router, with its reason and the trace id.
#include "server/http/routes/mounts.h"

namespace topup::http::routes {
namespace {

constexpr std::size_t kMaxNotify = 64 * 1024;

// WeChat Pay reads the status and resends on anything but 2xx; the body is for people.
Response refused(const Error& error, const TraceId& trace) {
  Response response = problem(error, trace);
  if (response.status == 403) response.status = 401;
  return response;
}

Result<Response> notify_wechat(const payments::Channels& channels, const orders::PaymentFlow& flow,
                               const Request& request) {
  const payments::PayChannel* channel = channels.find("wechat");
  if (channel == nullptr) return refuse(Code::not_found, "channel_unknown");
  const auto heard = channel->parse_notify({request.headers, request.body});
  if (!heard) return refused(heard.error(), request.trace);
  const auto done = flow.on_notification(channel->name(), *heard);
  if (!done) return tl::unexpected<Error>(done.error());
  return Response::json({{"code", "SUCCESS"}});
}

Result<Response> callback_reloadly(const suppliers::Suppliers& suppliers,
                                   const orders::SupplyFlow& flow, const Request& request) {
  const suppliers::Supplier* supplier = suppliers.find("reloadly");
  if (supplier == nullptr) return refuse(Code::not_found, "supplier_unknown");
  const auto attempt = supplier->parse_callback({request.headers, request.body});
  if (!attempt) return refused(attempt.error(), request.trace);
  flow.on_hint(*attempt);
  return Response::json({{"status", "noted"}});
}

}  // namespace

void mount_parties(Router& router, const payments::Channels& channels,
                   const suppliers::Suppliers& suppliers, const orders::PaymentFlow& payments,
                   const orders::SupplyFlow& supply) {
  router.add({"POST", "/notify/wechat", Auth::party, "", Pool::store, kMaxNotify, false,
              [&](const Request& request) { return notify_wechat(channels, payments, request); }});
  router.add(
      {"POST", "/callback/reloadly", Auth::party, "", Pool::store, kMaxNotify, false,
       [&](const Request& request) { return callback_reloadly(suppliers, supply, request); }});
}

}  // namespace topup::http::routes
