#include "server/http/service_level.h"

#include <algorithm>

#include "shared/check.h"

namespace topup::http {

std::optional<Level> parse_level(std::string_view word) {
  for (const Level level :
       {Level::normal, Level::no_marketing, Level::simple_pages, Level::maintenance}) {
    if (word_of(level) == word) return level;
  }
  return std::nullopt;
}

void ServiceLevels::adopt(const settings::Snapshot& settings) {
  const auto level = parse_level(settings.text("service.level"));
  check(level.has_value(), "the setting's words are those of the levels");
  const auto testers = settings.list("service.testers");
  auto next = std::make_shared<State>(State{*level,
                                            settings.text("service.notice_zh"),
                                            settings.text("service.notice_en"),
                                            settings.integer("service.reopens_at_ms"),
                                            {testers.begin(), testers.end()},
                                            settings.text("client.lowest_version"),
                                            settings.list("mini_program.not_on_ios")});
  const std::lock_guard hold(mutex_);
  state_ = std::move(next);
  level_ = *level;
}

std::shared_ptr<const ServiceLevels::State> ServiceLevels::state() const {
  const std::lock_guard hold(mutex_);
  return state_;
}

base::Json ServiceLevels::facts() const {
  const auto now = state();
  return {{"level", word_of(now->level)},
          {"notice", {{"zh", now->notice_zh}, {"en", now->notice_en}}},
          {"reopens_at_ms", now->reopens_at_ms},
          {"lowest_client", now->lowest_client},
          {"not_on_ios", now->not_on_ios}};
}

std::optional<Response> ServiceLevels::refusal(const Route& route, const Request& request) const {
  if (level_ <= route.last_level) return std::nullopt;
  const auto now = state();
  if (now->level <= route.last_level) return std::nullopt;
  if (!request.user.empty() && now->testers.count(request.user.text) != 0) return std::nullopt;
  const bool is_closed = now->level == Level::maintenance;
  const Error error{Code::unavailable, is_closed ? "maintenance" : "degraded"};
  Response response = problem_with(error, request.trace, facts());
  std::erase_if(response.headers, [](const auto& field) { return field.first == "Retry-After"; });
  const std::int64_t wait_s = (now->reopens_at_ms - clock_.wall_ms() + 999) / 1'000;
  if (wait_s > 0) {
    response.headers.emplace_back("Retry-After", std::to_string(std::min(wait_s, kMaxRetryAfterS)));
  }
  return response;
}

}  // namespace topup::http
