// A gateway of short messages as the shop meets it, played on loopback: it checks the signature,
// keeps the message once per reference and shows it in an inbox, so that people and tests read the
// code. GET /inbox and /control answer loopback only; a browser gets a page, everybody else JSON.
// Durable in the rehearsal database. Thread-safe after start().
#pragma once

#include <string>

#include "server/rehearsal/armed.h"
#include "server/rehearsal/party.h"

namespace topup::rehearsal {

inline constexpr std::int64_t kMaxInbox = 1'000;  // older messages leave

class SmsInbox final : public Party {
 public:
  SmsInbox(Surroundings around, std::string key);
  ~SmsInbox() override { stop(); }

 protected:
  Answered answer(const Asked& asked) override;

 private:
  Answered send(const Asked& asked);
  Answered inbox(const Asked& asked) const;
  Answered control(const Asked& asked);
  const std::string key_;
  Armed armed_;
};

}  // namespace topup::rehearsal
