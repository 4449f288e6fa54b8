#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <chrono>
#include <deque>

#include "server/http/front_connection.h"

namespace topup::http::door {

// How Beast ends a stream that it does not know (found by argument-dependent look-up).
template <class Handler>
void async_teardown(boost::beast::role_type role, Wire& wire, Handler&& handler) {
  if (TlsSession* tls = wire.tls()) {
    tls->finish();
    tls->forget_socket();
  }
  boost::beast::websocket::async_teardown(role, wire.socket(), std::forward<Handler>(handler));
}
void beast_close_socket(Wire& wire) { wire.close(); }

namespace {

namespace beast = boost::beast;

constexpr std::int64_t kHandshakeMs = 10'000;
constexpr std::int64_t kIdleMs = 60'000;    // pings go out at half of it
constexpr std::int64_t kGoodbyeMs = 2'000;  // for the other side to answer our close

class WebSocketClient final : public Upgrade {
 public:
  WebSocketClient(Strand strand, Core& core, Site& site, WsId id)
      : strand_(std::move(strand)), core_(core), site_(site), id_(id) {}

  void accept(Slot slot, Wire wire, const WireRequest& request) override {
    slot_.emplace(std::move(slot));
    stream_.emplace(std::move(wire));
    namespace ws = beast::websocket;
    ws::stream_base::timeout times{};
    times.handshake_timeout = std::chrono::milliseconds(kHandshakeMs);
    times.idle_timeout = std::chrono::milliseconds(kIdleMs);
    times.keep_alive_pings = true;
    stream_->set_option(times);
    stream_->read_message_max(core_.limits.max_ws_message_bytes);
    handshake_.method(beast::http::verb::get);
    handshake_.target(request.target);
    handshake_.version(11);
    for (const auto& [name, value] : request.headers) handshake_.insert(name, value);
    stream_->async_accept(handshake_, [self = self()](error_code ec) { self->on_accept(ec); });
  }

  // Falls due only once it was told to go.
  void due() override { abort(); }
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
      if (self->slot_) self->slot_->due_ms() = self->core_.now_ms + kGoodbyeMs;
      self->close_stream();
    });
  }

  void close_stream() {
    closing_ = true;
    if (!open_ || std::exchange(close_sent_, true)) return;
    stream_->async_close(close_code_, [self = self()](error_code) { self->cut(); });
  }

  void cut() {
    if (stream_) stream_->next_layer().close();
    finish();
  }

  void finish() {
    if (std::exchange(finished_, true) || !stream_) return;
    stream_->next_layer().close();
    if (slot_) slot_->due_ms() = 0;
    site_.ws_closed(id_);
  }

  Strand strand_;
  Core& core_;  // kept alive by the slot
  Site& site_;
  const WsId id_;
  std::optional<Slot> slot_;  // before the stream: the stream's socket needs the I/O context
  std::optional<beast::websocket::stream<Wire>> stream_;
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

}  // namespace

std::shared_ptr<Upgrade> make_websocket(Strand strand, Core& core, Site& site, WsId id) {
  return std::make_shared<WebSocketClient>(std::move(strand), core, site, id);
}

}  // namespace topup::http::door
