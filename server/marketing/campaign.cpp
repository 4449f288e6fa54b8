#include "server/marketing/campaign.h"

#include <algorithm>

#include "shared/time_point.h"

namespace topup::marketing {
namespace {

using base::Json;

constexpr std::int64_t kLatestMs = 4'102'444'800'000;
constexpr std::int64_t kMostDays = 3'650;
constexpr std::size_t kMaxName = 60;

Result<std::int64_t> optional_integer(const Json& object, const char* key, std::int64_t max) {
  if (!object.contains(key)) return 0;
  return base::integer_in(object, key, 0, max);
}

Result<bool> read_times(const Json& object, Campaign* out) {
  const struct {
    const char* key;
    std::int64_t max;
    std::int64_t* into;
  } fields[] = {{"starts_at_ms", kLatestMs, &out->starts_at_ms},
                {"ends_at_ms", kLatestMs, &out->ends_at_ms},
                {"valid_days", kMostDays, &out->valid_days},
                {"valid_until_ms", kLatestMs, &out->valid_until_ms}};
  for (const auto& field : fields) {
    const auto value = optional_integer(object, field.key, field.max);
    if (!value) return tl::unexpected<Error>(value.error());
    *field.into = *value;
  }
  if (out->ends_at_ms != 0 && out->ends_at_ms <= out->starts_at_ms)
    return refuse(Code::invalid_argument, "out_of_range", "ends_at_ms", "after starts_at_ms");
  return true;
}

Result<bool> read_way(const Json& object, Campaign* out) {
  const auto word = base::text_in(object, "way", 8);
  if (!word) return tl::unexpected<Error>(word.error());
  if (*word != way::kOpen && *word != way::kCode && *word != way::kCodes && *word != way::kStaff)
    return refuse(Code::invalid_argument, "out_of_range", "way");
  out->way = *word;
  if (*word != way::kCode) return true;
  const auto code = base::text_in(object, "code", 48);
  if (!code) return tl::unexpected<Error>(code.error());
  out->code = canonical_code(*code);
  if (out->code.empty())
    return refuse(Code::invalid_argument, "out_of_range", "code", "4 to 32 letters and digits");
  return true;
}

}  // namespace

Result<Campaign> read_campaign(const Json& object) {
  if (!object.is_object()) return refuse(Code::invalid_argument, "wrong_type", "campaign");
  const auto only = base::only_fields(
      object, {"template_id", "way", "name", "code", "budget", "per_user", "starts_at_ms",
               "ends_at_ms", "valid_days", "valid_until_ms", "on"});
  if (!only) return tl::unexpected<Error>(only.error());
  Campaign out;
  const auto from = base::text_in(object, "template_id", 40);
  if (!from) return tl::unexpected<Error>(from.error());
  const auto name = base::text_in(object, "name", kMaxName);
  if (!name) return tl::unexpected<Error>(name.error());
  if (name->empty()) return refuse(Code::invalid_argument, "missing_field", "name");
  const auto budget = base::integer_in(object, "budget", 1, kMostBudget);
  if (!budget) return tl::unexpected<Error>(budget.error());
  const auto per_user = base::integer_in(object, "per_user", 1, kMostPerUser);
  if (!per_user) return tl::unexpected<Error>(per_user.error());
  const auto is_on = base::bool_in(object, "on");
  if (!is_on) return tl::unexpected<Error>(is_on.error());
  if (const auto read = read_way(object, &out); !read) return tl::unexpected<Error>(read.error());
  if (const auto read = read_times(object, &out); !read) return tl::unexpected<Error>(read.error());
  out.template_id = *from;
  out.name = *name;
  out.budget = *budget;
  out.per_user = *per_user;
  out.is_on = *is_on;
  return out;
}

Json campaign_json(const Campaign& campaign) {
  return {{"template_id", campaign.template_id},
          {"way", campaign.way},
          {"name", campaign.name},
          {"code", campaign.code},
          {"budget", campaign.budget},
          {"per_user", campaign.per_user},
          {"starts_at_ms", campaign.starts_at_ms},
          {"ends_at_ms", campaign.ends_at_ms},
          {"valid_days", campaign.valid_days},
          {"valid_until_ms", campaign.valid_until_ms},
          {"on", campaign.is_on}};
}

std::string canonical_code(std::string_view typed) {
  std::string code;
  for (const char c : typed) {
    if (c == ' ' || c == '-') continue;
    const char upper = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    if (!((upper >= 'A' && upper <= 'Z') || (upper >= '0' && upper <= '9'))) return {};
    code += upper;
  }
  return code.size() < 4 || code.size() > 32 ? std::string() : code;
}

std::int64_t expiry_of(const Campaign& campaign, std::int64_t now_ms) {
  std::int64_t expires = campaign.valid_until_ms;
  if (campaign.valid_days > 0) {
    // To the end of a day in Shanghai: "7 days" is never six and a half.
    const std::int64_t last =
        start_of_day_ms(now_ms, kShanghaiOffsetMs) + (campaign.valid_days + 1) * kDayMs;
    expires = expires == 0 ? last : std::min(expires, last);
  }
  return expires;
}

Result<bool> check_open(const Campaign& campaign, std::int64_t now_ms) {
  const bool is_early = campaign.starts_at_ms != 0 && now_ms < campaign.starts_at_ms;
  const bool is_late = (campaign.ends_at_ms != 0 && now_ms >= campaign.ends_at_ms) ||
                       (campaign.valid_until_ms != 0 && now_ms >= campaign.valid_until_ms);
  if (campaign.is_on && !is_early && !is_late) return true;
  return refuse(Code::rejected, "campaign_not_open");
}

}  // namespace topup::marketing
