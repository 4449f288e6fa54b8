// TLS for the door, without Boost: certificates that may be exchanged while in use, and one
// connection's half of the protocol on a socket that never blocks. OpenSSL works straight on the
// socket, not through buffers of its own, so that an idle connection holds little memory.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "server/base/clock.h"
#include "server/http/front.h"

using SSL_CTX = struct ssl_ctx_st;
using SSL = struct ssl_st;

namespace topup::http::door {

// One connection's TLS. Not thread-safe: used on the connection's strand.
class TlsSession {
 public:
  enum class Step : std::uint8_t { done, want_read, want_write, ended, failed };

  TlsSession(const std::shared_ptr<SSL_CTX>& context, int socket);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  Step handshake();
  Step read(void* to, std::size_t size, std::size_t* count);
  Step write(const void* from, std::size_t size, std::size_t* count);
  // Tells the client that nothing more comes, if that can be sent at once. From then on read()
  // gives the raw bytes that were still under way.
  void finish();
  void forget_socket();  // before it is closed: its number may be given to another
  bool is_finished() const { return is_finished_; }
  std::string_view failure() const { return failure_; }  // of the handshake, one word
  static constexpr std::string_view kPlainHttp = "plain_http";

 private:
  friend struct SocketBio;
  Step outcome(int result);

  std::shared_ptr<SSL_CTX> context_;
  SSL* ssl_;
  int socket_;
  bool is_finished_ = false;
  std::string_view failure_;
};

// A certificate in use and the thread that looks for a newer one. Thread-safe.
class Certificates {
 public:
  // Throws std::runtime_error with every mistake. `loaded` hears of the first one and of each that
  // takes its place, with its end.
  Certificates(TlsFiles files, std::int64_t look_ms, std::function<void(std::int64_t)> loaded);
  ~Certificates();
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  std::unique_ptr<TlsSession> session(int socket) const;
  void reload();
  std::int64_t expires_at_ms() const;

 private:
  void watch(const std::stop_token& stop);
  void warn_before_end();

  const TlsFiles files_;
  const std::int64_t look_ms_;
  const std::function<void(std::int64_t)> loaded_;
  const base::SystemClock clock_;
  std::string seen_;      // what the files looked like when they were last read
  std::mutex reloading_;  // guards seen_ and warned_at_ms_
  std::int64_t warned_at_ms_ = 0;
  mutable std::mutex mutex_;  // guards what follows
  std::shared_ptr<SSL_CTX> context_;
  std::int64_t expires_at_ms_ = 0;
  std::condition_variable_any stopped_;
  std::jthread watcher_;
};

}  // namespace topup::http::door
