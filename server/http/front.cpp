#include "server/http/front.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <new>
#include <stdexcept>
#include <thread>

#include "server/base/log.h"
#include "server/http/front_connection.h"
#include "server/http/message.h"
#include "server/http/router.h"

namespace topup::http {
namespace {

using namespace door;
using Acceptor = net::basic_socket_acceptor<tcp, Strand>;

constexpr std::int64_t kSweepMs = 50;         // how late a time-out may be noticed
constexpr std::int64_t kAcceptPauseMs = 100;  // after running out of descriptors
constexpr std::int64_t kAbortMs = 1'000;      // for cut connections to leave the table

net::ip::address plain_address(const net::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return net::ip::make_address_v4(net::ip::v4_mapped, address.to_v6());
  }
  return address;
}

Address bytes_of(const net::ip::address& address) {
  return address.is_v6()
             ? Address(address.to_v6().to_bytes())
             : Address(net::ip::make_address_v6(net::ip::v4_mapped, address.to_v4()).to_bytes());
}

// Clients may not take the descriptors that the store and outside parties need.
Limits fitted(Limits limits) {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY) return limits;
  const auto all = static_cast<std::size_t>(files.rlim_cur);
  const std::size_t spare = std::min(limits.spare_descriptors, all - all / 4);
  limits.max_connections = std::max<std::size_t>(std::min(limits.max_connections, all - spare), 1);
  return limits;
}

// Whom a connection counts for: the address, or the /64 of IPv6, which one subscriber holds whole.
std::string counted_as(const net::ip::address& address) {
  if (address.is_v4()) return address.to_string();
  auto bytes = address.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return net::ip::address_v6(bytes).to_string();
}

class Listener : public std::enable_shared_from_this<Listener> {
 public:
  Listener(std::shared_ptr<Core> core, Site& site, std::shared_ptr<const Certificates> certificates)
      : core_(std::move(core)),
        site_(site),
        certificates_(std::move(certificates)),
        acceptor_(net::make_strand(core_->io)),
        pause_(acceptor_.get_executor()) {}

  std::uint16_t open(const std::string& address, std::uint16_t port) {
    try {
      const tcp::endpoint endpoint(net::ip::make_address(address), port);
      acceptor_.open(endpoint.protocol());
      acceptor_.set_option(Acceptor::reuse_address(true));
      acceptor_.bind(endpoint);
      acceptor_.listen(net::socket_base::max_listen_connections);
      return acceptor_.local_endpoint().port();
    } catch (const boost::system::system_error& failure) {
      throw std::runtime_error("cannot listen on " + address + " port " + std::to_string(port) +
                               ": " + failure.code().message());
    }
  }

  void accept() {
    acceptor_.async_accept(net::make_strand(core_->io),
                           [self = shared_from_this()](error_code ec, Socket socket) {
                             self->on_accept(ec, std::move(socket));
                           });
  }

  // Ready when nobody is let in any more; never, while no thread runs the context.
  std::future<void> close() {
    auto closed = std::make_shared<std::promise<void>>();
    std::future<void> done = closed->get_future();
    net::post(acceptor_.get_executor(), [self = shared_from_this(), closed] {
      error_code ignored;
      self->acceptor_.close(ignored);
      self->pause_.cancel();
      closed->set_value();
    });
    return done;
  }

 private:
  void on_accept(error_code ec, Socket socket) {
    if (core_->draining || ec == net::error::operation_aborted) return;
    if (!ec) {
      paused_ = false;
      try {
        admit(std::move(socket));
      } catch (
          const std::exception& failure) {  // Out of memory for one must not end accepting for all.
        base::log(base::Level::error, "connection_dropped", {{"what", failure.what()}});
      }
    }
    if (!ec || ec == net::error::connection_aborted) return accept();
    // Out of descriptors or memory: the backlog keeps the others while connections end.
    if (!std::exchange(paused_, true)) {
      base::log(base::Level::warn, "accept_paused", {{"why", ec.message()}});
      core_->tell(DoorEvent::Kind::refused, "accept_paused");
    }
    pause_.expires_after(std::chrono::milliseconds(kAcceptPauseMs));
    pause_.async_wait([self = shared_from_this()](error_code) {
      if (!self->core_->draining) self->accept();
    });
  }

  void admit(Socket socket) {
    error_code ec;
    const tcp::endpoint peer = socket.remote_endpoint(ec);
    if (ec) return;
    const net::ip::address address = plain_address(peer.address());
    std::optional<Slot> slot = take_slot(address);
    if (!slot) return turn_away(std::move(socket));
    socket.set_option(tcp::no_delay(true), ec);
    const Strand strand = socket.get_executor();
    std::unique_ptr<TlsSession> tls;
    if (certificates_) {
      socket.native_non_blocking(true, ec);
      if (ec) return;
      tls = certificates_->session(socket.native_handle());
    }
    const auto connection = make_connection(
        std::move(*slot), Wire(std::move(socket), std::move(tls)), site_, address.to_string());
    net::post(strand, [connection] { connection->start(); });
  }

  std::optional<Slot> take_slot(const net::ip::address& address) {
    const Limits& limits = core_->limits;
    const bool is_exempt = (address.is_loopback() && !limits.counts_loopback) ||
                           limits.trusted_proxies.holds(bytes_of(address));
    std::string counted = is_exempt ? "" : counted_as(address);
    std::optional<Slot> slot;
    {
      const std::lock_guard lock(core_->mutex);
      if (core_->clients.size() >= limits.max_connections) return std::nullopt;
      if (!is_exempt) {
        std::size_t& held = core_->per_address[counted];
        if (held >= limits.max_connections_per_address) return std::nullopt;
        ++held;
      }
      const std::uint64_t id = ++core_->last_id;
      slot.emplace(core_, id, std::move(counted), core_->clients[id]);
    }
    core_->tell(DoorEvent::Kind::opened);
    return slot;
  }

  // One attempt that cannot block: a new socket's send buffer is empty. Where TLS is spoken the
  // connection just ends: an answer would cost a handshake.
  void turn_away(Socket socket) const {
    core_->tell(DoorEvent::Kind::refused, "too_many_connections");
    if (certificates_) return;
    static const std::string kBusy =
        answer_bytes(problem_of_status(503, "too_many_connections", TraceId()), false);
    error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(net::buffer(kBusy), ignored);
    socket.shutdown(tcp::socket::shutdown_both, ignored);
  }

  std::shared_ptr<Core> core_;
  Site& site_;
  std::shared_ptr<const Certificates> certificates_;  // none: no TLS
  Acceptor acceptor_;
  net::steady_timer pause_;
  bool paused_ = false;
};

class BeastFront final : public Front {
 public:
  BeastFront(int io_threads, Limits limits)
      : thread_count_(std::max(io_threads, 1)),
        core_(std::make_shared<Core>(thread_count_, fitted(std::move(limits)))),
        work_(core_->io.get_executor()),
        sweep_(core_->io) {
    core_->now_ms = core_->clock.mono_ms();
  }
  ~BeastFront() override { stop(0); }

  std::uint16_t listen(const std::string& address, std::uint16_t port, Site& site) override {
    return open(address, port, site, nullptr);
  }

  std::uint16_t listen_tls(const std::string& address, std::uint16_t port, Site& site,
                           const TlsFiles& files) override {
    const auto certificates = std::make_shared<Certificates>(
        files, core_->limits.certificate_look_ms, [core = core_](std::int64_t until_ms) {
          core->tell(DoorEvent::Kind::certificate, {}, until_ms);
        });
    const std::uint16_t bound = open(address, port, site, certificates);
    const std::lock_guard lock(mutex_);
    certificates_.push_back(certificates);
    return bound;
  }

  void reload_certificates() override {
    const std::lock_guard lock(mutex_);
    for (const auto& certificates : certificates_) certificates->reload();
  }

  std::int64_t tls_expires_at_ms() const override {
    const std::lock_guard lock(mutex_);
    std::int64_t first = 0;
    for (const auto& certificates : certificates_) {
      const std::int64_t ends = certificates->expires_at_ms();
      first = first == 0 ? ends : std::min(first, ends);
    }
    return first;
  }

  void observe(DoorObserver observer) override {
    {
      const std::lock_guard lock(core_->mutex);
      core_->observer =
          observer ? std::make_shared<const DoorObserver>(std::move(observer)) : nullptr;
    }
    const std::int64_t ends = tls_expires_at_ms();
    if (ends != 0) core_->tell(DoorEvent::Kind::certificate, {}, ends);
  }

  void start() override {
    const std::lock_guard lock(mutex_);
    if (!threads_.empty() || core_->stopped) return;
    sweep();
    for (int i = 0; i < thread_count_; ++i) threads_.emplace_back([this] { run(); });
  }

  void stop(std::int64_t drain_ms) override {
    const std::lock_guard lock(mutex_);
    if (core_->stopped) return;
    core_->draining = true;
    std::vector<std::future<void>> closing;
    for (const auto& listener : listeners_) closing.push_back(listener->close());
    if (!threads_.empty()) {
      // First the door, then the guests: whoever is sent away must not get in again.
      for (const std::future<void>& closed : closing) {
        closed.wait_for(std::chrono::milliseconds(kAbortMs));
      }
      for (const auto& client : core_->everyone()) client->drain();
      wait_until_empty(drain_ms);
      for (const auto& client : core_->everyone()) client->abort();
      wait_until_empty(kAbortMs);
    }
    core_->stopped = true;
    work_.reset();
    core_->io.stop();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    listeners_.clear();
    certificates_.clear();
    sweep_.cancel();
    core_->io.restart();  // What was posted meanwhile holds connections, and they hold the context:
                          // let it run out.
    core_->io.poll();
  }

  void ws_send(WsId id, std::string text) override {
    if (const auto client = core_->find(id)) client->ws_send(std::move(text));
  }
  void ws_close(WsId id) override {
    if (const auto client = core_->find(id)) client->ws_close();
  }
  std::size_t connections() const override {
    const std::lock_guard lock(core_->mutex);
    return core_->clients.size();
  }

 private:
  std::uint16_t open(const std::string& address, std::uint16_t port, Site& site,
                     std::shared_ptr<const Certificates> certificates) {
    const auto listener = std::make_shared<Listener>(core_, site, std::move(certificates));
    const std::uint16_t bound = listener->open(address, port);
    listener->accept();
    const std::lock_guard lock(mutex_);
    listeners_.push_back(listener);
    return bound;
  }

  void run() {
    while (!core_->io.stopped()) {
      try {
        core_->io.run();
        return;
      } catch (const std::exception& failure) {
        base::log(base::Level::error, "door_threw", {{"what", failure.what()}});
      }
    }
  }

  // One timer for all: a connection only stores when it falls due.
  void sweep() {
    core_->now_ms = core_->clock.mono_ms();
    try {
      for (const auto& client : core_->overdue(core_->now_ms)) client->due();
    } catch (const std::bad_alloc&) {  // The next round finds them again.
      base::log(base::Level::error, "sweep_out_of_memory");
    }
    sweep_.expires_after(std::chrono::milliseconds(kSweepMs));
    sweep_.async_wait([this](error_code ec) {
      if (!ec) sweep();
    });
  }

  void wait_until_empty(std::int64_t at_most_ms) {
    std::unique_lock lock(core_->mutex);
    core_->emptied.wait_for(lock, std::chrono::milliseconds(at_most_ms),
                            [this] { return core_->clients.empty(); });
  }

  const int thread_count_;
  mutable std::mutex mutex_;
  std::shared_ptr<Core> core_;
  net::executor_work_guard<net::io_context::executor_type> work_;
  net::steady_timer sweep_;
  std::vector<std::shared_ptr<Listener>> listeners_;
  std::vector<std::shared_ptr<Certificates>> certificates_;
  std::vector<std::thread> threads_;
};

}  // namespace

std::string_view word_of(DoorEvent::Kind kind) {
  switch (kind) {
    case DoorEvent::Kind::opened:
      return "opened";
    case DoorEvent::Kind::closed:
      return "closed";
    case DoorEvent::Kind::refused:
      return "refused";
    case DoorEvent::Kind::handshake_failed:
      return "handshake_failed";
    case DoorEvent::Kind::certificate:
      return "certificate";
  }
  return "";
}

std::unique_ptr<Front> make_front(int io_threads, Limits limits) {
  return std::make_unique<BeastFront>(io_threads, std::move(limits));
}

}  // namespace topup::http
