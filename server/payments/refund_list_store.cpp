#include "server/payments/refund_list_store.h"

namespace topup::payments::refund_list_store {
namespace {

constexpr std::string_view kAfterEveryNumber = "ZZZZ";

}  // namespace

const std::string& list_sql(bool in_one_state) {
  static const std::string of_state =
      "SELECT out_refund_no FROM refunds WHERE state = $3 AND out_refund_no < $1"
      " ORDER BY out_refund_no DESC LIMIT $2";
  static const std::string all =
      "SELECT out_refund_no FROM refunds WHERE out_refund_no < $1"
      " ORDER BY out_refund_no DESC LIMIT $2";
  return in_one_state ? of_state : all;
}

std::vector<OutRefundNo> list(storage::Reader& reader, std::string_view state,
                              const OutRefundNo& before, std::int64_t limit) {
  std::vector<OutRefundNo> found;
  const auto keep = [&found](const storage::Row& row) { found.emplace_back(row.text(0)); };
  const std::string_view upto = before.empty() ? kAfterEveryNumber : std::string_view(before.text);
  if (state.empty()) {
    reader.query(list_sql(false), {upto, limit}, keep);
  } else {
    reader.query(list_sql(true), {upto, limit, state}, keep);
  }
  return found;
}

}  // namespace topup::payments::refund_list_store
