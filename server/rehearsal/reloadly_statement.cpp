// The report of a period as the rehearsed Reloadly gives it, and the differences a tester plants in
// it: its own book stays right.
#include <algorithm>

#include "server/rehearsal/reloadly.h"

namespace topup::rehearsal {
namespace {

using base::Json;

constexpr std::int64_t kMaxPage = 200;
constexpr std::size_t kMaxPeriod = 20'000;
constexpr int kEasternOffsetMinutes = -5 * 60;
constexpr std::string_view kPlants[] = {"leave_out", "amount", "twice", "status", "stranger"};

struct Plant {
  std::string kind, identifier, value;
};

constexpr std::string_view kTable = R"sql(
  CREATE TABLE IF NOT EXISTS reloadly_plants (
    kind TEXT NOT NULL, identifier TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (kind, identifier)))sql";

// "2026-11-21 00:00:00" of the report's own clock.
std::optional<std::int64_t> period_ms(std::string text) {
  if (text.size() != 19 || text[10] != ' ') return {};
  text[10] = 'T';
  const auto at = parse_rfc3339(text + "Z");
  if (!at) return {};
  return *at - std::int64_t{kEasternOffsetMinutes} * 60'000;
}

std::int64_t number_of(const std::string& text, std::int64_t otherwise) {
  const auto e5 = parse_e5(text);
  return e5 ? *e5 / kE5 : otherwise;
}

std::vector<ReloadlyTopup> with_plants(std::vector<ReloadlyTopup> found,
                                       const std::vector<Plant>& plants, std::int64_t now_ms) {
  for (const Plant& plant : plants) {
    if (plant.kind == "stranger") {
      ReloadlyTopup alien;
      alien.transaction_id = 99'000'001;
      alien.custom_identifier = plant.identifier;
      alien.operator_id = found.empty() ? 0 : found.front().operator_id;
      alien.status = "SUCCESSFUL";
      alien.requested_e5 = parse_e5(plant.value).value_or(kE5);
      alien.created_ms = now_ms;
      found.push_back(alien);
      continue;
    }
    const auto at = std::find_if(found.begin(), found.end(), [&](const ReloadlyTopup& one) {
      return one.custom_identifier == plant.identifier;
    });
    if (at == found.end()) continue;
    if (plant.kind == "amount") at->requested_e5 += parse_e5(plant.value).value_or(kE5);
    if (plant.kind == "status") at->status = plant.value;
    if (plant.kind == "twice") found.insert(at, ReloadlyTopup(*at));
    if (plant.kind == "leave_out") found.erase(at);
  }
  return found;
}

}  // namespace

Answered Reloadly::period_report(const Asked& asked) {
  const auto from = period_ms(asked.query_value("startDate"));
  const auto until = period_ms(asked.query_value("endDate"));
  if (!from || !until) return refused(asked, {400, "", "startDate and endDate are no dates"});
  std::vector<ReloadlyTopup> found;
  std::vector<Plant> plants;
  around().db.write([&](storage::Tx& tx) {
    tx.exec(kTable, {});
    found = reloadly_book::list_between(tx, *from, *until, static_cast<std::int64_t>(kMaxPeriod));
    plants.clear();
    tx.query("SELECT kind, identifier, value FROM reloadly_plants ORDER BY kind, identifier", {},
             [&](const storage::Row& row) {
               plants.push_back({row.text(0), row.text(1), row.text(2)});
             });
    return true;
  });
  found = with_plants(std::move(found), plants, around().clock.wall_ms());
  const std::int64_t page = std::max<std::int64_t>(1, number_of(asked.query_value("page"), 1));
  const std::int64_t size =
      std::clamp<std::int64_t>(number_of(asked.query_value("size"), kMaxPage), 1, kMaxPage);
  const auto total = static_cast<std::int64_t>(found.size());
  Json content = Json::array();
  for (std::int64_t i = (page - 1) * size; i < std::min(page * size, total); ++i)
    content.push_back(reloadly_transaction(found[static_cast<std::size_t>(i)], false));
  return Answered::json({{"content", std::move(content)},
                         {"totalElements", total},
                         {"totalPages", (total + size - 1) / size},
                         {"size", size},
                         {"number", page},
                         {"last", page * size >= total}});
}

Answered Reloadly::control_statement(const Asked& asked) {
  const auto body = base::json_in(asked.body);
  const bool is_json = asked.header("content-type").substr(0, 16) == "application/json";
  const auto kind = body ? base::text_in(*body, "plant") : Result<std::string>("");
  const bool is_none = kind && *kind == "none";
  const bool is_known =
      kind && std::find(std::begin(kPlants), std::end(kPlants), *kind) != std::end(kPlants);
  if (!body || !is_json || (!is_none && !is_known)) {
    return refused(asked, {400, "CONTROL_REFUSED",
                           "wants plant (none, leave_out, amount, twice, status, stranger), "
                           "custom_identifier and value"});
  }
  const std::string identifier = base::text_in(*body, "custom_identifier").value_or("");
  const std::string value = base::text_in(*body, "value", 32).value_or("");
  around().db.write([&](storage::Tx& tx) {
    tx.exec(kTable, {});
    if (is_none) {
      tx.exec("DELETE FROM reloadly_plants", {});
    } else {
      tx.exec(R"sql(
        INSERT INTO reloadly_plants (kind, identifier, value) VALUES ($1, $2, $3)
        ON CONFLICT (kind, identifier) DO UPDATE SET value = $3)sql",
              {*kind, identifier, value});
    }
    return true;
  });
  return Answered::json({{"planted", *kind}});
}

}  // namespace topup::rehearsal
