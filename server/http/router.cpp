#include "server/http/router.h"

#include <algorithm>
#include <array>
#include <exception>

#include "server/base/crypto.h"
#include "server/base/log.h"
#include "server/base/origin.h"
#include "server/base/span.h"
#include "server/http/message.h"
#include "server/http/rate_limits.h"
#include "server/storage/db.h"
#include "shared/check.h"

namespace topup::http {
namespace {

constexpr std::size_t kMinKeyBytes = 16;
constexpr std::size_t kMaxKeyBytes = 64;
constexpr std::size_t kSessionPrefix = 16;  // digits of its hash: tells sessions apart, opens none

bool is_capture(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

std::string_view value_of(const std::vector<std::pair<std::string, std::string>>& pairs,
                          std::string_view name) {
  for (const auto& [key, value] : pairs) {
    if (key == name) return value;
  }
  return {};
}

std::string fingerprint_of(const Request& request) {
  // Method and path hold no line break, so that no two requests share one text.
  std::string text = request.method;
  text.append("\n").append(request.path).append("\n").append(request.body);
  return base::hex(base::sha256(text));
}

// For the audit trail: who changes something, from where.
base::Origin origin_of(const Request& request) {
  base::Origin origin;
  if (request.method == "GET") return origin;
  origin.address = request.client_address;
  origin.device = base::device_text(request.header("user-agent"));
  if (!request.session_id.empty()) {
    origin.session = base::hex(base::sha256(request.session_id)).substr(0, kSessionPrefix);
  }
  return origin;
}

Response call(const Route& route, const Request& request) {
  Result<Response> result = route.handler(request);
  return result ? std::move(*result) : problem(result.error(), request.trace);
}

// The answer stands for good, or the same request may succeed later and must be tried again.
bool is_final(const Response& response) { return response.status < 500 && response.status != 429; }

}  // namespace

std::string_view Request::header(std::string_view lower_case_name) const {
  return value_of(headers, lower_case_name);
}

std::string_view Request::cookie(std::string_view name) const {
  std::string_view cookies = header("cookie");
  while (!cookies.empty()) {
    const std::size_t end = cookies.find(';');
    std::string_view pair = cookies.substr(0, end);
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    const std::size_t mark = pair.find('=');
    if (mark != std::string_view::npos && pair.substr(0, mark) == name)
      return pair.substr(mark + 1);
    cookies = end == std::string_view::npos ? std::string_view() : cookies.substr(end + 1);
  }
  return {};
}
std::string_view Request::capture(std::string_view name) const { return value_of(captures, name); }
std::string_view Request::query_value(std::string_view name) const { return value_of(query, name); }

Response Response::json(const base::Json& value, int status) {
  Response response;
  response.status = status;
  response.body = value.dump();
  return response;
}

bool is_opaque_word(std::string_view text, std::size_t min, std::size_t max) {
  return text.size() >= min && text.size() <= max &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '_' || c == '-';
         });
}

std::optional<std::vector<std::string>> path_segments(std::string_view path) {
  std::vector<std::string> segments;
  if (path == "/") return segments;
  if (path.empty() || path.front() != '/') return std::nullopt;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t slash = path.find('/');
    const std::optional<std::string> segment = percent_decode(path.substr(0, slash));
    if (!segment || segment->empty() || *segment == "." || *segment == "..") return std::nullopt;
    if (segment->find_first_of("/\\") != std::string::npos) return std::nullopt;
    if (segments.size() == kMaxPathSegments) return std::nullopt;
    segments.push_back(*segment);
    path.remove_prefix(std::min(slash, path.size()));
  }
  return segments;
}

std::optional<std::vector<std::pair<std::string, std::string>>> query_values(
    std::string_view query) {
  std::vector<std::pair<std::string, std::string>> values;
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    const auto name = percent_decode(pair.substr(0, equals), true);
    const auto value = equals == std::string_view::npos
                           ? std::optional<std::string>("")
                           : percent_decode(pair.substr(equals + 1), true);
    if (!name || !value || values.size() == kMaxQueryValues) return std::nullopt;
    values.emplace_back(*name, *value);
  }
  return values;
}

Router::Router(Sessions& sessions, IdempotencyStore& idempotency)
    : sessions_(sessions), idempotency_(idempotency) {}

// The node below `node` for this segment of a pattern, made when it is new.
std::size_t Router::child(std::size_t node, std::string_view segment) {
  if (is_capture(segment)) {
    if (nodes_[node].capture == 0) {
      nodes_[node].capture = nodes_.size();
      nodes_.emplace_back();
    }
    return nodes_[node].capture;
  }
  auto& literals = nodes_[node].literals;
  const auto at =
      std::lower_bound(literals.begin(), literals.end(), segment,
                       [](const auto& literal, std::string_view s) { return literal.first < s; });
  if (at != literals.end() && at->first == segment) return at->second;
  const std::size_t made = nodes_.size();
  literals.insert(at, {std::string(segment), made});
  nodes_.emplace_back();
  return made;
}

std::string_view word_of(Auth auth) {
  constexpr std::array kWords = {"none", "buyer", "staff", "party"};
  return kWords[static_cast<std::size_t>(auth)];
}

std::string_view word_of(Rate rate) {
  constexpr std::array kWords = {"free", "read", "write", "costly", "sign_in", "message"};
  return kWords[static_cast<std::size_t>(rate)];
}

std::string_view word_of(Level level) {
  constexpr std::array kWords = {"normal", "no_marketing", "simple_pages", "maintenance"};
  return kWords[static_cast<std::size_t>(level)];
}

void Router::add(Route route) {
  check(route.handler != nullptr, "a route has a handler");
  check((route.auth == Auth::staff) == !route.permission.empty(),
        "staff routes name a permission, others none");
  check(!route.idempotent_by_key || route.auth == Auth::buyer || route.auth == Auth::staff,
        "a replayed answer needs an owner");
  check(route.auth != Auth::staff || route.method == "GET" || route.audited == Audited::yes,
        "what staff change is audited");
  const auto segments = path_segments(route.pattern);
  check(segments.has_value(), "a pattern is a plain path");
  std::size_t node = 0;
  for (const std::string& segment : *segments) node = child(node, segment);
  for (const std::size_t other : nodes_[node].routes) {
    check(routes_[other].method != route.method, "each method and path has one route");
    check(routes_[other].pattern == route.pattern, "one path names its captures one way");
  }
  nodes_[node].routes.push_back(routes_.size());
  routes_.push_back(std::move(route));
}

const Route* Router::find(std::size_t node, const Segments& segments, std::size_t depth,
                          std::string_view method) const {
  if (depth == segments.size()) {
    for (const std::size_t index : nodes_[node].routes) {
      if (routes_[index].method == method) return &routes_[index];
    }
    return nullptr;
  }
  const auto& literals = nodes_[node].literals;
  const auto at = std::lower_bound(literals.begin(), literals.end(), segments[depth],
                                   [](const auto& l, const auto& s) { return l.first < s; });
  if (at != literals.end() && at->first == segments[depth]) {
    const Route* found = find(at->second, segments, depth + 1, method);
    if (found != nullptr) return found;
  }
  const std::size_t capture = nodes_[node].capture;
  return capture == 0 ? nullptr : find(capture, segments, depth + 1, method);
}

void Router::collect(std::size_t node, const Segments& segments, std::size_t depth,
                     std::vector<std::string_view>* methods) const {
  if (depth == segments.size()) {
    for (const std::size_t index : nodes_[node].routes) methods->push_back(routes_[index].method);
    return;
  }
  for (const auto& [literal, next] : nodes_[node].literals) {
    if (literal == segments[depth]) collect(next, segments, depth + 1, methods);
  }
  const std::size_t capture = nodes_[node].capture;
  if (capture != 0) collect(capture, segments, depth + 1, methods);
}

const Route* Router::match(std::string_view method, std::string_view path,
                           std::vector<std::pair<std::string, std::string>>* captures) const {
  const auto segments = path_segments(path);
  if (!segments) return nullptr;
  const Route* route = find(0, *segments, 0, method);
  if (route == nullptr || captures == nullptr) return route;
  captures->clear();
  const auto names = path_segments(route->pattern);
  for (std::size_t i = 0; i < names->size(); ++i) {
    const std::string_view name = (*names)[i];
    if (is_capture(name)) captures->emplace_back(name.substr(1, name.size() - 2), (*segments)[i]);
  }
  return route;
}

bool Router::knows_path(std::string_view path) const { return !allowed_methods(path).empty(); }

std::string Router::allowed_methods(std::string_view path) const {
  std::vector<std::string_view> methods;
  const auto segments = path_segments(path);
  if (segments) collect(0, *segments, 0, &methods);
  std::sort(methods.begin(), methods.end());
  methods.erase(std::unique(methods.begin(), methods.end()), methods.end());
  std::string list;
  for (const std::string_view method : methods) {
    if (!list.empty()) list += ", ";
    list += method;
  }
  return list;
}

Response Router::handle(const Route& route, Request request) const {
  const base::TraceScope scope(request.trace);
  base::Span span(base::SpanKind::server, route.method, route.pattern,
                  base::parse_traceparent(request.header("traceparent")));
  const auto log_throw = [&route](std::string_view what) {
    base::log(base::Level::error, "handler_threw",
              {{"what", what}, {"method", route.method}, {"route", route.pattern}});
  };
  const std::int64_t began_us = clock_ == nullptr ? 0 : clock_->mono_us();
  const auto observed = [&](Response response) {
    span.note("http.response.status_code", std::int64_t{response.status});
    if (response.status >= 500) span.fail();
    if (clock_ != nullptr) observer_(route, response, clock_->mono_us() - began_us);
    return response;
  };
  try {
    Response response = answer(route, request);
    log_refusal(response, route.method, route.pattern);
    return observed(std::move(response));
  } catch (const storage::SqlError& failure) {
    log_throw(failure.what());
    if (failure.is_unavailable) {
      return observed(problem(
          {Code::unavailable, "store_unavailable", "", "nothing was lost; try again in a moment"},
          request.trace));
    }
  } catch (const std::exception& failure) {
    log_throw(failure.what());
  } catch (...) {
    log_throw("not a std::exception");
  }
  return observed(problem_of_status(500, "internal_failure", request.trace));
}

void Router::observe(const base::Clock& clock, Observer observer) {
  observer_ = std::move(observer);
  clock_ = &clock;
}

Response Router::answer(const Route& route, Request& request) const {
  if (auto refused = refusal(route, request)) return *std::move(refused);
  const base::Origin origin = origin_of(request);
  const base::OriginScope asked_from(&origin);
  return route.idempotent_by_key ? answer_once(route, request) : call(route, request);
}

std::optional<Response> Router::refusal(const Route& route, Request& request) const {
  if (request.body.size() > route.body_limit) {
    return problem_of_status(413, "body_too_large", request.trace);
  }
  if (limits_ != nullptr) {
    if (const auto often = limits_->on_arrival(route, request))
      return problem(*often, request.trace);
  }
  if (route.auth == Auth::buyer || route.auth == Auth::staff) {
    const Result<bool> known = sessions_.authenticate(route.auth, route.permission, request);
    if (!known) return problem(known.error(), request.trace);
    const bool owned = route.auth == Auth::buyer ? !request.user.empty() : !request.staff.empty();
    check(*known && owned, "an authenticated request has an owner");
    if (limits_ != nullptr) {
      if (const auto often = limits_->on_behalf(route, request))
        return problem(*often, request.trace);
    }
  }
  return gate_ ? gate_(route, request) : std::nullopt;
}

Response Router::answer_once(const Route& route, const Request& request) const {
  const std::string key(request.header("idempotency-key"));
  const std::string_view field = "Idempotency-Key";
  if (key.empty()) {
    return problem({Code::invalid_argument, "idempotency_key_missing", field}, request.trace);
  }
  if (!is_opaque_word(key, kMinKeyBytes, kMaxKeyBytes)) {
    return problem({Code::invalid_argument, "idempotency_key_malformed", field,
                    "16 to 64 characters of A-Z, a-z, 0-9, '_' and '-'"},
                   request.trace);
  }
  const std::string& owner = route.auth == Auth::buyer ? request.user.text : request.staff.text;
  auto claimed = idempotency_.claim(owner, key, fingerprint_of(request));
  if (!claimed) return problem(claimed.error(), request.trace);
  if (claimed->has_value()) {
    Response replay = std::move(**claimed);
    replay.headers.emplace_back("Idempotency-Replayed", "true");
    return replay;
  }
  Response response;
  try {
    response = call(route, request);
  } catch (...) {
    idempotency_.release(owner, key);
    throw;
  }
  if (!is_final(response)) {
    idempotency_.release(owner, key);
    return response;
  }
  try {
    idempotency_.keep(owner, key, response);
  } catch (const std::exception& failure) {
    // What the handler did is durable: the caller hears of it, and the key stays claimed so that it
    // is not done twice.
    base::log(base::Level::error, "idempotency_keep_failed", {{"what", failure.what()}});
  }
  return response;
}

}  // namespace topup::http
