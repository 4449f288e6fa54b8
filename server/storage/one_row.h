// Whether a statement adds one row whenever it is not refused, so that nobody has to wait for the
// engine to count: INSERT … VALUES (…), alone or with ON CONFLICT … DO UPDATE without a condition.
#pragma once

#include <algorithm>
#include <string_view>

namespace topup::storage {

inline bool adds_one_row(std::string_view sql) {
  constexpr std::string_view kBlank = " \n\t";
  const auto trimmed = [kBlank](std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
    return text;
  };
  sql = trimmed(sql);
  const std::size_t values = sql.find("VALUES");
  if (!sql.starts_with("INSERT INTO ") || values == std::string_view::npos) return false;
  std::size_t at = sql.find('(', values);
  int depth = 0;
  bool is_quoted = false;
  for (; at < sql.size(); ++at) {
    if (sql[at] == '\'') is_quoted = !is_quoted;
    if (is_quoted) continue;
    if (sql[at] == '(') ++depth;
    if (sql[at] == ')' && --depth == 0) break;
  }
  if (at >= sql.size()) return false;
  const std::string_view rest = trimmed(sql.substr(at + 1));
  if (rest.empty()) return true;
  const auto has = [rest](std::string_view word) {
    return rest.find(word) != std::string_view::npos;
  };
  return rest.starts_with("ON CONFLICT") && has("DO UPDATE") && !has("WHERE") &&
         !has("RETURNING") && !has("DO NOTHING");
}

}  // namespace topup::storage
