// Order pages that flip by themselves: one WebSocket follows one order. After opening, a page sends
//   {"type":"subscribe","session":TOKEN,"order_id":ID,"after":SEQ}
// within kSubscribeMs and gets {"type":"order","seq":N,"order":{…}} at once when there is news
// beyond SEQ, and after every change. Without order_id it follows all orders of its buyer: `after`
// is then the `last` of an earlier message or of /api/v1/orders/changes, 0 to begin, and it gets
//   {"type":"changes","changes":[{…,"seq":N}],"last":ID,"more":…,"resync":…}
// with what it missed, bounded (`more`: ask that route), and after every change.
// {"type":"error","reason":WORD} refuses; {"type":"service",…} tells every page that the level of
// service or its notice has changed. The token travels in a message, so that no log of addresses
// holds it. All reading and sending happens on one thread of its own; the callbacks only enqueue.
// Losing a hint costs a late flip, never a wrong one: pages also poll. What other nodes change is
// looked for every kLookMs, while anybody follows anything here. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>

#include "server/auth/buyer_sessions.h"
#include "server/base/clock.h"
#include "server/http/front.h"
#include "server/orders/order_service.h"
#include "server/storage/db.h"
#include "shared/ids.h"

namespace topup::http {

inline constexpr std::int64_t kSubscribeMs = 5'000;
inline constexpr std::int64_t kLookMs = 1'000;
inline constexpr std::int64_t kLookBackMs =
    30'000;  // clocks of nodes differ, and commits take time
inline constexpr std::size_t kMaxLiveQueue = 16'384;

// A page of another site must not follow orders with this browser: its Origin, when there is one,
// has to be our own host.
bool is_own_origin(const WireRequest& request);

class Live {
 public:
  Live(storage::Db& db, const base::Clock& clock, auth::BuyerSessions& sessions, Front& front,
       std::int64_t hold_promise_ms);
  ~Live();
  Live(const Live&) = delete;
  Live& operator=(const Live&) = delete;

  void opened(WsId id);
  void message(WsId id, std::string_view text);
  void closed(WsId id);
  void changed(const OrderId& order);  // after commit
  void tell_all(std::string message);  // to every page that follows something
  void stop();

 private:
  struct Task {
    enum class Kind { opened, message, closed, changed, tell_all } kind;
    WsId id = 0;
    std::string text;  // the message, or the order's id
  };
  struct Follower {
    OrderId order;  // empty until it has subscribed, and with `user`
    UserId user;    // whose orders it follows all; empty for one order
    std::int64_t seq = 0;
    std::int64_t opened_mono_ms = 0;
  };
  void push(Task task);
  void run();
  void perform(const Task& task);
  void subscribe(WsId id, const std::string& text);
  void follow_all(WsId id, const UserId& user, std::int64_t after);
  void tell_owner(const orders::OrderView& view);
  void leave(WsId id, const Follower& follower);
  void tell_followers(const OrderId& order);
  std::string news_text(const orders::OrderView& view) const;
  void refuse_follower(WsId id, std::string_view reason);
  void drop(WsId id);
  void close_silent();
  void look_at_others();
  bool is_news(const std::string& order, const std::string& user, std::int64_t seq) const;

  storage::Db& db_;
  const base::Clock& clock_;
  auth::BuyerSessions& sessions_;
  Front& front_;
  const std::int64_t hold_promise_ms_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> queue_;
  bool stopping_ = false;
  std::map<WsId, Follower> followers_;              // of the thread below
  std::map<std::string, std::set<WsId>> by_order_;  // of the thread below
  std::map<std::string, std::set<WsId>> by_user_;   // of the thread below
  // Of the thread below, and only where there are other nodes: what owners were told lately.
  std::map<std::string, std::int64_t> told_owners_;  // order → seq
  bool has_nodes_;
  std::int64_t look_mono_ms_ = 0, looked_wall_ms_ = 0;
  std::thread thread_;
};

}  // namespace topup::http
