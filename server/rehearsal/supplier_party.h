// What the rehearsed suppliers have in common: a book of orders and a wallet, orders that end after
// a while, callbacks that are repeated until they are taken, faults by the last four digits of the
// recipient's number and by a control page, differences planted in statements. A party adds its
// protocol. All of it is durable in the rehearsal database. Thread-safe after start(). Control and
// /magic answer loopback only.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "server/rehearsal/armed.h"
#include "server/rehearsal/course.h"
#include "server/rehearsal/party.h"
#include "server/rehearsal/replay.h"
#include "server/rehearsal/supplier_book.h"

namespace topup::rehearsal {

struct SupplierTrade {  // how this party does business
  Money first_balance;
  bool debits_on_success = false;               // else when it takes the order on
  bool deduplicates = true;                     // a tester may switch it
  std::vector<std::int64_t> callback_again_ms;  // gaps between tries
  std::vector<FaultKind> magic;                 // last four digits → what they do, for /magic
};

class SupplierParty : public Party {
 public:
  SupplierParty(Surroundings around, std::string name, SupplierTrade trade);
  ~SupplierParty() override { stop(); }
  void start() override;  // also takes up the orders and callbacks an earlier run still owes

 protected:
  Answered answer(const Asked& asked) final;
  virtual Answered api(const Asked& asked) = 0;
  virtual Answered outage() const = 0;  // in the words of the protocol
  virtual OwedCallback callback_of(const SupplierOrder& order, bool is_forged) const = 0;
  virtual bool is_taken(const base::OutboundReply& reply) const;  // 2xx
  // Adds what the last four digits of an account ask for.
  virtual void apply_magic(std::string_view last_four, Course& course) const = 0;
  virtual std::string refusal_word() const = 0;  // of the armed fault "refused"
  virtual std::string failure_word() const = 0;  // of the armed fault "failed"
  // A replayed course whose refusal is the code as the shop kept it, in this party's own form.
  virtual void shape_refusal(Course&) const {}

  Course course_of(const std::string& account);
  enum class Placed { done, duplicate, poor };
  // Debits and keeps the order, gives it its number; "reserved" ends cancelled at due_ms unless it
  // is confirmed.
  Placed place(SupplierOrder& order, const Course& course);
  bool confirm(std::int64_t number);  // false: not reserved any more
  bool cancel(std::int64_t number);
  void reverse(std::int64_t number);
  std::string random_digits(std::size_t count) const;
  Answered shaped(Answered answered, const Course& course) const;

  std::vector<SupplierOrder> with_reference(const std::string& reference) const;
  std::optional<SupplierOrder> with_number(std::int64_t number) const;
  std::vector<SupplierOrder> listed(std::int64_t from_ms, std::int64_t until_ms) const;
  Money balance() const;
  Money holding() const;  // what open orders took
  bool deduplicates() const { return deduplicates_; }
  Armed& armed() { return armed_; }

 private:
  Answered control(const Asked& asked);
  Result<bool> control_command(const base::Json& body);
  Answered control_order(const Asked& asked) const;
  Answered magic_list() const;
  void schedule(const SupplierOrder& order);
  void finish(std::int64_t number);
  void move_balance(storage::Tx& tx, std::int64_t by_minor) const;
  std::vector<OwedCallback> owe_callbacks(storage::Tx& tx, const SupplierOrder& order) const;
  void owe(const OwedCallback& callback);
  void deliver(std::int64_t row_id);

  const SupplierTrade trade_;
  const SupplierBook book_;
  Armed armed_;
  Replays replays_;
  std::atomic<bool> deduplicates_;
};

Money dollars_of_e5(std::int64_t usd_e5);  // rounded up to the cent

}  // namespace topup::rehearsal
