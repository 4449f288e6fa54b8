#include "server/privacy/data_requests.h"

#include <string>

#include "server/privacy/data_request_store.h"

namespace topup::privacy {
namespace {

constexpr std::string_view kFormat = "topup-personal-data-1";

Persons persons_of(storage::Reader& reader, const UserId& user) {
  Persons persons = {user};
  for (UserId& merged : data_request_store::merged_into(reader, user))
    persons.push_back(std::move(merged));
  return persons;
}

std::vector<Obstacle> found_in(const std::vector<Holder>& holders, storage::Reader& reader,
                               const Persons& persons) {
  std::vector<Obstacle> found;
  for (const Holder& holder : holders) {
    if (!holder.obstacles) continue;
    for (const Obstacle& one : holder.obstacles(reader, persons)) {
      if (one.count > 0) found.push_back(one);
    }
  }
  return found;
}

}  // namespace

base::Json DataRequests::export_of(const UserId& user, const TraceId& trace) const {
  db_.write([&](storage::Tx& tx) {
    told_(tx, "data.exported", user, "", trace);
    return true;
  });
  base::Json out;
  db_.read([&](storage::Reader& reader) {
    out = {{"format", kFormat}, {"user_id", user.text}, {"made_at_ms", clock_.wall_ms()}};
    const Persons persons = persons_of(reader, user);
    for (const Holder& holder : holders_)
      out[std::string(holder.name)] = holder.tell(reader, persons);
  });
  return out;
}

std::vector<Obstacle> DataRequests::obstacles(const UserId& user) const {
  std::vector<Obstacle> found;
  db_.read([&](storage::Reader& reader) {
    found = found_in(holders_, reader, persons_of(reader, user));
  });
  return found;
}

Result<std::int64_t> DataRequests::erase(const UserId& user, const TraceId& trace) const {
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<std::int64_t> {
    const Persons persons = persons_of(tx, user);
    if (const auto found = found_in(holders_, tx, persons); !found.empty())
      return refuse(Code::rejected, found.front().word, "", std::to_string(found.front().count));
    std::int64_t removed = 0;
    for (const Holder& holder : holders_) removed += holder.erase(tx, persons);
    for (const UserId& person : persons)
      data_request_store::insert_erased(tx, person, clock_.wall_ms(), removed);
    told_(tx, "user.erased", user, std::to_string(removed) + " rows", trace);
    return removed;
  });
}

}  // namespace topup::privacy
