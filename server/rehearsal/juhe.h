// Juhe's recharge interfaces as a customer meets them, played on loopback: mainland airtime and
// fuel cards, forms signed with MD5, error codes and states as numbers or as text in turn, reasons
// in GBK where it hurts, callbacks that are tried three times. Source: code.juhe.cn/docs/1565 and
// published descriptions.
#pragma once

#include <atomic>
#include <string>
#include <string_view>

#include "server/rehearsal/supplier_party.h"

namespace topup::rehearsal {

struct JuheIdentity {
  std::string open_id, mobile_key, fuel_key;
  std::string callback_url;  // "" for none
};

class Juhe final : public SupplierParty {
 public:
  Juhe(Surroundings around, JuheIdentity identity);
  ~Juhe() override { stop(); }

 protected:
  Answered api(const Asked& asked) override;
  Answered outage() const override;
  OwedCallback callback_of(const SupplierOrder& order, bool is_forged) const override;
  bool is_taken(const base::OutboundReply& reply) const override;  // any text
  void apply_magic(std::string_view last_four, Course& course) const override;
  std::string refusal_word() const override { return "208501"; }
  std::string failure_word() const override { return "game_state_9"; }

 private:
  Answered said(base::Json result) const;
  Answered refused(std::string_view code) const;
  base::Json mixed(std::int64_t number) const;
  bool is_signed(const Pairs& fields, std::string_view text) const;
  Answered check(const Pairs& fields) const;
  Answered quote(const Pairs& fields) const;
  Answered order_airtime(const Pairs& fields);
  Answered order_fuel(const Pairs& fields);
  Answered place_order(SupplierOrder order, bool is_fuel);
  Answered state(const Pairs& fields, bool is_fuel) const;
  Answered wallet(const Pairs& fields, bool is_fuel) const;
  Answered list(const Pairs& fields, bool is_fuel) const;
  base::Json order_object(const SupplierOrder& order) const;

  const JuheIdentity identity_;
  mutable std::atomic<unsigned> turn_{0};
};

}  // namespace topup::rehearsal
