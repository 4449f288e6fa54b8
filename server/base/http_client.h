// Outbound HTTP, one Outbound per outside party: its own small pool of kept-alive connections, one
// total deadline per call (a watchdog closes the socket, so a slow drip cannot outlive it), a size
// cap on the answer, no redirects, no decompression, certificates and host names verified for
// https. A call never throws for what the other side does. Thread-safe. A call that ends as
// not_sent never put a byte of the request on the wire: repeating it is always safe. Nothing is
// repeated silently: a kept-alive connection is tested before use, and only a request of which
// certainly nothing was sent moves on to a fresh connection. An https origin given by name must
// resolve to public addresses; an origin given as a number or as localhost is the operator's own
// choice. The current trace travels as `traceparent`. Each call leaves one log line, "outbound",
// without bodies, header values or the query. SIGPIPE is ignored from the first make_outbound() on,
// for the whole process.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace topup::base {

struct OutboundRequest {
  std::string method;  // GET, POST
  std::string target;  // path with query, percent-encoded
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::int64_t deadline_ms = 10'000;  // for the whole call, at most kMaxDeadlineMs
};

struct OutboundReply {
  enum class Kind { answered, not_sent, no_answer };
  Kind kind = Kind::not_sent;  // no_answer: bytes may have arrived; the outcome is unknown
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string failure;  // a stable word: connect_failed, tls_failed, address_refused, deadline,
                        // answer_too_large, connection_lost; empty when answered
  std::string header(std::string_view name) const;  // case-insensitive; "" when absent
};

inline constexpr std::int64_t kMaxDeadlineMs = 30'000;
inline constexpr std::size_t kMaxAnswerBytes = 256 * 1024;     // of the body
inline constexpr std::size_t kMaxAnswerHeadBytes = 32 * 1024;  // status line and headers together
inline constexpr std::size_t kMaxAnswerHeadLine = 4 * 1024;

class Outbound {
 public:
  virtual ~Outbound() = default;
  virtual OutboundReply call(const OutboundRequest& request) = 0;
};

// Called once per call, from the calling thread; `outcome` is "2xx" … "5xx" or the failure word. It
// must not throw. Replaces the observer before it; an empty function removes it.
using OutboundObserver =
    std::function<void(std::string_view party, std::string_view outcome, std::int64_t elapsed_ms)>;
void set_outbound_observer(OutboundObserver observer);

// origin: "https://api.mch.weixin.qq.com" or "http://127.0.0.1:9000". `party` labels metrics and
// logs. At most max_connections calls run at once; a caller waits for its turn within its own
// deadline.
std::unique_ptr<Outbound> make_outbound(std::string party, std::string origin,
                                        int max_connections = 8);

}  // namespace topup::base
