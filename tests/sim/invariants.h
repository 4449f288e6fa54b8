// What must be true when everything has come to rest (I6 … I12), judged against the truth that the
// parties keep: every payment ended, every delivery once, our books equal to theirs line by line.
// What must be true at every commit is judged in watched_db.cpp.
#pragma once

#include "server/storage/db.h"
#include "tests/sim/buyers.h"
#include "tests/sim/shop.h"
#include "tests/sim/staff.h"
#include "tests/sim/wallets.h"

namespace topup::sim {

// Fails the world with the first thing that is wrong. Counts what a person has to decide.
void judge_the_end(World& world, storage::Db& db, const Parties& parties,
                   const std::vector<Wish>& wishes, const GivenBack& given_back,
                   const Granted& granted);

// The parts of it that are of the whole shop: books, audit, jobs.
void judge_the_books(World& world, storage::Db& db);

// What no run of this program can tell, one sentence each.
const std::vector<std::string_view>& not_covered();

}  // namespace topup::sim
