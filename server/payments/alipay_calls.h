// Signed calls of Alipay's gateway, and what their answers mean. A call blocks up to its deadline;
// thread-safe; safe to repeat with the same numbers. The configuration, Outbound and Clock must
// outlive it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/base/clock.h"
#include "server/base/http_client.h"
#include "server/base/json.h"
#include "server/payments/alipay.h"

namespace topup::payments {

enum class AlipayCall : std::uint8_t { create, query, close, refund, query_refund, bill, token };
enum class AlipayMeaning : std::uint8_t {
  unknown,
  refused,  // read, understood and not done
  absent,   // they have no such number (yet)
  look,     // the number is taken or finished: only its own record says how
};

struct AlipayReply {
  bool is_ok = false;
  AlipayMeaning meaning = AlipayMeaning::unknown;
  std::string why;      // their sub_code when it is believed, else what is wrong with the answer
  std::string message;  // theirs, cleaned; with a believed code only
  base::Json body;      // of an ok answer
};

class AlipayCalls {
 public:
  AlipayCalls(const AlipayConfig& config, base::Outbound& outbound, const base::Clock& clock)
      : config_(config), outbound_(outbound), clock_(clock) {}

  AlipayReply exchange(AlipayCall call, const base::Json& content) const;
  // alipay.system.oauth.token, in the name of the mini-program.
  AlipayReply exchange_code(const std::string& code) const;
  AlipayParams public_params(std::string_view method) const;

 private:
  AlipayReply send(AlipayCall call, AlipayParams params, const AlipayParams& in_body,
                   const base::RsaKey& key) const;
  AlipayReply read(AlipayCall call, const base::OutboundReply& reply) const;

  const AlipayConfig& config_;
  base::Outbound& outbound_;
  const base::Clock& clock_;
};

// Codes of the gateway itself: it never handed the call on.
bool is_alipay_gateway_refusal(std::string_view code);

}  // namespace topup::payments
