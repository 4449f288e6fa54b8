#include "server/base/http_client.h"

#include <arpa/inet.h>
#include <httplib.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <exception>
#include <mutex>
#include <optional>

#include "server/base/client_certificate.h"
#include "server/base/log.h"
#include "server/base/party_gate.h"
#include "server/base/shown_path.h"
#include "server/base/span.h"
#include "server/base/watchdog.h"
#include "shared/check.h"

namespace topup::base {
namespace {

constexpr std::int64_t kConnectTimeoutMs = 5'000;  // per address
constexpr std::int64_t kMaxIdleMs =
    30'000;                              // an older idle connection is likely closed by the peer
constexpr std::size_t kWirePerByte = 8;  // chunk framing may cost several bytes per byte of body
constexpr std::size_t kReadBytes = 4096;
constexpr int kMaxConnections = 64;
constexpr int kMaxWaiters = 1'024;
constexpr std::int64_t kHangMs = 2'000;  // no connection came back for so long: the party hangs

struct Origin {
  bool is_https = false;
  std::string host;
  int port = 0;
};

std::optional<Origin> read_origin(const std::string& text) {
  Origin origin;
  constexpr std::string_view kHttp = "http://";
  constexpr std::string_view kHttps = "https://";
  origin.is_https = text.starts_with(kHttps);
  if (!origin.is_https && !text.starts_with(kHttp)) return std::nullopt;
  std::string rest = text.substr(origin.is_https ? kHttps.size() : kHttp.size());
  origin.port = origin.is_https ? 443 : 80;
  const std::size_t bracket = rest.rfind(']');
  const std::size_t colon = rest.rfind(':');
  if (colon != std::string::npos && (bracket == std::string::npos || colon > bracket)) {
    const char* end = rest.data() + rest.size();
    const auto parsed = std::from_chars(rest.data() + colon + 1, end, origin.port);
    if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
    rest.resize(colon);
  }
  if (rest.starts_with('[') && rest.ends_with(']')) rest = rest.substr(1, rest.size() - 2);
  if (rest.empty() || rest.find_first_of("/?#@ []") != std::string::npos) return std::nullopt;
  if (origin.port <= 0 || origin.port >= 65536) return std::nullopt;
  origin.host = rest;
  return origin;
}

Origin parse_origin(const std::string& text) {
  std::optional<Origin> origin = read_origin(text);
  check(origin.has_value(), "an origin is http:// or https://, a host and perhaps a port");
  return *std::move(origin);
}

Resolver::Allow allowed_addresses(const Origin& origin, const OutboundOptions& options) {
  const bool is_named = origin.is_https && origin.host != "localhost";
  return is_named || options.public_only ? Resolver::Allow::public_only : Resolver::Allow::any;
}

// The number of the machine at the other end; "" when there is none.
std::string peer_of(int socket) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  char text[INET6_ADDRSTRLEN] = {};
  if (getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return "";
  const void* address =
      peer.ss_family == AF_INET
          ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in&>(peer).sin_addr)
          : static_cast<const void*>(&reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr);
  return inet_ntop(peer.ss_family, address, text, sizeof text) == nullptr ? "" : text;
}

std::size_t most_bytes(const OutboundRequest& request) {
  if (request.most_answer_bytes == 0) return kMaxAnswerBytes;
  return std::min(request.most_answer_bytes, kMaxFileBytes);
}

// What happened on the wire during one attempt.
struct Attempt {
  const Leash& leash;
  std::size_t most_bytes = kMaxAnswerBytes;
  bool wants_public_peer = false;
  bool is_peer_refused = false;
  bool has_sent = false;  // a byte of the request may have left
  bool is_head_read = false;
  bool is_too_large = false;
  bool has_surplus = false;  // bytes after the answer: the connection cannot be trusted again
  std::size_t line_bytes = 0;
  std::size_t wire_bytes = 0;

  // The library matches the status line with a recursive regular expression and keeps lines of any
  // length: a line of a megabyte ends the process. So lines are judged before the library sees
  // them.
  bool admit(char byte) {
    ++wire_bytes;
    if (is_head_read) return wire_bytes <= kWirePerByte * most_bytes;
    line_bytes = byte == '\n' ? 0 : line_bytes + 1;
    return line_bytes <= kMaxAnswerHeadLine && wire_bytes <= kMaxAnswerHeadBytes;
  }
};

class GuardedStream final : public httplib::Stream {
 public:
  GuardedStream(int socket, SSL* tls, Attempt& attempt)
      : socket_(socket), tls_(tls), attempt_(attempt) {}

  bool has_unread() const { return next_ < end_; }
  bool is_readable() const override { return !attempt_.leash.is_cut(); }
  bool is_writable() const override { return !attempt_.leash.is_cut(); }
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return socket_; }

  ssize_t read(char* into, std::size_t size) override {
    if (!has_unread()) {
      const ssize_t filled = fill();
      if (filled <= 0) return filled;
    }
    std::size_t given = 0;
    while (given < size && has_unread()) {
      if (!attempt_.admit(buffer_[next_])) {
        attempt_.is_too_large = true;
        return -1;
      }
      into[given++] = buffer_[next_++];
    }
    return static_cast<ssize_t>(given);
  }

  ssize_t write(const char* from, std::size_t size) override {
    if (attempt_.leash.is_cut()) return -1;
    if (tls_ != nullptr) {
      attempt_.has_sent = true;  // a failed SSL_write may have sent a part
      ERR_clear_error();
      const int written =
          SSL_write(tls_, from, static_cast<int>(std::min<std::size_t>(size, 1 << 20)));
      ERR_clear_error();
      return written > 0 ? written : -1;
    }
    ssize_t written = -1;
    do {
      written = send(socket_, from, size, MSG_NOSIGNAL);
    } while (written < 0 && errno == EINTR);
    if (written > 0) attempt_.has_sent = true;
    return written;
  }

 private:
  // After a cut the end of the stream is ours, not the peer's: it must not pass for a complete
  // answer.
  ssize_t fill() {
    next_ = end_ = 0;
    const ssize_t got = tls_ != nullptr ? fill_tls() : fill_plain();
    if (got <= 0 && attempt_.leash.is_cut()) return -1;
    if (got > 0) end_ = static_cast<std::size_t>(got);
    return got;
  }

  ssize_t fill_plain() {
    ssize_t got = -1;
    do {
      got = recv(socket_, buffer_.data(), buffer_.size(), 0);
    } while (got < 0 && errno == EINTR);
    return got;
  }

  ssize_t fill_tls() {
    ERR_clear_error();
    const int got = SSL_read(tls_, buffer_.data(), static_cast<int>(buffer_.size()));
    const bool is_clean_end = got <= 0 && SSL_get_error(tls_, got) == SSL_ERROR_ZERO_RETURN;
    ERR_clear_error();
    if (got > 0) return got;
    return is_clean_end ? 0 : -1;
  }

  int socket_;
  SSL* tls_;
  Attempt& attempt_;
  std::array<char, kReadBytes> buffer_{};
  std::size_t next_ = 0;
  std::size_t end_ = 0;
};

// The library's client with its own stream replaced by GuardedStream.
template <class Base>
class GuardedClient final : public Base {
 public:
  GuardedClient(const Origin& origin, Attempt*& current)
      : Base(origin.host, origin.port), current_(current) {}

 private:
  bool process_socket(const typename Base::Socket& socket,
                      std::function<bool(httplib::Stream&)> callback) override {
    if (current_->wants_public_peer && !is_public_address(peer_of(socket.sock))) {
      current_->is_peer_refused = true;
      return false;
    }
    GuardedStream stream(socket.sock, socket.ssl, *current_);
    const bool ok = callback(stream);
    current_->has_surplus = stream.has_unread();
    return ok;
  }

  Attempt*& current_;
};

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7F'; });
}

bool is_header_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == '\x7F';
  });
}

void check_request(const OutboundRequest& request) {
  check(request.method == "GET" || request.method == "POST", "an outbound method is GET or POST");
  check(request.target.starts_with('/') && is_printable(request.target),
        "an outbound target is a percent-encoded path");
  for (const auto& [name, value] : request.headers) {
    check(!name.empty() && is_printable(name) && name.find(':') == std::string::npos,
          "an outbound header name is malformed");
    check(is_header_value(value), "an outbound header value holds a control character");
  }
}

std::string_view transport_failure(httplib::Error error) {
  switch (error) {
    case httplib::Error::SSLConnection:
    case httplib::Error::SSLLoadingCerts:
    case httplib::Error::SSLServerVerification:
      return "tls_failed";
    default:
      return "connect_failed";
  }
}

OutboundReply unanswered(OutboundReply::Kind kind, std::string_view failure) {
  OutboundReply reply;
  reply.kind = kind;
  reply.failure = failure;
  return reply;
}

// One kept-alive connection to the party; used by one call at a time.
class Connection {
 public:
  Connection(const Origin& origin, const OutboundOptions& options, const ClientCertificate& ours)
      : host_(origin.host),
        wants_public_peer_(allowed_addresses(origin, options) == Resolver::Allow::public_only &&
                           (options.public_only || !is_numeric_address(origin.host))) {
    if (origin.is_https) {
      auto secure = std::make_unique<GuardedClient<httplib::SSLClient>>(origin, current_);
      SSL_CTX_set_min_proto_version(secure->ssl_context(), TLS1_2_VERSION);
      secure->enable_server_certificate_verification(true);
      if (!options.ca_file.empty()) secure->set_ca_cert_path(options.ca_file);
      is_certificate_usable_ = ours.empty() || shows(*secure->ssl_context(), ours);
      client_ = std::move(secure);
    } else {
      client_ = std::make_unique<GuardedClient<httplib::ClientImpl>>(origin, current_);
    }
    client_->set_keep_alive(true);
    client_->set_follow_location(false);
    client_->set_decompress(false);
    client_->set_url_encode(false);
    client_->set_tcp_nodelay(true);
    // The watchdog ends a call on time; these only must not come first.
    client_->set_read_timeout(std::chrono::milliseconds(2 * kMaxDeadlineMs));
    client_->set_write_timeout(std::chrono::milliseconds(2 * kMaxDeadlineMs));
    client_->set_socket_options([this](socket_t socket) { leash_.hold(socket); });
  }

  OutboundReply call(const OutboundRequest& request, Resolver& resolver, Watchdog& watchdog,
                     std::int64_t deadline) {
    if (!is_certificate_usable_)
      return unanswered(OutboundReply::Kind::not_sent, "client_certificate_unusable");
    const Watchdog::Watch watch(watchdog, leash_, deadline);
    if (is_reusable()) {
      OutboundReply reply = attempt(request);
      if (reply.kind != OutboundReply::Kind::not_sent) return reply;
    }
    client_->stop();
    const auto addresses = resolver.find_addresses(deadline);
    if (!addresses) {
      return unanswered(OutboundReply::Kind::not_sent, addresses.error().reason);
    }
    OutboundReply reply = unanswered(OutboundReply::Kind::not_sent, "deadline");
    for (const std::string& address : *addresses) {
      const std::int64_t left = deadline - clock_.mono_ms();
      if (left <= 0) return unanswered(OutboundReply::Kind::not_sent, "deadline");
      client_->set_hostname_addr_map({{host_, address}});
      client_->set_connection_timeout(std::chrono::milliseconds(std::min(left, kConnectTimeoutMs)));
      reply = attempt(request);
      if (reply.kind != OutboundReply::Kind::not_sent) return reply;
    }
    resolver.forget();
    return reply;
  }

 private:
  static bool shows(SSL_CTX& context, const ClientCertificate& ours) {
    const bool is_shown =
        SSL_CTX_use_certificate_chain_file(&context, ours.certificate_file.c_str()) == 1 &&
        SSL_CTX_use_PrivateKey_file(&context, ours.key_file.c_str(), SSL_FILETYPE_PEM) == 1 &&
        SSL_CTX_check_private_key(&context) == 1;
    ERR_clear_error();
    return is_shown;
  }

  bool is_reusable() const {
    return client_->is_socket_open() != 0 && clock_.mono_ms() - idle_since_ms_ < kMaxIdleMs &&
           leash_.is_quiet();
  }

  OutboundReply attempt(const OutboundRequest& request) {
    Attempt state{leash_, most_bytes(request), wants_public_peer_};
    current_ = &state;
    OutboundReply reply;
    httplib::Request wire = to_wire(request, state, reply.body);
    httplib::Response answer;
    httplib::Error error = httplib::Error::Success;
    const bool is_answered = send(wire, answer, error);
    current_ = nullptr;
    idle_since_ms_ = clock_.mono_ms();
    if (!is_answered || state.has_surplus || leash_.is_cut()) client_->stop();
    if (!is_answered) return failed(state, error);
    reply.kind = OutboundReply::Kind::answered;
    reply.status = answer.status;
    reply.headers.assign(answer.headers.begin(), answer.headers.end());
    return reply;
  }

  // The library parses the answer with code that may throw, std::regex among it; that too is the
  // peer's doing.
  bool send(httplib::Request& wire, httplib::Response& answer, httplib::Error& error) {
    try {
      return client_->send(wire, answer, error);
    } catch (const std::exception&) {
      error = httplib::Error::Unknown;
      return false;
    }
  }

  OutboundReply failed(const Attempt& state, httplib::Error error) const {
    using Kind = OutboundReply::Kind;
    const Kind kind = state.has_sent ? Kind::no_answer : Kind::not_sent;
    if (state.is_peer_refused) return unanswered(kind, "address_refused");
    if (state.is_too_large) return unanswered(kind, "answer_too_large");
    if (leash_.is_cut()) return unanswered(kind, "deadline");
    if (state.has_sent) return unanswered(kind, "connection_lost");
    return unanswered(kind, transport_failure(error));
  }

  static httplib::Request to_wire(const OutboundRequest& request, Attempt& state,
                                  std::string& body) {
    httplib::Request wire;
    wire.method = request.method;
    wire.path = request.target;
    wire.body = request.body;
    for (const auto& [name, value] : request.headers) wire.headers.emplace(name, value);
    if (!wire.has_header("User-Agent")) wire.set_header("User-Agent", "topup");
    const std::string trace = traceparent_here();
    if (!trace.empty() && !wire.has_header("traceparent")) wire.set_header("traceparent", trace);
    wire.response_handler = [&state](const httplib::Response&) {
      state.is_head_read = true;
      return true;
    };
    wire.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
      state.is_too_large = state.is_too_large || size > state.most_bytes - body.size();
      if (!state.is_too_large) body.append(data, size);
      return !state.is_too_large;
    };
    return wire;
  }

  std::string host_;
  bool wants_public_peer_;
  bool is_certificate_usable_ = true;
  Leash leash_;
  Attempt* current_ = nullptr;
  std::unique_ptr<httplib::ClientImpl> client_;
  std::int64_t idle_since_ms_ = 0;
  SystemClock clock_;
};

bool is_error(const OutboundReply& reply) {
  return reply.kind != OutboundReply::Kind::answered || reply.status >= 500;
}

class PooledOutbound final : public Outbound {
 public:
  PooledOutbound(std::string party, Origin origin, const OutboundOptions& options,
                 ClientCertificate certificate)
      : party_(std::move(party)),
        origin_(std::move(origin)),
        options_(options),
        certificate_(std::move(certificate)),
        gate_(party_, options.breaker, options.clock),
        resolver_(origin_.host, allowed_addresses(origin_, options), options.lookup),
        free_places_(options.max_connections) {
    if (options.public_only) resolver_.judge_numbers();
  }

  OutboundReply call(const OutboundRequest& request) override {
    check_request(request);
    const std::int64_t start = clock_.mono_ms();
    Span span(SpanKind::client, request.method, party_);
    const OutboundReply reply = pass_gate(request, start);
    report(request, reply, clock_.mono_ms() - start, span);
    return reply;
  }

 private:
  struct GiveBack {
    PooledOutbound& pool;
    std::unique_ptr<Connection>& connection;
    ~GiveBack() {
      --pool.gate_.in_flight;
      const std::lock_guard lock(pool.mutex_);
      pool.idle_.push_back(std::move(connection));
      pool.last_progress_ms_ = pool.clock_.mono_ms();
      pool.returned_.notify_one();
    }
  };

  OutboundReply pass_gate(const OutboundRequest& request, std::int64_t start) {
    const CircuitBreaker::Pass pass = gate_.ask();
    if (pass == CircuitBreaker::Pass::refused) {
      return unanswered(OutboundReply::Kind::not_sent, "circuit_open");
    }
    const std::int64_t deadline =
        start + std::clamp<std::int64_t>(request.deadline_ms, 1, kMaxDeadlineMs);
    std::string_view why_not;
    auto connection = borrow(deadline, &why_not);
    if (!connection) {  // we were too many: that says nothing about the party
      gate_.give_back(pass);
      return unanswered(OutboundReply::Kind::not_sent, why_not);
    }
    const GiveBack give_back{*this, connection};
    ++gate_.in_flight;
    OutboundReply reply = connection->call(request, resolver_, watchdog_, deadline);
    gate_.record(pass, is_error(reply));
    return reply;
  }

  bool has_place() const { return !idle_.empty() || free_places_ > 0; }

  // A caller waits as long as the party answers others. One that hangs shall not hold more of our
  // threads than it has connections: they have others to serve.
  std::string_view wait_for_place(std::unique_lock<std::mutex>& lock, std::int64_t deadline) {
    if (gate_.waiting >= options_.max_waiters) return "party_busy";
    ++gate_.waiting;
    std::string_view why_not;
    while (!has_place() && why_not.empty()) {
      const std::int64_t now = clock_.mono_ms();
      const std::int64_t patience = last_progress_ms_ + kHangMs;
      if (now >= deadline) {
        why_not = "deadline";
      } else if (now >= patience) {
        why_not = "party_busy";
      } else {
        returned_.wait_for(lock, std::chrono::milliseconds(std::min(deadline, patience) - now));
      }
    }
    --gate_.waiting;
    return has_place() ? "" : why_not;
  }

  // The connection used last comes first: it is the least likely to have been closed meanwhile.
  std::unique_ptr<Connection> borrow(std::int64_t deadline, std::string_view* why_not) {
    std::unique_lock lock(mutex_);
    if (!has_place()) *why_not = wait_for_place(lock, deadline);
    if (!why_not->empty()) return nullptr;
    if (idle_.empty()) {
      auto fresh = std::make_unique<Connection>(origin_, options_, certificate_);
      --free_places_;
      last_progress_ms_ = clock_.mono_ms();
      return fresh;
    }
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    last_progress_ms_ = clock_.mono_ms();
    return connection;
  }

  void report(const OutboundRequest& request, const OutboundReply& reply, std::int64_t elapsed_ms,
              Span& span) const;

  const std::string party_;
  const Origin origin_;
  const OutboundOptions options_;
  const ClientCertificate certificate_;
  SystemClock clock_;
  PartyGate gate_;
  Resolver resolver_;
  Watchdog watchdog_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::int64_t last_progress_ms_ = 0;  // when a connection was last lent or came back
  int free_places_;                    // connections that may still be made
  std::vector<std::unique_ptr<Connection>> idle_;
};

std::mutex observer_mutex;
std::shared_ptr<const OutboundObserver> observer_now;

void tell_observer(std::string_view party, std::string_view outcome, std::int64_t elapsed_ms) {
  std::shared_ptr<const OutboundObserver> observer;
  {
    const std::lock_guard lock(observer_mutex);
    observer = observer_now;
  }
  if (observer && *observer) (*observer)(party, outcome, elapsed_ms);
}

void PooledOutbound::report(const OutboundRequest& request, const OutboundReply& reply,
                            std::int64_t elapsed_ms, Span& span) const {
  const bool is_answered = reply.kind == OutboundReply::Kind::answered;
  const std::string path = shown_path(request.target);
  const std::string status = std::to_string(reply.status);
  log(is_answered ? Level::debug : Level::warn, "outbound",
      {{"party", party_},
       {"method", request.method},
       {"path", path},
       {"outcome", is_answered ? status : reply.failure},
       {"sent", reply.kind != OutboundReply::Kind::not_sent},
       {"ms", elapsed_ms}});
  if (span.is_kept()) {
    span.note("party", party_);
    span.note("http.request.method", request.method);
    span.note("url.path", path);
    if (is_answered) span.note("http.response.status_code", std::int64_t{reply.status});
    if (!is_answered) span.note("error.type", reply.failure);
    if (is_error(reply)) span.fail();
  }
  tell_observer(party_, is_answered ? status.substr(0, 1) + "xx" : reply.failure, elapsed_ms);
}

}  // namespace

void set_outbound_observer(OutboundObserver observer) {
  auto next = std::make_shared<const OutboundObserver>(std::move(observer));
  const std::lock_guard lock(observer_mutex);
  observer_now = std::move(next);
}

bool is_origin(const std::string& text) { return read_origin(text).has_value(); }

std::unique_ptr<Outbound> make_outbound(std::string party, std::string origin,
                                        const OutboundOptions& options,
                                        const ClientCertificate& certificate) {
  // TLS writes cannot be told to leave SIGPIPE alone, and a peer that hangs up must not end the
  // process.
  static const bool is_ignoring_sigpipe = std::signal(SIGPIPE, SIG_IGN) != SIG_ERR;
  check(is_ignoring_sigpipe, "SIGPIPE cannot be ignored");
  check(options.max_connections >= 1 && options.max_connections <= kMaxConnections &&
            options.max_waiters >= 0 && options.max_waiters <= kMaxWaiters,
        "connections per party");
  Origin parsed = parse_origin(origin);
  check(parsed.is_https || certificate.empty(), "a client certificate is shown over https only");
  return std::make_unique<PooledOutbound>(std::move(party), std::move(parsed), options,
                                          certificate);
}

std::unique_ptr<Outbound> make_outbound(std::string party, std::string origin,
                                        const OutboundOptions& options) {
  return make_outbound(std::move(party), std::move(origin), options, ClientCertificate());
}

std::unique_ptr<Outbound> make_outbound(std::string party, std::string origin,
                                        int max_connections) {
  OutboundOptions options;
  options.max_connections = max_connections;
  return make_outbound(std::move(party), std::move(origin), options);
}

}  // namespace topup::base
