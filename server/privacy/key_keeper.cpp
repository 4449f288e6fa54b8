#include "server/privacy/key_keeper.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <utility>

#include "server/base/json.h"
#include "server/base/log.h"
#include "server/privacy/key_file.h"

namespace topup::privacy {
namespace {

constexpr std::int64_t kTurnMs = 1'000;
constexpr std::int64_t kLeaseMs = 60'000;
constexpr std::int64_t kSettleAgainMs = 60'000;
constexpr std::int64_t kForgetAgainMs = 86'400'000;
constexpr int kMaxRounds = 50;  // each seals what was written with the old key meanwhile

std::string number(std::int64_t value) { return std::to_string(value); }

}  // namespace

std::string order_file(const std::string& data_dir) { return data_dir + "/key.order"; }
std::string answer_file(const std::string& data_dir) { return data_dir + "/key.answer"; }

std::string order_text(const KeyOrder& order, const std::string& id) {
  return base::Json({{"id", id},
                     {"list", order.list},
                     {"data", order.data},
                     {"master", order.master},
                     {"finish", order.finish},
                     {"batch", order.batch}})
      .dump();
}

KeyKeeper::KeyKeeper(storage::Db& db, KeyProvider& provider, std::shared_ptr<KeyRing> ring,
                     const Pii& pii, const base::Clock& clock, KeeperSettings settings,
                     KeyTold told)
    : db_(db),
      provider_(provider),
      ring_(std::move(ring)),
      pii_(pii),
      clock_(clock),
      settings_(std::move(settings)),
      told_(std::move(told)) {}

KeyKeeper::~KeyKeeper() { stop(); }

void KeyKeeper::start() {
  thread_ = std::thread([this] {
    for (bool is_more = false;;) {
      {
        std::unique_lock hold(mutex_);
        const std::chrono::milliseconds wait(is_more ? settings_.pause_ms : kTurnMs);
        if (stopped_.wait_for(hold, wait, [this] { return stopping_; })) return;
      }
      try {
        is_more = turn();
      } catch (const std::exception& failure) {
        is_more = false;
        base::log(base::Level::warn, "key_keeper_failed", {{"why", failure.what()}});
      }
    }
  });
}

void KeyKeeper::stop() {
  {
    const std::lock_guard hold(mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool KeyKeeper::pause() {
  std::unique_lock hold(mutex_);
  return !stopped_.wait_for(hold, std::chrono::milliseconds(settings_.pause_ms),
                            [this] { return stopping_; });
}

Reseal KeyKeeper::reseal(std::int64_t batch) const {
  ResealSettings settings = settings_.reseal;
  if (batch > 0) settings.batch = batch;
  return Reseal(db_, *ring_, pii_, sealed_columns(), settings, told_);
}

bool KeyKeeper::hold_work() {
  bool held = false;
  const std::int64_t now = clock_.wall_ms();
  db_.write([&](storage::Tx& tx) {
    // A SQLite file has one process: a lease in it that is not ours is that of a dead one.
    const std::int64_t lapsed_by = tx.engine() == "sqlite" ? INT64_MAX : now;
    held = key_store::hold_work(tx, settings_.node, lapsed_by, now + kLeaseMs);
    return held;
  });
  return held;
}

bool KeyKeeper::turn() {
  (void)ring_->refresh();
  take_order();
  renew_when_due();
  const std::int64_t now = clock_.wall_ms();
  if (now < look_again_ms_) return false;
  Reseal work = reseal(0);
  const Reseal::Old old = work.old_keys();
  if (old == Reseal::Old::none || !hold_work()) return false;
  if (old == Reseal::Old::kept && !work.step().place.empty()) return true;
  if (work.settle(now)) return true;
  look_again_ms_ = now + (old == Reseal::Old::kept ? kSettleAgainMs : kForgetAgainMs);
  leave_work();
  return false;
}

void KeyKeeper::leave_work() {
  db_.write([this](storage::Tx& tx) {
    key_store::leave_work(tx, settings_.node);
    return true;
  });
}

void KeyKeeper::renew_when_due() {
  const std::int64_t now = clock_.wall_ms();
  const bool is_old =
      settings_.rotate_after_ms > 0 && now - ring_->active_since_ms() >= settings_.rotate_after_ms;
  if (!is_old && ring_->seals_of_active() < kRenewAtSeals) return;
  if (!hold_work()) return;
  const auto id = ring_->renew(purpose::kSeal, now);
  look_again_ms_ = 0;
  if (id) {
    base::log(base::Level::info, "data_key_renewed",
              {{"key", *id}, {"why", is_old ? "its age" : "what it has sealed"}});
  }
}

void KeyKeeper::take_order() {
  const std::string path = order_file(settings_.data_dir);
  if (::access(path.c_str(), F_OK) != 0) return;
  const auto text = read_private_file(path);
  ::unlink(path.c_str());
  const auto object = text ? base::json_in(text->view()) : Result<base::Json>(base::Json());
  if (!object || !object->is_object()) return;
  const auto flag = [&](const char* name) { return base::bool_in(*object, name).value_or(false); };
  KeyOrder order{flag("list"), flag("data"), flag("master"), flag("finish"), false, 0};
  order.batch = base::integer_in(*object, "batch", 0, 100'000).value_or(0);
  const std::string id = base::text_in(*object, "id", 64).value_or("");
  if (!replace_private_file(answer_file(settings_.data_dir), id + "\n")) return;
  std::ofstream answer(answer_file(settings_.data_dir), std::ios::app);
  const bool done =
      carry_out(order, [&answer](const std::string& line) { answer << line << std::endl; });
  answer << (done ? "." : "!") << std::endl;
}

bool KeyKeeper::carry_out(const KeyOrder& order, const Say& say) {
  try {
    return carry_out_steps(order, say);
  } catch (const std::exception& failure) {
    say(std::string("failed: ") + failure.what() + "; what was done stays, run it again");
    return false;
  }
}

bool KeyKeeper::carry_out_steps(const KeyOrder& order, const Say& say) {
  if (!order.list) {
    if (!hold_work()) {
      say("another process works on the keys now; try again in a minute");
      return false;
    }
  }
  if ((order.master || order.finish) && !rotate_master(order, say)) return false;
  if (order.index) {
    const auto made = renew_indexes(*ring_, pii_, clock_.wall_ms());
    if (!made) {
      say("blind indexes: " + std::string(made.error().reason));
      return false;
    }
    say("blind indexes: " + number(*made) + " made anew");
  }
  if (order.data) {
    const auto id = ring_->renew(purpose::kSeal, clock_.wall_ms());
    if (!id) {
      say("data key: " + std::string(id.error().reason));
      return false;
    }
    say("data key " + *id + " seals what is new from now on");
    if (!seal_anew(reseal(order.batch), say)) return false;
  }
  list(say);
  if (!order.list) leave_work();
  return true;
}

bool KeyKeeper::rotate_master(const KeyOrder& order, const Say& say) {
  const auto failed = [&say](const Error& error) {
    say("master key: " + std::string(error.reason) + " " + std::string(error.detail.view()));
    return false;
  };
  if (order.master) {
    const auto id = provider_.add(clock_.wall_ms());
    if (!id) return failed(id.error());
    const auto wrapped = ring_->rewrap();
    if (!wrapped) return failed(wrapped.error());
    say("master key " + *id + " wraps " + number(*wrapped) + " data keys");
  }
  if (!order.finish) {
    say("Copy topup.keys to every node, then run: topup key rotate --finish");
    return true;
  }
  const auto dropped = ring_->drop_old_masters();
  if (!dropped) return failed(dropped.error());
  if (*dropped > 0) {
    say(number(*dropped) +
        " old master keys dropped; topup.keys.*.old opens backups made before:"
        " keep it with them, away from here");
  }
  return true;
}

bool KeyKeeper::seal_anew(const Reseal& reseal_of, const Say& say) {
  Reseal work = reseal_of;
  const std::int64_t began = clock_.mono_ms();
  std::int64_t sealed = 0, broken = 0, told_at = began, held_at = began;
  for (int round = 0; round < kMaxRounds; ++round) {
    for (Reseal::Step step = work.step(); !step.place.empty(); step = work.step()) {
      sealed += step.sealed;
      broken += step.broken;
      if (!pause()) {
        say("the shop stops; the rest is sealed anew when it runs again");
        return true;
      }
      const std::int64_t now = clock_.mono_ms();
      if (now - held_at > kLeaseMs / 4) {
        (void)hold_work();
        held_at = now;
      }
      if (now - told_at < 1'000) continue;
      told_at = now;
      say(step.place + ": " + number(sealed) + " values sealed anew, " +
          number(sealed * 1'000 / (now - began)) + " a second");
    }
    if (!work.settle(clock_.wall_ms())) break;
  }
  const std::int64_t took = std::max<std::int64_t>(clock_.mono_ms() - began, 1);
  say(number(sealed) + " values sealed anew in " + number(took) + " ms, " +
      number(sealed * 1'000 / took) + " a second" +
      (broken > 0 ? "; " + number(broken) + " do not open, see the log" : ""));
  return broken == 0;
}

void KeyKeeper::list(const Say& say) const {
  say("held in: " + provider_.words());
  for (const MasterKey& key : provider_.list()) {
    say("master " + key.id + (key.is_active ? "  active" : "  old"));
  }
  for (const KeyUse& use : reseal(0).uses()) {
    say("data   " + use.id + "  " + use.state + "  " + number(use.values) + " values, at most " +
        number(use.seals) + " seals");
  }
}

}  // namespace topup::privacy
