#include "server/base/csv.h"

namespace topup::base {
namespace {

constexpr std::string_view kMark = "\xEF\xBB\xBF";
constexpr std::string_view kFormulaStarts = "=+-@\t\r";

bool looks_like_formula(std::string_view text) {
  return !text.empty() && kFormulaStarts.find(text.front()) != std::string_view::npos;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}
  bool at_end() const { return at_ >= text_.size(); }
  std::size_t line() const { return line_; }

  // False for a quote that is not closed or text after one.
  bool row(CsvRow* row) {
    row->line = line_;
    row->cells.clear();
    for (;;) {
      std::string cell;
      if (!read_cell(&cell)) return false;
      row->cells.push_back(unguarded(std::move(cell)));
      if (row->cells.size() > kMaxCsvCells) return false;
      if (at_end()) return true;
      const char c = text_[at_++];
      if (c == ',') continue;
      if (c == '\r' && !at_end() && text_[at_] == '\n') ++at_;
      ++line_;
      return true;
    }
  }

 private:
  bool read_cell(std::string* cell) {
    if (at_end() || text_[at_] != '"') {
      const std::size_t end = text_.find_first_of(",\r\n", at_);
      *cell = text_.substr(at_, end - at_);
      at_ = end == std::string_view::npos ? text_.size() : end;
      return cell->find('"') == std::string::npos;
    }
    for (++at_; !at_end();) {
      const char c = text_[at_++];
      if (c == '\n') ++line_;
      if (c != '"') {
        *cell += c;
        continue;
      }
      if (at_end() || text_[at_] != '"') return at_end() || is_end(text_[at_]);
      *cell += text_[at_++];
    }
    return false;
  }
  static bool is_end(char c) { return c == ',' || c == '\r' || c == '\n'; }
  static std::string unguarded(std::string cell) {
    if (cell.starts_with('\'') && looks_like_formula(std::string_view(cell).substr(1)))
      cell.erase(0, 1);
    return cell;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

}  // namespace

Result<std::vector<CsvRow>> csv_rows(std::string_view text, std::size_t max_rows) {
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  std::vector<CsvRow> rows;
  Reader reader(text);
  while (!reader.at_end()) {
    const std::size_t line = reader.line();
    CsvRow row;
    if (!reader.row(&row)) {
      return refuse(Code::invalid_argument, "csv_malformed", "csv", "line " + std::to_string(line));
    }
    if (row.cells.size() == 1 && row.cells.front().empty()) continue;
    if (rows.size() == max_rows) return refuse(Code::invalid_argument, "csv_too_long", "csv");
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string csv_cell(std::string_view text) {
  std::string cell = looks_like_formula(text) ? "'" + std::string(text) : std::string(text);
  if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
  std::string quoted = "\"";
  for (const char c : cell) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) line += (i == 0 ? "" : ",") + csv_cell(cells[i]);
  return line + "\r\n";
}

}  // namespace topup::base
