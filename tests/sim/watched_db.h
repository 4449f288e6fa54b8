// The shop's database as the simulator sees it: the real one, watched. Each writing statement and
// each commit is a moment at which the process may die; what a transaction did to orders and books
// is judged before it may commit (I1, I3, I5). Hints run on the caller's thread after the commit,
// so that a run has one order of events.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/storage/db.h"
#include "tests/sim/bugs.h"
#include "tests/sim/pins.h"
#include "tests/sim/world.h"

namespace topup::sim {

struct OrderMove {
  std::string order, event, from, to;
};

class WatchedDb final : public storage::Db {
 public:
  WatchedDb(storage::Db& real, World& world, Bug bug) : real_(real), world_(world), bug_(bug) {}

  void read(const std::function<void(storage::Reader&)>& body) override;
  void write(const std::function<bool(storage::Tx&)>& body) override;
  std::string engine() const override { return real_.engine(); }
  void on_group(std::function<void(std::size_t)>) override {}

  storage::Db& real() { return real_; }
  // A commit changed the jobs since this was last asked.
  bool jobs_changed() { return std::exchange(jobs_changed_, false); }
  void forget() { held_.clear(); }                 // the process died
  std::int64_t writes() const { return writes_; }  // statements that were run, ever

 private:
  using OwnedValue = std::variant<std::nullptr_t, std::int64_t, std::string>;
  struct Seen {  // of one run of a body
    std::vector<OrderMove> moves;
    std::vector<std::string> booked_orders;
    std::vector<std::function<void()>> hints;
    std::int64_t audit_rows = 0;
    bool touched_books = false;
    bool touched_jobs = false;
    bool touched_pins = false;
    bool touched_wallets = false;
    std::vector<std::string> wallet_moves;
    bool is_mark = false;  // "sent", before the supplier is called
  };
  struct Held {  // a statement that a bug keeps back
    std::string sql;
    std::vector<OwnedValue> values;
  };
  class WatchedTx;

  void note_statement(Seen& seen, std::string_view table,
                      std::initializer_list<storage::Value> values);
  void judge(storage::Tx& tx, const Seen& seen);
  void judge_books(storage::Tx& tx, const Seen& seen);
  void after_commit(Seen& seen);
  void replay_held(storage::Tx& tx);

  storage::Db& real_;
  World& world_;
  Bug bug_;
  std::map<std::string, std::string> state_of_;  // by order, as committed
  std::vector<Held> held_, holding_;
  Seen held_seen_;
  PinWatch pins_;
  bool jobs_changed_ = true;
  std::int64_t writes_ = 0;
};

}  // namespace topup::sim
