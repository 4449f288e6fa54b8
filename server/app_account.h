// What a buyer's account is beside signing in, wired: the shop's texts, and everybody who keeps
// personal data. A domain that begins to keep some adds its holder here. Outlives the router.
#pragma once

#include <string>

#include "server/auth/identities.h"
#include "server/base/clock.h"
#include "server/content/content.h"
#include "server/http/router.h"
#include "server/http/routes/mounts.h"
#include "server/privacy/data_requests.h"
#include "server/privacy/pii.h"
#include "server/storage/db.h"

namespace topup {

class AccountParts {
 public:
  AccountParts(const std::string& shop_name, storage::Db& db, const base::Clock& clock,
               const privacy::Pii& pii, auth::Identities& identities);
  AccountParts(const AccountParts&) = delete;
  AccountParts& operator=(const AccountParts&) = delete;

  const content::Content& content() const { return content_; }
  privacy::DataRequests& requests() { return requests_; }
  void mount(http::Router& router);

 private:
  content::Content content_;
  privacy::DataRequests requests_;
  http::routes::PersonalDesk desk_;
};

}  // namespace topup
