// What is said to PostgreSQL and by it in texts, without its library.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/postgres_connection.h"
#include "shared/check.h"

namespace topup::storage {

inline constexpr const char* kBeginPart = "SAVEPOINT body";
// A process that stands still in the middle of a change holds up all who write the same rows. Less
// than they wait for a lock, and far more than a body takes between two statements.
inline constexpr const char* kEndsWhenIdle = "SET LOCAL idle_in_transaction_session_timeout = 3000";

// What the planner would rather weigh anew for each value is planned once (recent_ids.h).
inline constexpr const char* kPlanOnce = "SET LOCAL plan_cache_mode = force_generic_plan";
inline constexpr const char* kPlanFreely = "SET LOCAL plan_cache_mode = auto";

// A SELECT without functions of ours, which may change something: there is nothing to take back.
inline bool is_question(std::string_view sql) {
  const std::size_t begin = std::min(sql.find_first_not_of(" \n\t"), sql.size());
  return sql.substr(begin).starts_with("SELECT") && sql.find("topup_") == std::string_view::npos;
}

inline std::string bytes_of_hex(std::string_view text) {  // \x6869
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string out;
  if (text.empty()) return out;
  check(text.starts_with("\\x"), "bytes come as hexadecimal");
  for (std::size_t i = 2; i + 1 < text.size(); i += 2) {
    out += static_cast<char>(digit(text[i]) * 16 + digit(text[i + 1]));
  }
  return out;
}

// A message on one line, without the end of its last.
inline std::string trimmed(const char* text) {
  std::string out = text == nullptr ? "" : text;
  while (!out.empty() && (out.back() == '\n' || out.back() == ' ')) out.pop_back();
  std::replace(out.begin(), out.end(), '\n', ' ');
  return out;
}

// The parts of a list with commas; an empty list has one part, an empty one.
inline std::vector<std::string> parts_of(std::string_view list) {
  std::vector<std::string> parts;
  for (std::size_t end = list.find(','); end != std::string_view::npos; end = list.find(',')) {
    parts.emplace_back(list.substr(0, end));
    list.remove_prefix(end + 1);
  }
  parts.emplace_back(list);
  return parts;
}

// What a SQLSTATE means to whoever asked (PostgreSQL's manual, appendix A); '' is a connection that
// ended.
inline Trouble trouble_of(std::string_view state) {
  if (state.empty() || state.starts_with("08") || state.starts_with("57P")) return Trouble::lost;
  if (state == "25006") return Trouble::lost;  // became a read-only standby: connect anew
  if (state == "25P03") return Trouble::lost;  // ended for standing still in a transaction
  if (state.starts_with("23")) return Trouble::constraint;
  if (state == "40001" || state == "40P01") return Trouble::conflict;
  const bool passes =
      state == "55P03" || state == "57014" || state.starts_with("53") || state.starts_with("54");
  return passes ? Trouble::busy : Trouble::refused;
}

}  // namespace topup::storage
