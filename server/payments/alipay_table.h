// What Alipay's bills have in common: a zip with the details beside a summary, comma-separated text
// in GB18030 that nothing quotes, remarks that begin with '#', titles, rows, an end and totals.
// Columns are found by their titles; brackets and signs in titles may be of full width. Pure;
// thread-safe; time and memory linear in the text.
// Errors: rejected/bill_malformed, rejected/bill_of_another (account or day), with what is wrong
// and where as detail (never a cell's text).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/money.h"
#include "shared/result.h"

namespace topup::payments {

struct AlipayBillOf {
  std::string_view seller_id;  // whose bill was asked for; "" to take any
  std::string_view day;        // yyyy-mm-dd; "" to take any
};

using AlipayCells = std::vector<std::string_view>;  // trimmed

class AlipayTitles {
 public:
  explicit AlipayTitles(const AlipayCells& cells);
  // The first of the titles that this bill has; wanted with ASCII brackets and signs.
  std::optional<std::size_t> column(std::initializer_list<std::string_view> wanted) const;
  bool has_twice() const;  // a title
  std::size_t count() const { return titles_.size(); }

 private:
  std::vector<std::string> titles_;
};

// Who takes the parts of one file, in their order: nullptr, or what is wrong with the part.
class AlipayTable {
 public:
  virtual ~AlipayTable() = default;
  virtual const char* take_titles(const AlipayTitles& titles) = 0;
  virtual const char* take_row(AlipayCells& cells) = 0;   // as many as there are
  virtual void take_remark(std::string_view remark) = 0;  // without the '#'
};

inline constexpr std::size_t kMaxAlipayColumns = 64;

// One file of details, in UTF-8, from its first line to its end.
Result<bool> read_alipay_table(std::string_view csv, std::string_view first_line,
                               const AlipayBillOf& wanted, AlipayTable& into);

// The files of an archive that begin with this line, in UTF-8: there is one at least.
Result<std::vector<std::string>> alipay_details_in(std::string_view archive,
                                                   std::string_view first_line);

// "交易合计：3笔，商家实收共298.50元": how many, and how much, in parts of a fen as bill_parts()
// has them; signed as it stands there.
struct AlipayTotal {
  std::int64_t count = 0, parts = 0;
};
std::optional<AlipayTotal> alipay_total(std::string_view remark);

std::optional<Money> alipay_bill_fen(std::string_view cell);

tl::unexpected<Error> alipay_malformed(const std::string& what, std::size_t line = 0);

}  // namespace topup::payments
