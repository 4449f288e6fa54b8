// D-07: one allocation on the way of an order fails, in a process of its own: whatever becomes of
// that process, what it leaves behind is whole.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <new>
#include <string>

#include "server/storage/db.h"
#include "server/storage/postgres.h"
#include "tests/support/order_shop.h"

namespace {
// Of the thread that asks and of the store's writer alike; negative: nothing fails.
std::atomic<long> allocations_left{-1};

void* allocate(std::size_t bytes) {
  if (allocations_left.load(std::memory_order_relaxed) >= 0 && allocations_left.fetch_sub(1) == 0)
    throw std::bad_alloc();
  if (void* memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw std::bad_alloc();
}
}  // namespace

void* operator new(std::size_t bytes) { return allocate(bytes); }
void* operator new[](std::size_t bytes) { return allocate(bytes); }
// As the library's own, which a sanitizer would put in its own way: what is freed below comes from
// above.
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  try {
    return allocate(bytes);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void* operator new[](std::size_t bytes, const std::nothrow_t& none) noexcept {
  return operator new(bytes, none);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace topup::orders {
namespace {

using testing::OrderShop;

enum class Deed { place, pay };

// What a handler would answer: true for a success, false for a refusal or a 500.
template <class Body>
bool with_one_failing(long which, Body&& body) {
  bool is_done = false;
  allocations_left = which;
  try {
    is_done = body();
  } catch (const std::exception&) {
    is_done = false;
  }
  return is_done;
}

// What became of one deed, as a child tells it.
constexpr char kDone = 'd', kRefused = 'r', kNothingFailed = 'n', kNotWhole = 'x', kThrew = 't';

char try_deed(OrderShop& shop, Deed deed, long which) {
  const PlaceRequest wanted = shop.request("client-key-of-" + std::to_string(which));
  const std::int64_t before = shop.journals("payment");
  const payments::Trade trade =
      deed == Deed::pay ? OrderShop::paid(shop.start(shop.place())) : payments::Trade{};
  const bool is_done = with_one_failing(which, [&] {
    PricedQuote shown;
    return deed == Deed::pay ? shop.notify(trade).has_value()
                             : shop.orders.place(wanted, &shown).has_value();
  });
  const bool nothing_failed = allocations_left >= 0;
  allocations_left = -1;
  const auto effects = [&] {
    return deed == Deed::pay
               ? shop.journals("payment") - before
               : shop.shop.integer("SELECT COUNT(*) FROM orders WHERE client_key = $1",
                                   {wanted.client_key});
  };
  bool is_whole = is_done ? effects() == 1 : effects() <= 1;
  // The same again, as a client or the channel does, in this same process.
  PricedQuote shown;
  const bool again = deed == Deed::pay ? shop.notify(trade).has_value()
                                       : shop.orders.place(wanted, &shown).has_value();
  is_whole = is_whole && again && effects() == 1 && shop.broken_books().empty();
  return !is_whole ? kNotWhole : nothing_failed ? kNothingFailed : is_done ? kDone : kRefused;
}

// A child tells where its shop lies, a line; then one character for each deed. On SQLite it does
// one, so that nothing was prepared before; on PostgreSQL, where a database of its own takes long
// to make, all of them, until it ends.
[[noreturn]] void be_the_child(Deed deed, long which, long step, int told) {
  OrderShop shop;
  shop.env.settings.max_unpaid_per_user = 1'000;  // all of them are one buyer's
  const std::string place = shop.shop.place() + "\n";
  (void)!write(told, place.data(), place.size());
  for (;; which += step) {
    const char how = try_deed(shop, deed, which);
    (void)!write(told, &how, 1);
    if (how == kNothingFailed || how == kNotWhole || !testing::ScratchShop::is_postgres()) break;
  }
  _exit(0);
}

std::unique_ptr<storage::Db> open_left(const std::string& place) {
  static const base::SystemClock clock;
  if (!testing::ScratchShop::is_postgres()) return storage::open_sqlite(place);
  return storage::open_postgres({place, ""}, 2, clock);
}

// What a process that ended in the middle leaves for the next one.
void check_what_is_left(const std::string& place) {
  const auto db = open_left(place);
  const auto count = [&db](std::string_view sql) {
    std::int64_t found = -1;
    db->read([&](storage::Reader& reader) {
      reader.query(sql, {}, [&found](const storage::Row& row) { found = row.integer(0); });
    });
    return found;
  };
  db->read([](storage::Reader& reader) {
    CHECK(ledger::verify(reader).empty());
    CHECK(verify_money(reader).empty());
    CHECK(audit::verify(reader).holds);
  });
  CHECK(count("SELECT COUNT(*) FROM orders WHERE state = 'paid'") ==
        count("SELECT COUNT(*) FROM journals WHERE template = 'payment'"));
  CHECK(count("SELECT COUNT(*) FROM outbox WHERE kind = 'submit'") ==
        count("SELECT COUNT(*) FROM journals WHERE template = 'payment'"));
}

void remove_left(const std::string& place) {
  if (testing::ScratchShop::is_postgres()) {
    testing::shared_cluster().run(
        {"DROP DATABASE " + place.substr(place.rfind('/') + 1) + " WITH (FORCE)"});
  } else {
    std::filesystem::remove_all(std::filesystem::path(place).parent_path());
  }
}

// Runs one child; what it told of its deeds. One that was ended by a signal told nothing of its
// last.
std::string run_child(Deed deed, long which, long step, bool* ended_early) {
  std::array<int, 2> pipes{};
  REQUIRE(pipe(pipes.data()) == 0);
  const pid_t child = fork();
  if (child == 0) {
    close(pipes[0]);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // Its end is ours to tell: neither the test program's handlers nor its half-written output.
    std::signal(SIGABRT, SIG_DFL);
    const int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
    try {
      be_the_child(deed, which, step, pipes[1]);
    } catch (const std::exception& failure) {  // in the child nothing of the program may go on
      const std::string why = std::string(1, kThrew) + failure.what();
      (void)!write(pipes[1], why.data(), why.size());
      _exit(1);
    }
  }
  close(pipes[1]);
  std::string told;
  std::array<char, 4'096> part{};
  for (ssize_t got = 0; (got = read(pipes[0], part.data(), part.size())) > 0;)
    told.append(part.data(), static_cast<std::size_t>(got));
  close(pipes[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  const std::size_t line = told.find('\n');
  REQUIRE(line != std::string::npos);
  const std::string place = told.substr(0, line);
  CHECK_MESSAGE(told.find(kThrew, line) == std::string::npos, told.substr(line));
  *ended_early = !WIFEXITED(status);
  if (*ended_early) {
    CHECK(WTERMSIG(status) == SIGABRT);  // nothing but a deliberate end
    check_what_is_left(place);
  }
  remove_left(place);
  return told.substr(line + 1);
}

void each_allocation(Deed deed, long step) {
  constexpr long kMost = 4'000;
  { const OrderShop first; }  // what all children share is there before the first of them
  int refused = 0, done = 0, ended = 0;
  bool is_over = false;
  for (long which = 0; !is_over && which < kMost;) {
    CAPTURE(which);
    bool ended_early = false;
    const std::string told = run_child(deed, which, step, &ended_early);
    CHECK(told.find(kNotWhole) == std::string::npos);
    refused += static_cast<int>(std::count(told.begin(), told.end(), kRefused));
    done += static_cast<int>(std::count(told.begin(), told.end(), kDone));
    ended += ended_early ? 1 : 0;
    is_over = told.ends_with(kNothingFailed) || told.ends_with(kNotWhole);
    which += step * static_cast<long>(told.size() + (ended_early ? 1 : 0));
  }
  const std::string engine = testing::ScratchShop::is_postgres() ? "PostgreSQL" : "SQLite";
  MESSAGE("figure D-07: " << engine << ", " << refused + done + ended
                          << " allocations that fail: " << refused << " refused, " << done
                          << " done all the same, " << ended << " clean ends, 0 half transactions");
  CHECK(is_over);
  CHECK(refused >= 10);
  CHECK(ended <= refused / 4);  // most of them are answered, not ended
}

TEST_CASE("D-07: an order is placed whole or not at all, whichever allocation fails") {
  each_allocation(Deed::place, 3);
}

TEST_CASE("D-07: a payment is booked whole or not at all, whichever allocation fails") {
  each_allocation(Deed::pay, 4);
}

}  // namespace
}  // namespace topup::orders
