#include "server/ledger/personal_wallet_store.h"

namespace topup::ledger {
namespace {

using base::Json;
using privacy::Persons;

constexpr std::int64_t kMaxEntriesTold = 5'000;

Json tell(storage::Reader& reader, const Persons& persons) {
  Json balances = Json::array(), entries = Json::array();
  for (const UserId& user : persons) {
    reader.query(R"sql(
      SELECT currency, available_minor, held_minor FROM wallets WHERE user_id = $1
       ORDER BY currency)sql",
                 {user.text}, [&balances](const storage::Row& row) {
                   balances.push_back({{"currency", row.text(0)},
                                       {"available_minor", row.integer(1)},
                                       {"held_minor", row.integer(2)}});
                 });
    reader.query(R"sql(
      SELECT currency, kind, available_minor, held_minor, at_ms FROM wallet_entries
       WHERE user_id = $1 ORDER BY currency, version DESC LIMIT $2)sql",
                 {user.text, kMaxEntriesTold}, [&entries](const storage::Row& row) {
                   entries.push_back({{"currency", row.text(0)},
                                      {"kind", row.text(1)},
                                      {"available_minor", row.integer(2)},
                                      {"held_minor", row.integer(3)},
                                      {"at_ms", row.integer(4)}});
                 });
  }
  return {{"balances", std::move(balances)}, {"entries", std::move(entries)}};
}

std::vector<privacy::Obstacle> obstacles(storage::Reader& reader, const Persons& persons) {
  privacy::Obstacle money{"wallet_not_empty", 0};
  for (const UserId& user : persons) {
    reader.query(R"sql(
      SELECT COUNT(*) FROM wallets
       WHERE user_id = $1 AND (available_minor <> 0 OR held_minor <> 0))sql",
                 {user.text}, [&money](const storage::Row& row) { money.count += row.integer(0); });
  }
  return {money};
}

}  // namespace

privacy::Holder wallet_holder() {
  privacy::Holder holder;
  holder.name = "wallet";
  holder.tables = {"wallets", "wallet_entries", "wallet_holds"};
  holder.tell = tell;
  holder.obstacles = obstacles;
  holder.erase = [](storage::Tx&, const Persons&) { return std::int64_t{0}; };
  return holder;
}

}  // namespace topup::ledger
