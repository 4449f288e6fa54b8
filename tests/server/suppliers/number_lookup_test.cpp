#include "server/suppliers/number_lookup.h"

#include <doctest/doctest.h>

#include <condition_variable>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "server/catalog/catalog_store.h"
#include "server/suppliers/dingconnect.h"
#include "server/suppliers/dtone.h"
#include "server/suppliers/reading.h"
#include "server/suppliers/reloadly.h"
#include "server/suppliers/supplier_line_store.h"
#include "tests/support/manual_clock.h"
#include "tests/support/scratch_shop.h"
#include "tests/support/scripted_outbound.h"
#include "tests/support/seeded_random.h"

namespace topup::suppliers {
namespace {

using Knowledge = NumberAnswer::Word;
using Said = Result<LookedUp>;

constexpr std::string_view kNumber = "+66812345678";
constexpr std::string_view kHere = "203.0.113.7";

class Teller final : public Supplier {
 public:
  explicit Teller(std::string name) : name_(std::move(name)) {}
  std::string_view name() const override { return name_; }
  Result<std::vector<ListedProduct>> products(const std::string&) override {
    return refuse(Code::unavailable, "supplier_unavailable");
  }
  SupplyOutcome submit(const SubmitRequest&) override { return {}; }
  SupplyOutcome query(const AttemptId&, const std::string&) override { return {}; }
  Result<Money> balance() override { return refuse(Code::unavailable, "supplier_unavailable"); }
  Said look_up(const std::string& number) override {
    {
      const std::lock_guard hold(mutex_);
      asked.push_back(number);
    }
    return say();
  }
  Result<AttemptId> parse_callback(const CallbackRequest&) const override {
    return refuse(Code::invalid_argument, "callback_malformed");
  }

  std::function<Said()> say = [] { return Said(LookedUp{"201", "AIS", "TH"}); };
  std::vector<std::string> asked;

 private:
  std::mutex mutex_;
  const std::string name_;
};

Said away() { return refuse(Code::unavailable, "supplier_unavailable"); }
Said nobody_knows() { return refuse(Code::rejected, "operator_unknown"); }

// Two suppliers deliver to Thailand: "first" has more products there, and is asked first.
struct Room {
  Room() {
    first = add("first", 3);
    second = add("second", 1);
  }
  ~Room() { shop.close(); }
  Teller* add(const std::string& name, int products) {
    auto made = std::make_unique<Teller>(name);
    Teller* teller = made.get();
    suppliers.add(std::move(made));
    shop.db().write([&](storage::Tx& tx) {
      std::vector<catalog::catalog_store::SupplierProduct> ways;
      for (int i = 0; i < products; ++i) {
        catalog::catalog_store::SupplierProduct way;
        way.product_id = "th-ais-" + std::to_string(i);
        way.supplier = name;
        way.supplier_operator_id = "201";
        way.country = "TH";
        way.face = {10'000 * (i + 1), Currency::thb};
        ways.push_back(way);
      }
      catalog::catalog_store::replace_supplier_products(tx, name, ways);
      return true;
    });
    return teller;
  }
  NumberAnswer ask(std::string_view number = kNumber, std::string_view payer = kHere) {
    const auto answer = lookup.look_up(number, payer);
    REQUIRE(answer);
    return *answer;
  }
  std::int64_t counted(std::string_view supplier, std::string_view outcome) {
    for (const auto& figure : lookup.figures()) {
      if (figure.supplier == supplier && figure.outcome == outcome) return figure.count;
    }
    return 0;
  }

  testing::ScratchShop shop;
  testing::ManualClock clock;
  testing::SeededRandom random{1};
  privacy::Pii pii{std::string(privacy::kMasterKeyBytes, 'k'), random};
  Suppliers suppliers;
  Teller* first = nullptr;
  Teller* second = nullptr;
  NumberLookup lookup{
      shop.db(), clock, pii, suppliers, [](std::string_view, const LookedUp& found) {
        return found.supplier_operator_id == "201" ? std::string("th-ais") : std::string();
      }};
};

std::string number_of(int i) { return "+6681234" + std::to_string(1'000 + i); }

TEST_CASE("X09: a supplier says whose number it is, and is not asked again for a day") {
  Room room;
  const NumberAnswer answer = room.ask("+66 81 234 5678");
  CHECK(answer.word == Knowledge::network);
  CHECK(answer.country == "TH");
  CHECK(answer.operator_id == "th-ais");
  CHECK(room.first->asked == std::vector<std::string>{std::string(kNumber)});
  CHECK(room.second->asked.empty());

  room.clock.advance(NumberLookup::kKnownMs - 1);
  CHECK(room.ask().operator_id == "th-ais");
  CHECK(room.first->asked.size() == 1);
  CHECK(room.counted("", "kept") == 1);
  room.clock.advance(2);
  CHECK(room.ask().word == Knowledge::network);
  CHECK(room.first->asked.size() == 2);

  CHECK(room.lookup.sweep() == 0);
  room.clock.advance(NumberLookup::kKnownMs + 1);
  CHECK(room.lookup.sweep() == 1);
}

TEST_CASE(
    "X09: what nobody knows is said so, kept for an hour, and asked of two suppliers at most") {
  Room room;
  Teller* third = room.add("third", 1);
  for (Teller* one : {room.first, room.second, third}) one->say = nobody_knows;
  CHECK(room.ask().word == Knowledge::unknown);
  CHECK(room.first->asked.size() == 1);
  CHECK(room.second->asked.size() == 1);
  CHECK(third->asked.empty());
  room.clock.advance(NumberLookup::kUnknownMs - 1);
  CHECK(room.ask().word == Knowledge::unknown);
  CHECK(room.first->asked.size() == 1);
  room.clock.advance(2);
  room.second->say = [] { return Said(LookedUp{"201", "AIS", "TH"}); };
  CHECK(room.ask().operator_id == "th-ais");
}

TEST_CASE("X09: a number that is none is refused before anybody is asked") {
  Room room;
  for (const char* typed : {"", "812345678", "+66", "+6681234567x", "+668123456789012345"}) {
    CAPTURE(typed);
    const auto refused = room.lookup.look_up(typed, kHere);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().reason == "account_number_invalid");
  }
  CHECK(room.ask("+81 90 1234 5678").word == Knowledge::not_asked);  // nothing is on sale there
  CHECK(room.first->asked.empty());
}

TEST_CASE("X09: nobody is waited for beyond the total deadline") {
  Room room;
  std::int64_t takes_ms = NumberLookup::kTotalMs - kLookUpMs;
  room.first->say = [&] {
    room.clock.advance(takes_ms);
    return away();
  };
  CHECK(room.ask().word == Knowledge::network);
  CHECK(room.second->asked.size() == 1);
  ++takes_ms;
  CHECK(room.ask(number_of(1)).word == Knowledge::not_asked);
  CHECK(room.second->asked.size() == 1);
  // That nobody answered is not kept: the next buyer has the next try.
  room.first->say = [] { return Said(LookedUp{"201", "AIS", "TH"}); };
  room.clock.advance(NumberLookup::kBreaker.window_ms);
  CHECK(room.ask(number_of(1)).word == Knowledge::network);
}

TEST_CASE("X09, S-05: an answer about another country, or of an operator not on sale, is unknown") {
  Room room;
  for (const LookedUp& junk :
       {LookedUp{"201", "AIS", "LA"}, LookedUp{"999999", "Nowhere", "TH"}, LookedUp{"", "", ""}}) {
    CAPTURE(junk.supplier_operator_id);
    room.first->say = [&] { return Said(junk); };
    room.second->say = away;
    const NumberAnswer answer = room.ask(number_of(static_cast<int>(room.first->asked.size())));
    CHECK(answer.word == Knowledge::unknown);
    CHECK(answer.operator_id.empty());
    CHECK(answer.country == "TH");
    room.clock.advance(NumberLookup::kBreaker.window_ms);
  }
  CHECK(room.counted("first", "foreign") == 3);
}

// The wires' own breaker stands before top-ups, too: ten errors in a minute open it.
TEST_CASE("X09: look-ups that fail stop before they could close the way of top-ups") {
  Room room;
  room.first->say = away;
  room.second->say = away;
  const std::int64_t began = room.clock.mono_ms();
  for (int i = 0; room.clock.mono_ms() - began < 60'000; ++i) {
    (void)room.ask(number_of(i), "203.0.113." + std::to_string(i));
    room.clock.advance(500);
  }
  CHECK(room.first->asked.size() >= 2);
  CHECK(room.first->asked.size() <= 6);
  CHECK(room.second->asked.size() <= 6);
  CHECK(room.counted("first", "breaker") > 0);

  room.first->say = [] { return Said(LookedUp{"201", "AIS", "TH"}); };
  room.clock.advance(NumberLookup::kBreaker.probe_every_ms);
  CHECK(room.ask(number_of(900), "198.51.100.1").word == Knowledge::network);
  CHECK(room.ask(number_of(901), "198.51.100.1").word == Knowledge::network);
}

TEST_CASE(
    "X09: a closed line, a way switched off and a supplier without look-ups are passed over") {
  Room room;
  room.shop.db().write([&](storage::Tx& tx) {
    SupplierLine line;
    line.line = "first";
    line.state = LineState::closed;
    supplier_line_store::save(tx, line);
    return true;
  });
  CHECK(room.ask().word == Knowledge::network);
  CHECK(room.first->asked.empty());
  room.second->say = [] { return Said(refuse(Code::rejected, "not_offered")); };
  CHECK(room.ask(number_of(1)).word == Knowledge::not_asked);
  room.shop.db().write([&](storage::Tx& tx) {
    return catalog::catalog_store::set_way(tx, ProductId("th-ais-0"), "second", 100, false);
  });
  const std::size_t before = room.second->asked.size();
  CHECK(room.ask(number_of(2)).word == Knowledge::not_asked);
  CHECK(room.second->asked.size() == before);
}

TEST_CASE("X09: whoever goes through numbers one by one soon hears nothing, kept or not") {
  Room room;
  int heard = 0;
  for (int i = 0; i < 200; ++i) heard += room.ask(number_of(i)).word == Knowledge::network ? 1 : 0;
  CHECK(heard == NumberLookup::kPayer.capacity);
  CHECK(room.ask(number_of(0)).word == Knowledge::not_asked);
  CHECK(room.counted("", "often") == 141);
  room.clock.advance(60'000);
  CHECK(room.ask(number_of(300), "198.51.100.1").word == Knowledge::network);

  // From many addresses at once it is the suppliers' patience that counts.
  const std::size_t before = room.first->asked.size();
  for (int i = 0; i < 200; ++i) (void)room.ask(number_of(400 + i), "10.0.0." + std::to_string(i));
  CHECK(room.first->asked.size() - before <= NumberLookup::kAsks.capacity);
  CHECK(room.counted("", "busy") > 0);
}

TEST_CASE("X09: a slow supplier holds four workers at most; the next is answered at once") {
  Room room;
  std::mutex mutex;
  std::condition_variable changed;
  int inside = 0;
  bool is_over = false;
  room.first->say = [&] {
    std::unique_lock hold(mutex);
    ++inside;
    changed.notify_all();
    changed.wait_for(hold, std::chrono::seconds(20), [&] { return is_over; });
    return Said(LookedUp{"201", "AIS", "TH"});
  };
  std::vector<std::jthread> callers;
  for (int i = 0; i < NumberLookup::kMaxAtOnce; ++i) {
    callers.emplace_back([&room, i] { (void)room.lookup.look_up(number_of(i), kHere); });
  }
  {
    std::unique_lock hold(mutex);
    REQUIRE(changed.wait_for(hold, std::chrono::seconds(20),
                             [&] { return inside == NumberLookup::kMaxAtOnce; }));
  }
  CHECK(room.ask(number_of(50)).word == Knowledge::not_asked);
  CHECK(room.first->asked.size() == 4);
  {
    const std::lock_guard hold(mutex);
    is_over = true;
  }
  changed.notify_all();
  callers.clear();
  CHECK(room.ask(number_of(50)).word == Knowledge::network);
}

TEST_CASE("X09: neither the rows nor the log of a look-up hold the number") {
  testing::ScratchFolder folder;
  const std::string log = folder.file("log");
  Room room;
  base::set_log_file(log);
  CHECK(room.ask().word == Knowledge::network);
  room.first->say = away;
  room.second->say = nobody_knows;
  CHECK(room.ask("+66812345679").word == Knowledge::unknown);
  // And on the wire itself, which names what it called when nobody answers.
  auto http = base::make_outbound("reloadly", "http://127.0.0.1:1");
  base::OutboundRequest call;
  call.method = "GET";
  call.target = "/operators/auto-detect/phone/66812345678/countries/TH";
  call.deadline_ms = 500;
  CHECK(http->call(call).kind == base::OutboundReply::Kind::not_sent);
  base::set_log_file("/dev/stderr");

  std::ifstream file(log);
  const std::string written{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  CHECK(written.find("/phone/***/countries/TH") != std::string::npos);
  CHECK(written.find("8123456") == std::string::npos);
  CHECK(room.shop.texts("SELECT country || operator_id FROM number_lookups ORDER BY 1") ==
        std::vector<std::string>{"TH", "THth-ais"});
  for (const std::string& index : room.shop.texts("SELECT number_index FROM number_lookups")) {
    CHECK(index.size() == 64);
    CHECK(index.find_first_not_of("0123456789abcdef") == std::string::npos);
  }
}

TEST_CASE("X09: every adapter's look-up has its whole time bounded") {
  testing::ManualClock clock;
  testing::ScriptedOutbound auth, wire;
  const auto reloadly = make_reloadly(
      {"id", "secret", "https://topups.example", "hook", Currency::usd}, auth, wire, clock);
  const auto dtone =
      make_dtone({"key", "secret", "https://shop.example/c", "t", Currency::usd}, wire, clock);
  const auto ding = make_dingconnect({"key", "t", Currency::usd}, wire);
  const auto time_of = [](const testing::ScriptedOutbound& asked, std::size_t from) {
    std::int64_t sum = 0;
    const auto requests = asked.requests();
    for (std::size_t i = from; i < requests.size(); ++i) sum += requests[i].deadline_ms;
    return sum;
  };
  auth.then_answer(200, R"({"access_token":"abc","expires_in":5184000})");
  wire.then_no_answer();
  CHECK(reloadly->look_up(std::string(kNumber)).error().reason == "supplier_unavailable");
  CHECK(time_of(auth, 0) + time_of(wire, 0) <= kLookUpMs);
  std::size_t from = wire.calls();
  wire.then_no_answer();
  CHECK(dtone->look_up(std::string(kNumber)).error().reason == "supplier_unavailable");
  CHECK(time_of(wire, from) <= kLookUpMs);
  from = wire.calls();
  wire.then_answer(200, R"({"ResultCode":1,"ErrorCodes":[],"CountryIso":"TH",)"
                        R"("Items":[{"ProviderCode":"AITH","RegionCode":"TH"}]})");
  wire.then_no_answer();
  const auto named = ding->look_up(std::string(kNumber));
  REQUIRE(named);
  CHECK(named->operator_name.empty());  // their name is not waited for
  CHECK(wire.calls() - from == 2);
  CHECK(time_of(wire, from) <= kLookUpMs);
}

// A look-up has less time than a submission: what it could not fetch must not make that one wait.
TEST_CASE("X09: a token that a look-up could not fetch does not stop the next order") {
  testing::ManualClock clock;
  testing::ScriptedOutbound auth, wire;
  const auto reloadly = make_reloadly(
      {"id", "secret", "https://topups.example", "hook", Currency::usd}, auth, wire, clock);
  auth.then_no_answer();
  CHECK_FALSE(reloadly->look_up(std::string(kNumber)));
  CHECK(wire.calls() == 0);
  auth.then_answer(200, R"({"access_token":"abc","expires_in":5184000})");
  wire.then_answer(200, R"({"balance":"10.00","currencyCode":"USD"})");
  CHECK(reloadly->balance());
}

}  // namespace
}  // namespace topup::suppliers
