// DT One's DVS as a reseller meets it, played on loopback: catalogue with paging headers, look-up,
// balances with holdings, orders in one step or two, cancellation, queries, callbacks without a
// signature, reversals after success. The numbers of DT One's own sandbox are copied, behind a 9.
// Source: the DVS OpenAPI description 1.23 and developers.dtone.com.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <variant>

#include "server/rehearsal/catalogue.h"
#include "server/rehearsal/supplier_party.h"

namespace topup::rehearsal {

struct DtoneIdentity {
  std::string api_key, api_secret;
};

class Dtone final : public SupplierParty {
 public:
  Dtone(Surroundings around, DtoneIdentity identity);
  ~Dtone() override { stop(); }

 protected:
  Answered api(const Asked& asked) override;
  Answered outage() const override;
  OwedCallback callback_of(const SupplierOrder& order, bool is_forged) const override;
  void apply_magic(std::string_view last_four, Course& course) const override;
  std::string refusal_word() const override { return "1005003"; }
  std::string failure_word() const override { return "DECLINED"; }
  void shape_refusal(Course& course) const override;

 private:
  struct Refused {
    int status = 400;
    int code = 1'000'400;
  };
  bool is_authorised(const Asked& asked) const;
  Answered products(const Asked& asked) const;
  Answered balances() const;
  Answered look_up(const Asked& asked) const;
  Answered submit(const Asked& asked);
  std::variant<SupplierOrder, Refused> read_order(const std::string& body) const;
  Answered transactions(const Asked& asked) const;
  Answered transaction(const Asked& asked) const;
  Answered confirmation(const Asked& asked);
  Answered cancellation(const Asked& asked);
  base::Json transaction_object(const SupplierOrder& order) const;

  // Of a reservation the answer that is spoilt is that of its confirmation.
  void spoil_confirmation(std::int64_t number, const Course& course);
  Course confirmation_course(std::int64_t number);

  const DtoneIdentity identity_;
  std::mutex spoilt_mutex_;
  std::map<std::int64_t, Course> spoilt_;
};

}  // namespace topup::rehearsal
