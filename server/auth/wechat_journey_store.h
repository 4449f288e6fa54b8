// Rows of wechat_journeys and wechat_tokens.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/storage/db.h"

namespace topup::auth::wechat_journey_store {

struct Journey {
  std::string state_hash, state, return_path, proof_sealed;
};

void insert(storage::Tx& tx, std::string_view state_hash, std::string_view browser_hash,
            std::string_view return_path, std::int64_t now_ms, std::int64_t expires_at_ms);
// Only one that is in time.
std::optional<Journey> find(storage::Reader& reader, std::string_view browser_hash,
                            std::int64_t now_ms);
// False when it was not in `from` any more.
bool move(storage::Tx& tx, std::string_view state_hash, std::string_view from, std::string_view to,
          std::string_view proof_sealed);

struct TokenRow {
  std::string sealed;
  std::int64_t expires_at_ms = 0;
};
std::optional<TokenRow> find_token(storage::Reader& reader, std::string_view app);
void save_token(storage::Tx& tx, std::string_view app, const TokenRow& row);

}  // namespace topup::auth::wechat_journey_store
