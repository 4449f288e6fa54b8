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
  std::vector<std::string> indexes = {index_of(pii, kind::kUser, asker.user.text)};
  if (!asker.device_code.empty())
    indexes.push_back(index_of(pii, kind::kDevice, asker.device_code));
  for (const std::string& network : networks_of(asker.address))
    indexes.push_back(index_of(pii, kind::kIp, network));
  const std::string account_index =
      account.empty() ? "" : index_of(pii, kind_of_account(account), account);
  const auto found =
      blacklist_store::standing_of(reader, asker.user, account_index, indexes, now_ms);
  if (found.is_frozen) return refuse(Code::rejected, "account_frozen");
  if (found.is_account_blocked) return refuse(Code::rejected, "account_blocked", "account_number");
  if (found.is_asker_blocked) return refuse(Code::rejected, "order_not_accepted");
  return true;
}

}  // namespace topup::risk
