#include "server/payments/alipay_table.h"

#include <algorithm>
#include <utility>

#include "server/base/gb18030.h"
#include "server/base/zip.h"
#include "server/payments/bill_text.h"
#include "server/payments/wechat_bill.h"

namespace topup::payments {
namespace {

constexpr std::size_t kMaxRemarks = 64;
constexpr std::size_t kMaxFiles = 32;
constexpr base::ZipBounds kBounds{kMaxFiles, kMaxBillBytes};

struct Width {
  std::string_view full;
  char ascii;
};
constexpr Width kWidths[] = {{"（", '('}, {"）", ')'}, {"＋", '+'}, {"－", '-'},
                             {"［", '['}, {"］", ']'}, {"【", '['}, {"】", ']'}};

tl::unexpected<Error> of_another(const char* what) {
  return refuse(Code::rejected, "bill_of_another", {}, what);
}

// Ids end with a tab, so that a spreadsheet leaves them alone.
std::string_view trimmed(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Without blanks, and every bracket and sign in ASCII.
std::string plain(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto* const wide =
        std::find_if(std::begin(kWidths), std::end(kWidths),
                     [text](const Width& one) { return text.starts_with(one.full); });
    const bool is_wide = wide != std::end(kWidths);
    const char c = is_wide ? wide->ascii : text.front();
    if (c != ' ' && c != '\t') out.push_back(c);
    text.remove_prefix(is_wide ? wide->full.size() : 1);
  }
  return out;
}

AlipayCells cells_of(std::string_view line) {
  AlipayCells cells;
  for (;;) {
    const std::size_t end = line.find(',');
    cells.push_back(trimmed(line.substr(0, end)));
    if (end == std::string_view::npos || cells.size() > kMaxAlipayColumns) return cells;
    line.remove_prefix(end + 1);
  }
}

// "[2026年06月05日 00:00:00]" → "2026-06-05"; "" when the line has no such thing.
std::string day_in(std::string_view line) {
  constexpr std::string_view kYear = "年", kMonth = "月", kDay = "日";
  const std::size_t from = line.find('[');
  if (from == std::string_view::npos) return {};
  const std::string_view text = line.substr(from + 1);
  const std::size_t year = text.find(kYear), month = text.find(kMonth), day = text.find(kDay);
  if (year != 4 || month != 4 + kYear.size() + 2 || day != month + kMonth.size() + 2) return {};
  return std::string(text.substr(0, 4)) + "-" + std::string(text.substr(4 + kYear.size(), 2)) +
         "-" + std::string(text.substr(month + kMonth.size(), 2));
}

// The number of the account may have a branch's four digits behind it.
bool is_of_account(std::string_view line, std::string_view seller_id) {
  const std::size_t from = line.find('['), end = line.find(']');
  if (seller_id.empty() || from == std::string_view::npos) return true;
  return end != std::string_view::npos && end > from &&
         line.substr(from + 1, end - from - 1).starts_with(seller_id);
}

// What a remark says of whose bill it is; nullptr: nothing else than was asked for.
const char* other_than(const AlipayBillOf& wanted, std::string_view remark) {
  if (remark.starts_with("账号") && !is_of_account(plain(remark), wanted.seller_id))
    return "account";
  if (!remark.starts_with("起始日期")) return nullptr;
  const std::string day = day_in(plain(remark));
  return !day.empty() && !wanted.day.empty() && day != wanted.day ? "day" : nullptr;
}

}  // namespace

tl::unexpected<Error> alipay_malformed(const std::string& what, std::size_t line) {
  return refuse(Code::rejected, "bill_malformed", {},
                line == 0 ? what : "line " + std::to_string(line) + ": " + what);
}

AlipayTitles::AlipayTitles(const AlipayCells& cells) {
  for (const std::string_view cell : cells) titles_.push_back(plain(cell));
}

std::optional<std::size_t> AlipayTitles::column(
    std::initializer_list<std::string_view> wanted) const {
  for (const std::string_view title : wanted) {
    const auto found = std::find(titles_.begin(), titles_.end(), title);
    if (found != titles_.end()) return static_cast<std::size_t>(found - titles_.begin());
  }
  return std::nullopt;
}

bool AlipayTitles::has_twice() const {
  auto sorted = titles_;
  std::sort(sorted.begin(), sorted.end());
  return std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end();
}

Result<bool> read_alipay_table(std::string_view csv, std::string_view first_line,
                               const AlipayBillOf& wanted, AlipayTable& into) {
  if (csv.size() > kMaxBillBytes) return alipay_malformed("the file is too large");
  const auto lines = bill_lines(csv, kMaxBillLines + kMaxRemarks);
  if (!lines) return alipay_malformed("there are too many lines");
  if (lines->empty() || !lines->front().starts_with(first_line))
    return alipay_malformed("the first line is not that of these details");
  bool has_titles = false, is_ended = false;
  for (std::size_t i = 0; i < lines->size(); ++i) {
    std::string_view line = (*lines)[i];
    if (line.starts_with('#')) {
      line = trimmed(line.substr(1));
      if (const char* other = other_than(wanted, line)) return of_another(other);
      if (line.find("明细列表结束") != std::string_view::npos) is_ended = true;
      into.take_remark(line);
      continue;
    }
    if (is_ended) return alipay_malformed("a row after the end", i + 1);
    AlipayCells cells = cells_of(line);
    const char* wrong = nullptr;
    if (has_titles) {
      wrong = into.take_row(cells);
    } else {
      const AlipayTitles titles(cells);
      wrong = titles.has_twice() ? "a title comes twice" : into.take_titles(titles);
      has_titles = true;
    }
    if (wrong != nullptr) return alipay_malformed(wrong, i + 1);
  }
  if (!has_titles || !is_ended) return alipay_malformed("the end is missing");
  return true;
}

Result<std::vector<std::string>> alipay_details_in(std::string_view archive,
                                                   std::string_view first_line) {
  auto entries = base::unzip(archive, kBounds);
  if (!entries) return alipay_malformed(std::string(entries.error().reason));
  std::vector<std::string> details;
  for (base::ZipEntry& entry : *entries) {
    const bool is_utf8 = entry.content.find(first_line) != std::string::npos;
    auto text = is_utf8 ? std::move(entry.content) : base::utf8_of_gb18030(entry.content);
    if (!text) return alipay_malformed("the text is not GB18030");
    if (text->find(first_line) != std::string::npos) details.push_back(std::move(*text));
  }
  if (details.empty()) return alipay_malformed("the archive holds no details");
  return details;
}

std::optional<AlipayTotal> alipay_total(std::string_view remark) {
  constexpr std::string_view kPieces = "笔", kSum = "共", kYuan = "元";
  const std::size_t pieces = remark.find(kPieces);
  if (pieces == std::string_view::npos) return std::nullopt;
  const std::string_view head = trimmed(remark.substr(0, pieces));
  std::size_t digits = head.size();
  while (digits > 0 && head[digits - 1] >= '0' && head[digits - 1] <= '9') --digits;
  const auto count = bill_count(head.substr(digits));
  const std::size_t sum = remark.find(kSum, pieces);
  if (!count || sum == std::string_view::npos) return std::nullopt;
  const std::size_t end = remark.find(kYuan, sum);
  if (end == std::string_view::npos) return std::nullopt;
  const std::size_t from = sum + kSum.size();
  const auto parts = bill_parts(trimmed(remark.substr(from, end - from)));
  if (!parts) return std::nullopt;
  return AlipayTotal{*count, *parts};
}

std::optional<Money> alipay_bill_fen(std::string_view cell) {
  const auto parts = bill_parts(cell);
  return parts ? fen_of_parts(*parts) : std::nullopt;
}

}  // namespace topup::payments
