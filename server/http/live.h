// Order pages that flip by themselves: one WebSocket follows one order. After opening, a page sends
//   {"type":"subscribe","session":TOKEN,"order_id":ID,"after":SEQ}
// within kSubscribeMs and gets {"type":"order","seq":N,"order":{…}} at once when there is news
// beyond SEQ, and after every change; {"type":"error","reason":WORD} refuses. The token travels in
// a message, so that no log of addresses holds it. All reading and sending happens on one thread of
// its own; the callbacks only enqueue. Losing a hint costs a late flip, never a wrong one: pages
// also poll. Thread-safe.
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

#include "server/auth/session.h"
#include "server/base/clock.h"
#include "server/http/front.h"
#include "server/storage/db.h"
#include "shared/ids.h"

namespace topup::http {

inline constexpr std::int64_t kSubscribeMs = 5'000;
inline constexpr std::size_t kMaxLiveQueue = 16'384;

// A page of another site must not follow orders with this browser: its Origin, when there is one,
// has to be our own host.
bool is_own_origin(const WireRequest& request);

class Live {
 public:
  Live(storage::Db& db, const base::Clock& clock, auth::Sessions& sessions, Front& front);
  ~Live();
  Live(const Live&) = delete;
  Live& operator=(const Live&) = delete;

  void opened(WsId id);
  void message(WsId id, std::string_view text);
  void closed(WsId id);
  void changed(const OrderId& order);  // after commit
  void stop();

 private:
  struct Task {
    enum class Kind { opened, message, closed, changed } kind;
    WsId id = 0;
    std::string text;  // the message, or the order's id
  };
  struct Follower {
    OrderId order;  // empty until it has subscribed
    std::int64_t seq = 0;
    std::int64_t opened_mono_ms = 0;
  };
  void push(Task task);
  void run();
  void perform(const Task& task);
  void subscribe(WsId id, const std::string& text);
  void send_news(WsId id, Follower& follower);
  void refuse_follower(WsId id, std::string_view reason);
  void drop(WsId id);
  void close_silent();

  storage::Db& db_;
  const base::Clock& clock_;
  auth::Sessions& sessions_;
  Front& front_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> queue_;
  bool stopping_ = false;
  std::map<WsId, Follower> followers_;              // of the thread below
  std::map<std::string, std::set<WsId>> by_order_;  // of the thread below
  std::thread thread_;
};

}  // namespace topup::http
