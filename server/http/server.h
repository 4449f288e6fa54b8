// The shop's site behind the door: static files from a table built at start, the router behind
// cpp-httplib's process_request on an in-memory stream, and the worker pools. cpp-httplib's own
// listener is never opened.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>

#include "server/http/front.h"
#include "server/http/router.h"
#include "server/http/static_files.h"

namespace topup::http {

// The pages of a site, read on a thread of their own: hundreds of files are a fifth of a start,
// which has other things to do meanwhile. Of the client at /, of the console at /admin/; "" for
// none. connect_src: origins that pages may also connect to (CSP connect-src), blank-separated.
// What cannot be read is thrown by whoever takes the pages, as StaticFiles::mount() would.
using Pages = std::future<StaticFiles>;
Pages read_pages(std::string client_files, std::string console_files, std::string connect_src = {});

struct ServerOptions {
  int compute_workers = 2;
  int store_workers = 64;
  int outside_workers = 16;
  std::size_t max_queue = 4'096;  // requests waiting per pool; above it 503 with Retry-After
  Pages pages = {};               // none: no pages are served
  // The theme that buyers' pages wear now; asked on the I/O thread, so it must not wait. "" or a
  // theme the build has no page for: index.html as it is.
  std::function<std::string()> theme = {};
};

class ShopSite : public Site {  // thread-safe after construction
 public:
  // Starts and ends the WebSocket side of a connection; set before the door starts.
  struct Live {
    std::function<bool(WsId, const WireRequest&)> open;
    std::function<void(WsId, std::string_view)> message;
    std::function<void(WsId)> closed;
  };
  virtual void set_live(Live live) = 0;
  virtual void stop() = 0;  // finishes queued work, joins the workers
};

// Waits for the pages.
std::unique_ptr<ShopSite> make_shop_site(const Router& router, ServerOptions options,
                                         std::function<std::string()> new_trace_id);

}  // namespace topup::http
