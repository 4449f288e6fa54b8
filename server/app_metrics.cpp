#include "server/app_metrics.h"

#include <array>

#include "server/base/log.h"
#include "server/base/party_gate.h"
#include "server/base/version.h"
#include "server/jobs/outbox.h"
#include "server/observability/process.h"
#include "server/orders/order_counts_store.h"
#include "server/storage/store_stats.h"

namespace topup {
namespace {

using observability::Sheet;

void write_counts(Sheet& sheet, const char* name, const char* help, std::string_view label,
                  const std::vector<std::pair<std::string, std::int64_t>>& counts) {
  for (const auto& [word, count] : counts) sheet.gauge(name, help, count, {{label, word}});
}

// 0 closed, 1 half open, 2 open: what a graph shows as steps.
std::int64_t step_of(base::CircuitBreaker::State state) { return static_cast<std::int64_t>(state); }

}  // namespace

AppMetrics::AppMetrics(storage::Db& db, const base::Clock& clock, observability::Metrics& metrics)
    : db_(db), clock_(clock), started_wall_ms_(clock.wall_ms()) {
  metrics.add_source([this](Sheet& sheet) { write(sheet); });
}

void AppMetrics::write(Sheet& sheet) {
  observability::write_process(sheet, started_wall_ms_);
  sheet.gauge("topup_build_info", "Always 1; the labels say what runs.", 1,
              {{"version", base::version()}, {"engine", db_.engine()}});
  write_store(sheet);
  write_parties(sheet);
  const std::lock_guard lock(mutex_);
  look_if_old();
  write_counts(sheet, "orders", "Orders that are not at an end, by state.", "state",
               looked_.orders);
  write_counts(sheet, "work_items_open", "Cases that wait for a person, by kind.", "kind",
               looked_.work_items);
  write_counts(sheet, "jobs", "Jobs by state; a dead one waits for a person.", "state",
               looked_.jobs_by_state);
  sheet.gauge("jobs_due", "Jobs whose time has come and which nobody has taken.", looked_.due);
  sheet.gauge_seconds("jobs_oldest_due_seconds", "How late the earliest due job is.",
                      looked_.oldest_due_ms * 1'000);
  sheet.gauge_seconds("shop_figures_time_seconds", "When the shop was last looked at, since 1970.",
                      looked_.at_wall_ms * 1'000);
  sheet.counter("shop_figures_failures_total", "Looks at the shop that the store refused.",
                looked_.failures);
}

void AppMetrics::write_store(Sheet& sheet) const {
  const storage::StoreStats* stats = db_.stats();
  if (stats == nullptr) return;
  std::array<std::int64_t, storage::StoreStats::kWriteBoundsUs.size() + 1> counts{};
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] = stats->writes_within[i];
  sheet.histogram_seconds("store_write_seconds", "From handing a change over until it is durable.",
                          storage::StoreStats::kWriteBoundsUs.data(), counts.data(),
                          storage::StoreStats::kWriteBoundsUs.size(), stats->write_us);
  sheet.counter("store_failed_writes_total", "Writes that the engine refused.",
                stats->failed_writes);
  sheet.counter("store_retries_total", "Changes run again because they met another.",
                stats->retries);
  sheet.gauge("store_queue_depth", "Changes that wait for their turn.", stats->queue_depth);
  sheet.gauge("store_connections_used", "Connections in use: readers, or the whole pool.",
              stats->connections_used);
  sheet.gauge("store_connections_max", "Connections there may be.", stats->connections_most);
  sheet.counter("store_connection_waits_total", "Callers that had to wait for a connection.",
                stats->connection_waits);
  sheet.gauge("store_unreplicated", "1: of several servers, only the primary has what it took.",
              stats->is_unreplicated ? 1 : 0);
  sheet.gauge("store_failing", "1 while the last write was refused.", stats->is_failing ? 1 : 0);
}

void AppMetrics::write_parties(Sheet& sheet) {
  const std::vector<base::OutboundHealth> parties = base::outbound_health();
  for (const auto& party : parties) {
    sheet.gauge("outbound_breaker_state", "0 closed, 1 half open, 2 open.", step_of(party.breaker),
                {{"party", party.party}});
  }
  for (const auto& party : parties) {
    sheet.counter("outbound_breaker_opened_total", "How often the breaker has opened.",
                  party.opened, {{"party", party.party}});
  }
  for (const auto& party : parties) {
    sheet.gauge("outbound_in_flight", "Calls under way.", party.in_flight,
                {{"party", party.party}});
  }
  for (const auto& party : parties) {
    sheet.gauge("outbound_waiting", "Callers that wait for a connection.", party.waiting,
                {{"party", party.party}});
  }
}

void AppMetrics::look_if_old() {
  const std::int64_t now = clock_.mono_ms();
  if (has_looked_ && now - looked_mono_ms_ < kLookAgainMs) return;
  has_looked_ = true;
  looked_mono_ms_ = now;
  try {
    Looked seen;
    seen.failures = looked_.failures;
    seen.at_wall_ms = clock_.wall_ms();
    db_.read([&](storage::Reader& reader) {
      seen.orders = orders::order_counts_store::unfinished_orders(reader);
      seen.work_items = orders::order_counts_store::open_work_items(reader);
      const jobs::outbox::Backlog backlog = jobs::outbox::backlog(reader, seen.at_wall_ms);
      seen.jobs_by_state = {{"due", backlog.due},
                            {"waiting", backlog.waiting},
                            {"leased", backlog.leased},
                            {"dead", backlog.dead}};
      seen.due = backlog.due;
      seen.oldest_due_ms = backlog.oldest_due_ms;
    });
    looked_ = std::move(seen);
  } catch (const storage::SqlError& failure) {
    ++looked_.failures;
    base::log(base::Level::warn, "shop_figures_failed", {{"why", failure.what()}});
  }
}

}  // namespace topup
