#include "server/http/front_connection.h"

#include <algorithm>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <chrono>
#include <deque>

#include "server/base/log.h"
#include "server/http/message.h"
#include "server/http/router.h"

namespace topup::http::door {
namespace {

namespace beast = boost::beast;

constexpr std::size_t kReadBytes = 4 * 1024;
constexpr std::int64_t kSlowestReaderBytesPerMs = 8;  // a slower reader of a long answer is cut
constexpr std::size_t kMaxUnsentBytes = 256u << 20;   // answers waiting for slow readers, in all
constexpr std::int64_t kLingerMs = 2'000;
constexpr std::size_t kMaxLingerBytes = 1u << 20;
constexpr std::int64_t kWsHandshakeMs = 10'000;
constexpr std::int64_t kWsIdleMs = 60'000;  // pings go out at half of it

class WebSocketClient final : public Client {
 public:
  WebSocketClient(Strand strand, Core& core, Site& site, WsId id)
      : strand_(std::move(strand)), core_(core), site_(site), id_(id) {}

  void accept(Slot slot, Socket socket, const WireRequest& request) {
    slot_.emplace(std::move(slot));
    stream_.emplace(std::move(socket));
    namespace ws = beast::websocket;
    ws::stream_base::timeout times{};
    times.handshake_timeout = std::chrono::milliseconds(kWsHandshakeMs);
    times.idle_timeout = std::chrono::milliseconds(kWsIdleMs);
    times.keep_alive_pings = true;
    stream_->set_option(times);
    stream_->read_message_max(core_.limits.max_ws_message_bytes);
    handshake_.method(beast::http::verb::get);
    handshake_.target(request.target);
    handshake_.version(11);
    for (const auto& [name, value] : request.headers) handshake_.insert(name, value);
    stream_->async_accept(handshake_, [self = self()](error_code ec) { self->on_accept(ec); });
  }

  void due() override {}
  void drain() override { ws_close_with(beast::websocket::close_code::going_away); }
  void ws_close() override { ws_close_with(beast::websocket::close_code::normal); }
  void abort() override {
    net::post(strand_, [self = self()] { self->cut(); });
  }
  void ws_send(std::string text) override {
    net::post(strand_, [self = self(), text = std::move(text)]() mutable {
      self->enqueue(std::move(text));
    });
  }

 private:
  std::shared_ptr<WebSocketClient> self() {
    return std::static_pointer_cast<WebSocketClient>(shared_from_this());
  }

  void on_accept(error_code ec) {
    if (ec) return finish();
    open_ = true;
    if (closing_) return close_stream();
    read();
    write();
  }

  void read() {
    stream_->async_read(buffer_,
                        [self = self()](error_code ec, std::size_t) { self->on_read(ec); });
  }

  void on_read(error_code ec) {
    if (ec) return finish();
    if (!stream_->got_text()) {
      close_code_ = beast::websocket::close_code::unknown_data;
      close_stream();
    } else if (!closing_) {
      const auto bytes = buffer_.cdata();
      site_.ws_message(id_, {static_cast<const char*>(bytes.data()), bytes.size()});
    }
    buffer_.consume(buffer_.size());
    read();
  }

  void enqueue(std::string text) {
    if (finished_ || closing_ || !stream_) return;
    if (queue_.size() >= core_.limits.max_ws_queue) return cut();
    queue_.push_back(std::move(text));
    if (open_ && !writing_) write();
  }

  void write() {
    if (queue_.empty() || closing_) return;
    writing_ = true;
    stream_->text(true);
    stream_->async_write(net::buffer(queue_.front()), [self = self()](error_code ec, std::size_t) {
      self->writing_ = false;
      if (ec) return self->cut();
      self->queue_.pop_front();
      self->write();
    });
  }

  void ws_close_with(beast::websocket::close_code code) {
    net::post(strand_, [self = self(), code] {
      if (self->finished_ || self->closing_) return;
      self->close_code_ = code;
      self->close_stream();
    });
  }

  void close_stream() {
    closing_ = true;
    if (!open_ || std::exchange(close_sent_, true)) return;
    stream_->async_close(close_code_, [self = self()](error_code) { self->cut(); });
  }

  void cut() {
    error_code ignored;
    if (stream_) stream_->next_layer().close(ignored);
    finish();
  }

  void finish() {
    if (std::exchange(finished_, true) || !stream_) return;
    error_code ignored;
    stream_->next_layer().close(ignored);
    site_.ws_closed(id_);
  }

  Strand strand_;
  Core& core_;  // kept alive by the slot
  Site& site_;
  const WsId id_;
  std::optional<Slot> slot_;  // before the stream: the stream's socket needs the I/O context
  std::optional<beast::websocket::stream<Socket>> stream_;
  beast::http::request<beast::http::empty_body> handshake_;
  beast::flat_buffer buffer_;
  std::deque<std::string> queue_;
  beast::websocket::close_code close_code_ = beast::websocket::close_code::normal;
  bool open_ = false;
  bool writing_ = false;
  bool closing_ = false;
  bool close_sent_ = false;
  bool finished_ = false;
};

// One HTTP connection: one request in flight at a time; bytes behind it wait in the kernel or in
// `in_`.
class HttpConnection final : public Connection {
 public:
  HttpConnection(Slot slot, Socket socket, Site& site, std::string address)
      : core_(slot.core()),
        slot_(std::move(slot)),
        strand_(socket.get_executor()),
        socket_(std::move(socket)),
        site_(site),
        address_(std::move(address)) {}

  void enroll() { slot_.hold(self()); }
  void start() override {
    if (core_.draining) return close();
    wait_at_most(core_.limits.head_timeout_ms);
    advance();
  }

  void due() override {
    net::post(strand_, [self = self()] { self->on_due(); });
  }
  void drain() override {
    net::post(strand_, [self = self()] {
      if (self->phase_ == Phase::idle) self->close();
    });
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
  enum class Phase { idle, head, body, handling, writing, lingering, upgraded, closed };

  std::shared_ptr<HttpConnection> self() {
    return std::static_pointer_cast<HttpConnection>(shared_from_this());
  }

  void wait_at_most(std::int64_t ms) { slot_.due_ms() = ms == 0 ? 0 : core_.now_ms + ms; }

  void on_due() {
    if (phase_ == Phase::upgraded) return;
    const std::int64_t due = slot_.due_ms();
    if (due == 0 || core_.now_ms < due) return;
    if (phase_ == Phase::head || phase_ == Phase::body) return refuse(408, "request_too_slow");
    close();
  }

  void advance() {
    if (phase_ == Phase::idle && !in_.empty()) {
      phase_ = Phase::head;
      wait_at_most(core_.limits.head_timeout_ms);
    }
    if (phase_ != Phase::body) {
      const std::size_t end = head_end(in_, scanned_);
      if (end == std::string_view::npos && in_.size() <= core_.limits.max_head_bytes) {
        scanned_ = in_.size();
        return read();
      }
      if (!take_head(std::min(end, in_.size()))) return;
    }
    if (in_.size() < body_bytes_) return read();
    hand_over();
  }

  void read() {
    reading_ = true;
    const std::size_t filled = in_.size();
    in_.resize(filled + kReadBytes);
    socket_.async_read_some(net::buffer(in_.data() + filled, kReadBytes),
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
    in_.erase(0, size);
    scanned_ = 0;
    if (!header_of(request_, "upgrade").empty()) return upgrade(), false;
    body_bytes_ = content_length(request_);
    if (body_bytes_ > 0) {
      const std::size_t route_limit = site_.body_limit(request_.method, path_of(request_.target));
      if (body_bytes_ > std::min(route_limit, core_.limits.max_body_bytes)) {
        return refuse(413, "body_too_large"), false;
      }
    }
    phase_ = Phase::body;
    wait_at_most(core_.limits.body_timeout_ms);
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
    phase_ = Phase::handling;
    wait_at_most(0);
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
    out_ = std::move(bytes);
    core_.unsent_bytes += out_.size();
    keep_alive_ = keep_alive_ && keep_alive;
    phase_ = Phase::writing;
    const auto size = static_cast<std::int64_t>(out_.size());
    wait_at_most(core_.limits.body_timeout_ms + size / kSlowestReaderBytesPerMs);
    net::async_write(socket_, net::buffer(out_),
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
    keep_alive_ = false;
    phase_ = Phase::handling;
    write(answer_bytes(problem_of_status(status, reason, TraceId()), false), false);
  }

  // Closing with unread bytes sends a reset, which can overtake the answer: half-close, then read
  // what is still coming.
  void linger() {
    phase_ = Phase::lingering;
    wait_at_most(kLingerMs);
    error_code ec;
    socket_.shutdown(tcp::socket::shutdown_send, ec);
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
    auto socket = std::make_shared<WebSocketClient>(strand_, core_, site_, slot_.id());
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
    socket->accept(std::move(slot_), std::move(socket_), request_);
  }

  void close() {
    if (phase_ == Phase::closed || phase_ == Phase::upgraded) return;
    phase_ = Phase::closed;
    wait_at_most(0);
    error_code ignored;
    socket_.close(ignored);
  }

  Core& core_;  // kept alive by the slot
  Slot slot_;   // before the socket: the socket needs the I/O context
  const Strand strand_;
  Socket socket_;
  Site& site_;
  const std::string address_;
  std::string in_;
  std::string out_;
  WireRequest request_;
  std::size_t scanned_ = 0;
  std::size_t body_bytes_ = 0;
  std::size_t lingered_ = 0;
  Phase phase_ = Phase::idle;
  bool keep_alive_ = true;
  bool reading_ = false;
};

}  // namespace

std::shared_ptr<Connection> make_connection(Slot slot, Socket socket, Site& site,
                                            std::string address) {
  auto connection = std::make_shared<HttpConnection>(std::move(slot), std::move(socket), site,
                                                     std::move(address));
  connection->enroll();
  return connection;
}

}  // namespace topup::http::door
