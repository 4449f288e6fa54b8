#include "tests/sim/crash_points.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <stdexcept>

namespace topup::sim {
namespace {

constexpr std::string_view kPoints[] = {
    "after a commit",
    "after the answer to bill",
    "after the answer to close",
    "after the answer to fund bill",
    "after the answer to payment query",
    "after the answer to prepay",
    "after the answer to refund",
    "after the answer to refund query",
    "after the answer to statement",
    "after the answer to submit",
    "after the answer to supplier query",
    "after the request of bill",
    "after the request of close",
    "after the request of fund bill",
    "after the request of payment query",
    "after the request of prepay",
    "after the request of refund",
    "after the request of refund query",
    "after the request of statement",
    "after the request of submit",
    "after the request of supplier query",
    "before a commit",
    "before a statement on account_balances",
    "before a statement on audit_head",
    "before a statement on audit_log",
    "before a statement on error_accounts",
    "before a statement on journals",
    "before a statement on ledger_head",
    "before a statement on notifications",
    "before a statement on order_events",
    "before a statement on order_holds",
    "before a statement on orders",
    "before a statement on outbox",
    "before a statement on payment_attempts",
    "before a statement on pin_stock",
    "before a statement on postings",
    "before a statement on recon_differences",
    "before a statement on recon_lines",
    "before a statement on recon_runs",
    "before a statement on recon_totals",
    "before a statement on refund_wishes",
    "before a statement on refunds",
    "before a statement on stocks",
    "before a statement on supplier_attempts",
    "before a statement on supplier_exchanges",
    "before a statement on work_items",
    "before the request of bill",
    "before the request of close",
    "before the request of fund bill",
    "before the request of payment query",
    "before the request of prepay",
    "before the request of refund",
    "before the request of refund query",
    "before the request of statement",
    "before the request of submit",
    "before the request of supplier query",
};
constexpr std::string_view kWalletPoints[] = {
    "before a statement on approvals",
    "before a statement on wallet_entries",
    "before a statement on wallet_holds",
    "before a statement on wallets",
};
constexpr std::string_view kLine = "  crash ";

}  // namespace

std::span<const std::string_view> crash_points() { return kPoints; }
std::span<const std::string_view> wallet_crash_points() { return kWalletPoints; }

std::vector<std::string> missed_crash_points(const std::vector<std::string>& logs) {
  std::set<std::string, std::less<>> hit;
  for (const std::string& path : logs) {
    std::ifstream in(path);
    if (!in) throw std::runtime_error("cannot read " + path);
    for (std::string line; std::getline(in, line);) {
      const std::size_t end = line.rfind(':');
      if (line.starts_with(kLine) && end != std::string::npos)
        hit.insert(line.substr(kLine.size(), end - kLine.size()));
    }
  }
  std::vector<std::string> wrong;
  for (const std::span<const std::string_view> points : {crash_points(), wallet_crash_points()}) {
    for (const std::string_view point : points) {
      const auto found = hit.find(point);
      if (found == hit.end()) {
        wrong.push_back("never died " + std::string(point));
      } else {
        hit.erase(found);
      }
    }
  }
  for (const std::string& other : hit) wrong.push_back("died " + other + ", which is not listed");
  return wrong;
}

}  // namespace topup::sim
