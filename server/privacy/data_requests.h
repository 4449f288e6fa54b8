// What a person may ask of their data: all of it (export), and that it be gone (erasure). Each
// domain that keeps something about buyers registers a Holder, which tells, and later removes, what
// it keeps; a test finds every table with columns of an account that no holder names. Books stay as
// the law asks, without what is personal in them. Erasure is one transaction: everything that has
// become somebody's (users merged into them) goes with it, their sessions end, and while money or a
// delivery is still on its way it is refused with the reason. Errors of erase(): rejected/<the word
// of the first obstacle>. Thread-safe after the last add().
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "server/base/clock.h"
#include "server/base/json.h"
#include "server/storage/db.h"
#include "shared/ids.h"
#include "shared/result.h"

namespace topup::privacy {

using Persons = std::vector<UserId>;  // a user, then those that became part of them

struct Obstacle {
  std::string_view word;  // why not now: stable, translated by the pages
  std::int64_t count = 0;
};

struct Holder {
  std::string_view name;  // the member of the export
  std::vector<std::string_view> tables;
  std::function<base::Json(storage::Reader&, const Persons&)> tell;
  std::function<std::vector<Obstacle>(storage::Reader&, const Persons&)> obstacles;  // or none
  std::function<std::int64_t(storage::Tx&, const Persons&)> erase;  // how many rows
};

class DataRequests {
 public:
  // Told inside the transaction of an export or an erasure, for the audit trail.
  using Told = std::function<void(storage::Tx&, std::string_view action, const UserId&,
                                  std::string_view detail, const TraceId&)>;
  DataRequests(storage::Db& db, const base::Clock& clock, Told told)
      : db_(db), clock_(clock), told_(std::move(told)) {}

  void add(Holder holder) { holders_.push_back(std::move(holder)); }
  const std::vector<Holder>& holders() const { return holders_; }

  // Everything that is kept about them, unsealed, as of one moment.
  base::Json export_of(const UserId& user, const TraceId& trace) const;
  std::vector<Obstacle> obstacles(const UserId& user) const;
  Result<std::int64_t> erase(const UserId& user, const TraceId& trace) const;

 private:
  storage::Db& db_;
  const base::Clock& clock_;
  const Told told_;
  std::vector<Holder> holders_;
};

}  // namespace topup::privacy
