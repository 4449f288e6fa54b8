#include "tests/sim/bugs.h"

namespace topup::sim {
namespace {

constexpr std::array<std::string_view, kBugCount> kWords = {"none",
                                                            "notice_counted_twice",
                                                            "amount_unchecked",
                                                            "sent_before_mark",
                                                            "resubmit_new_number",
                                                            "resubmit_same_number",
                                                            "refund_new_number",
                                                            "refund_on_timeout",
                                                            "memory_queue",
                                                            "signature_unchecked",
                                                            "late_payment_ignored",
                                                            "callback_flips_success",
                                                            "ack_before_commit",
                                                            "not_found_at_once",
                                                            "window_by_wall_clock",
                                                            "half_transaction",
                                                            "no_active_query",
                                                            "suspense_not_posted",
                                                            "audit_row_missing",
                                                            "duplicate_kept",
                                                            "processing_is_success",
                                                            "refusal_is_final",
                                                            "lease_ignored",
                                                            "key_per_try",
                                                            "cost_forgotten",
                                                            "balance_drifts",
                                                            "closed_unasked",
                                                            "number_mistaken",
                                                            "refund_forgotten",
                                                            "review_skipped",
                                                            "review_never_ends",
                                                            "loss_not_booked",
                                                            "coupon_not_held",
                                                            "stock_not_counted",
                                                            "pin_answered_first",
                                                            "pin_not_returned",
                                                            "pin_returned_twice",
                                                            "lease_by_time",
                                                            "schedule_on_both",
                                                            "fees_not_booked",
                                                            "bill_line_lost",
                                                            "difference_unseen",
                                                            "resolution_not_kept",
                                                            "taken_back_too_late",
                                                            "hold_captured_twice",
                                                            "hold_released_twice",
                                                            "hold_left",
                                                            "wallet_checked_early",
                                                            "wallet_not_returned",
                                                            "wallet_returned_twice",
                                                            "hold_not_settled"};

void cut(std::string* sql, std::string_view part) {
  const std::size_t at = sql->find(part);
  if (at != std::string::npos) sql->erase(at, part.size());
}

bool is_insert(const std::string& sql) { return sql.find("INSERT INTO") != std::string::npos; }

}  // namespace

std::string_view to_word(Bug bug) { return kWords[static_cast<std::size_t>(bug)]; }
std::optional<Bug> parse_bug(std::string_view word) {
  for (std::size_t i = 0; i < kBugCount; ++i) {
    if (kWords[i] == word) return static_cast<Bug>(i);
  }
  return std::nullopt;
}

Profile profile_for(Bug bug) {
  switch (bug) {
    case Bug::no_active_query:
      return Profile::all_callbacks_lost;
    case Bug::window_by_wall_clock:
      return Profile::clock;
    case Bug::resubmit_same_number:
      return Profile::no_dedup_supplier;
    default:
      return Profile::swarm;
  }
}

std::uint64_t first_seed_for(Bug bug) {
  switch (bug) {
    case Bug::hold_captured_twice:
    case Bug::hold_left:
    case Bug::hold_not_settled:
      return 7;
    case Bug::wallet_not_returned:
      return 13;
    case Bug::wallet_returned_twice:
      return 15;
    case Bug::hold_released_twice:
    case Bug::wallet_checked_early:
      return 65;
    default:
      return 1;
  }
}

std::string_view text_of(std::initializer_list<storage::Value> values, std::size_t index) {
  if (index >= values.size()) return "";
  const auto* text = std::get_if<std::string_view>(values.begin() + index);
  return text == nullptr ? std::string_view() : *text;
}

Treatment StatementBug::treat_bills(std::string_view table, std::string* sql,
                                    std::initializer_list<storage::Value> values) {
  const bool inserts = is_insert(*sql);
  switch (bug_) {
    case Bug::fees_not_booked:
      return dropped_journal(table, values, "channel_fee");
    case Bug::bill_line_lost:
      if (table == "recon_lines" && inserts && text_of(values, 2) == "refund")
        return Treatment::drop;
      break;
    case Bug::difference_unseen:
      if (table == "recon_differences" && inserts && text_of(values, 4) == "amount_differs")
        return Treatment::drop;
      break;
    case Bug::resolution_not_kept:
      if (table == "recon_differences" && text_of(values, 11) == "accept_theirs") {
        cut(sql, "suspense_minor = $9, ");
        cut(sql, "state = $11, ");
      }
      break;
    default:
      break;
  }
  return Treatment::run;
}

// The journal of a template is left out, whole, so that the books still sum to nothing.
Treatment StatementBug::dropped_journal(std::string_view table,
                                        std::initializer_list<storage::Value> values,
                                        std::string_view name) {
  if (table == "postings") {
    const std::string_view id = text_of(values, 0);
    drops_journal_ = id.starts_with(name) && id.substr(name.size()).starts_with(":");
  }
  if (drops_journal_ && (table == "postings" || table == "account_balances"))
    return Treatment::drop;
  return table == "journals" && text_of(values, 1) == name ? Treatment::drop : Treatment::run;
}

Treatment StatementBug::treat(std::string_view table, std::string* sql,
                              std::initializer_list<storage::Value> values) {
  const bool inserts = is_insert(*sql);
  switch (bug_) {
    case Bug::notice_counted_twice:
      if (table == "payment_attempts") cut(sql, " AND state = 'started'");
      break;
    case Bug::late_payment_ignored:
    case Bug::closed_unasked:
      if (table == "payment_attempts" && sql->find("IN ('closed', 'refused')") != std::string::npos)
        return Treatment::drop;
      break;
    case Bug::no_active_query:
      if (table == "outbox" && inserts && text_of(values, 0) == "payment_query")
        return Treatment::drop;
      break;
    case Bug::suspense_not_posted:
      return dropped_journal(table, values, "suspense");
    case Bug::loss_not_booked:
      return dropped_journal(table, values, "refund_loss");
    case Bug::coupon_not_held:
      if (table == "order_holds" && text_of(values, 1) == "coupon") return Treatment::drop;
      break;
    case Bug::stock_not_counted:
      if (table == "stocks" && values.size() == 1)
        *sql = "UPDATE stocks SET taken = taken WHERE stock_id = $1";
      break;
    case Bug::pin_not_returned:
      if (table == "pin_stock" && sql->find("SET state = 'available'") != std::string::npos)
        return Treatment::drop;
      break;
    case Bug::pin_returned_twice:
      if (table == "pin_stock" && sql->find("SET state = 'available'") != std::string::npos)
        cut(sql, " AND state = 'held'");
      break;
    case Bug::audit_row_missing:
      if (table == "order_events") drops_entry_ = text_of(values, 2) == "supplier_succeeded";
      if (drops_entry_ && (table == "audit_log" || table == "audit_head")) return Treatment::drop;
      break;
    case Bug::duplicate_kept:
      if (table == "order_events") is_after_duplicate_ = text_of(values, 2) == "duplicate_payment";
      if (is_after_duplicate_ && table == "outbox" && inserts) return Treatment::drop;
      break;
    case Bug::refund_forgotten:
      if (table == "order_events") is_after_rejection_ = text_of(values, 2) == "supplier_rejected";
      if (is_after_rejection_ && table == "outbox" && inserts) return Treatment::drop;
      break;
    case Bug::hold_not_settled:
      if (table == "wallet_holds" && !inserts) return Treatment::drop;
      break;
    case Bug::balance_drifts:
      if (table == "account_balances" &&
          (text_of(values, 0) == "revenue.sales" || text_of(values, 3) == "revenue.sales"))
        return Treatment::drop;
      break;
    default:
      return treat_bills(table, sql, values);
  }
  return Treatment::run;
}

}  // namespace topup::sim
