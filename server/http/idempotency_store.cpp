#include "server/http/idempotency_store.h"

#include "server/jobs/node_roll.h"
#include "server/jobs/node_roll_store.h"

namespace topup::http {
namespace {

struct Claim {
  std::string fingerprint, claimed_by;
  std::int64_t status = 0;
  std::string content_type, body;
  std::int64_t created_at_ms = 0;
};

std::optional<Claim> find(storage::Reader& reader, std::string_view owner, std::string_view key) {
  std::optional<Claim> claim;
  reader.query(R"sql(
    SELECT fingerprint, claimed_by, status, content_type, body, created_at_ms
      FROM idempotency WHERE owner = $1 AND idempotency_key = $2)sql",
               {owner, key}, [&claim](const storage::Row& row) {
                 claim = Claim{row.text(0), row.text(1), row.integer(2),
                               row.text(3), row.text(4), row.integer(5)};
               });
  return claim;
}

constexpr std::string_view kPrune = R"sql(
  DELETE FROM idempotency WHERE (owner, idempotency_key) IN (
    SELECT owner, idempotency_key FROM idempotency
     WHERE created_at_ms < $1 ORDER BY created_at_ms LIMIT $2))sql";

constexpr std::size_t kMaxRunning = 10'000;

std::string name_of(std::string_view owner, std::string_view key) {
  return std::string(owner) + "/" + std::string(key);
}

constexpr std::string_view kTake = R"sql(
  INSERT INTO idempotency (owner, idempotency_key, fingerprint, claimed_by, created_at_ms)
  VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (owner, idempotency_key) DO UPDATE SET claimed_by = $4, created_at_ms = $5)sql";

}  // namespace

Result<std::optional<Response>> StoredAnswers::claim(std::string_view owner, std::string_view key,
                                                     std::string_view fingerprint) {
  const std::int64_t now = clock_.wall_ms();
  const std::string name = name_of(owner, key);
  const bool is_first = begin(name, now);
  const auto decide = [&](storage::Tx& tx) -> Result<std::optional<Response>> {
    const auto earlier = find(tx, owner, key);
    if (earlier && earlier->fingerprint != fingerprint) {
      return refuse(Code::rejected, "idempotency_key_reused", "Idempotency-Key",
                    "this key came with another request");
    }
    if (earlier && earlier->status != 0) {
      Response kept;
      kept.status = static_cast<int>(earlier->status);
      kept.content_type = earlier->content_type;
      kept.body = earlier->body;
      return std::optional<Response>(std::move(kept));
    }
    // A file has one process at a time, so a claim of another one is that of a dead one. On a
    // database that nodes share it may be running right now.
    const bool may_live = earlier && earlier->claimed_by != process_ && tx.engine() != "sqlite";
    const bool counts =
        may_live && earlier->created_at_ms + kClaimMs > now &&
        !jobs::node_roll_store::is_gone(tx, earlier->claimed_by, now - jobs::NodeRoll::kGoneMs);
    if (!is_first || counts) {
      return refuse(Code::conflict, "idempotency_in_flight", "Idempotency-Key",
                    "the first request is still running");
    }
    tx.exec(kTake, {owner, key, fingerprint, process_, now});
    return std::optional<Response>();
  };
  try {
    auto claimed = storage::with_tx(db_, decide);
    const bool is_ours = claimed && !claimed->has_value();
    if (is_first && !is_ours) note_ended(name);
    return claimed;
  } catch (...) {
    if (is_first) note_ended(name);
    throw;
  }
}

// False while an earlier request with this name runs here and its claim counts.
bool StoredAnswers::begin(const std::string& name, std::int64_t now_ms) {
  const std::lock_guard hold(mutex_);
  const auto has_run_out = [now_ms](const auto& one) { return one.second <= now_ms; };
  if (running_.size() >= kMaxRunning) std::erase_if(running_, has_run_out);
  const auto [at, is_new] = running_.try_emplace(name, now_ms + kClaimMs);
  if (!is_new && !has_run_out(*at)) return false;
  at->second = now_ms + kClaimMs;
  return true;
}

void StoredAnswers::note_ended(const std::string& name) {
  const std::lock_guard hold(mutex_);
  running_.erase(name);
}

void StoredAnswers::keep(std::string_view owner, std::string_view key, const Response& response) {
  db_.write([&](storage::Tx& tx) {
    tx.exec(R"sql(
      UPDATE idempotency SET status = $3, content_type = $4, body = $5
       WHERE owner = $1 AND idempotency_key = $2)sql",
            {owner, key, std::int64_t{response.status}, response.content_type, response.body});
    return true;
  });
  note_ended(name_of(owner, key));
}

void StoredAnswers::release(std::string_view owner, std::string_view key) {
  // Ended once its row is gone, so that nobody claims in between what is about to be removed.
  try {
    db_.write([&](storage::Tx& tx) {
      tx.exec("DELETE FROM idempotency WHERE owner = $1 AND idempotency_key = $2 AND status = 0",
              {owner, key});
      return true;
    });
  } catch (...) {
    note_ended(name_of(owner, key));
    throw;
  }
  note_ended(name_of(owner, key));
}

std::int64_t StoredAnswers::prune() {
  const std::int64_t before = clock_.wall_ms() - kAnswerKeptMs;
  std::int64_t removed = 0;
  db_.write([&](storage::Tx& tx) {
    removed = tx.exec(kPrune, {before, kPrunedAtOnce});
    return true;
  });
  return removed;
}

}  // namespace topup::http
