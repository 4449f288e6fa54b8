#include "tests/sim/wallets.h"

#include <algorithm>
#include <set>

#include "server/auth/staff_store.h"
#include "server/ledger/wallet_store.h"
#include "tests/sim/wallet_port.h"

namespace topup::sim {
namespace {

namespace hold_state = ledger::hold_state;

constexpr int kMostTries = 1'000;  // of one deed, while the shop keeps dying
constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kLooksAt = 50;

admin::Person person(std::string_view name) {
  return {StaffId(std::string(name)), "session of " + std::string(name), TraceId()};
}

// The one that was asked for with this reason, if it was.
std::optional<admin::Approval> asked_before(Node& node, const std::string& reason) {
  for (admin::Approval& one : node.approvals.list("", kLooksAt)) {
    if (base::Json::parse(one.body).value("reason", "") == reason) return std::move(one);
  }
  return std::nullopt;
}

}  // namespace

void hire_bookkeepers(storage::Tx& tx, std::int64_t now_ms) {
  for (const auto& [name, role] :
       {std::pair(kBookkeeper, "finance"), std::pair(kDirector, "finance_director")}) {
    auth::staff_store::Staff staff;
    staff.id = StaffId(std::string(name));
    staff.name = name;
    staff.password = "none";
    staff.created_at_ms = now_ms;
    staff.roles = {role};
    auth::staff_store::insert(tx, staff);
  }
}

// ---- people

void Treasury::come(std::uint64_t seed, const std::vector<Wish>& wishes) {
  std::set<std::string> users;
  for (const Wish& wish : wishes) {
    if (wish.from_wallet && users.insert(wish.user.text).second) plan(seed, wish.user);
  }
}

// Enough for all three orders of a buyer, for one or two, or for none; more later, or less while an
// order holds it.
void Treasury::plan(std::uint64_t seed, const UserId& user) {
  std::uint64_t hash = seed * 4'000'037 + 14695981039346656037U;
  for (const char c : user.text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  testing::SeededRandom chance(hash);
  const std::int64_t luck = chance.below(100);
  const std::int64_t opening = luck < 35   ? 25'000 + chance.below(10'000)
                               : luck < 85 ? 2'500 + chance.below(15'000)
                                           : 0;
  if (opening > 0) plan_sum(user, false, opening, chance.below(kMinuteMs), chance.below(kMinuteMs));
  const std::int64_t rate = world_.faults.rate(Fault::wallet_adjusted);
  for (const bool takes : {true, true, false}) {
    const std::int64_t minor = 500 + chance.below(takes ? 6'000 : 12'000);
    const std::int64_t ask_after_ms = chance.below(25 * kMinuteMs);
    const std::int64_t agree_after_ms = chance.below(3 * kMinuteMs);
    if (chance.percent(rate)) plan_sum(user, takes, minor, ask_after_ms, agree_after_ms);
  }
}

void Treasury::plan_sum(const UserId& user, bool takes, std::int64_t minor,
                        std::int64_t ask_after_ms, std::int64_t agree_after_ms) {
  const std::size_t i = sums_.size();
  sums_.push_back({user, takes, minor, agree_after_ms, "sum " + std::to_string(i)});
  world_.after(ask_after_ms, [this, i] { ask(i); });
}

bool Treasury::try_again(std::size_t i, void (Treasury::*what)(std::size_t)) {
  if (++sums_[i].tries > kMostTries) return false;
  world_.after(world_.between(2'000, 20'000), [this, i, what] { (this->*what)(i); });
  return true;
}

void Treasury::ask(std::size_t i) {
  const Sum& sum = sums_[i];
  bool is_asked = false;
  const bool answered = shop_.serve([&](Node& node) {
    if (asked_before(node, sum.reason)) {
      is_asked = true;
      return;
    }
    const auto waits = node.ledger_desk.enter(
        person(kBookkeeper), {{"kind", sum.takes ? "wallet_debit" : "wallet_credit"},
                              {"user_id", sum.user.text},
                              {"amount", base::money_out(fen(sum.minor))},
                              {"reason", sum.reason}});
    if (!waits || !*waits) world_.fail("wallet", "nobody is asked for a second opinion");
    is_asked = true;
  });
  if (!answered || !is_asked || world_.strikes(Fault::reply_loss)) {
    try_again(i, &Treasury::ask);
    return;
  }
  world_.after(sum.agree_after_ms, [this, i] { agree(i); });
}

// Agreed to once, however often it is tried; what the wallet has not got is let go.
void Treasury::agree(std::size_t i) {
  const Sum& sum = sums_[i];
  std::string state;
  const bool answered = shop_.serve([&](Node& node) {
    const auto asked = asked_before(node, sum.reason);
    if (!asked) {
      world_.fail("wallet", sum.reason + " was asked for and is not there");
      return;
    }
    if (asked->state != "waiting") {
      state = asked->state;
      return;
    }
    const auto done = node.approvals.approve(asked->id, asked->body_hash, person(kDirector));
    if (done) {
      state = done->state;
    } else if (done.error().reason == std::string_view("wallet_insufficient")) {
      (void)node.approvals.reject(asked->id, person(kDirector));
    } else if (done.error().reason != std::string_view("approval_settled")) {
      world_.fail("wallet", sum.reason + ": " + std::string(done.error().reason));
    }
  });
  if (!answered || state.empty() || world_.strikes(Fault::reply_loss)) {
    try_again(i, &Treasury::agree);
    return;
  }
  if (state != "approved") {
    world_.note(sum.reason + " is let go: the wallet has not got it");
    return;
  }
  ++world_.counts.wallet_sums;
  granted_[sum.user.text] += sum.takes ? -sum.minor : sum.minor;
  world_.note(sum.reason + (sum.takes ? " is taken from " : " is given to ") + sum.user.text);
}

// ---- what must be true

WalletFacts wallets_of(storage::Reader& reader) {
  WalletFacts facts;
  reader.query("SELECT user_id, available_minor, held_minor FROM wallets", {},
               [&facts](const storage::Row& row) {
                 facts.wallets[row.text(0)] = {row.integer(1), row.integer(2)};
               });
  reader.query("SELECT user_id, kind, subject, available_minor, held_minor FROM wallet_entries", {},
               [&facts](const storage::Row& row) {
                 WalletFacts::Balance& sum = facts.entered[row.text(0)];
                 sum.available += row.integer(3);
                 sum.held += row.integer(4);
                 facts.moves[row.text(1) + " " + row.text(2)] = {row.integer(3), row.integer(4)};
               });
  reader.query(
      "SELECT hold_id, user_id, state, amount_minor, captured_minor, refunded_minor"
      " FROM wallet_holds",
      {}, [&facts](const storage::Row& row) {
        facts.holds[row.text(0)] = {row.text(1), row.text(2), row.integer(3), row.integer(4),
                                    row.integer(5)};
      });
  reader.query(
      "SELECT account, balance_minor FROM account_balances WHERE account IN"
      " ('liability.wallet_available', 'liability.wallet_held')",
      {}, [&facts](const storage::Row& row) {
        const bool is_held = row.text(0) == "liability.wallet_held";
        (is_held ? facts.booked.held : facts.booked.available) -= row.integer(1);
      });
  return facts;
}

namespace {

using Balance = WalletFacts::Balance;

void judge_hold(World& world, const WalletFacts& facts, const std::string& no,
                const HoldFacts& hold) {
  const auto says = [&](const char* kind, Balance wanted) {
    const auto found = facts.moves.find(std::string(kind) + " " + no);
    return found != facts.moves.end() && found->second == wanted;
  };
  const auto knows = [&](const char* kind) {
    return facts.moves.count(std::string(kind) + " " + no) != 0;
  };
  const bool captures = hold.state == hold_state::kCaptured;
  const bool releases = hold.state == hold_state::kReleased;
  const bool is_right =
      says("hold", {-hold.amount, hold.amount}) && knows("capture") == captures &&
      knows("release") == releases && (!captures || says("capture", {0, -hold.amount})) &&
      (!releases || says("release", {hold.amount, -hold.amount})) &&
      hold.captured == (captures ? hold.amount : 0) && hold.refunded <= hold.captured;
  if (!is_right) world.fail("I12", "the hold of " + no + " is " + hold.state + ", not its entries");
}

}  // namespace

void judge_wallets(World& world, storage::Reader& reader) {
  const WalletFacts facts = wallets_of(reader);
  std::map<std::string, std::int64_t> held;
  for (const auto& [no, hold] : facts.holds) {
    if (hold.state == hold_state::kHeld) held[hold.user] += hold.amount;
    judge_hold(world, facts, no, hold);
  }
  Balance all;
  for (const auto& [user, balance] : facts.wallets) {
    all.available += balance.available;
    all.held += balance.held;
    if (balance.available < 0 || balance.held < 0)
      world.fail("I12", "the wallet of " + user + " is below nothing");
    const auto entered = facts.entered.find(user);
    if (!(balance == (entered == facts.entered.end() ? Balance() : entered->second)))
      world.fail("I12", "the wallet of " + user + " is not the sum of its entries");
    if (balance.held != held[user])
      world.fail("I12", "the wallet of " + user + " holds other than its holds");
  }
  if (facts.entered.size() > facts.wallets.size()) world.fail("I12", "entries of no wallet");
  if (!(all == facts.booked)) world.fail("I12", "the wallets are not what the books owe");
}

namespace {

// Each refund of a payment from a wallet is one entry of it, and no other is.
void judge_refunds(World& world, storage::Reader& reader, const WalletFacts& facts) {
  std::map<std::string, std::int64_t> back;  // by out_trade_no
  std::int64_t refunds = 0;
  reader.query(
      "SELECT r.out_refund_no, r.out_trade_no, r.state, r.amount_minor FROM refunds r"
      " JOIN payment_attempts a ON a.out_trade_no = r.out_trade_no WHERE a.channel = 'wallet'",
      {}, [&](const storage::Row& row) {
        ++refunds;
        back[row.text(1)] += row.integer(3);
        const auto found = facts.moves.find("refund " + row.text(0));
        const bool is_back =
            found != facts.moves.end() && found->second.available == row.integer(3);
        if (row.text(2) != "succeeded" || !is_back)
          world.fail("I12", row.text(0) + " is " + row.text(2) + (is_back ? "" : ", not") +
                                " back in the wallet");
      });
  for (const auto& [no, hold] : facts.holds) {
    if (hold.refunded != back[no]) world.fail("I12", no + " went back in other parts than asked");
  }
  const auto entries = std::count_if(facts.moves.begin(), facts.moves.end(), [](const auto& one) {
    return one.first.starts_with("refund ");
  });
  if (entries != refunds) world.fail("I12", "a wallet was refunded what nobody asked for");
}

// What stands as paid was captured, and what was captured stands as paid.
void judge_payments(World& world, storage::Reader& reader, const WalletFacts& facts) {
  std::set<std::string> paid;
  reader.query(
      "SELECT out_trade_no FROM payment_attempts WHERE channel = 'wallet'"
      " AND state IN ('paid', 'duplicate')",
      {}, [&paid](const storage::Row& row) { paid.insert(row.text(0)); });
  for (const auto& [no, hold] : facts.holds) {
    if (hold.state == hold_state::kHeld) world.fail("I12", no + " still holds money");
    if ((hold.state == hold_state::kCaptured) != (paid.erase(no) == 1))
      world.fail("I12", no + " is " + hold.state + ", and its payment says other");
  }
  if (!paid.empty()) world.fail("I12", *paid.begin() + " is paid from no wallet");
}

}  // namespace

void judge_wallets_at_rest(World& world, storage::Reader& reader, const Granted& granted) {
  judge_wallets(world, reader);
  const WalletFacts facts = wallets_of(reader);
  judge_payments(world, reader, facts);
  judge_refunds(world, reader, facts);
  std::map<std::string, std::int64_t> due(granted.begin(), granted.end());
  for (const auto& [no, hold] : facts.holds) {
    due[hold.user] -= hold.captured - hold.refunded;
    world.counts.wallet_orders += hold.captured > 0 ? 1 : 0;
    world.counts.wallet_back += hold.refunded > 0 ? 1 : 0;
  }
  for (const auto& [user, balance] : facts.wallets) {
    if (balance.available != due[user])
      world.fail("I12", "the wallet of " + user + " has " + std::to_string(balance.available) +
                            ", by what was given and spent " + std::to_string(due[user]));
  }
  reader.query("SELECT balance_minor FROM account_balances WHERE account = $1", {kWalletClearing},
               [&world](const storage::Row& row) {
                 if (row.integer(0) != 0)
                   world.fail("I9", "between wallets and orders lies " + row.text(0));
               });
  for (const std::string& wrong : ledger::wallet_store::verify(reader)) world.fail("I12", wrong);
}

}  // namespace topup::sim
