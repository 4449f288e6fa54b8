#include "server/storage/recent_ids.h"

#include <algorithm>
#include <array>
#include <variant>

#include "server/base/id_time.h"
#include "shared/check.h"

namespace topup::storage {
namespace {

constexpr std::string_view kMark = "/*in ";
constexpr std::string_view kMarkEnd = "*/";
constexpr std::size_t kTimeDigits = 5;                       // of the ten that an id begins with
constexpr std::int64_t kStretchMs = std::int64_t{1} << 25U;  // what they leave open: 9.3 hours
// What stands in front of the time in ids of payments, refunds and attempts at a supplier.
constexpr std::array<std::string_view, 4> kLetters = {"", "T", "RT", "S"};

struct Mark {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string_view column;
  std::string_view letters;  // in front of the value
  std::size_t value = 0;     // from 0 on
};

bool find_mark(std::string_view sql, Mark* mark) {
  mark->begin = sql.find(kMark);
  if (mark->begin == std::string_view::npos) return false;
  const std::size_t close = sql.find(kMarkEnd, mark->begin);
  check(close != std::string_view::npos, "a mark has an end");
  mark->end = close + kMarkEnd.size();
  const std::string_view said =
      sql.substr(mark->begin + kMark.size(), close - mark->begin - kMark.size());
  const std::size_t blank = said.find(' ');
  const std::size_t dollar = said.find('$');
  check(blank < dollar && dollar + 2 == said.size(), "a mark names a column and one of $1 to $9");
  mark->column = said.substr(0, blank);
  mark->letters = said.substr(blank + 1, dollar - blank - 1);
  mark->value = static_cast<std::size_t>(said.back() - '1');
  return true;
}

}  // namespace

std::string beginning_of_ids(std::string_view sql, std::initializer_list<Value> values,
                             std::int64_t now_ms) {
  Mark mark;
  if (!find_mark(sql, &mark) || mark.value >= values.size()) return {};
  const auto* id = std::get_if<std::string_view>(values.begin() + mark.value);
  if (id == nullptr) return {};
  const std::size_t letters = std::min(id->find('0'), id->size());
  if (std::find(kLetters.begin(), kLetters.end(), id->substr(0, letters)) == kLetters.end() ||
      id->size() < letters + kTimeDigits)
    return {};
  const std::string_view time = id->substr(letters, kTimeDigits);
  if (time != base::id_time(now_ms).substr(0, kTimeDigits) &&
      time != base::id_time(now_ms - kStretchMs).substr(0, kTimeDigits))
    return {};
  return std::string(mark.letters) + std::string(id->substr(0, letters + kTimeDigits));
}

bool fits_any_value(std::string_view sql) { return sql.ends_with("/*any*/"); }

std::string within(std::string_view sql, std::string_view beginning) {
  Mark mark;
  check(find_mark(sql, &mark) && !beginning.empty(), "a statement with a mark, and its ids");
  std::string behind(beginning);  // the least text that does not begin so: text is sorted by bytes
  ++behind.back();
  const std::string column(mark.column);
  return std::string(sql.substr(0, mark.begin)) + "AND " + column + " >= '" +
         std::string(beginning) + "' AND " + column + " < '" + behind + "'" +
         std::string(sql.substr(mark.end));
}

}  // namespace topup::storage
