#include "server/http/live.h"

#include <chrono>
#include <utility>
#include <vector>

#include "server/base/json.h"
#include "server/base/log.h"
#include "server/http/wire.h"
#include "server/orders/order_service.h"

namespace topup::http {

bool is_own_origin(const WireRequest& request) {
  std::string_view host;
  std::string_view origin;
  for (const auto& [name, value] : request.headers) {
    if (name == "host") host = value;
    if (name == "origin") origin = value;
  }
  if (origin.empty()) return true;  // not a browser
  const std::size_t scheme = origin.find("://");
  return scheme != std::string_view::npos && origin.substr(scheme + 3) == host;
}

Live::Live(storage::Db& db, const base::Clock& clock, auth::Sessions& sessions, Front& front)
    : db_(db), clock_(clock), sessions_(sessions), front_(front), thread_([this] { run(); }) {}

Live::~Live() { stop(); }

void Live::stop() {
  {
    const std::lock_guard hold(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Live::opened(WsId id) { push({Task::Kind::opened, id, {}}); }
void Live::message(WsId id, std::string_view text) {
  push({Task::Kind::message, id, std::string(text)});
}
void Live::closed(WsId id) { push({Task::Kind::closed, id, {}}); }
void Live::changed(const OrderId& order) { push({Task::Kind::changed, 0, order.text}); }

void Live::push(Task task) {
  {
    const std::lock_guard hold(mutex_);
    // A page that misses a hint polls; one that cannot be registered or forgotten would leak, so
    // those always get in.
    const bool droppable = task.kind == Task::Kind::changed || task.kind == Task::Kind::message;
    if (stopping_ || (droppable && queue_.size() >= kMaxLiveQueue)) return;
    queue_.push_back(std::move(task));
  }
  wake_.notify_one();
}

void Live::run() {
  for (;;) {
    Task task;
    bool have = false;
    {
      std::unique_lock hold(mutex_);
      wake_.wait_for(hold, std::chrono::seconds(1),
                     [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      if (!queue_.empty()) {
        task = std::move(queue_.front());
        queue_.pop_front();
        have = true;
      }
    }
    try {
      if (have) {
        perform(task);
      } else {
        close_silent();
      }
    } catch (const std::exception& failure) {
      base::log(base::Level::error, "live_failed", {{"why", failure.what()}});
    }
  }
}

void Live::perform(const Task& task) {
  switch (task.kind) {
    case Task::Kind::opened:
      followers_[task.id].opened_mono_ms = clock_.mono_ms();
      return;
    case Task::Kind::closed:
      drop(task.id);
      return;
    case Task::Kind::message:
      subscribe(task.id, task.text);
      return;
    case Task::Kind::changed:
      break;
  }
  const auto found = by_order_.find(task.text);
  if (found == by_order_.end()) return;
  const std::vector<WsId> ids(found->second.begin(), found->second.end());
  for (const WsId id : ids) send_news(id, followers_[id]);
}

void Live::subscribe(WsId id, const std::string& text) {
  const auto follower = followers_.find(id);
  if (follower == followers_.end()) return;  // closed meanwhile
  const Result<base::Json> json = base::json_in(text);
  if (!json || !json->is_object()) return refuse_follower(id, "json_malformed");
  const auto token = base::text_in(*json, "session");
  const auto order = base::text_in(*json, "order_id", 64);
  const auto after = base::integer_in(*json, "after", 0, kMaxMinor);
  if (!token || !order || !after) return refuse_follower(id, "missing_field");
  const Result<UserId> user = sessions_.buyer(*token);
  if (!user) return refuse_follower(id, user.error().reason);
  const auto view = orders::load_view(db_, OrderId(*order));
  if (!view || view->order.user != *user) return refuse_follower(id, "order_not_found");

  if (!follower->second.order.empty()) by_order_[follower->second.order.text].erase(id);
  follower->second.order = OrderId(*order);
  follower->second.seq = *after;
  by_order_[*order].insert(id);
  send_news(id, follower->second);
}

void Live::send_news(WsId id, Follower& follower) {
  const auto view = orders::load_view(db_, follower.order);
  if (!view || view->order.event_seq <= follower.seq) return;
  follower.seq = view->order.event_seq;
  const base::Json message = {{"type", "order"},
                              {"seq", view->order.event_seq},
                              {"order", wire::order_json(*view, clock_.wall_ms())}};
  front_.ws_send(id, message.dump());
}

void Live::refuse_follower(WsId id, std::string_view reason) {
  front_.ws_send(id, base::Json({{"type", "error"}, {"reason", reason}}).dump());
}

void Live::drop(WsId id) {
  const auto found = followers_.find(id);
  if (found == followers_.end()) return;
  const auto order = by_order_.find(found->second.order.text);
  if (order != by_order_.end()) {
    order->second.erase(id);
    if (order->second.empty()) by_order_.erase(order);
  }
  followers_.erase(found);
}

// A connection that says nothing is not kept for nothing.
void Live::close_silent() {
  const std::int64_t now = clock_.mono_ms();
  for (const auto& [id, follower] : followers_) {
    if (follower.order.empty() && follower.opened_mono_ms + kSubscribeMs < now) front_.ws_close(id);
  }
}

}  // namespace topup::http
