#include "server/http/front_connection.h"

#include <algorithm>

#include "server/base/log.h"
#include "server/http/address.h"
#include "server/http/message.h"
#include "server/http/router.h"

namespace topup::http::door {
namespace {

constexpr std::size_t kReadBytes = 4 * 1024;
constexpr std::int64_t kSlowestReaderBytesPerMs = 8;  // a slower reader of a long answer is cut
constexpr std::size_t kMaxUnsentBytes = 256u << 20;   // answers waiting for slow readers, in all
constexpr std::int64_t kLingerMs = 2'000;
constexpr std::size_t kMaxLingerBytes = 1u << 20;
constexpr std::int64_t kLastRequestMs = 500;  // for one that is under way when the door closes
constexpr std::int64_t kLastBodyMs = 2'000;   // and for what is missing of its body

constexpr std::string_view kHsts = "Strict-Transport-Security: max-age=31536000\r\n";

// One HTTP connection: one request in flight at a time; bytes behind it wait in the kernel or in
// `in_`.
class HttpConnection final : public Connection {
 public:
  HttpConnection(Slot slot, Wire wire, Site& site, std::string address)
      : core_(slot.core()),
        slot_(std::move(slot)),
        strand_(wire.get_executor()),
        wire_(std::move(wire)),
        site_(site),
        address_(std::move(address)) {}
  ~HttpConnection() override {
    if (counted_bytes_ > 0) count_body(0);
  }

  void enroll() { slot_.hold(self()); }
  void start() override {
    if (core_.draining) return close();
    wait_at_most(core_.limits.head_timeout_ms);
    if (!wire_.is_secure()) return advance();
    phase_ = Phase::handshake;
    wire_.async_handshake([self = self()](error_code ec, std::size_t) { self->on_handshake(ec); });
  }

  void due() override {
    net::post(strand_, [self = self()] { self->on_due(); });
  }
  void drain() override {
    net::post(strand_, [self = self()] { self->last_call(); });
  }
  void abort() override {
    net::post(strand_, [self = self()] { self->close(); });
  }

  // From any thread, once per request. After stop() nobody is left to write it.
  void answer(std::string bytes, bool keep_alive) {
    if (core_.stopped) return;
    net::dispatch(strand_, [self = self(), bytes = std::move(bytes), keep_alive]() mutable {
      self->write(std::move(bytes), keep_alive);
    });
  }

 private:
  enum class Phase { handshake, idle, head, body, handling, writing, lingering, upgraded, closed };

  std::shared_ptr<HttpConnection> self() {
    return std::static_pointer_cast<HttpConnection>(shared_from_this());
  }

  void wait_at_most(std::int64_t ms) { slot_.due_ms() = ms == 0 ? 0 : core_.now_ms + ms; }

  void on_due() {
    if (phase_ == Phase::upgraded) return;
    const std::int64_t due = slot_.due_ms();
    if (due == 0 || core_.now_ms < due) return;
    if (phase_ == Phase::handshake) core_.tell(DoorEvent::Kind::handshake_failed, "too_slow");
    if (phase_ == Phase::head || phase_ == Phase::body) return refuse(408, "request_too_slow");
    // A late answer finds another phase and is dropped; whoever asks again brings the same key.
    if (phase_ == Phase::handling) return refuse(503, "answer_late");
    close();
  }

  // The door closes. A request that is on its way is still answered, as the last one: a client on a
  // kept connection cannot know. Half a head is not waited for, its request has not begun.
  void last_call() {
    if (phase_ == Phase::handshake || phase_ == Phase::head) return close();
    if (phase_ == Phase::idle) wait_at_most(kLastRequestMs);
    if (phase_ == Phase::body) wait_at_most(kLastBodyMs);
  }

  void on_handshake(error_code ec) {
    if (phase_ != Phase::handshake) return;
    if (!ec) {
      // The first head has what is left of its time.
      phase_ = Phase::idle;
      if (core_.draining) return close();
      return read();
    }
    const std::string_view why = wire_.tls()->failure();
    core_.tell(DoorEvent::Kind::handshake_failed, why);
    if (why == TlsSession::kPlainHttp) {
      wire_.become_plain();
      return refuse(400, "tls_expected");
    }
    linger();  // so that the client reads why: OpenSSL has sent its alert
  }

  void advance() {
    if (phase_ == Phase::idle && !in_.empty()) {
      phase_ = Phase::head;
      if (has_answered_) wait_at_most(core_.limits.head_timeout_ms);
    }
    if (phase_ != Phase::body) {
      const std::size_t end = head_end(in_, scanned_);
      if (end == std::string_view::npos && in_.size() <= core_.limits.max_head_bytes) {
        scanned_ = in_.size();
        return read();
      }
      if (!take_head(std::min(end, in_.size()))) return;
    }
    if (in_.size() < body_bytes_) {
      count_body(in_.size());
      if (core_.bodies_bytes > core_.limits.max_bodies_bytes) return refuse(503, "server_busy");
      return read();
    }
    hand_over();
  }

  // What unfinished bodies hold together must not grow with the number of clients.
  void count_body(std::size_t bytes) {
    core_.bodies_bytes += bytes - counted_bytes_;
    counted_bytes_ = bytes;
  }

  void read() {
    reading_ = true;
    const std::size_t filled = in_.size();
    in_.resize(filled + kReadBytes);
    wire_.async_read_some(net::buffer(in_.data() + filled, kReadBytes),
                          [self = self(), filled](error_code ec, std::size_t count) {
                            self->reading_ = false;
                            self->in_.resize(filled + count);
                            self->on_read(ec, count);
                          });
  }

  void on_read(error_code ec, std::size_t count) {
    switch (phase_) {
      case Phase::idle:
      case Phase::head:
      case Phase::body:
        return ec ? close() : advance();
      case Phase::lingering:
        lingered_ += count;
        return ec || lingered_ > kMaxLingerBytes ? close() : linger_on();
      default:
        return;  // a refusal is being written: what else the client sent does not matter
    }
  }

  // False when the head was refused or became a WebSocket.
  bool take_head(std::size_t size) {
    const std::string_view head(in_.data(), size);
    const Verdict verdict = judge(head, core_.limits);
    if (verdict.status != 0) return refuse(verdict.status, verdict.reason), false;
    request_ = wire_request(head);
    request_.client_address = address_;
    request_.is_secure = wire_.is_secure();
    settle_client(core_.limits.trusted_proxies, request_);
    in_.erase(0, size);
    scanned_ = 0;
    if (!header_of(request_, "upgrade").empty()) return upgrade(), false;
    const std::string_view path = path_of(request_.target);
    times_ = site_.times(request_.method, path);
    body_bytes_ = content_length(request_);
    if (body_bytes_ > 0) {
      const std::size_t route_limit = site_.body_limit(request_.method, path);
      if (body_bytes_ > std::min(route_limit, core_.limits.max_body_bytes)) {
        return refuse(413, "body_too_large"), false;
      }
    }
    phase_ = Phase::body;
    wait_at_most(times_.body_ms > 0 ? times_.body_ms : core_.limits.body_timeout_ms);
    return true;
  }

  // Answers for its request if the site lets every copy of Answer go without calling one.
  struct Pending {
    std::shared_ptr<HttpConnection> connection;
    std::atomic<bool> answered{false};
    explicit Pending(std::shared_ptr<HttpConnection> to) : connection(std::move(to)) {}
    void give(std::string bytes, bool keep_alive) {
      if (answered.exchange(true)) return;
      // Let go of at once: whoever keeps the Answer must not keep the connection's place.
      std::exchange(connection, nullptr)->answer(std::move(bytes), keep_alive);
    }
    ~Pending() {
      if (answered) return;
      give(answer_bytes(problem_of_status(500, "internal_failure", TraceId()), false), false);
    }
    Pending(const Pending&) = delete;
    Pending& operator=(const Pending&) = delete;
  };

  void hand_over() {
    request_.body = in_.substr(0, body_bytes_);
    in_.erase(0, body_bytes_);
    body_bytes_ = 0;
    count_body(0);
    phase_ = Phase::handling;
    wait_at_most(times_.answer_ms > 0 ? times_.answer_ms : core_.limits.answer_timeout_ms);
    keep_alive_ = request_.keep_alive;
    auto pending = std::make_shared<Pending>(self());
    try {
      site_.handle(std::move(request_), [pending](std::string bytes, bool keep_alive) {
        pending->give(std::move(bytes), keep_alive);
      });
    } catch (const std::exception& failure) {
      base::log(base::Level::error, "site_threw", {{"what", failure.what()}});
    }
  }

  void write(std::string bytes, bool keep_alive) {
    if (phase_ != Phase::handling) return;
    if (core_.unsent_bytes + bytes.size() > kMaxUnsentBytes) {
      base::log(base::Level::warn, "answers_unsent_full");
      bytes = answer_bytes(problem_of_status(503, "server_busy", TraceId()), false);
      keep_alive = false;
    }
    has_answered_ = true;
    if (core_.draining && keep_alive_ && keep_alive) {
      keep_alive = false;
      say_close(bytes);
    }
    if (wire_.is_secure()) add_field(bytes, kHsts);
    out_ = std::move(bytes);
    core_.unsent_bytes += out_.size();
    keep_alive_ = keep_alive_ && keep_alive;
    phase_ = Phase::writing;
    const auto size = static_cast<std::int64_t>(out_.size());
    wait_at_most(core_.limits.body_timeout_ms + size / kSlowestReaderBytesPerMs);
    net::async_write(wire_, net::buffer(out_),
                     [self = self()](error_code ec, std::size_t) { self->on_written(ec); });
  }

  void on_written(error_code ec) {
    core_.unsent_bytes -= out_.size();
    out_ = {};
    if (ec || phase_ != Phase::writing) return close();
    if (!keep_alive_ || core_.draining) return linger();
    phase_ = Phase::idle;
    wait_at_most(core_.limits.idle_timeout_ms);
    advance();
  }

  void refuse(int status, std::string_view reason) {
    base::log(base::Level::info, "request_refused",
              {{"status", status}, {"reason", reason}, {"at", "door"}});
    core_.tell(DoorEvent::Kind::refused, reason);
    keep_alive_ = false;
    count_body(0);
    phase_ = Phase::handling;
    write(answer_bytes(problem_of_status(status, reason, TraceId()), false), false);
  }

  // Closing with unread bytes sends a reset, which can overtake the answer: half-close, then read
  // what is still coming.
  void linger() {
    phase_ = Phase::lingering;
    wait_at_most(kLingerMs);
    error_code ec;
    wire_.finish_sending(ec);
    if (ec) return close();
    if (!reading_) linger_on();
  }

  void linger_on() {
    in_.clear();
    read();
  }

  void upgrade() {
    // A client must wait for our answer before it sends frames (RFC 6455 §4.1).
    if (!in_.empty()) return refuse(400, "upgrade_refused");
    if (core_.draining) return refuse(503, "server_busy");
    const std::shared_ptr<Upgrade> socket = make_websocket(strand_, core_, site_, slot_.id());
    slot_.hold(socket);  // first, so that ws_send() from within ws_open() finds it
    bool wanted = false;
    try {
      wanted = site_.ws_open(slot_.id(), request_);
    } catch (const std::exception& failure) {
      base::log(base::Level::error, "site_threw", {{"what", failure.what()}});
    }
    if (!wanted) {
      slot_.hold(self());
      return refuse(404, "path_unknown");
    }
    phase_ = Phase::upgraded;
    wait_at_most(0);
    socket->accept(std::move(slot_), std::move(wire_), request_);
  }

  void close() {
    if (phase_ == Phase::closed || phase_ == Phase::upgraded) return;
    phase_ = Phase::closed;
    wait_at_most(0);
    count_body(0);
    wire_.close();
  }

  Core& core_;  // kept alive by the slot
  Slot slot_;   // before the wire: its socket needs the I/O context
  const Strand strand_;
  Wire wire_;
  Site& site_;
  const std::string address_;
  std::string in_;
  std::string out_;
  WireRequest request_;
  std::size_t scanned_ = 0;
  std::size_t body_bytes_ = 0;
  std::size_t counted_bytes_ = 0;  // of this one in Core::bodies_bytes
  std::size_t lingered_ = 0;
  RouteTimes times_;
  Phase phase_ = Phase::idle;
  bool keep_alive_ = true;
  bool reading_ = false;
  bool has_answered_ = false;
};

}  // namespace

std::shared_ptr<Connection> make_connection(Slot slot, Wire wire, Site& site, std::string address) {
  auto connection =
      std::make_shared<HttpConnection>(std::move(slot), std::move(wire), site, std::move(address));
  connection->enroll();
  return connection;
}

}  // namespace topup::http::door
