// Probes for whoever watches the machine. Healthy: the process answers. Ready: it can take orders,
// else it says what is missing.
#include "server/http/routes/mounts.h"

namespace topup::http::routes {
namespace {

// Figures of the business are for whoever sits at the machine; a scraper elsewhere comes through a
// proxy that decides.
bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address == "::1";
}

}  // namespace

void mount_ops(Router& router, Probes probes) {
  router.add({"GET", "/healthz", Auth::none, "", Pool::compute, 0, false,
              [](const Request&) -> Result<Response> {
                return Response::json({{"status", "alive"}});
              }});
  router.add({"GET", "/readyz", Auth::none, "", Pool::compute, 0, false,
              [probes](const Request&) -> Result<Response> {
                const std::vector<std::string> missing = probes.missing();
                if (missing.empty()) return Response::json({{"status", "ready"}});
                return Response::json({{"status", "not_ready"}, {"missing", missing}}, 503);
              }});
  router.add({"GET", "/metrics", Auth::none, "", Pool::compute, 0, false,
              [probes](const Request& request) -> Result<Response> {
                if (!is_loopback(request.client_address))
                  return refuse(Code::forbidden, "loopback_only");
                Response response;
                response.content_type = "text/plain; version=0.0.4; charset=utf-8";
                response.body = probes.metrics_text();
                return response;
              }});
}

}  // namespace topup::http::routes
