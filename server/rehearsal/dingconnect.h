// DingConnect's API as a distributor meets it, played on loopback: strict names, answers judged by
// the body, providers, products, estimates in no order, deferred and instant transfers, records
// with paging, a webhook. A second transfer with one DistributorRef is delivered and paid again, as
// the live service was seen to do; a tester may switch that off. Source: its swagger, FAQ and
// published measurements.
#pragma once

#include <string>
#include <string_view>

#include "server/rehearsal/catalogue.h"
#include "server/rehearsal/supplier_party.h"

namespace topup::rehearsal {

struct DingconnectIdentity {
  std::string api_key;
  std::string callback_url;  // "" for none
};

class Dingconnect final : public SupplierParty {
 public:
  Dingconnect(Surroundings around, DingconnectIdentity identity);
  ~Dingconnect() override { stop(); }

 protected:
  Answered api(const Asked& asked) override;
  Answered outage() const override;
  OwedCallback callback_of(const SupplierOrder& order, bool is_forged) const override;
  void apply_magic(std::string_view last_four, Course& course) const override;
  std::string refusal_word() const override;
  void shape_refusal(Course& course) const override;
  std::string failure_word() const override { return "ProviderRefusedRequest"; }

 private:
  Answered providers(const Asked& asked) const;
  Answered products(const Asked& asked) const;
  Answered account_lookup(const Asked& asked) const;
  Answered estimates(const Asked& asked) const;
  Answered transfer(const Asked& asked);
  Answered place_transfer(const Asked& asked, SupplierOrder order);
  Answered records(const Asked& asked) const;
  base::Json record_object(const SupplierOrder& order) const;

  const DingconnectIdentity identity_;
};

}  // namespace topup::rehearsal
