#include "server/marketing/personal_coupons_store.h"

namespace topup::marketing {
namespace {

using base::Json;
using privacy::Persons;

constexpr std::int64_t kMaxRowsTold = 1'000;

Json tell(storage::Reader& reader, const Persons& persons) {
  Json out = Json::array();
  for (const UserId& user : persons) {
    reader.query(R"sql(
      SELECT template_id, valid_from_ms, expires_at_ms, revoked_at_ms, created_at_ms
        FROM owned_coupons WHERE user_id = $1 ORDER BY coupon_id DESC LIMIT $2)sql",
                 {user.text, kMaxRowsTold}, [&out](const storage::Row& row) {
                   out.push_back({{"coupon", row.text(0)},
                                  {"valid_from_ms", row.integer(1)},
                                  {"expires_at_ms", row.integer(2)},
                                  {"revoked_at_ms", row.integer(3)},
                                  {"given_at_ms", row.integer(4)}});
                 });
  }
  return out;
}

}  // namespace

privacy::Holder coupons_holder(const base::Clock& clock) {
  const auto erase = [&clock](storage::Tx& tx, const Persons& persons) {
    std::int64_t rows = 0;
    for (const UserId& user : persons) {
      rows += tx.exec(
          "UPDATE owned_coupons SET revoked_at_ms = $2 WHERE user_id = $1 AND revoked_at_ms = 0",
          {user.text, clock.wall_ms()});
    }
    return rows;
  };
  return {"coupons", {"owned_coupons"}, tell, {}, erase};
}

}  // namespace topup::marketing
