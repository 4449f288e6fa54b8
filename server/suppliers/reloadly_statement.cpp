#include "server/suppliers/reloadly_statement.h"

#include <chrono>

#include "server/suppliers/exact_json.h"
#include "shared/time_point.h"

namespace topup::suppliers {
namespace {

constexpr std::int64_t kMarginMs = 2 * 3'600'000;

std::string two(std::int64_t value) { return (value < 10 ? "0" : "") + std::to_string(value); }

std::string eastern(std::int64_t at_ms) {
  const std::int64_t start = start_of_day_ms(at_ms, kReloadlyOffsetMs);
  const std::int64_t seconds = (at_ms - start) / 1'000;
  return day_text(at_ms, kReloadlyOffsetMs) + "%20" + two(seconds / 3'600) + "%3A" +
         two(seconds / 60 % 60) + "%3A" + two(seconds % 60);
}

std::optional<std::int64_t> digits(std::string_view text, std::size_t at, std::size_t count) {
  std::int64_t value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

std::optional<std::int64_t> at_ms_of(const std::string& text) {
  using namespace std::chrono;
  if (text.size() < 19 || text[4] != '-' || text[7] != '-' ||
      (text[10] != ' ' && text[10] != 'T') || text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  const auto y = digits(text, 0, 4), mo = digits(text, 5, 2), d = digits(text, 8, 2);
  const auto h = digits(text, 11, 2), mi = digits(text, 14, 2), s = digits(text, 17, 2);
  if (!y || !mo || !d || !h || !mi || !s) return std::nullopt;
  const year_month_day date{year(static_cast<int>(*y)), month(static_cast<unsigned>(*mo)),
                            day(static_cast<unsigned>(*d))};
  if (!date.ok() || *h > 23 || *mi > 59 || *s > 60) return std::nullopt;
  const auto at = sys_days(date) + hours(*h) + minutes(*mi) + seconds(*s);
  return duration_cast<milliseconds>(at.time_since_epoch()).count() - kReloadlyOffsetMs;
}

std::string text_of(const base::Json& row, const char* key) {
  const auto text = base::text_in(row, key);
  return text ? *text : "";
}

}  // namespace

std::optional<StatementLine> reloadly_statement_line(const base::Json& row, Currency wallet) {
  if (!row.is_object() || !row.contains("transactionId")) return std::nullopt;
  StatementLine line;
  line.supplier_order_id = literal_text(row["transactionId"]);
  line.attempt_id = text_of(row, "customIdentifier");
  const auto at = at_ms_of(text_of(row, "transactionDate"));
  const std::string status = text_of(row, "status");
  if (!at || line.supplier_order_id.empty() || status.empty()) return std::nullopt;
  line.at_ms = *at;
  line.state = status == "SUCCESSFUL"                       ? SupplyState::succeeded
               : status == "REFUNDED" || status == "FAILED" ? SupplyState::rejected
                                                            : SupplyState::accepted;
  const auto requested = amount_in(row, "requestedAmount", wallet, Round::half_up);
  const auto discount = amount_in(row, "discount", wallet, Round::half_up);
  if (requested && discount && text_of(row, "requestedAmountCurrencyCode") == to_word(wallet)) {
    const auto cost = subtract(*requested, *discount);
    if (cost) line.cost = *cost;
  }
  return line;
}

std::string reloadly_statement_target(std::int64_t from_ms, std::int64_t until_ms,
                                      std::int64_t page, std::int64_t size) {
  return "/topups/reports/transactions?page=" + std::to_string(page) +
         "&size=" + std::to_string(size) + "&startDate=" + eastern(from_ms - kMarginMs) +
         "&endDate=" + eastern(until_ms + kMarginMs);
}

}  // namespace topup::suppliers
