// A wire between a client and a server on loopback that a test can cut at an exact place. It passes
// bytes on until what the client says holds `text`; then it does, once, what it was told.
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace topup::testing {

class CutWire {
 public:
  enum class Cut {
    none,
    before,  // the server never hears it
    after,   // the server hears it and answers, the client never hears the answer
    late,    // the client is told the wire is gone; the server hears it a moment later
    amid,    // the server hears what came before it in the packet, and then nothing for a long time
  };

  explicit CutWire(std::uint16_t server_port) : server_port_(server_port) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("no port for the wire");
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~CutWire() {
    stopping_ = true;
    acceptor_.join();
    for (std::thread& wire : wires_) wire.join();
    ::close(listener_);
  }
  CutWire(const CutWire&) = delete;
  CutWire& operator=(const CutWire&) = delete;

  std::uint16_t port() const { return port_; }
  // From now on, the `nth` packet of a client that holds `text` is the place, once.
  void cut_at(const std::string& text, Cut cut, int nth = 1) {
    const std::lock_guard hold(mutex_);
    text_ = text;
    cut_ = cut;
    nth_ = nth;
  }
  int cuts() const { return cuts_; }
  int packets() const { return packets_; }  // of clients, all in all

 private:
  static constexpr int kBeatMs = 20;
  static constexpr int kLateMs = 400;
  static constexpr int kAmidMs = 20'000;

  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  void accept_all() {
    while (!stopping_) {
      pollfd waiting{listener_, POLLIN, 0};
      if (::poll(&waiting, 1, kBeatMs) <= 0) continue;
      const int client = ::accept(listener_, nullptr, nullptr);
      if (client >= 0) wires_.emplace_back([this, client] { pass(client); });
    }
  }
  void pass(int client) {
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(server_port_);
    if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      pass_between(client, server);
    }
    ::close(client);
    ::close(server);
  }
  void pass_between(int client, int server) {
    std::array<char, 65'536> bytes{};
    while (!stopping_) {
      std::array<pollfd, 2> ends{pollfd{client, POLLIN, 0}, pollfd{server, POLLIN, 0}};
      if (::poll(ends.data(), ends.size(), kBeatMs) <= 0) continue;
      if (ends[0].revents != 0) {
        const ssize_t size = ::recv(client, bytes.data(), bytes.size(), 0);
        if (size <= 0) return;
        const std::string_view said(bytes.data(), static_cast<std::size_t>(size));
        ++packets_;
        if (act(client, server, said, take_cut(said))) return;
      }
      if (ends[1].revents != 0) {
        const ssize_t size = ::recv(server, bytes.data(), bytes.size(), 0);
        if (size <= 0 || !send_all(client, {bytes.data(), static_cast<std::size_t>(size)})) return;
      }
    }
  }
  Cut take_cut(std::string_view said) {
    const std::lock_guard hold(mutex_);
    if (cut_ == Cut::none || said.find(text_) == std::string_view::npos || --nth_ > 0)
      return Cut::none;
    ++cuts_;
    return std::exchange(cut_, Cut::none);
  }
  // True when the wire is cut.
  bool act(int client, int server, std::string_view said, Cut cut) {
    switch (cut) {
      case Cut::none:
        return !send_all(server, said);
      case Cut::before:
        return true;
      case Cut::after:
        send_all(server, said);
        wait_for_answer(server);
        ::shutdown(client, SHUT_RDWR);
        wait(kLateMs);
        return true;
      case Cut::late:
        ::shutdown(client, SHUT_RDWR);
        wait(kLateMs);
        send_all(server, said);
        wait(kLateMs);
        return true;
      case Cut::amid:
        send_all(server, said.substr(0, said.find(text_)));
        ::shutdown(client, SHUT_RDWR);
        wait_for_end(server);
        return true;
    }
    return true;
  }
  void wait(int ms) const {
    for (int waited = 0; waited < ms && !stopping_; waited += kBeatMs) {
      std::this_thread::sleep_for(std::chrono::milliseconds(kBeatMs));
    }
  }
  void wait_for_answer(int server) const {
    for (int waited = 0; waited < kAmidMs && !stopping_; waited += kBeatMs) {
      pollfd answer{server, POLLIN, 0};
      if (::poll(&answer, 1, kBeatMs) > 0) return;
    }
  }
  void wait_for_end(int server) const {
    std::array<char, 4'096> bytes{};
    for (int waited = 0; waited < kAmidMs && !stopping_; waited += kBeatMs) {
      pollfd end{server, POLLIN, 0};
      if (::poll(&end, 1, kBeatMs) > 0 && ::recv(server, bytes.data(), bytes.size(), 0) <= 0)
        return;
    }
  }
  static bool send_all(int to, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  std::uint16_t server_port_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::atomic<bool> stopping_{false};
  std::atomic<int> cuts_{0};
  std::atomic<int> packets_{0};
  std::mutex mutex_;
  std::string text_;
  Cut cut_ = Cut::none;
  int nth_ = 0;
  std::vector<std::thread> wires_;
  std::thread acceptor_;
};

}  // namespace topup::testing
