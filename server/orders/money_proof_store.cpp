#include "server/orders/money_proof_store.h"

#include <array>
#include <string_view>

namespace topup::orders {
namespace {

struct Check {
  std::string_view what;  // followed by the row's name
  std::string_view sql;   // rows: the name
};

constexpr std::array kChecks = {
    Check{"more was refunded than was paid:", R"sql(
  SELECT out_trade_no FROM payment_attempts
   WHERE refunded_minor < 0 OR refunded_minor > paid_minor ORDER BY out_trade_no)sql"},
    // Reserved is what may have left or may still leave; see payments::is_reserved().
    Check{"a payment's refunded amount is not the sum of its refunds:", R"sql(
  SELECT a.out_trade_no FROM payment_attempts a
    LEFT JOIN (SELECT out_trade_no, SUM(amount_minor) AS total FROM refunds
                WHERE state <> 'reissued' AND NOT (state = 'refused' AND code = 'CLOSED')
                GROUP BY out_trade_no) r ON r.out_trade_no = a.out_trade_no
   WHERE a.refunded_minor <> COALESCE(r.total, 0) ORDER BY a.out_trade_no)sql"},
    Check{"a refund of a payment that is not there:", R"sql(
  SELECT r.out_refund_no FROM refunds r
    LEFT JOIN payment_attempts a ON a.out_trade_no = r.out_trade_no
   WHERE a.out_trade_no IS NULL OR a.order_id <> r.order_id OR a.amount_currency <> r.amount_currency
   ORDER BY r.out_refund_no)sql"},
    Check{"a finished refund is not in the books as it is:", R"sql(
  SELECT r.out_refund_no FROM refunds r
    LEFT JOIN journals j ON j.subject = r.out_refund_no
          AND j.template = CASE r.state WHEN 'succeeded' THEN 'refund' ELSE 'refund_by_hand' END
   WHERE r.state IN ('succeeded', 'paid_by_hand')
     AND (j.journal_id IS NULL
          OR (SELECT SUM(p.amount_minor) FROM postings p
               WHERE p.journal_id = j.journal_id AND p.amount_minor > 0) <> r.amount_minor)
   ORDER BY r.out_refund_no)sql"},
    Check{"the books have a refund that has not happened:", R"sql(
  SELECT j.subject FROM journals j LEFT JOIN refunds r ON r.out_refund_no = j.subject
   WHERE j.template IN ('refund', 'refund_by_hand')
     AND (r.out_refund_no IS NULL
          OR r.state <> CASE j.template WHEN 'refund' THEN 'succeeded' ELSE 'paid_by_hand' END)
   ORDER BY j.subject)sql"},
    Check{"a payment is not in the books as it was paid:", R"sql(
  SELECT a.out_trade_no FROM payment_attempts a
   WHERE a.paid_minor > 0 AND a.paid_minor <> COALESCE(
     (SELECT SUM(p.amount_minor) FROM journals j JOIN postings p ON p.journal_id = j.journal_id
       WHERE j.subject = a.out_trade_no AND p.amount_minor > 0
         AND j.template = CASE WHEN EXISTS (SELECT 1 FROM journals s WHERE s.template = 'payment'
                                             AND s.subject = a.out_trade_no)
                               THEN 'payment' ELSE 'suspense' END), 0)
   ORDER BY a.out_trade_no)sql"},
    Check{"suspense is not the sum of its open work items:", R"sql(
  SELECT s.currency || ' differs by ' || SUM(s.minor) FROM (
    SELECT currency, -balance_minor AS minor FROM account_balances WHERE account = 'liability.suspense'
    UNION ALL
    SELECT held_currency, -held_minor FROM work_items WHERE state = 'open' AND held_minor <> 0) s
   GROUP BY s.currency HAVING SUM(s.minor) <> 0 ORDER BY 1)sql"},
    Check{"an order is refunded and its record of failure is open:", R"sql(
  SELECT e.order_id FROM error_accounts e JOIN orders o ON o.order_id = e.order_id
   WHERE e.state = 'open' AND o.state = 'refunded' ORDER BY e.order_id)sql"},
    Check{"a failed order has no record of its failure:", R"sql(
  SELECT o.order_id FROM orders o LEFT JOIN error_accounts e ON e.order_id = o.order_id
   WHERE o.state = 'refunding' AND (e.order_id IS NULL OR e.state <> 'open') ORDER BY o.order_id)sql"},
};

}  // namespace

std::vector<std::string> verify_money(storage::Reader& reader) {
  std::vector<std::string> wrong;
  for (const Check& check : kChecks) {
    reader.query(check.sql, {}, [&](const storage::Row& row) {
      wrong.push_back(std::string(check.what) + " " + row.text(0));
    });
  }
  return wrong;
}

}  // namespace topup::orders
