// The door: the only code that touches a client's socket, and the only user of Boost.Beast. It
// reads one complete request within its limits and times, lets judge() decide, hands a normalised
// copy on, and writes the answer bytes it is given. Slow, idle and WebSocket connections cost no
// worker thread. Several listeners (the shop, each rehearsed party) share its I/O threads; each may
// speak TLS. Thread-safe after start().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/http/address.h"

namespace topup::http {

struct Limits {
  std::size_t max_head_bytes = 16 * 1024;
  std::size_t max_headers = 64;
  std::size_t max_target_bytes = 2 * 1024;
  std::size_t max_body_bytes = 1u << 20;      // for any route; Site::body_limit narrows it
  std::size_t max_bodies_bytes = 256u << 20;  // unfinished bodies, in all
  std::int64_t head_timeout_ms = 10'000;      // a TLS handshake counts as part of the first head
  std::int64_t body_timeout_ms = 10'000;      // unless the route has its own
  std::int64_t answer_timeout_ms = 60'000;    // unless the route has its own
  std::int64_t idle_timeout_ms = 30'000;      // between requests of one connection
  std::size_t max_connections = 12'000;
  std::size_t max_connections_per_address = 256;  // of the socket; an IPv6 /64 counts as one
  bool counts_loopback = false;                   // towards max_connections_per_address
  std::size_t spare_descriptors = 64;  // left for the store and outside parties, if there are many
  TrustedProxies trusted_proxies;      // whose word about the client is taken; not capped each
  std::int64_t certificate_look_ms = 10'000;  // how often the files of a certificate are looked at
  std::size_t max_ws_message_bytes = 4 * 1024;
  std::size_t max_ws_queue = 256;  // waiting for one slow reader; above it the connection is cut
};

struct WireRequest {  // judged and normalised
  std::string method;
  std::string target;                                        // path and query as sent
  std::vector<std::pair<std::string, std::string>> headers;  // names lower case, values trimmed
  std::string body;
  std::string client_address;  // of the socket, or what a trusted proxy says
  bool is_secure = false;      // came over TLS, here or to a trusted proxy
  bool keep_alive = true;
};

// A whole HTTP/1.1 response; call once, from any thread. Letting every copy go uncalled answers
// 500.
using Answer = std::function<void(std::string bytes, bool keep_alive)>;
using WsId = std::uint64_t;

// How long one request may take; 0: what Limits says.
struct RouteTimes {
  std::int64_t body_ms = 0;    // until its body is there
  std::int64_t answer_ms = 0;  // until the site has answered; then the client gets 503
};

// What answers behind one listener.
class Site {
 public:
  virtual ~Site() = default;
  // On an I/O thread, before a body is read: how many bytes this method and path may have.
  virtual std::size_t body_limit(std::string_view method, std::string_view path) = 0;
  virtual RouteTimes times(std::string_view, std::string_view) { return {}; }  // as body_limit()
  // On an I/O thread: must not block; answers at once or hands over to a pool.
  virtual void handle(WireRequest request, Answer answer) = 0;
  // WebSocket: false refuses the upgrade with 404. Callbacks run on I/O threads and must not block.
  virtual bool ws_open(WsId, const WireRequest&) { return false; }
  virtual void ws_message(WsId, std::string_view) {}
  virtual void ws_closed(WsId) {}
};

// PEM files of a listener that speaks TLS: the certificate and its chain, and its key.
struct TlsFiles {
  std::string certificate_file;
  std::string key_file;
};
// What is wrong with them at this time, one sentence each; empty when they may be used. A key that
// everybody on the machine can read is wrong.
std::vector<std::string> tls_mistakes(const TlsFiles& files, std::int64_t wall_ms);

// What is worth counting at the door. Called on any thread, must be quick.
struct DoorEvent {
  enum class Kind : std::uint8_t {
    opened,            // a connection
    closed,            // a connection
    refused,           // a connection or a request, with its reason
    handshake_failed,  // with its reason
    certificate,       // in use from now on, with its end in `wall_ms`
  };
  Kind kind;
  std::string_view reason = {};
  std::int64_t wall_ms = 0;
};
std::string_view word_of(DoorEvent::Kind kind);
using DoorObserver = std::function<void(const DoorEvent&)>;

class Front {
 public:
  virtual ~Front() = default;
  // Binds and listens at once; throws std::runtime_error saying which address and why (a port in
  // use is refused: SO_REUSEPORT is never set). Port 0 picks a free one. Returns the port.
  virtual std::uint16_t listen(const std::string& address, std::uint16_t port, Site& site) = 0;
  // The same with TLS 1.2 or 1.3; throws the words of tls_mistakes() too. The files are looked at
  // again while it runs, and new ones are used for new connections; bad ones are logged and the old
  // stay in use.
  virtual std::uint16_t listen_tls(const std::string& address, std::uint16_t port, Site& site,
                                   const TlsFiles& files) = 0;
  virtual void reload_certificates() = 0;  // now, changed or not
  // When the first certificate in use ends; 0 without TLS.
  virtual std::int64_t tls_expires_at_ms() const = 0;
  // Set once, after listening; {} when the observer goes away.
  virtual void observe(DoorObserver observer) = 0;
  virtual void start() = 0;
  // Stops accepting, lets running exchanges end for at most `drain_ms`, then closes. Safe to
  // repeat; not from a Site's callback. Order at the end of the process: Front::stop(),
  // ShopSite::stop(), then both go.
  virtual void stop(std::int64_t drain_ms) = 0;
  virtual void ws_send(WsId id, std::string text) = 0;  // ignored when the connection has gone
  virtual void ws_close(WsId id) = 0;
  virtual std::size_t connections() const = 0;
};

std::unique_ptr<Front> make_front(int io_threads, Limits limits = {});

// The verdict on a request head: 0 to let it pass, or the status to refuse it with (400, 405, 411,
// 413, 414, 415, 431, 501). Pure. `head` is everything up to and including the empty line. Rules
// and their reasons stand beside the code.
struct Verdict {
  int status = 0;
  std::string_view reason;
};
Verdict judge(std::string_view head, const Limits& limits);

}  // namespace topup::http
