// The route table as data, and the one place where a request meets its handler: match, limit,
// authenticate, replay by idempotency key, call, catch. No std::regex anywhere. Patterns are
// literal segments and {name} captures of one segment.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/base/clock.h"
#include "server/base/json.h"
#include "shared/ids.h"
#include "shared/result.h"

namespace topup::http {

enum class Auth : std::uint8_t {
  none,   // open to all
  buyer,  // a buyer's session token: Authorization: Bearer
  staff,  // a console session: its cookie, __Host-topup_staff or topup_staff; writes need our
          // Origin
  party,  // an outside party: the handler verifies its signature over the raw body
};
enum class Pool : std::uint8_t {
  compute,  // only computes or reads the store: workers ≈ cores
  store,    // waits for a durable commit: many cheap waiting workers, one fsync serves them all
  outside,  // calls an outside party: its own workers, so that a slow channel never stops a read
};

// Which token bucket pays for a request; the sizes stand beside the limiter.
enum class Rate : std::uint8_t {
  free,     // probes and outside parties: never limited here
  read,     // shows what is stored
  write,    // changes something of one's own
  costly,   // calls an outside party or computes much
  sign_in,  // proves who one is
  message,  // sends a message to a person, which costs money
};
// How far the shop is degraded (features F018 to F021). A route answers up to its last level.
enum class Level : std::uint8_t { normal, no_marketing, simple_pages, maintenance };
enum class Audited : std::uint8_t { no, yes };  // yes: its change writes an audit row, or fails

std::string_view word_of(Auth auth);
std::string_view word_of(Rate rate);
std::string_view word_of(Level level);

struct Request {
  std::string method;
  std::string path;                                           // decoded path without query
  std::vector<std::pair<std::string, std::string>> captures;  // {name} → value
  std::vector<std::pair<std::string, std::string>> query;     // decoded
  std::vector<std::pair<std::string, std::string>> headers;   // names lower case
  std::string body;
  std::string client_address;
  bool is_secure = false;  // came over TLS, here or to a trusted proxy
  TraceId trace;
  UserId user;             // set for Auth::buyer
  StaffId staff;           // set for Auth::staff
  std::string session_id;  // of the buyer's or staff session
  std::string_view header(std::string_view lower_case_name) const;
  std::string_view cookie(std::string_view name) const;  // the first of that name; "" when absent
  std::string_view capture(std::string_view name) const;
  std::string_view query_value(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  // Set by problem() and its kin for the one log line; neither sent nor stored.
  std::string_view problem_reason = {};
  std::string_view problem_field = {};
  static Response json(const base::Json& value, int status = 200);
};

using Handler = std::function<Result<Response>(const Request&)>;

struct Route {
  std::string_view method;
  std::string_view pattern;
  Auth auth;                    // no default: a route without one does not compile
  std::string_view permission;  // "" only with Auth::none, buyer or party
  Pool pool;
  std::size_t body_limit;  // 0 where no body is taken
  bool idempotent_by_key;  // requires and replays Idempotency-Key
  Rate rate;
  Audited audited;   // staff routes that change something must be
  Level last_level;  // above it the answer is 503 degraded; Level::maintenance: always served
  Handler handler;
};

// Sessions as the router sees them; implemented over server/auth and wired in app.cpp.
class Sessions {
 public:
  virtual ~Sessions() = default;
  // Fills user/staff/session_id, or unauthenticated/session_missing, session_ended,
  // forbidden/permission_missing.
  virtual Result<bool> authenticate(Auth auth, std::string_view permission, Request& request) = 0;
};

// Stored answers by (owner, key); implemented over the store. Errors:
// conflict/idempotency_in_flight, rejected/idempotency_key_reused (same key, other body),
// invalid_argument/idempotency_key_malformed.
class IdempotencyStore {
 public:
  virtual ~IdempotencyStore() = default;
  // The stored answer of this key and body; nothing when it is new and now claimed by us.
  virtual Result<std::optional<Response>> claim(std::string_view owner, std::string_view key,
                                                std::string_view fingerprint) = 0;
  virtual void keep(std::string_view owner, std::string_view key, const Response& response) = 0;
  // Nothing was done: may be tried again.
  virtual void release(std::string_view owner, std::string_view key) = 0;
};

class RateLimits;  // rate_limits.h

class Router {  // thread-safe once every route is added
 public:
  Router(Sessions& sessions, IdempotencyStore& idempotency);
  // check()s for doubles, missing permissions, malformed patterns, and keys without an owner (only
  // buyer and staff have one).
  void add(Route route);
  // `path` as sent, without the query: it is decoded segment by segment, so that %2f never becomes
  // a slash. A literal wins over a capture. Nothing for empty segments, '.', '..', a backslash,
  // broken escapes or bytes that are not UTF-8.
  const Route* match(std::string_view method, std::string_view path,
                     std::vector<std::pair<std::string, std::string>>* captures) const;
  bool knows_path(std::string_view path) const;              // for 405 instead of 404
  std::string allowed_methods(std::string_view path) const;  // "GET, POST", for the Allow header
  // Never throws: an exception becomes a 500 problem document that says nothing but the trace id.
  Response handle(const Route& route, Request request) const;
  const std::vector<Route>& routes() const { return routes_; }
  // Hears of every answer with the time its handler took; set once before the first request.
  // `response` carries the reason of a refusal.
  using Observer =
      std::function<void(const Route& route, const Response& response, std::int64_t elapsed_us)>;
  void observe(const base::Clock& clock, Observer observer);
  // Both are set once before the first request; without them nothing is limited and every route is
  // served. `limits` must outlive this. A gate stands behind authentication: it knows who asks, and
  // its answer, when it gives one, is the answer.
  void limit(RateLimits& limits) { limits_ = &limits; }
  using Gate = std::function<std::optional<Response>(const Route&, const Request&)>;
  void guard(Gate gate) { gate_ = std::move(gate); }

 private:
  struct Node {                                                 // one place in the tree of segments
    std::vector<std::pair<std::string, std::size_t>> literals;  // sorted; → index into nodes_
    std::size_t capture = 0;          // index into nodes_; 0: none (0 is the root)
    std::vector<std::size_t> routes;  // indices into routes_, one per method
  };
  using Segments = std::vector<std::string>;
  std::size_t child(std::size_t node, std::string_view segment);
  const Route* find(std::size_t node, const Segments& segments, std::size_t depth,
                    std::string_view method) const;
  void collect(std::size_t node, const Segments& segments, std::size_t depth,
               std::vector<std::string_view>* methods) const;
  Response answer(const Route& route, Request& request) const;
  std::optional<Response> refusal(const Route& route, Request& request) const;
  Response answer_once(const Route& route, const Request& request) const;

  Sessions& sessions_;
  IdempotencyStore& idempotency_;
  const base::Clock* clock_ = nullptr;
  Observer observer_;
  RateLimits* limits_ = nullptr;
  Gate gate_;
  std::vector<Route> routes_;
  std::vector<Node> nodes_{1};
};

inline constexpr std::size_t kMaxPathSegments = 16;
inline constexpr std::size_t kMaxQueryValues = 64;

// [A-Za-z0-9_-], at least `min` and at most `max` of them: keys and names that clients make up.
bool is_opaque_word(std::string_view text, std::size_t min, std::size_t max);
// Decoded segments of a path as sent; nothing for what match() refuses.
std::optional<std::vector<std::string>> path_segments(std::string_view path);
// Decoded names and values; nothing for more than kMaxQueryValues, broken escapes or bytes that are
// not UTF-8.
std::optional<std::vector<std::pair<std::string, std::string>>> query_values(
    std::string_view query);

// RFC 9457 problem document: type, title, status, code, reason, field, detail, trace_id.
Response problem(const Error& error, const TraceId& trace);
// The same with more members, e.g. {"quote": …} for price_changed. `extra` must be an object; it
// never overrides.
Response problem_with(const Error& error, const TraceId& trace, base::Json extra);
// For refusals that no Code names: 405, 408, 411, 413, 414, 415, 431, 500, 501. `reason` is static
// text.
Response problem_of_status(int status, std::string_view reason, const TraceId& trace);
int status_of(Code code);
std::string_view word_of(Code code);
// One line "request_refused" for an answer of 400 and above; `pattern` is the route's, or "" when
// none matched.
void log_refusal(const Response& response, std::string_view method, std::string_view pattern);

}  // namespace topup::http
