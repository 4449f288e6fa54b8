#include "server/auth/wechat_journey_store.h"

namespace topup::auth::wechat_journey_store {

void insert(storage::Tx& tx, std::string_view state_hash, std::string_view browser_hash,
            std::string_view return_path, std::int64_t now_ms, std::int64_t expires_at_ms) {
  tx.exec(R"sql(
    INSERT INTO wechat_journeys (state_hash, browser_hash, state, return_path, created_at_ms,
                                 expires_at_ms)
    VALUES ($1, $2, 'started', $3, $4, $5))sql",
          {state_hash, browser_hash, return_path, now_ms, expires_at_ms});
}

std::optional<Journey> find(storage::Reader& reader, std::string_view browser_hash,
                            std::int64_t now_ms) {
  std::optional<Journey> found;
  reader.query(R"sql(
    SELECT state_hash, state, return_path, proof_sealed FROM wechat_journeys
     WHERE browser_hash = $1 AND expires_at_ms > $2)sql",
               {browser_hash, now_ms}, [&found](const storage::Row& row) {
                 found = Journey{row.text(0), row.text(1), row.text(2), row.text(3)};
               });
  return found;
}

bool move(storage::Tx& tx, std::string_view state_hash, std::string_view from, std::string_view to,
          std::string_view proof_sealed) {
  return tx.exec(R"sql(
    UPDATE wechat_journeys SET state = $3, proof_sealed = $4
     WHERE state_hash = $1 AND state = $2)sql",
                 {state_hash, from, to, proof_sealed}) == 1;
}

std::optional<TokenRow> find_token(storage::Reader& reader, std::string_view app) {
  std::optional<TokenRow> found;
  reader.query("SELECT token_sealed, expires_at_ms FROM wechat_tokens WHERE app = $1", {app},
               [&found](const storage::Row& row) {
                 found = TokenRow{row.text(0), row.integer(1)};
               });
  return found;
}

void save_token(storage::Tx& tx, std::string_view app, const TokenRow& row) {
  tx.exec(R"sql(
    INSERT INTO wechat_tokens (app, token_sealed, expires_at_ms) VALUES ($1, $2, $3)
    ON CONFLICT (app) DO UPDATE SET token_sealed = $2, expires_at_ms = $3)sql",
          {app, row.sealed, row.expires_at_ms});
}

}  // namespace topup::auth::wechat_journey_store
