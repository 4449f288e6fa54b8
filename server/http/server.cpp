#include "server/http/server.h"

#include <httplib.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "server/base/log.h"
#include "server/base/pool.h"
#include "server/base/span.h"
#include "server/http/message.h"
#include "server/http/static_files.h"
#include "shared/check.h"

namespace topup::http {
namespace {

constexpr std::size_t kUnknownPathBodyBytes =
    64 * 1024;  // read and thrown away, so that the answer is 404
// How long a client waits for its answer: outside calls have a deadline of their own below it.
constexpr std::int64_t kAnswerMs = 30'000;
constexpr std::int64_t kOutsideAnswerMs = 60'000;
constexpr std::int64_t kShortBodyBytes = 64 * 1024;
constexpr std::int64_t kShortBodyMs = 10'000;
constexpr std::int64_t kSlowestSenderBytesPerMs = 32;  // of a longer body
constexpr std::time_t kKeepAliveSeconds = 30;  // what the Keep-Alive header says; the door decides
constexpr std::size_t kKeepAliveRequests = 1'000'000;

// A judged request that waits for a worker.
struct Exchange {
  const Route* route = nullptr;
  std::string path;  // as sent
  Request request;
  TraceId trace;
  bool keep_alive = true;
  Answer answer;
};

// Adds what every answer of the router carries.
void dress(Response& response, const TraceId& trace) {
  std::erase_if(response.headers,
                [](const auto& field) { return !is_clean_header(field.first, field.second); });
  const auto has = [&response](std::string_view name) {
    return std::any_of(response.headers.begin(), response.headers.end(),
                       [name](const auto& field) { return same_word(field.first, name); });
  };
  if (!has("Cache-Control")) response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back("X-Trace-Id", trace.text);
}

// What cpp-httplib reads a request from and writes an answer to.
class MemoryStream final : public httplib::Stream {
 public:
  MemoryStream(std::string in, const std::string& client) : in_(std::move(in)), client_(client) {}

  bool is_readable() const override { return read_ < in_.size(); }
  bool is_writable() const override { return true; }
  ssize_t read(char* to, std::size_t size) override {
    const std::size_t count = std::min(size, in_.size() - read_);
    std::memcpy(to, in_.data() + read_, count);
    read_ += count;
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* from, std::size_t size) override {
    out_.append(from, size);
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    ip = client_;
    port = 0;
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override {
    ip.clear();
    port = 0;
  }
  socket_t socket() const override { return INVALID_SOCKET; }
  std::string take() { return std::move(out_); }

 private:
  std::string in_;
  const std::string& client_;
  std::size_t read_ = 0;
  std::string out_;
};

// RFC 9110 §8.6 and §15.4.5: answers without content name no length.
void drop_empty_length(std::string& bytes) {
  constexpr std::string_view kEmpty = "Content-Length: 0\r\n";
  const std::size_t at = bytes.find(kEmpty);
  if (at != std::string::npos && at < bytes.find("\r\n\r\n")) bytes.erase(at, kEmpty.size());
}

// cpp-httplib without its listener, one for each worker. It is given a head rebuilt from the judged
// request (it decodes header values and unpacks bodies, which nobody here wants), calls the router
// before any routing of its own, and writes the answer.
class Engine final : public httplib::Server {
 public:
  explicit Engine(const Router& router) : router_(router) {
    set_keep_alive_timeout(kKeepAliveSeconds);
    set_keep_alive_max_count(kKeepAliveRequests);
    set_pre_routing_handler([this](const httplib::Request&, httplib::Response& out) {
      respond(out);
      return HandlerResponse::Handled;
    });
    // The router lets nothing through; without a handler cpp-httplib would send what() to the
    // client.
    set_exception_handler([](const httplib::Request&, httplib::Response& out, std::exception_ptr) {
      out.status = 500;
    });
  }

  std::string run(Exchange& exchange) {
    current_ = &exchange;
    handled_ = false;
    std::string head = exchange.request.method + " " + exchange.path + " HTTP/1.1\r\n";
    head += exchange.keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
    const std::string client = exchange.request.client_address;
    MemoryStream stream(std::move(head), client);
    bool closed = false;
    process_request(stream, !exchange.keep_alive, closed, nullptr);
    check(handled_, "cpp-httplib reads what we wrote");
    std::string bytes = stream.take();
    if (status_ == 204 || status_ == 304) drop_empty_length(bytes);
    return bytes;
  }

 private:
  void respond(httplib::Response& out) {
    handled_ = true;
    Response response = router_.handle(*current_->route, std::move(current_->request));
    dress(response, current_->trace);
    out.status = status_ = response.status;
    for (const auto& [name, value] : response.headers) out.set_header(name, value);
    for (const auto& [name, value] : kSafetyHeaders) {
      out.set_header(std::string(name), std::string(value));
    }
    if (!response.body.empty()) out.set_content(response.body, response.content_type);
  }

  const Router& router_;
  Exchange* current_ = nullptr;
  bool handled_ = false;
  int status_ = 0;
};

void serve(Engine& engine, Exchange& exchange) {
  std::string bytes;
  try {
    bytes = engine.run(exchange);
  } catch (const std::exception& failure) {
    base::log(base::Level::error, "engine_threw", {{"what", failure.what()}});
    exchange.keep_alive = false;
    bytes = answer_bytes(problem_of_status(500, "internal_failure", exchange.trace), false);
  }
  exchange.answer(std::move(bytes), exchange.keep_alive);
}

using WorkerPool = base::Pool<Exchange>;

WorkerPool::Make engine_for(const Router& router) {
  return [&router] {
    return [engine = std::make_shared<Engine>(router)](Exchange& exchange) {
      serve(*engine, exchange);
    };
  };
}

constexpr std::string_view kPreview = "/preview";

// 'self' covers a WebSocket to the page's own origin (CSP 3 §6.7.2.8).
std::string content_security_policy(std::string_view styles, const std::string& connect_src) {
  std::string policy =
      "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' data:; "
      "worker-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; style-src ";
  policy.append(styles).append("; connect-src 'self'");
  if (!connect_src.empty()) policy.append(" ").append(connect_src);
  check(is_clean_header("Content-Security-Policy", policy), "connect_src has no line break");
  return policy;
}

class TopupSite final : public ShopSite {
 public:
  TopupSite(const Router& router, ServerOptions options, std::function<std::string()> new_trace_id)
      : router_(router),
        theme_(std::move(options.theme)),
        new_trace_id_(std::move(new_trace_id)),
        files_(options.pages.valid() ? options.pages.get() : StaticFiles()),
        compute_(options.compute_workers, options.max_queue, engine_for(router)),
        store_(options.store_workers, options.max_queue, engine_for(router)),
        outside_(options.outside_workers, options.max_queue, engine_for(router)) {}

  void set_live(Live live) override { live_ = std::move(live); }

  void stop() override {
    compute_.stop();
    store_.stop();
    outside_.stop();
  }

  std::size_t body_limit(std::string_view method, std::string_view path) override {
    const Route* route = router_.match(method, path, nullptr);
    return route == nullptr ? kUnknownPathBodyBytes : route->body_limit;
  }

  RouteTimes times(std::string_view method, std::string_view path) override {
    const Route* route = router_.match(method, path, nullptr);
    if (route == nullptr) return {};
    RouteTimes times;
    times.answer_ms = route->pool == Pool::outside ? kOutsideAnswerMs : kAnswerMs;
    const auto limit = static_cast<std::int64_t>(route->body_limit);
    if (limit > kShortBodyBytes) times.body_ms = kShortBodyMs + limit / kSlowestSenderBytesPerMs;
    return times;
  }

  void handle(WireRequest wire, Answer answer) override {
    Exchange exchange;
    exchange.path = path_of(wire.target);
    exchange.route = router_.match(wire.method, exchange.path, &exchange.request.captures);
    if (exchange.route == nullptr) return answer_unrouted(wire, answer);
    exchange.trace = trace_for(wire);
    exchange.keep_alive = wire.keep_alive;
    auto query = query_values(query_of(wire.target));
    if (!query) {
      return refuse(problem_of_status(400, "query_malformed", exchange.trace), wire,
                    exchange.route->pattern, exchange.trace, answer);
    }
    Request& request = exchange.request;
    const auto segments = path_segments(exchange.path);
    for (const std::string& segment : *segments) request.path.append("/").append(segment);
    if (segments->empty()) request.path = "/";
    request.query = std::move(*query);
    request.trace = exchange.trace;
    request.method = wire.method;
    request.headers = std::move(wire.headers);
    request.body = std::move(wire.body);
    request.client_address = wire.client_address;
    request.is_secure = wire.is_secure;
    exchange.answer = answer;
    if (pool_of(exchange.route->pool).push(exchange)) return;
    refuse(problem_of_status(503, "server_busy", exchange.trace), wire, exchange.route->pattern,
           exchange.trace, answer);
  }

  bool ws_open(WsId id, const WireRequest& request) override {
    return live_.open && live_.open(id, request);
  }
  void ws_message(WsId id, std::string_view text) override {
    if (live_.message) live_.message(id, text);
  }
  void ws_closed(WsId id) override {
    if (live_.closed) live_.closed(id);
  }

 private:
  WorkerPool& pool_of(Pool pool) {
    if (pool == Pool::compute) return compute_;
    return pool == Pool::store ? store_ : outside_;
  }

  TraceId trace_for(const WireRequest& wire) const {
    const auto given = base::parse_traceparent(header_of(wire, "traceparent"));
    return given ? given->trace : TraceId(new_trace_id_());
  }

  void answer_unrouted(const WireRequest& wire, const Answer& answer) const {
    if (wire.method == "GET" || wire.method == "HEAD") {
      const std::string theme = theme_ ? theme_() : "";
      if (auto bytes = files_.answer(wire, theme))
        return answer(std::move(*bytes), wire.keep_alive);
    }
    const TraceId trace = trace_for(wire);
    const std::string allowed = router_.allowed_methods(path_of(wire.target));
    if (allowed.empty()) {
      return refuse(problem_of_status(404, "path_unknown", trace), wire, "", trace, answer);
    }
    Response response = problem_of_status(405, "method_not_allowed", trace);
    response.headers.emplace_back("Allow", allowed);
    refuse(std::move(response), wire, "", trace, answer);
  }

  // On the I/O thread, for what no worker sees.
  static void refuse(Response response, const WireRequest& wire, std::string_view pattern,
                     const TraceId& trace, const Answer& answer) {
    const base::TraceScope scope(trace);
    log_refusal(response, wire.method, pattern);
    dress(response, trace);
    answer(answer_bytes(response, wire.keep_alive, wire.method == "HEAD"), wire.keep_alive);
  }

  const Router& router_;
  const std::function<std::string()> theme_;
  const std::function<std::string()> new_trace_id_;
  const StaticFiles files_;
  Live live_;
  WorkerPool compute_;
  WorkerPool store_;
  WorkerPool outside_;
};

}  // namespace

Pages read_pages(std::string client_files, std::string console_files, std::string connect_src) {
  const auto read = [client = std::move(client_files), console = std::move(console_files),
                     connect = std::move(connect_src)] {
    StaticFiles files;
    if (!client.empty()) {
      files.mount("/", client, false, content_security_policy("'self'", connect));
      // What the console shows in a frame while staff lays out the page.
      files.add_framed(kPreview, "/index.html");
    }
    // ant-design-vue writes <style> elements at run time.
    if (!console.empty())
      files.mount("/admin/", console, true,
                  content_security_policy("'self' 'unsafe-inline'", connect));
    return files;
  };
  return std::async(std::launch::async, read);
}

std::unique_ptr<ShopSite> make_shop_site(const Router& router, ServerOptions options,
                                         std::function<std::string()> new_trace_id) {
  return std::make_unique<TopupSite>(router, std::move(options), std::move(new_trace_id));
}

}  // namespace topup::http
