#include "server/orders/draft_service.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "server/orders/draft_store.h"
#include "tests/support/order_shop.h"
#include "tests/support/together.h"

namespace topup::orders {
namespace {

using testing::OrderShop;

// One device with its own copy of the list, as a page keeps it.
struct Device {
  DraftService& service;
  UserId user;
  DeviceList list;

  void set(const std::string& id, std::string_view field, std::string_view value) {
    for (DeviceItem& item : list.items) {
      if (item.id == id) return set_field(item.mine, field, value);
    }
    list.items.push_back({id, 0, 0, false, {}, {}, {}});
    set_field(list.items.back().mine, field, value);
  }
  Answer push() {
    start_push(list);
    const auto answer = service.sync(user, SyncList::drafts, push_of(list));
    REQUIRE(answer.has_value());
    return *answer;
  }
  std::vector<Conflict> sync() { return take_answer(list, push()); }
  std::string value(const std::string& id, std::string_view field) const {
    for (const DeviceItem& item : list.items) {
      if (item.id == id) return std::string(value_of(item.mine, field));
    }
    return "(none)";
  }
};

struct Drafts {
  OrderShop shop;
  DraftService service{shop.shop.db(), shop.clock, shop.pii};
  UserId user = shop.user;
  Device device(std::string name) { return {service, user, {std::move(name), 0, 0, {}}}; }
  int rows() {
    int count = 0;
    shop.shop.db().read([&](storage::Reader& reader) {
      count = reader.query("SELECT list_key FROM sync_lists", {}, [](const storage::Row&) {});
    });
    return count;
  }
  std::string stored() {
    std::string sealed;
    shop.shop.db().read([&](storage::Reader& reader) {
      const auto found = draft_store::find(reader, user, "drafts");
      sealed = found ? found->sealed : "";
    });
    return sealed;
  }
};

TEST_CASE("F080: what one device writes is on the other, field by field") {
  Drafts drafts;
  Device phone = drafts.device("phone"), desk = drafts.device("desk");
  phone.set("d1", "account_number", "138 0013 8000");
  phone.set("d1", "product_id", "cn-mobile-5000");
  CHECK(phone.sync().empty());
  CHECK(desk.sync().empty());
  CHECK(desk.value("d1", "account_number") == "138 0013 8000");

  phone.set("d1", "note", "mum");
  desk.set("d1", "product_id", "cn-mobile-10000");
  CHECK(phone.sync().empty());
  CHECK(desk.sync().empty());
  CHECK(phone.sync().empty());
  for (const Device* one : {&phone, &desk}) {
    CHECK(one->value("d1", "note") == "mum");
    CHECK(one->value("d1", "product_id") == "cn-mobile-10000");
  }
}

TEST_CASE("F080: two different changes of one field are both kept, and one choice settles both") {
  Drafts drafts;
  Device phone = drafts.device("phone"), desk = drafts.device("desk");
  phone.set("d1", "amount", "10");
  phone.sync();
  desk.sync();
  phone.set("d1", "amount", "20");
  desk.set("d1", "amount", "30");
  phone.sync();
  desk.sync();  // the server merged: its answer holds both
  phone.sync();
  CHECK(is_in_conflict(desk.list.items[0].mine, "amount"));
  CHECK(is_in_conflict(phone.list.items[0].mine, "amount"));
  phone.set("d1", "amount", "30");
  phone.sync();
  desk.sync();
  CHECK(desk.value("d1", "amount") == "30");
  CHECK(!has_conflict(phone.list.items[0].mine));
}

TEST_CASE("F080: a push whose answer was lost changes nothing when it comes again") {
  Drafts drafts;
  Device phone = drafts.device("phone");
  phone.set("d1", "amount", "10");
  const Answer lost = phone.push();
  const std::string before = drafts.stored();
  const Answer again = phone.push();
  CHECK(again.revision == lost.revision);
  CHECK(drafts.stored() == before);
  take_answer(phone.list, again);
  CHECK(!phone.list.items[0].is_pending);
}

TEST_CASE("a list is its owner's: another buyer gets an empty one, and the two kinds do not mix") {
  Drafts drafts;
  Device phone = drafts.device("phone");
  phone.set("d1", "amount", "10");
  phone.sync();
  const auto other = drafts.service.sync(drafts.shop.new_user("somebody-else"), SyncList::drafts,
                                         {"phone", 0, {}});
  REQUIRE(other.has_value());
  CHECK(other->items.empty());
  const auto recipients = drafts.service.sync(drafts.user, SyncList::recipients, {"phone", 0, {}});
  REQUIRE(recipients.has_value());
  CHECK(recipients->items.empty());
}

TEST_CASE("reading writes no row") {
  Drafts drafts;
  drafts.device("phone").sync();
  CHECK(drafts.rows() == 0);
}

TEST_CASE("an account number is not readable at rest") {
  Drafts drafts;
  Device phone = drafts.device("phone");
  phone.set("d1", "account_number", "13800138000");
  phone.sync();
  CHECK(drafts.stored().starts_with("v1."));
  CHECK(drafts.stored().find("13800138000") == std::string::npos);
}

TEST_CASE("a list that grows beyond its bound is refused whole and stays as it was") {
  Drafts drafts;
  Device phone = drafts.device("phone");
  const std::string long_note(kMaxFieldValue, 'n');
  for (int i = 0; i < 100; ++i) phone.set("d" + std::to_string(i), "note", long_note);
  phone.sync();
  const std::string before = drafts.stored();
  Device desk = drafts.device("desk");
  for (int i = 100; i < 180; ++i) desk.set("d" + std::to_string(i), "note", long_note);
  start_push(desk.list);
  const auto refused = drafts.service.sync(drafts.user, SyncList::drafts, push_of(desk.list));
  REQUIRE(!refused.has_value());
  CHECK(refused.error().reason == "sync_list_too_large");
  CHECK(drafts.stored() == before);
}

TEST_CASE("eight devices that push at once lose nothing of each other") {
  constexpr int kDevices = 8;
  Drafts drafts;
  testing::together(kDevices, [&](int i) {
    Device one = drafts.device("device-" + std::to_string(i));
    one.set("d" + std::to_string(i), "amount", std::to_string(10 + i));
    one.sync();
  });
  Device last = drafts.device("last");
  last.sync();
  CHECK(last.list.items.size() == kDevices);
}

TEST_CASE("a list nobody touched for half a year is forgotten, a younger one stays") {
  Drafts drafts;
  Device phone = drafts.device("phone");
  phone.set("d1", "amount", "10");
  phone.sync();
  drafts.shop.clock.advance(kSyncListKeptMs);
  CHECK(drafts.service.sweep() == 0);
  drafts.shop.clock.advance(1);
  CHECK(drafts.service.sweep() == 1);
  CHECK(drafts.rows() == 0);
}

}  // namespace
}  // namespace topup::orders
