#include "server/http/live.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "server/base/json.h"
#include "server/base/log.h"
#include "server/http/wire.h"
#include "server/orders/order_watch_store.h"

namespace topup::http {
namespace {

std::string joined_keys(const std::map<std::string, std::set<WsId>>& map) {
  std::string out;
  for (const auto& [key, followers] : map) (out += out.empty() ? "" : ",") += key;
  return out;
}

}  // namespace

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

Live::Live(storage::Db& db, const base::Clock& clock, auth::BuyerSessions& sessions, Front& front,
           std::int64_t hold_promise_ms)
    : db_(db),
      clock_(clock),
      sessions_(sessions),
      front_(front),
      hold_promise_ms_(hold_promise_ms),
      has_nodes_(db.engine() != "sqlite"),
      looked_wall_ms_(clock.wall_ms()),
      thread_([this] { run(); }) {}

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

void Live::tell_all(std::string message) { push({Task::Kind::tell_all, 0, std::move(message)}); }

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
      look_at_others();
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
    case Task::Kind::tell_all:
      for (const auto& [id, follower] : followers_) front_.ws_send(id, task.text);
      return;
    case Task::Kind::changed:
      break;
  }
  tell_followers(OrderId(task.text));
}

// One order may have many followers: it is read and written down once.
void Live::tell_followers(const OrderId& order) {
  const auto found = by_order_.find(order.text);
  if (found == by_order_.end() && by_user_.empty()) return;
  const auto view = orders::load_view(db_, order, hold_promise_ms_);
  if (!view) return;
  tell_owner(*view);
  if (found == by_order_.end()) return;
  std::string text;
  for (const WsId id : found->second) {
    Follower& follower = followers_[id];
    if (view->order.event_seq <= follower.seq) continue;
    follower.seq = view->order.event_seq;
    if (text.empty()) text = news_text(*view);
    front_.ws_send(id, text);
  }
}

void Live::tell_owner(const orders::OrderView& view) {
  const auto found = by_user_.find(view.order.user.text);
  if (found == by_user_.end()) return;
  if (has_nodes_) {
    std::int64_t& told = told_owners_[view.order.id.text];
    if (told >= view.order.event_seq) return;
    told = view.order.event_seq;
  }
  orders::OrderChanges one;
  one.orders.push_back(view.order);
  one.last_ms = clock_.wall_ms();
  base::Json message = wire::changes_json(one);
  message["type"] = "changes";
  const std::string text = message.dump();
  for (const WsId id : found->second) front_.ws_send(id, text);
}

// Registered first, read second: a change between the two is told twice, never missed.
void Live::follow_all(WsId id, const UserId& user, std::int64_t after) {
  Follower& follower = followers_[id];
  leave(id, follower);
  follower.order = OrderId();
  follower.user = user;
  by_user_[user.text].insert(id);
  base::Json message =
      wire::changes_json(orders::changes_since(db_, clock_.wall_ms(), user, after));
  message["type"] = "changes";
  front_.ws_send(id, message.dump());
}

void Live::leave(WsId id, const Follower& follower) {
  const auto out_of = [id](std::map<std::string, std::set<WsId>>& map, const std::string& key) {
    const auto place = map.find(key);
    if (place == map.end()) return;
    place->second.erase(id);
    if (place->second.empty()) map.erase(place);
  };
  out_of(by_order_, follower.order.text);
  out_of(by_user_, follower.user.text);
}

void Live::subscribe(WsId id, const std::string& text) {
  const auto follower = followers_.find(id);
  if (follower == followers_.end()) return;  // closed meanwhile
  const Result<base::Json> json = base::json_in(text);
  if (!json || !json->is_object()) return refuse_follower(id, "json_malformed");
  const auto token = base::text_in(*json, "session");
  const bool all = !json->contains("order_id");
  const auto order =
      all ? Result<std::string>(std::string()) : base::text_in(*json, "order_id", 64);
  const auto after = base::integer_in(*json, "after", 0, kMaxMinor);
  if (!token || !order || !after) return refuse_follower(id, "missing_field");
  const Result<UserId> user = sessions_.buyer(*token);
  if (!user) return refuse_follower(id, user.error().reason);
  if (all) return follow_all(id, *user, *after);
  const auto view = orders::load_view(db_, OrderId(*order), hold_promise_ms_);
  if (!view || view->order.user != *user) return refuse_follower(id, "order_not_found");

  leave(id, follower->second);
  follower->second.user = UserId();
  follower->second.order = OrderId(*order);
  follower->second.seq = *after;
  by_order_[*order].insert(id);
  if (view->order.event_seq <= *after) return;
  follower->second.seq = view->order.event_seq;
  front_.ws_send(id, news_text(*view));
}

std::string Live::news_text(const orders::OrderView& view) const {
  return base::Json({{"type", "order"},
                     {"seq", view.order.event_seq},
                     {"order", wire::order_json(view, clock_.wall_ms())}})
      .dump();
}

void Live::refuse_follower(WsId id, std::string_view reason) {
  front_.ws_send(id, base::Json({{"type", "error"}, {"reason", reason}}).dump());
}

void Live::drop(WsId id) {
  const auto found = followers_.find(id);
  if (found == followers_.end()) return;
  leave(id, found->second);
  followers_.erase(found);
}

bool Live::is_news(const std::string& order, const std::string& user, std::int64_t seq) const {
  if (by_user_.contains(user)) {
    const auto told = told_owners_.find(order);
    if (told == told_owners_.end() || told->second < seq) return true;
  }
  const auto found = by_order_.find(order);
  return found != by_order_.end() &&
         std::any_of(found->second.begin(), found->second.end(),
                     [&](WsId id) { return followers_.at(id).seq < seq; });
}

// The more there is to look at, the rarer: at most a twentieth of the time goes into it.
void Live::look_at_others() {
  const std::int64_t began = clock_.mono_ms();
  if (!has_nodes_ || began < look_mono_ms_) return;
  look_mono_ms_ = began + kLookMs;
  const std::int64_t now = clock_.wall_ms();
  if (by_order_.empty() && by_user_.empty()) {
    looked_wall_ms_ = now;
    return told_owners_.clear();
  }
  const std::int64_t since = looked_wall_ms_ - kLookBackMs;
  std::vector<orders::order_watch_store::Moved> moved, lately;
  try {
    db_.read([&](storage::Reader& reader) {
      namespace store = orders::order_watch_store;
      if (!by_order_.empty()) moved = store::seqs_of(reader, joined_keys(by_order_));
      if (by_user_.empty()) return;
      lately = store::moved_of(reader, joined_keys(by_user_), now - orders::kChangesReachMs, since);
    });
  } catch (const storage::SqlError&) {
    return;  // the store has logged why; the next look reaches as far back
  }
  looked_wall_ms_ = now;
  moved.insert(moved.end(), lately.begin(), lately.end());
  for (const auto& one : moved) {
    if (is_news(one.order_id, one.user_id, one.event_seq)) tell_followers(OrderId(one.order_id));
  }
  // What has not changed lately will not be found again.
  std::map<std::string, std::int64_t> kept;
  for (const auto& one : lately) {
    const auto told = told_owners_.find(one.order_id);
    if (told != told_owners_.end()) kept.insert(*told);
  }
  told_owners_ = std::move(kept);
  look_mono_ms_ += 20 * (clock_.mono_ms() - began);
}

// A connection that says nothing is not kept for nothing.
void Live::close_silent() {
  const std::int64_t now = clock_.mono_ms();
  for (const auto& [id, follower] : followers_) {
    const bool says_nothing = follower.order.empty() && follower.user.empty();
    if (says_nothing && follower.opened_mono_ms + kSubscribeMs < now) front_.ws_close(id);
  }
}

}  // namespace topup::http
