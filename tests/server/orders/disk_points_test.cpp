// O-01, D-01, D-02 on SQLite: the process is killed at each system call that writes the shop's
// file and within each long one, or the disk takes no more from some byte on, from a price to a
// delivery, a refund and a cancellation. Afterwards buyer and channel say the same again, and
// everything must come to its one right end.
#include <doctest/doctest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/disk.h"
#include "tests/support/order_shop.h"

namespace topup::orders {
namespace {

using payments::TradeState;
using suppliers::SupplyState;
using testing::Disk;
using testing::DiskCall;
using testing::DiskDeed;
using testing::DiskEar;
using testing::DiskFate;
using testing::DiskStep;
using testing::OrderShop;
using testing::ScratchFolder;
using testing::ScriptedChannel;
using testing::ScriptedSupplier;

constexpr std::int64_t kTwoDaysMs = 48 * 3'600'000;
constexpr int kDelivered = 1, kRefused = 2, kCancelled = 3;  // the three orders of the path

bool every_point() { return std::getenv("TOPUP_DISK_POINTS") != nullptr; }
// Bytes. No part of a page or of a sector, so that each is met at another place of it.
std::size_t kill_every() { return every_point() ? 251 : 2'503; }
std::int64_t fail_every(bool stays) { return every_point() ? 1'013 : stays ? 9'001 : 20'011; }

// What stands outside of the shop and outlives its process.
struct World {
  std::map<int, std::string> answered;  // order number → id that its buyer was told
  std::map<int, payments::Trade> paid;  // what the channel has money for
  std::set<std::string> heard;          // attempts that the supplier was given
  std::map<OutRefundNo, OutTradeNo> refunds;
  std::set<int> cancelled;
  int doubled = 0;  // an attempt submitted twice, a payment given back under two numbers
};

// The shop's process on the path, first or after an end. Each deed may be repeated.
class Path {
 public:
  Path(OrderShop& shop, World& world) : shop_(shop), world_(world) {
    shop.reloadly->submits.usually([this](const suppliers::SubmitRequest& request) {
      if (!world_.heard.insert(request.attempt_id.text).second) ++world_.doubled;
      return ScriptedSupplier::said(state_of(request.attempt_id.text));
    });
    shop.reloadly->queries.usually([this](const std::pair<AttemptId, std::string>& asked) {
      return ScriptedSupplier::said(world_.heard.contains(asked.first.text)
                                        ? state_of(asked.first.text)
                                        : SupplyState::not_found);
    });
    const auto look = [this](const OutTradeNo& no, TradeState otherwise) {
      for (const auto& [number, trade] : world_.paid)
        if (trade.out_trade_no == no) return trade;
      return ScriptedChannel::trade(no, otherwise);
    };
    shop.wechat->queries.usually(
        [look](const OutTradeNo& no) { return look(no, TradeState::not_paid); });
    shop.wechat->closes.usually(
        [look](const OutTradeNo& no) { return look(no, TradeState::closed); });
    shop.wechat->refunds.usually([this](const payments::RefundRequest& request) {
      for (const auto& [no, trade] : world_.refunds)
        if (trade == request.out_trade_no && !(no == request.out_refund_no)) ++world_.doubled;
      world_.refunds[request.out_refund_no] = request.out_trade_no;
      return ScriptedChannel::refund_trade(request.out_refund_no, payments::RefundState::succeeded,
                                           request.amount);
    });
  }

  // All of it, as far as the store lets it. What fails is said again by the next call.
  void walk() {
    for (const int number : {kDelivered, kRefused}) {
      attempt([&] { place(number); });
      attempt([&] { pay(number); });
      attempt([&] { shop_.run_due(); });
    }
    attempt([&] { place(kCancelled); });
    attempt([&] { cancel(); });
    attempt([&] { shop_.run_due(); });
  }

  // "" when every order came to its one right end.
  std::string end() {
    std::string wrong;
    const auto expect = [&wrong](bool holds, const std::string& what) {
      if (!holds) wrong += what + "; ";
    };
    expect(shop_.run_until_quiet(kTwoDaysMs), "the jobs never end");
    for (const int number : {kDelivered, kRefused, kCancelled}) {
      const std::string name = "order " + std::to_string(number);
      if (!ids_.contains(number)) {
        expect(!world_.answered.contains(number), name + " was answered and is not there");
        continue;
      }
      const auto told = world_.answered.find(number);
      expect(told == world_.answered.end() || told->second == ids_.at(number), name + " is two");
      const State state = shop_.state(OrderId(ids_.at(number)));
      const State right = world_.cancelled.contains(number) || !world_.paid.contains(number)
                              ? State::closed
                          : is_delivered(number) ? State::succeeded
                                                 : State::refunded;
      expect(state == right, name + " ended as " + std::string(to_word(state)));
    }
    for (const auto& [number, trade] : world_.paid) {
      std::size_t given_back = 0;
      for (const auto& [no, of] : world_.refunds) given_back += of == trade.out_trade_no ? 1U : 0U;
      expect(given_back == (is_delivered(number) ? 0U : 1U), "given back wrongly");
    }
    expect(world_.doubled == 0, "done twice outside");
    expect(shop_.broken_books().empty(), shop_.broken_books());
    return wrong;
  }

 private:
  // A kill between the mark "sent" and the request leaves an attempt that the supplier never saw:
  // that order is given back, and only that.
  bool is_delivered(int number) const {
    if (number != kDelivered || !ids_.contains(number)) return false;
    return std::any_of(world_.heard.begin(), world_.heard.end(), [&](const std::string& attempt) {
      return attempt.find(ids_.at(number)) != std::string::npos;
    });
  }
  template <class Deed>
  void attempt(const Deed& deed) {
    try {
      deed();
    } catch (const std::exception&) {  // refused: the store could not
    }
  }
  SupplyState state_of(const std::string& attempt) const {
    const auto refused = world_.answered.find(kRefused);
    const bool is_refused =
        refused != world_.answered.end() && attempt.find(refused->second) != std::string::npos;
    return is_refused ? SupplyState::rejected : SupplyState::succeeded;
  }
  void place(int number) {
    PricedQuote shown;
    const auto placed =
        shop_.orders.place(shop_.request("client-key-" + std::to_string(number)), &shown);
    if (!placed) return;
    ids_[number] = placed->order.id.text;
    world_.answered.emplace(number, placed->order.id.text);
  }
  void pay(int number) {
    if (!world_.paid.contains(number)) {
      const auto started = shop_.try_start(OrderId(ids_.at(number)));
      if (!started) return;
      world_.paid.emplace(number, OrderShop::paid(started->out_trade_no));
    }
    (void)shop_.notify(world_.paid.at(number));
  }
  void cancel() {
    const auto done = shop_.payments.cancel(shop_.user, OrderId(ids_.at(kCancelled)), "buyer");
    if (done) world_.cancelled.insert(kCancelled);
  }

  OrderShop& shop_;
  World& world_;
  std::map<int, std::string> ids_;
};

std::string folder_of(const std::string& file) { return file.substr(0, file.rfind('/')); }

std::string bytes_of(const std::string& path) {
  std::string bytes;
  FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return bytes;
  std::array<char, 65'536> part{};
  for (std::size_t got = 0; (got = std::fread(part.data(), 1, part.size(), file)) > 0;)
    bytes.append(part.data(), got);
  std::fclose(file);
  return bytes;
}

// The path without a fault: each call on the file, and the world as it stood then.
struct Recorded {
  Disk before;
  std::vector<DiskStep> steps;
  std::vector<World> worlds;

  Recorded() {
    OrderShop shop;
    const std::string path = shop.shop.path();
    for (const std::string part : {"topup.db", "topup.db-wal"})
      before.put(part, bytes_of(folder_of(path) + "/" + part));
    World world;
    {
      const DiskEar ear(folder_of(path), "topup.db", [&](const DiskCall& call) {
        steps.push_back({call.deed, call.file, call.offset, std::string(call.bytes)});
        worlds.push_back(world);
        return DiskFate{};
      });
      Path walker(shop, world);
      walker.walk();
      worlds.push_back(world);
    }
    Path walker(shop, world);
    walker.walk();
    const std::string wrong = walker.end();
    CHECK_MESSAGE(wrong.empty(), wrong);
    CHECK(world.paid.size() == 2);
    CHECK(world.cancelled.size() == 1);
  }
};

TEST_CASE("O-01: killed at any system call of an order's path, everything ends once and right") {
  if (testing::ScratchShop::is_postgres()) return;  // its files are PostgreSQL's own affair
  Recorded path;
  const ScratchFolder folder;
  Disk disk = path.before;
  int killed = 0, wrong_ends = 0;
  std::string first_wrong;
  for (std::size_t step = 0; step <= path.steps.size(); ++step) {
    const bool is_write = step < path.steps.size() && path.steps[step].deed == DiskDeed::write;
    const std::size_t size = is_write ? path.steps[step].bytes.size() : 0;
    // Before the call, and where it writes, when so much of it was written.
    for (std::size_t written = 0; written == 0 || written < size; written += kill_every()) {
      Disk here = disk;
      if (written > 0) {
        DiskStep part = path.steps[step];
        part.bytes.resize(written);
        here.apply(part);
      }
      testing::lay_out(here.after_kill(), folder_of(folder.file("x")));
      World world = path.worlds[step];
      OrderShop shop(99, folder.file("topup.db"));
      shop.clock.advance(60'000);
      Path again(shop, world);
      again.walk();
      const std::string wrong = again.end();
      ++killed;
      wrong_ends += wrong.empty() ? 0 : 1;
      if (first_wrong.empty() && !wrong.empty())
        first_wrong = "at byte " + std::to_string(written) + " of call " + std::to_string(step) +
                      ": " + wrong;
    }
    if (step < path.steps.size()) disk.apply(path.steps[step]);
  }
  CHECK(killed >= 200);
  CHECK_MESSAGE(wrong_ends == 0, first_wrong);
  MESSAGE("figure O-01: killed at " << killed << " places of the writes of the order path, "
                                    << wrong_ends << " lost, doubled or unbalanced");
}

// What one failing call led to, told through a pipe by the process that met it.
constexpr char kRight = 'r', kWrong = 'w';

// The disk takes `bytes` and no more for a while, then heals; the same process goes on.
char meet(int error, std::int64_t bytes, bool stays) {
  OrderShop shop;
  World world;
  std::int64_t left = bytes;
  bool has_failed = false;
  Path walker(shop, world);
  {
    const DiskEar ear(folder_of(shop.shop.path()), "topup.db", [&](const DiskCall& call) {
      const std::int64_t size = std::ssize(call.bytes);
      if (call.deed != DiskDeed::write || (has_failed && !stays)) return DiskFate{};
      if (left >= size) {
        left -= size;
        return DiskFate{};
      }
      // The caller is told how much was taken, and meets the error when it brings the rest.
      const std::int64_t taken = left;
      left = 0;
      if (taken > 0) {
        has_failed = error == 0;
        return DiskFate{0, taken};
      }
      has_failed = true;
      return DiskFate{error, -1};
    });
    walker.walk();
  }
  if (!has_failed) return 'e';  // the path is over
  shop.clock.advance(60'000);
  walker.walk();
  if (!walker.end().empty()) return kWrong;
  shop.shop.reopen();
  return shop.broken_books().empty() ? kRight : kWrong;
}

TEST_CASE("D-01: a disk that refuses any write of an order's path loses and doubles nothing") {
  if (testing::ScratchShop::is_postgres()) return;
  int points = 0, wrong = 0;
  struct Kind {
    int error;
    bool stays;
  };
  for (const Kind& kind : {Kind{ENOSPC, true}, Kind{EIO, true}, Kind{ENOSPC, false},
                           Kind{EINTR, false}, Kind{0, false}}) {
    for (std::int64_t bytes = 1;; bytes += fail_every(kind.stays)) {
      CAPTURE(bytes);
      CAPTURE(kind.error);
      const char how = meet(kind.error, bytes, kind.stays);
      if (how == 'e') break;
      ++points;
      wrong += how == kRight ? 0 : 1;
      CHECK(how == kRight);
    }
  }
  CHECK(points >= 200);
  MESSAGE("figure D-01: " << points << " writes refused (ENOSPC, EIO, EINTR, short), " << wrong
                          << " lost, doubled or unbalanced");
}

// The world as a dead process has told it: each line a deed that was answered.
TEST_CASE("D-02: after a sync that failed the process ends, and what it answered is there") {
  if (testing::ScratchShop::is_postgres()) return;
  int points = 0;
  for (int nth = 1;; nth += every_point() ? 1 : 2) {
    CAPTURE(nth);
    const ScratchFolder left;
    std::array<int, 2> pipes{};
    REQUIRE(pipe(pipes.data()) == 0);
    const pid_t child = fork();
    if (child == 0) {
      close(pipes[0]);
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      OrderShop shop;
      World world;
      int calls = 0;
      const DiskEar ear(folder_of(shop.shop.path()), "topup.db", [&](const DiskCall& call) {
        const bool fails = call.deed == DiskDeed::sync && ++calls >= nth;
        // The last the world hears: who was answered, and the files as the system has them.
        if (fails && calls == nth) {
          std::string told;
          for (const auto& [number, id] : world.answered)
            told += std::to_string(number) + " " + id + "\n";
          (void)!write(pipes[1], told.data(), told.size());
          for (const std::string part : {"topup.db", "topup.db-wal"})
            testing::lay_out_one(bytes_of(folder_of(shop.shop.path()) + "/" + part),
                                 left.file(part));
        }
        return DiskFate{fails ? EIO : 0, -1};
      });
      Path walker(shop, world);
      walker.walk();
      _exit(0);
    }
    close(pipes[1]);
    std::string told;
    std::array<char, 512> part{};
    for (ssize_t got = 0; (got = read(pipes[0], part.data(), part.size())) > 0;)
      told.append(part.data(), static_cast<std::size_t>(got));
    close(pipes[0]);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    if (WEXITSTATUS(status) == 0) break;  // fewer syncs than that
    CHECK(WEXITSTATUS(status) == 70);
    ++points;
    OrderShop shop(99, left.file("topup.db"));
    std::istringstream lines(told);
    int number = 0;
    for (std::string id; lines >> number >> id;) {
      const std::string key = "client-key-" + std::to_string(number);
      CHECK(shop.shop.text("SELECT order_id FROM orders WHERE client_key = $1", {key}) == id);
    }
    CHECK(shop.broken_books() == "");
  }
  CHECK(points >= 5);
  MESSAGE("figure D-02: " << points
                          << " failed syncs, each the end of the process, 0 answered orders lost");
}

}  // namespace
}  // namespace topup::orders
