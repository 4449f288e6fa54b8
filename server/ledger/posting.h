// A journal: balanced postings for one business event. It cannot be built unbalanced (check()), and
// the database refuses an unbalanced or second one as well: (template, subject) is unique, so one
// event is posted once however often it is heard.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shared/money.h"

namespace topup::ledger {

struct Posting {
  std::string account;
  Money amount;  // debit positive, credit negative
};

class Journal {
 public:
  // `name` is the template's stored word, `subject` the id of the event: out_trade_no, attempt_id,
  // out_refund_no.
  Journal(std::string_view name, std::string_view subject, std::vector<Posting> postings);
  const std::string& name() const { return name_; }
  const std::string& subject() const { return subject_; }
  const std::vector<Posting>& postings() const { return postings_; }

 private:
  std::string name_, subject_;
  std::vector<Posting> postings_;
};

// Business event → journal. Pure. Amounts are positive.
Journal payment_received(std::string_view out_trade_no, std::string_view channel, Money paid);
Journal order_fulfilled(std::string_view attempt_id, std::string_view supplier, Money payable,
                        const Money* cost);
Journal order_refunded(std::string_view out_refund_no, std::string_view channel, Money refunded);
Journal payment_unexplained(std::string_view out_trade_no, std::string_view channel, Money paid);

}  // namespace topup::ledger
