// Probes for whoever watches the machine. Healthy: the process answers and its store takes writes.
// Ready: it can take orders, else it says what is missing.
#include "server/base/crypto.h"
#include "server/http/routes/mounts.h"

namespace topup::http::routes {
namespace {

bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address == "::1";
}

// Figures of the business are for whoever sits at the machine and those whom the operator names.
bool may_scrape(const Probes& probes, const Request& request) {
  if (is_loopback(request.client_address)) return true;
  if (base::is_in_any(probes.scrapers, request.client_address)) return true;
  constexpr std::string_view kBearer = "Bearer ";
  const std::string_view shown = request.header("authorization");
  return !probes.scraper_token.empty() && shown.starts_with(kBearer) &&
         base::constant_time_equal(shown.substr(kBearer.size()), probes.scraper_token);
}

}  // namespace

void mount_ops(Router& router, Probes probes) {
  router.add({"GET", "/healthz", Auth::none, "", Pool::compute, 0, false, Rate::free, Audited::no,
              Level::maintenance, [probes](const Request&) -> Result<Response> {
                const std::string_view trouble = probes.trouble();
                if (trouble.empty()) return Response::json({{"status", "alive"}});
                return Response::json({{"status", "failing"}, {"failing", {trouble}}}, 503);
              }});
  router.add({"GET", "/readyz", Auth::none, "", Pool::compute, 0, false, Rate::free, Audited::no,
              Level::maintenance, [probes](const Request&) -> Result<Response> {
                const std::vector<std::string> missing = probes.missing();
                if (missing.empty()) return Response::json({{"status", "ready"}});
                return Response::json({{"status", "not_ready"}, {"missing", missing}}, 503);
              }});
  router.add({"GET", "/metrics", Auth::none, "", Pool::compute, 0, false, Rate::free, Audited::no,
              Level::maintenance, [probes](const Request& request) -> Result<Response> {
                if (!may_scrape(probes, request)) return refuse(Code::forbidden, "scraper_unknown");
                Response response;
                response.content_type = "text/plain; version=0.0.4; charset=utf-8";
                response.body = probes.metrics_text();
                return response;
              }});
}

}  // namespace topup::http::routes
