#include "server/suppliers/supplier_health.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/manual_clock.h"
#include "tests/support/scratch_shop.h"

namespace topup::suppliers {
namespace {

struct Room {
  testing::QuietLog quiet;
  testing::ManualClock clock;
  testing::ScratchShop shop;
  std::vector<std::string> told;
  SupplierHealth health{
      shop.db(), clock, {}, [this](storage::Tx&, const SupplierLine& line, LineState before) {
        told.push_back(line.line + ": " + std::string(to_word(before)) + " > " +
                       std::string(to_word(line.state)) + (line.is_low ? " low" : ""));
      }};
  ~Room() { shop.close(); }

  static SupplyAttempt attempt(const std::string& id = "S1", const std::string& trial = "") {
    SupplyAttempt made;
    made.id = AttemptId(id);
    made.supplier = "dtone";
    made.supplier_operator_id = "7";
    if (!trial.empty()) made.choice = "{\"trials\":[\"" + trial_word(trial) + "\"]}";
    return made;
  }
  void note(SupplyState state, int times = 1, const std::string& code = "") {
    SupplyOutcome outcome;
    outcome.state = state;
    outcome.code = code;
    for (int i = 0; i < times; ++i) health.note(attempt(), outcome, true);
  }
  SupplierLine line(const std::string& name = "dtone") {
    SupplierLine found;
    shop.db().read([&](storage::Reader& reader) {
      found = supplier_line_store::find(reader, name).value_or(SupplierLine());
    });
    return found;
  }
  // As the choice of an order does it.
  void begin_trial(const std::string& attempt_id) {
    shop.db().write([&](storage::Tx& tx) {
      SupplierLine known = *supplier_line_store::find(tx, "dtone");
      known.state = LineState::trial;
      known.trial_attempt = attempt_id;
      supplier_line_store::save(tx, known);
      return true;
    });
  }
  void end_trial(const std::string& attempt_id, SupplyState state) {
    SupplyOutcome outcome;
    outcome.state = state;
    health.note(attempt(attempt_id, "dtone"), outcome, true);
  }
};

TEST_CASE("X15: a line closes when half of at least eight answers were bad, and not before") {
  Room room;
  room.note(SupplyState::unknown, 7);
  CHECK(room.line().state == LineState::open);
  room.note(SupplyState::accepted, 1);
  CHECK(room.line().state == LineState::open);  // a good one never closes
  room.note(SupplyState::unknown, 1);
  CHECK(room.line().state == LineState::closed);
  CHECK(room.line().reason == "error_window");
  CHECK(room.line().reopen_at_ms == room.clock.wall_ms() + 60'000);
  CHECK(room.told == std::vector<std::string>{"dtone: open > closed"});
}

TEST_CASE("X15: good answers keep a line open, and old bad ones leave the window") {
  Room room;
  for (int i = 0; i < 50; ++i) {
    room.note(SupplyState::accepted, 2);
    room.note(SupplyState::unknown, 1);
  }
  CHECK(room.line().state == LineState::open);
  Room later;
  later.note(SupplyState::unknown, 7);
  later.clock.advance(11 * 60'000);
  later.note(SupplyState::unknown, 7);
  CHECK(later.line().state == LineState::open);
  later.note(SupplyState::unknown, 1);
  CHECK(later.line().state == LineState::closed);
}

TEST_CASE("X15: what is held for reasons of our own says nothing about them") {
  Room room;
  for (const char* code : {"too_late", "account_unreadable", "supplier_not_configured"})
    room.note(SupplyState::held, 20, code);
  CHECK(room.line().state == LineState::open);
  room.note(SupplyState::held, 8, "INSUFFICIENT_BALANCE");
  CHECK(room.line().state == LineState::closed);
}

TEST_CASE("X15: refusals close the operator's line only, and only when nearly all are") {
  Room room;
  room.note(SupplyState::rejected, 11);
  CHECK(room.line("dtone/7").state == LineState::open);
  room.note(SupplyState::rejected, 1);
  CHECK(room.line("dtone/7").state == LineState::closed);
  CHECK(room.line().state == LineState::open);
  Room mixed;
  for (int i = 0; i < 20; ++i) {
    mixed.note(SupplyState::rejected, 2);
    mixed.note(SupplyState::succeeded, 1);
  }
  CHECK(mixed.line("dtone/7").state == LineState::open);
}

TEST_CASE("X15: questions about one stuck order never close a line") {
  Room room;
  SupplyOutcome outcome;
  outcome.state = SupplyState::unknown;
  for (int i = 0; i < 300; ++i) room.health.note(Room::attempt(), outcome, false);
  CHECK(room.line().state == LineState::open);
  CHECK(room.line("dtone/7").state == LineState::open);
}

TEST_CASE("X15: a good trial opens the line, a bad one closes it for twice as long") {
  Room room;
  room.note(SupplyState::unknown, 8);
  std::int64_t closed_ms = 60'000;
  for (int round = 0; round < 8; ++round) {
    const SupplierLine closed = room.line();
    REQUIRE(closed.state == LineState::closed);
    CHECK(closed.reopen_at_ms - closed.changed_at_ms ==
          std::min<std::int64_t>(closed_ms, 1'800'000));
    room.clock.advance_to(closed.reopen_at_ms);
    room.begin_trial("S9");
    room.end_trial("S8", SupplyState::unknown);  // another order's answer ends no trial
    CHECK(room.line().state == LineState::trial);
    room.end_trial("S9", SupplyState::unknown);
    closed_ms *= 2;
  }
  CHECK(room.line().closings == 9);
  room.begin_trial("S10");
  room.end_trial("S10", SupplyState::accepted);
  CHECK(room.line().state == LineState::open);
  CHECK(room.line().closings == 0);
  room.note(SupplyState::unknown, 7);
  CHECK(room.line().state == LineState::open);  // judged anew
}

TEST_CASE("X15: a person's word stays until it is taken back") {
  Room room;
  const auto set = [&](bool is_open) {
    bool changed = false;
    room.shop.db().write([&](storage::Tx& tx) {
      changed = room.health.set_by_hand(tx, "dtone", is_open, "maintenance");
      return true;
    });
    return changed;
  };
  CHECK(set(false));
  CHECK_FALSE(set(false));
  room.note(SupplyState::unknown, 30);
  CHECK(room.line().state == LineState::off);
  CHECK(room.line().reason == "maintenance");
  CHECK(set(true));
  CHECK(room.line().state == LineState::open);
}

TEST_CASE("X13: a balance is kept with its time, and told when it becomes low or is well again") {
  Room room;
  room.health.keep_balance("dtone", {50'000, Currency::usd}, false);
  CHECK(room.told.empty());
  room.health.keep_balance("dtone", {900, Currency::usd}, true);
  room.health.keep_balance("dtone", {800, Currency::usd}, true);
  CHECK(room.line().balance == Money{800, Currency::usd});
  CHECK(room.line().balance_at_ms == room.clock.wall_ms());
  room.health.keep_balance("dtone", {90'000, Currency::usd}, false);
  CHECK(room.told == std::vector<std::string>{"dtone: open > open low", "dtone: open > open"});
}

TEST_CASE("X15: a wall clock that jumps back leaves no window behind that closes a line") {
  OutcomeWindow window;
  for (int i = 0; i < 8; ++i) window.note(100'000'000, 600'000, false);
  CHECK(window.count(100'000'000, 600'000).bad == 8);
  CHECK(window.count(90'000'000, 600'000).bad == 0);
  CHECK(window.count(100'600'000, 600'000).bad == 0);
}

}  // namespace
}  // namespace topup::suppliers
