// Outbound HTTP, one Outbound per outside party: its own small pool of kept-alive connections, one
// total deadline per call (a watchdog closes the socket, so a slow drip cannot outlive it), a size
// cap on the answer, no redirects, no decompression, certificates and host names verified for
// https. A call never throws for what the other side does. Thread-safe. A call that ends as
// not_sent never put a byte of the request on the wire: repeating it is always safe. Nothing is
// repeated silently: a kept-alive connection is tested before use, and only a request of which
// certainly nothing was sent moves on to a fresh connection. An https origin given by name must
// resolve to public addresses, and the address really connected to is looked at once more before
// anything is sent; an origin given as a number or as localhost is the operator's own choice. A
// circuit breaker stands before each party: an answer of 500 and above, no answer and not_sent
// count against it. Callers beyond max_connections wait while others get answers; once the party
// has answered nobody for two seconds, and beyond max_waiters, they are refused. No
// other file opens a connection (scripts/tidy.py). The current trace travels as `traceparent`. Each
// call leaves one log line, "outbound", without bodies, header values or the query. SIGPIPE is
// ignored from the first make_outbound() on, for the whole process.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/base/circuit_breaker.h"
#include "server/base/clock.h"
#include "server/base/resolver.h"

namespace topup::base {

struct OutboundRequest {
  std::string method;  // GET, POST
  std::string target;  // path with query, percent-encoded
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::int64_t deadline_ms = 10'000;  // for the whole call, at most kMaxDeadlineMs
  std::size_t most_answer_bytes = 0;  // of the body, at most kMaxFileBytes; 0: kMaxAnswerBytes
};

struct OutboundReply {
  enum class Kind { answered, not_sent, no_answer };
  Kind kind = Kind::not_sent;  // no_answer: bytes may have arrived; the outcome is unknown
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string failure;  // a stable word: connect_failed, tls_failed, address_refused, deadline,
                        // answer_too_large, connection_lost, circuit_open, party_busy; empty when
                        // answered
  std::string header(std::string_view name) const;  // case-insensitive; "" when absent
};

inline constexpr std::int64_t kMaxDeadlineMs = 30'000;
inline constexpr std::size_t kMaxAnswerBytes = 256 * 1024;  // of the body, unless it is a file
inline constexpr std::size_t kMaxFileBytes = 64 * 1024 * 1024;
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

struct OutboundOptions {
  int max_connections = 8;   // calls at once, 1 to 64
  int max_waiters = 64;      // callers that wait for one of them, within their own deadlines
  std::string ca_file;       // PEM: the only authorities trusted, instead of the system's
  bool public_only = false;  // the origin came from outside: a private number is refused as well
  BreakerRules breaker;
  const Clock* clock = nullptr;  // of the breaker; the system's when left out; outlives the client
  Resolver::Lookup lookup;       // stands in for the system's name lookup
};

// What make_outbound() takes for an origin, which is checked there: a wrong one is our own bug.
bool is_origin(const std::string& text);

// origin: "https://api.mch.weixin.qq.com" or "http://127.0.0.1:9000". `party` labels metrics and
// logs.
std::unique_ptr<Outbound> make_outbound(std::string party, std::string origin,
                                        const OutboundOptions& options);
std::unique_ptr<Outbound> make_outbound(std::string party, std::string origin,
                                        int max_connections = 8);

}  // namespace topup::base
