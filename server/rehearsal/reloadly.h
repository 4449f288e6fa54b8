// Reloadly's airtime service as a reseller meets it, played on loopback: tokens, catalogue, wallet,
// top-ups (sync and async), status, reports, signed webhooks; faults by the last four digits of the
// recipient's number and by a control page. All of it is durable in the rehearsal database.
// Thread-safe after start(). It knows nothing of the shop but the webhook address its dashboard
// would hold. Control and /magic answer loopback only. Source: Reloadly API documentation and SDK
// (airtime), support articles on webhooks and refunds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "server/rehearsal/armed.h"
#include "server/rehearsal/party.h"
#include "server/rehearsal/reloadly_book.h"
#include "server/rehearsal/replay.h"

namespace topup::rehearsal {

struct ReloadlyIdentity {
  std::string client_id, client_secret, webhook_secret;
  std::string webhook_url;  // "" for none
};

inline constexpr std::int64_t kFirstBalanceE5 = std::int64_t{100'000} * kE5;  // USD 100,000
inline constexpr std::int64_t kTokenLifeS = 86'400;

class ReloadlyAuth final : public Party {  // auth.reloadly.com
 public:
  ReloadlyAuth(Surroundings around, ReloadlyIdentity identity);
  ~ReloadlyAuth() override { stop(); }
  void set_audience(std::string audience) { audience_ = std::move(audience); }  // before start()

 protected:
  Answered answer(const Asked& asked) override;

 private:
  ReloadlyIdentity identity_;
  std::string audience_;
};

class Reloadly final : public Party {  // topups.reloadly.com
 public:
  Reloadly(Surroundings around, ReloadlyIdentity identity);
  ~Reloadly() override { stop(); }
  void start() override;  // also takes up the top-ups and webhooks an earlier run still owes

 protected:
  Answered answer(const Asked& asked) override;

 private:
  struct Refused {
    int status = 400;
    std::string code, message;
  };
  struct Magic {  // what the last four digits of the number ask for
    std::optional<Refused> refusal;
    std::int64_t takes_ms = 0;
    std::int64_t holds_ms = 0;
    bool is_dropped = false;
    bool is_lost = false;  // dropped before the effect
  };

  Answered refused(const Asked& asked, const Refused& refusal) const;
  static Refused away();
  std::optional<Refused> unauthorised(const Asked& asked);
  Answered api(const Asked& asked);
  Answered operators(const Asked& asked);
  Answered detect(const Asked& asked);
  Answered balance();
  Answered status(const Asked& asked);
  Answered reports(const Asked& asked);
  Answered report(const Asked& asked);
  Answered period_report(const Asked& asked);      // reloadly_statement.cpp
  Answered control_statement(const Asked& asked);  // reloadly_statement.cpp
  Answered control(const Asked& asked);
  Answered control_topup(const Asked& asked) const;
  Answered magic_list() const;

  // Top-ups (reloadly_topups.cpp).
  Answered submit(const Asked& asked, bool is_async);
  std::variant<ReloadlyTopup, Refused> read_topup(const std::string& body) const;
  Magic magic_of(ReloadlyTopup& topup);
  Magic replayed(const Course& course, ReloadlyTopup& topup) const;
  std::optional<Refused> debit(storage::Tx& tx, ReloadlyTopup& topup) const;
  void finish(std::int64_t transaction_id);
  void deliver(std::int64_t row_id);
  void owe(const ReloadlyWebhook& webhook);

  ReloadlyIdentity identity_;
  Armed armed_;
  Replays replays_;
};

// Shared by the files of this party.
base::Json reloadly_transaction(const ReloadlyTopup& topup, bool with_balance);
base::Json reloadly_error(const Asked& asked, std::int64_t now_ms, std::string_view code,
                          std::string_view message);

}  // namespace topup::rehearsal
