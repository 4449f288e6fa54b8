#include "server/risk/standing.h"

#include <vector>

#include "server/risk/blacklist_store.h"
#include "server/risk/subject.h"

namespace topup::risk {

bool is_frozen(storage::Reader& reader, const UserId& user) {
  return blacklist_store::freeze_of(reader, user).at_ms > 0;
}

Result<bool> may_be_served(storage::Reader& reader, const privacy::Pii& pii,
                           std::string_view account, std::int64_t now_ms) {
  if (account.empty() ||
      !blacklist_store::has_any(reader, {index_of(pii, kind_of_account(account), account)}, now_ms))
    return true;
  return refuse(Code::rejected, "account_blocked", "account_number");
}

Result<bool> may_buy(storage::Reader& reader, const privacy::Pii& pii, const Asker& asker,
                     std::string_view account, std::int64_t now_ms) {
  if (is_frozen(reader, asker.user)) return refuse(Code::rejected, "account_frozen");
  const auto served = may_be_served(reader, pii, account, now_ms);
  if (!served) return served;
  std::vector<std::string> indexes = {index_of(pii, kind::kUser, asker.user.text)};
  if (!asker.device_code.empty())
    indexes.push_back(index_of(pii, kind::kDevice, asker.device_code));
  for (const std::string& network : networks_of(asker.address))
    indexes.push_back(index_of(pii, kind::kIp, network));
  if (blacklist_store::has_any(reader, indexes, now_ms) ||
      blacklist_store::has_identity_of(reader, asker.user, now_ms))
    return refuse(Code::rejected, "order_not_accepted");
  return true;
}

}  // namespace topup::risk
