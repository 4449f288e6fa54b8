// A client of a few lines on a plain socket, for tests that must say each byte themselves. Every
// wait ends after kPatienceMs.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace topup::http {

inline constexpr int kPatienceMs = 5'000;

class WireClient {
 public:
  // Not connected yet: a test that counts descriptors makes all its own first.
  WireClient() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {}
  explicit WireClient(std::uint16_t port) : WireClient() { connect(port); }
  void connect(std::uint16_t port) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
      ::close(std::exchange(socket_, -1));
      throw std::runtime_error("connect failed");
    }
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  WireClient(WireClient&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), in_(std::move(other.in_)) {}
  WireClient& operator=(WireClient&&) = delete;
  ~WireClient() {
    if (socket_ >= 0) ::close(socket_);
  }

  // False when the other side has gone.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  int handle() const { return socket_; }
  void finish_sending() { ::shutdown(socket_, SHUT_WR); }

  // Head and body of the next answer by its Content-Length; "" when the connection ended first.
  std::string answer() {
    std::size_t end = 0;
    while ((end = in_.find("\r\n\r\n")) == std::string::npos) {
      if (!receive()) return {};
    }
    const std::size_t at = in_.substr(0, end).find("Content-Length: ");
    const std::size_t length =
        at == std::string::npos ? 0 : std::strtoul(in_.c_str() + at + 16, nullptr, 10);
    return take(end + 4 + length);
  }
  // Exactly `count` bytes, or fewer when the connection ended first.
  std::string take(std::size_t count) {
    while (in_.size() < count && receive()) {
    }
    std::string bytes = in_.substr(0, count);
    in_.erase(0, bytes.size());
    return bytes;
  }
  // Everything until the other side ends the connection.
  std::string rest() {
    while (receive()) {
    }
    return std::exchange(in_, {});
  }
  // Nothing more came, and the other side has ended the connection (in order, or by a reset).
  bool is_closed() { return rest().empty() && ended_; }

 private:
  bool receive() {
    pollfd wait{socket_, POLLIN, 0};
    if (::poll(&wait, 1, kPatienceMs) != 1) return false;
    char bytes[4096];
    const ssize_t count = ::recv(socket_, bytes, sizeof bytes, 0);
    ended_ = count <= 0;
    if (count <= 0) return false;
    in_.append(bytes, static_cast<std::size_t>(count));
    return true;
  }

  int socket_;
  std::string in_;
  bool ended_ = false;
};

inline std::string body_of(const std::string& answer) {
  const std::size_t end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}
inline int status_of_answer(const std::string& answer) {
  return answer.size() < 12 ? 0 : std::atoi(answer.c_str() + 9);
}
inline bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace topup::http
