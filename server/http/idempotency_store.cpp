#include "server/http/idempotency_store.h"

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

constexpr std::string_view kTake = R"sql(
  INSERT INTO idempotency (owner, idempotency_key, fingerprint, claimed_by, created_at_ms)
  VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (owner, idempotency_key) DO UPDATE SET claimed_by = $4, created_at_ms = $5)sql";

}  // namespace

Result<std::optional<Response>> StoredAnswers::claim(std::string_view owner, std::string_view key,
                                                     std::string_view fingerprint) {
  const std::int64_t now = clock_.wall_ms();
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<std::optional<Response>> {
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
    if (earlier && earlier->claimed_by == process_ && earlier->created_at_ms + kClaimMs > now) {
      return refuse(Code::conflict, "idempotency_in_flight", "Idempotency-Key",
                    "the first request is still running");
    }
    tx.exec(kTake, {owner, key, fingerprint, process_, now});
    return std::optional<Response>();
  });
}

void StoredAnswers::keep(std::string_view owner, std::string_view key, const Response& response) {
  db_.write([&](storage::Tx& tx) {
    tx.exec(R"sql(
      UPDATE idempotency SET status = $3, content_type = $4, body = $5
       WHERE owner = $1 AND idempotency_key = $2)sql",
            {owner, key, std::int64_t{response.status}, response.content_type, response.body});
    return true;
  });
}

void StoredAnswers::release(std::string_view owner, std::string_view key) {
  db_.write([&](storage::Tx& tx) {
    tx.exec("DELETE FROM idempotency WHERE owner = $1 AND idempotency_key = $2 AND status = 0",
            {owner, key});
    return true;
  });
}

}  // namespace topup::http
