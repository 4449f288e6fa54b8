#include <array>

#include "server/base/log.h"
#include "server/http/router.h"
#include "shared/check.h"

namespace topup::http {
namespace {

// A limit that knows how long says so in `detail`, as a number of seconds.
std::string seconds_of(std::string_view detail) {
  const bool is_number = !detail.empty() && detail.size() < 8 &&
                         detail.find_first_not_of("0123456789") == std::string_view::npos;
  return is_number ? std::string(detail) : "60";
}

struct CodeRow {
  Code code;
  int status;
  std::string_view word;
};

constexpr std::array kCodes = {
    CodeRow{Code::invalid_argument, 400, "invalid_argument"},
    CodeRow{Code::unauthenticated, 401, "unauthenticated"},
    CodeRow{Code::forbidden, 403, "forbidden"},
    CodeRow{Code::not_found, 404, "not_found"},
    CodeRow{Code::conflict, 409, "conflict"},
    CodeRow{Code::rejected, 422, "rejected"},
    CodeRow{Code::rate_limited, 429, "rate_limited"},
    CodeRow{Code::unavailable, 503, "unavailable"},
};
constexpr bool in_order() {
  for (std::size_t i = 0; i < kCodes.size(); ++i) {
    if (static_cast<std::size_t>(kCodes[i].code) != i) return false;
  }
  return static_cast<std::size_t>(Code::unavailable) + 1 == kCodes.size();
}
static_assert(in_order(), "each Code has its row, in the order of the enumeration");

const CodeRow& row_of(Code code) { return kCodes.at(static_cast<std::size_t>(code)); }

// "price_changed" → "Price changed".
std::string title_of(std::string_view reason) {
  std::string title(reason);
  for (char& c : title) {
    if (c == '_') c = ' ';
  }
  if (!title.empty() && title[0] >= 'a' && title[0] <= 'z') {
    title[0] = static_cast<char>(title[0] - 'a' + 'A');
  }
  return title;
}

Response document(int status, std::string_view code, const Error& error, const TraceId& trace,
                  base::Json body) {
  body["type"] = "urn:topup:problem:" + std::string(error.reason);
  body["title"] = title_of(error.reason);
  body["status"] = status;
  body["code"] = code;
  body["reason"] = error.reason;
  if (!error.field.empty()) body["field"] = error.field;
  if (!error.detail.empty()) body["detail"] = error.detail.view();
  if (!trace.empty()) body["trace_id"] = trace.text;
  Response response;
  response.status = status;
  response.content_type = "application/problem+json";
  // Foreign bytes that are not UTF-8 must not turn a refusal into a failure.
  response.body = body.dump(-1, ' ', false, base::Json::error_handler_t::replace);
  response.problem_reason = error.reason;
  response.problem_field = error.field;
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (status == 429) response.headers.emplace_back("Retry-After", seconds_of(error.detail.view()));
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace

int status_of(Code code) { return row_of(code).status; }
std::string_view word_of(Code code) { return row_of(code).word; }

Response problem(const Error& error, const TraceId& trace) {
  return problem_with(error, trace, base::Json::object());
}

Response problem_with(const Error& error, const TraceId& trace, base::Json extra) {
  check(extra.is_object(), "extra members of a problem are an object");
  return document(status_of(error.code), word_of(error.code), error, trace, std::move(extra));
}

Response problem_of_status(int status, std::string_view reason, const TraceId& trace) {
  std::string_view word = status < 500 ? "invalid_argument" : "internal";
  for (const CodeRow& row : kCodes) {
    if (row.status == status) word = row.word;
  }
  return document(status, word, Error{Code::invalid_argument, reason}, trace, base::Json::object());
}

void log_refusal(const Response& response, std::string_view method, std::string_view pattern) {
  if (response.status < 400) return;
  const auto level = response.status >= 500 ? base::Level::warn : base::Level::info;
  base::log(level, "request_refused",
            {{"status", response.status},
             {"reason", response.problem_reason},
             {"field", response.problem_field},
             {"method", method},
             {"route", pattern}});
}

}  // namespace topup::http
