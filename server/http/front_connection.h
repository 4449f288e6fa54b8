// What the door's parts share: the table of connections (front.cpp fills and sweeps it) and the
// connections themselves (front_connection.cpp, front_websocket.cpp). Internal to the door: only
// these include it, and only they see Boost.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "server/base/clock.h"
#include "server/http/front.h"
#include "server/http/front_wire.h"

namespace topup::http::door {

// One connection as the door's table sees it. Its own work runs on its strand; these may be called
// from any thread.
class Client : public std::enable_shared_from_this<Client> {
 public:
  virtual ~Client() = default;
  virtual void due() = 0;    // its time-out has passed
  virtual void drain() = 0;  // closes if nothing is under way
  virtual void abort() = 0;
  virtual void ws_send(std::string) {}
  virtual void ws_close() {}
};

// What all connections share. Held by each of them, because a late answer may outlive the Front.
struct Core {
  Core(int threads, Limits wanted) : limits(std::move(wanted)), io(threads) {}

  const Limits limits;
  net::io_context io;
  base::SystemClock clock;
  std::atomic<std::int64_t> now_ms{0};
  std::atomic<bool> draining{false};
  std::atomic<bool> stopped{false};
  std::atomic<std::size_t> unsent_bytes{0};  // answers waiting for their readers
  std::atomic<std::size_t> bodies_bytes{0};  // of bodies that are not yet whole

  mutable std::mutex mutex;  // guards what follows
  std::condition_variable emptied;
  struct Entry {
    std::weak_ptr<Client> client;
    std::atomic<std::int64_t> due_ms{0};  // 0: no time-out
  };
  std::unordered_map<std::uint64_t, Entry> clients;  // its entries do not move
  std::unordered_map<std::string, std::size_t> per_address;
  std::uint64_t last_id = 0;
  std::shared_ptr<const DoorObserver> observer;

  void tell(DoorEvent::Kind kind, std::string_view reason = {}, std::int64_t wall_ms = 0) const {
    std::shared_ptr<const DoorObserver> who;
    {
      const std::lock_guard lock(mutex);
      who = observer;
    }
    if (who) (*who)({kind, reason, wall_ms});
  }

  std::shared_ptr<Client> find(std::uint64_t id) const {
    const std::lock_guard lock(mutex);
    const auto at = clients.find(id);
    return at == clients.end() ? nullptr : at->second.client.lock();
  }
  // Everyone whose time-out has passed, or everyone. A reference is never dropped under the lock:
  // the last one would come back here to give up its slot.
  std::vector<std::shared_ptr<Client>> overdue(std::optional<std::int64_t> now) const {
    const std::lock_guard lock(mutex);
    std::vector<std::shared_ptr<Client>> found;
    found.reserve(now ? 0 : clients.size());
    for (const auto& [id, entry] : clients) {
      const std::int64_t due = entry.due_ms;
      if (now && (due == 0 || due > *now)) continue;
      if (auto alive = entry.client.lock()) found.push_back(std::move(alive));
    }
    return found;
  }
  std::vector<std::shared_ptr<Client>> everyone() const { return overdue(std::nullopt); }
};

// A place in the door's table; given back when it goes.
class Slot {
 public:
  Slot(std::shared_ptr<Core> core, std::uint64_t id, std::string counted, Core::Entry& entry)
      : core_(std::move(core)), id_(id), counted_(std::move(counted)), entry_(&entry) {}
  Slot(Slot&&) = default;
  Slot& operator=(Slot&&) = delete;
  ~Slot() {
    if (!core_) return;
    core_->tell(DoorEvent::Kind::closed);
    const std::lock_guard lock(core_->mutex);
    core_->clients.erase(id_);
    const auto at = core_->per_address.find(counted_);
    if (at != core_->per_address.end() && --at->second == 0) core_->per_address.erase(at);
    core_->emptied.notify_all();
  }
  void hold(const std::shared_ptr<Client>& client) {
    const std::lock_guard lock(core_->mutex);
    entry_->client = client;
  }
  Core& core() const { return *core_; }
  std::uint64_t id() const { return id_; }
  std::atomic<std::int64_t>& due_ms() const { return entry_->due_ms; }

 private:
  std::shared_ptr<Core> core_;
  std::uint64_t id_;
  std::string counted_;  // "" when exempt
  Core::Entry* entry_;
};

class Connection : public Client {
 public:
  virtual void start() = 0;  // on the socket's strand, once it is in the table
};
// `address` is the peer's. The connection is in the table from here on.
std::shared_ptr<Connection> make_connection(Slot slot, Wire wire, Site& site, std::string address);

// A WebSocket whose handshake was asked for but not yet answered.
class Upgrade : public Client {
 public:
  virtual void accept(Slot slot, Wire wire, const WireRequest& request) = 0;
};
std::shared_ptr<Upgrade> make_websocket(Strand strand, Core& core, Site& site, WsId id);

}  // namespace topup::http::door
