#include "server/privacy/key_ring.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <utility>

#include "server/base/clock.h"
#include "server/base/crypto.h"
#include "server/base/log.h"
#include "server/privacy/key_store.h"
#include "shared/check.h"

namespace topup::privacy {
namespace {

constexpr std::size_t kDataKeyBytes = 32;
constexpr std::size_t kIdBytes = 4;
constexpr std::int64_t kLookAgainMs = 1'000;
constexpr std::size_t kMostMissed = 1'000;  // ids of keys that were looked for in vain
constexpr std::string_view kForgotten = "forgotten";

std::string wrap_place(std::string_view purpose, std::string_view id) {
  return "data_keys\x1f" + std::string(purpose) + "\x1f" + std::string(id);
}

// The key id of any value that was sealed before there were data keys.
std::optional<std::string> sample_id(storage::Reader& reader) {
  for (const Column& column : sealed_columns()) {
    for (const key_store::Sealed& row : key_store::page(reader, column, "", 1)) {
      if (row.text.size() > 12 && row.text.starts_with("v1.")) return row.text.substr(3, 8);
    }
  }
  return std::nullopt;
}

KeyRing::Key shared(base::Secret secret) {
  return std::make_shared<const base::Secret>(std::move(secret));
}

}  // namespace

struct KeyRing::Wrapped {
  key_store::DataKey key;
  std::vector<key_store::Wrap> wraps;
};

KeyRing::KeyRing(std::string id, base::Secret seal, base::Secret index) {
  active_ = std::make_shared<Active>();
  active_->id = id;
  active_->key = shared(std::move(seal));
  active_->left = static_cast<std::int64_t>(kMaxSealsPerKey);
  keys_[id] = active_->key;
  by_purpose_[std::string(purpose::kIndex)] = shared(std::move(index));
}

KeyRing::KeyRing(storage::Db& db, KeyProvider& provider, base::Random& random, KeyTold told)
    : db_(&db), provider_(&provider), random_(&random), told_(std::move(told)) {}

Result<std::shared_ptr<KeyRing>> KeyRing::open(storage::Db& db, KeyProvider& provider,
                                               base::Random& random, std::int64_t now_ms,
                                               KeyTold told) {
  std::shared_ptr<KeyRing> ring(new KeyRing(db, provider, random, std::move(told)));
  const auto begun = ring->begin(now_ms);
  if (!begun) return tl::unexpected(begun.error());
  std::string active;
  const auto learnt = ring->learn(true, &active);
  if (!learnt) return tl::unexpected(learnt.error());
  const auto aside = ring->set_aside(active);
  if (!aside) return tl::unexpected(aside.error());
  return ring;
}

Result<std::shared_ptr<KeyRing>> KeyRing::look(storage::Db& db, KeyProvider& provider,
                                               base::Random& random) {
  std::shared_ptr<KeyRing> ring(new KeyRing(db, provider, random, {}));
  ring->active_ = std::make_shared<Active>();
  const auto learnt = ring->learn(true, &ring->active_->id);
  if (!learnt) return tl::unexpected(learnt.error());
  return ring;
}

bool KeyRing::was_used(std::string_view what) const {
  bool used = false;
  db_->read([&](storage::Reader& reader) {
    used = false;
    for (const key_store::DataKey& key : key_store::keys(reader)) {
      used = used || (key.purpose == what && key.seals > 0);
    }
  });
  return used;
}

void KeyRing::mark_used(std::string_view what) {
  db_->write([&](storage::Tx& tx) {
    for (const key_store::DataKey& key : key_store::keys(tx)) {
      if (key.purpose == what && key.state == "active") key_store::set_aside(tx, key.id, 1);
    }
    return true;
  });
}

void KeyRing::tell(storage::Tx& tx, std::string_view action, std::string_view subject,
                   std::string_view detail) const {
  if (told_) told_(tx, action, subject, detail);
}

std::string KeyRing::insert_new(storage::Tx& tx, std::string_view what, std::string_view key,
                                std::int64_t now_ms) {
  const std::vector<key_store::DataKey> there = key_store::keys(tx);
  std::string id;
  const auto is_taken = [&id](const key_store::DataKey& known) { return known.id == id; };
  do {
    id = base::hex(random_->bytes(kIdBytes));
  } while (std::any_of(there.begin(), there.end(), is_taken));
  key_store::leave(tx, what, now_ms);
  key_store::insert(tx, {id, std::string(what), "active", 0, now_ms, 0});
  key_store::insert_wrap(tx,
                         {id, provider_->active_id(), provider_->wrap(wrap_place(what, id), key)});
  tell(tx, "key.data_created", id, what);
  return id;
}

// A new shop gets its keys; one that knew only topup.key keeps what that file derived.
Result<bool> KeyRing::begin(std::int64_t now_ms) {
  return storage::with_tx(*db_, [&](storage::Tx& tx) -> Result<bool> {
    if (!key_store::keys(tx).empty()) return false;
    const std::optional<FirstKeys> first = provider_->first_keys();
    const std::optional<std::string> sealed_with = sample_id(tx);
    if (sealed_with && (!first || first->id != *sealed_with)) {
      return refuse(Code::unavailable, "key_wrong", "key_file",
                    "this database was sealed with key " + *sealed_with +
                        ", which the key file does not hold; put back the right file");
    }
    if (first) {
      key_store::insert(tx, {first->id, std::string(purpose::kSeal), "kept", 0, 0, now_ms});
      key_store::insert_wrap(
          tx, {first->id, provider_->active_id(),
               provider_->wrap(wrap_place(purpose::kSeal, first->id), first->seal.view())});
    }
    const base::Secret seal(random_->bytes(kDataKeyBytes));
    const base::Secret index(first ? std::string(first->index.view())
                                   : random_->bytes(kDataKeyBytes));
    const base::Secret audit(random_->bytes(kDataKeyBytes));
    insert_new(tx, purpose::kSeal, seal.view(), now_ms);
    insert_new(tx, purpose::kIndex, index.view(), now_ms);
    insert_new(tx, purpose::kAudit, audit.view(), now_ms);
    return true;
  });
}

Result<base::Secret> KeyRing::unwrap(const Wrapped& wrapped) {
  const std::string place = wrap_place(wrapped.key.purpose, wrapped.key.id);
  Error why{Code::unavailable, "key_wrong", "key_file"};
  for (const key_store::Wrap& wrap : wrapped.wraps) {
    auto key = provider_->unwrap(wrap.master_id, place, wrap.wrapped);
    if (key && key->view().size() == kDataKeyBytes) return key;
    if (!key) why = key.error();
  }
  return refuse(Code::unavailable, "key_wrong", "key_file",
                "data key " + wrapped.key.id + " of this database does not open: " +
                    std::string(why.reason) + " " + std::string(why.detail.view()));
}

// Opens every key that is not known yet. `active_id`: of the sealing key that the database names.
Result<bool> KeyRing::learn(bool must_open_all, std::string* active_id) {
  std::vector<Wrapped> stored;
  db_->read([&stored](storage::Reader& reader) {
    stored.clear();
    for (key_store::DataKey& key : key_store::keys(reader)) stored.push_back({std::move(key), {}});
    for (key_store::Wrap& wrap : key_store::wraps(reader)) {
      for (Wrapped& key : stored) {
        if (key.key.id == wrap.key_id) key.wraps.push_back(wrap);
      }
    }
  });
  if (stored.empty()) {
    return refuse(Code::unavailable, "key_none", "key_file", "this database has no data keys yet");
  }
  bool is_new = false;
  for (const Wrapped& wrapped : stored) {
    if (wrapped.key.state == kForgotten) continue;
    Key key = find(wrapped.key.id);
    if (key == nullptr) {
      auto opened = unwrap(wrapped);
      if (!opened && !must_open_all) {
        const auto again = provider_->reload();
        if (again && *again) opened = unwrap(wrapped);
      }
      if (!opened) {
        if (must_open_all) return tl::unexpected(opened.error());
        base::log(base::Level::error, "data_key_closed",
                  {{"key", wrapped.key.id}, {"why", opened.error().detail.view()}});
        continue;
      }
      key = shared(std::move(*opened));
      is_new = true;
    }
    const std::lock_guard hold(mutex_);
    keys_[wrapped.key.id] = key;
    if (wrapped.key.state != "active") continue;
    by_purpose_[wrapped.key.purpose] = key;
    if (wrapped.key.purpose == purpose::kSeal) {
      *active_id = wrapped.key.id;
      seals_ = wrapped.key.seals;
      since_ms_ = wrapped.key.created_at_ms;
    }
  }
  const std::lock_guard hold(mutex_);
  const bool whole = !active_id->empty() && by_purpose_.count(purpose::kIndex) == 1 &&
                     by_purpose_.count(purpose::kAudit) == 1;
  if (!whole && must_open_all) {
    return refuse(Code::unavailable, "key_wrong", "key_file",
                  "the database has lost some of its data keys");
  }
  return is_new;
}

// Seals of this key for this process. The key becomes the active one here.
Result<bool> KeyRing::set_aside(const std::string& id) {
  const Key key = find(id);
  if (key == nullptr) return refuse(Code::unavailable, "key_unknown");
  db_->write([&id](storage::Tx& tx) {
    key_store::set_aside(tx, id, kSealsAside);
    return true;
  });
  seals_ += kSealsAside;
  const std::lock_guard hold(mutex_);
  if (active_ == nullptr || active_->id != id) {
    auto next = std::make_shared<Active>();
    next->id = id;
    next->key = key;
    active_ = std::move(next);
  }
  active_->left += kSealsAside;
  return true;
}

std::shared_ptr<KeyRing::Active> KeyRing::take() {
  std::shared_ptr<Active> active;
  {
    const std::lock_guard hold(mutex_);
    active = active_;
  }
  if (active->left.fetch_sub(1, std::memory_order_relaxed) > 0) return active;
  active->left.fetch_add(1, std::memory_order_relaxed);
  throw std::runtime_error("no seals are set aside for data key " + active->id);
}

std::string KeyRing::active_id() const {
  const std::lock_guard hold(mutex_);
  return active_->id;
}

KeyRing::Key KeyRing::find(const std::string& id) const {
  const std::lock_guard hold(mutex_);
  const auto found = keys_.find(id);
  return found == keys_.end() ? nullptr : found->second;
}

KeyRing::Key KeyRing::named(std::string_view what) const {
  const std::lock_guard hold(mutex_);
  const auto found = by_purpose_.find(what);
  return found == by_purpose_.end() ? nullptr : found->second;
}

KeyRing::Key KeyRing::find_again(const std::string& id) {
  Key key = find(id);
  if (key != nullptr || db_ == nullptr) return key;
  // Many meet a new key at the same moment: one looks, the others wait for what it learns. Not for
  // ever: they may hold the very connection that it needs.
  std::unique_lock hold(look_mutex_);
  const std::chrono::milliseconds patience(kLookAgainMs);
  if (!looked_.wait_for(hold, patience, [this] { return !is_looking_; })) return nullptr;
  key = find(id);
  if (key != nullptr) return key;
  const std::int64_t now = base::SystemClock().mono_ms();
  const auto missed = missed_.find(id);
  if (missed != missed_.end() && now - missed->second < kLookAgainMs) return nullptr;
  is_looking_ = true;
  hold.unlock();
  try {
    std::string active;
    (void)learn(false, &active);
  } catch (const std::exception& failure) {
    // The caller says that the key is not known; the next look is a second away.
    base::log(base::Level::warn, "data_keys_unread", {{"why", failure.what()}});
  }
  key = find(id);
  hold.lock();
  is_looking_ = false;
  if (missed_.size() >= kMostMissed) missed_.clear();
  if (key == nullptr) missed_[id] = now;
  looked_.notify_all();
  return key;
}

Result<bool> KeyRing::refresh() {
  std::string active;
  const auto learnt = learn(false, &active);
  if (!learnt) return learnt;
  bool needs_seals = false;
  {
    const std::lock_guard hold(mutex_);
    if (active.empty() || keys_.count(active) == 0) return *learnt;
    needs_seals = active_->id != active || active_->left < kSealsAside / 2;
  }
  if (needs_seals) {
    const auto aside = set_aside(active);
    if (!aside) return aside;
  }
  return *learnt || needs_seals;
}

Result<std::string> KeyRing::renew(std::string_view what, std::int64_t now_ms) {
  check(what != purpose::kIndex, "an index key changes with every index at once");
  const base::Secret key(random_->bytes(kDataKeyBytes));
  std::string id;
  db_->write([&](storage::Tx& tx) {
    id = insert_new(tx, what, key.view(), now_ms);
    return true;
  });
  const auto fresh = refresh();
  if (!fresh) return tl::unexpected(fresh.error());
  return id;
}

Result<std::int64_t> KeyRing::renew_index(
    std::int64_t now_ms,
    const std::function<std::int64_t(storage::Tx& tx, std::string_view key)>& make_anew) {
  const base::Secret key(random_->bytes(kDataKeyBytes));
  std::int64_t made = 0;
  db_->write([&](storage::Tx& tx) {
    insert_new(tx, purpose::kIndex, key.view(), now_ms);
    made = make_anew(tx, key.view());
    return true;
  });
  const auto fresh = refresh();
  if (!fresh) return tl::unexpected(fresh.error());
  return made;
}

Result<int> KeyRing::rewrap() {
  const std::string master = provider_->active_id();
  std::string active;
  const auto learnt = learn(true, &active);
  if (!learnt) return tl::unexpected(learnt.error());
  int wrapped = 0;
  db_->write([&](storage::Tx& tx) {
    wrapped = 0;
    for (const key_store::DataKey& row : key_store::keys(tx)) {
      const Key key = row.state == kForgotten ? nullptr : find(row.id);
      if (key == nullptr) continue;
      const std::string place = wrap_place(row.purpose, row.id);
      key_store::insert_wrap(tx, {row.id, master, provider_->wrap(place, key->view())});
      ++wrapped;
    }
    tell(tx, "key.master_active", master, std::to_string(wrapped) + " data keys wrapped");
    return true;
  });
  return wrapped;
}

Result<int> KeyRing::drop_old_masters() {
  const std::string active = provider_->active_id();
  std::vector<std::string> old;
  db_->write([&](storage::Tx& tx) {
    old.clear();
    for (const key_store::Wrap& wrap : key_store::wraps(tx)) {
      const bool is_old = wrap.master_id != active;
      if (is_old && std::find(old.begin(), old.end(), wrap.master_id) == old.end()) {
        old.push_back(wrap.master_id);
      }
    }
    for (const std::string& id : old) {
      key_store::delete_wraps_of_master(tx, id);
      tell(tx, "key.master_dropped", id, "");
    }
    return true;
  });
  int dropped = 0;
  for (const MasterKey& key : provider_->list()) {
    if (key.is_active) continue;
    const auto gone = provider_->drop(key.id);
    if (!gone) return tl::unexpected(gone.error());
    ++dropped;
  }
  return dropped;
}

std::int64_t KeyRing::seals_of_active() const { return seals_; }
std::int64_t KeyRing::active_since_ms() const { return since_ms_; }

}  // namespace topup::privacy
