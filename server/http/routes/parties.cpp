// Where outside parties report. The adapter verifies the raw body; only then a service hears of it.
// A refusal writes nothing and is logged once by the router, with its reason and the trace id.
#include <optional>
#include <utility>

#include "server/http/routes/mounts.h"
#include "server/http/routes/setup.h"
#include "server/parties/notify_probe.h"

namespace topup::http::routes {
namespace {

constexpr std::size_t kMaxNotify = 64 * 1024;

// One address for each channel there is, whether this shop uses it or not.
constexpr std::string_view kNotify = "/notify/";
constexpr std::string_view kNotified[] = {"/notify/wechat", "/notify/alipay"};

// The status is what most parties read, and anything but 2xx makes them send again.
Response refused(const Error& error, const TraceId& trace) {
  Response response = problem(error, trace);
  if (response.status == 403) response.status = 401;
  return response;
}

// Some channels read the body and not the status.
Response worded(Response response, const payments::NotifyAnswer& answer) {
  if (answer.refused.empty()) return response;
  response.body = answer.refused;
  response.content_type = answer.content_type;
  return response;
}

Result<Response> notify(const payments::Channels& channels, const orders::PaymentFlow& flow,
                        std::string_view name, const Request& request) {
  const payments::PayChannel* channel = channels.find(name);
  if (channel == nullptr) return refuse(Code::not_found, "channel_unknown");
  const payments::NotifyAnswer answer = channel->notify_answer();
  const auto heard = channel->parse_notify({request.headers, request.body});
  if (!heard) return worded(refused(heard.error(), request.trace), answer);
  const auto done = flow.on_notification(channel->name(), *heard);
  if (!done) return worded(problem(done.error(), request.trace), answer);
  Response response;
  response.content_type = answer.content_type;
  response.body = answer.heard;
  return response;
}

Result<Response> callback(const suppliers::Suppliers& suppliers, const orders::SupplyFlow& flow,
                          const Request& request) {
  const suppliers::Supplier* supplier = suppliers.find(request.capture("supplier"));
  if (supplier == nullptr) return refuse(Code::not_found, "supplier_unknown");
  const auto attempt = supplier->parse_callback(
      {request.headers, request.body, std::string(request.query_value("token"))});
  if (!attempt) return refused(attempt.error(), request.trace);
  flow.on_hint(*attempt);
  return Response::json({{"status", "noted"}});
}

// The self-test of the shop's own address (parties/notify_probe.h) comes where parties come.
std::optional<Response> probed(const AnswerProbe& answer, const Request& request) {
  const std::string_view nonce = request.header(parties::kProbeHeader);
  if (nonce.empty() || !answer) return std::nullopt;
  const std::string proof = answer(request.path, nonce);
  if (proof.empty()) return std::nullopt;
  return Response::json({{"proof", proof}});
}

}  // namespace

void mount_parties(Router& router, const payments::Channels& channels,
                   const suppliers::Suppliers& suppliers, const orders::PaymentFlow& payments,
                   const orders::SupplyFlow& supply, const AnswerProbe& answer_probe) {
  for (const std::string_view pattern : kNotified) {
    const std::string_view name = pattern.substr(kNotify.size());
    router.add({"POST", pattern, Auth::party, "", Pool::store, kMaxNotify, false, Rate::free,
                Audited::yes, Level::maintenance,
                [&, name, answer_probe](const Request& request) -> Result<Response> {
                  if (auto own = probed(answer_probe, request)) return std::move(*own);
                  return notify(channels, payments, name, request);
                }});
  }
  router.add({"POST", "/callback/{supplier}", Auth::party, "", Pool::store, kMaxNotify, false,
              Rate::free, Audited::no, Level::maintenance,
              [&, answer_probe](const Request& request) -> Result<Response> {
                if (auto own = probed(answer_probe, request)) return std::move(*own);
                return callback(suppliers, supply, request);
              }});
}

}  // namespace topup::http::routes
