// A client's socket, with or without TLS, as Asio and Beast see a stream. Internal to the door.
// Everything happens on the socket's strand.
#pragma once

// clang-format off
#include <utility>  // Before Boost.Asio: g++ 12 in C++20 mode needs std::exchange there.
// clang-format on

#include <boost/asio.hpp>
#include <cstddef>
#include <memory>

#include "server/http/front_tls.h"

namespace topup::http::door {

namespace net = boost::asio;
using boost::system::error_code;
using net::ip::tcp;
using Strand = net::strand<net::io_context::executor_type>;
using Socket = net::basic_stream_socket<tcp, Strand>;

// One step of TLS as an Asio operation: tries, and waits for the socket as long as OpenSSL wants.
struct TlsOperation {
  enum class What : std::uint8_t { handshake, read, write };
  Socket* socket;
  TlsSession* tls;
  What what;
  void* data;
  std::size_t size;
  bool has_waited = false;
  bool is_done = false;
  std::size_t count = 0;
  error_code result = {};

  TlsSession::Step step() {
    if (what == What::handshake) return tls->handshake();
    return what == What::read ? tls->read(data, size, &count) : tls->write(data, size, &count);
  }

  template <class Self>
  void operator()(Self& self, error_code ec = {}) {
    if (is_done) return self.complete(result, count);
    if (ec) return self.complete(ec, 0);
    Socket& on = *socket;  // `this` moves with `self`
    switch (step()) {
      case TlsSession::Step::want_read:
        has_waited = true;
        return on.async_wait(Socket::wait_read, std::move(self));
      case TlsSession::Step::want_write:
        has_waited = true;
        return on.async_wait(Socket::wait_write, std::move(self));
      case TlsSession::Step::done:
        break;
      case TlsSession::Step::ended:
        result = net::error::eof;
        break;
      case TlsSession::Step::failed:
        result = net::error::connection_aborted;
        break;
    }
    if (has_waited) return self.complete(result, count);
    is_done = true;  // a handler is never called by the function that it is given to
    net::post(on.get_executor(), std::move(self));
  }
};

class Wire {
 public:
  Wire(Socket socket, std::unique_ptr<TlsSession> tls)
      : socket_(std::move(socket)), tls_(std::move(tls)) {}

  using executor_type = Strand;
  executor_type get_executor() noexcept { return socket_.get_executor(); }
  bool is_secure() const { return tls_ != nullptr; }
  TlsSession* tls() const { return tls_.get(); }
  Socket& socket() { return socket_; }

  // handler(error_code, 0)
  template <class Handler>
  void async_handshake(Handler&& handler) {
    operate(TlsOperation::What::handshake, nullptr, 0, handler);
  }

  template <class Buffers, class Handler>
  auto async_read_some(const Buffers& buffers, Handler&& handler) {
    if (!tls_) return socket_.async_read_some(buffers, std::forward<Handler>(handler));
    net::mutable_buffer to = first_of<net::mutable_buffer>(buffers);
    return operate(TlsOperation::What::read, to.data(), to.size(), handler);
  }

  template <class Buffers, class Handler>
  auto async_write_some(const Buffers& buffers, Handler&& handler) {
    if (!tls_) return socket_.async_write_some(buffers, std::forward<Handler>(handler));
    net::const_buffer from = first_of<net::const_buffer>(buffers);
    return operate(TlsOperation::What::write, const_cast<void*>(from.data()), from.size(), handler);
  }

  // Says that nothing more comes; reading then gives what was still under way, never decrypted.
  void finish_sending(error_code& ec) {
    if (tls_) tls_->finish();
    socket_.shutdown(Socket::shutdown_send, ec);
  }
  // After a client that does not speak TLS at all: what follows goes in the clear.
  void become_plain() { tls_.reset(); }
  void close() {
    if (tls_) {
      tls_->finish();
      tls_->forget_socket();
    }
    error_code ignored;
    socket_.close(ignored);
  }

 private:
  template <class Buffer, class Buffers>
  static Buffer first_of(const Buffers& buffers) {
    const auto end = net::buffer_sequence_end(buffers);
    for (auto at = net::buffer_sequence_begin(buffers); at != end; ++at) {
      if (const Buffer buffer(*at); buffer.size() > 0) return buffer;
    }
    return {};
  }

  template <class Handler>
  auto operate(TlsOperation::What what, void* data, std::size_t size, Handler& handler) {
    return net::async_compose<Handler, void(error_code, std::size_t)>(
        TlsOperation{&socket_, tls_.get(), what, data, size}, handler, socket_);
  }

  Socket socket_;
  std::unique_ptr<TlsSession> tls_;
};

}  // namespace topup::http::door
