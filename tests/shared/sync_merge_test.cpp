#include "shared/sync_merge.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

using namespace topup;

namespace {

Push push_now(DeviceList& list) {
  start_push(list);
  return push_of(list);
}

// "a=1 b=2 b=3": b is in conflict.
Fields fields_of(const std::string& text) {
  Fields fields;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::size_t equals = text.find('=', at);
    fields.push_back({text.substr(at, equals - at), text.substr(equals + 1, end - equals - 1)});
    at = end + 1;
  }
  tidy_fields(fields);
  return fields;
}

std::string text_of(const Fields& fields) {
  std::string text;
  for (const ItemField& field : fields) {
    if (!text.empty()) text += ' ';
    text += field.name + "=" + field.value;
  }
  return text;
}

std::string text_of(const std::vector<Conflict>& conflicts) {
  std::string text;
  for (const Conflict& one : conflicts) {
    if (!text.empty()) text += ' ';
    text += one.name + ":" + one.mine + "/" + one.theirs;
  }
  return text;
}

rc::Gen<Fields> any_fields() {
  return rc::gen::map(rc::gen::arbitrary<std::uint64_t>(), [](std::uint64_t bits) {
    Fields fields;
    if (bits % 11 == 0) return fields_of("deleted=1");
    for (const char* name : {"a", "b", "c"}) {
      for (int i = 0; i < 2; ++i, bits /= 5) {
        if (bits % 5 < 3) fields.push_back({name, std::string(bits % 5, 'x')});
        if (bits % 3 != 0) break;
      }
    }
    if (bits % 7 == 0) fields.push_back({"deleted", ""}), fields.push_back({"deleted", "1"});
    tidy_fields(fields);
    return fields;
  });
}

}  // namespace

TEST_CASE("merge: field by field, and nothing typed is lost") {
  struct Row {
    const char* name;
    const char* base;
    const char* mine;
    const char* theirs;
    const char* merged;
    const char* conflicts;
  };
  const Row rows[] = {
      {"nobody changed", "a=1", "a=1", "a=1", "a=1", ""},
      {"I changed", "a=1", "a=2", "a=1", "a=2", ""},
      {"they changed", "a=1", "a=1", "a=3", "a=3", ""},
      {"both the same", "a=1", "a=2", "a=2", "a=2", ""},
      {"different fields", "a=1 b=1", "a=2 b=1", "a=1 b=2", "a=2 b=2", ""},
      {"both differently", "a=1", "a=2", "a=3", "a=2 a=3", "a:2/3"},
      {"both new", "", "a=2", "a=3", "a=2 a=3", "a:2/3"},
      {"both new, other fields", "", "a=2", "b=3", "a=2 b=3", ""},
      {"I emptied, they kept", "a=1 b=1", "b=1", "a=1 b=2", "b=2", ""},
      {"I emptied, they changed", "a=1", "", "a=3", "a= a=3", "a:/3"},
      {"I settled a conflict", "a=1 a=2", "a=1", "a=1 a=2", "a=1", ""},
      {"both settled it differently", "a=1 a=2", "a=1", "a=2", "a=1 a=2", "a:1/2"},
      {"I settled it, they typed another", "a=1 a=2", "a=1", "a=3", "a=1 a=3", "a:1/3"},
      {"a third value", "a=1", "a=2 a=3", "a=4", "a=2 a=3 a=4", "a:2/4"},
      {"I deleted", "a=1", "deleted=1", "a=1", "deleted=1", ""},
      {"both deleted", "a=1", "deleted=1", "deleted=1", "deleted=1", ""},
      {"I deleted what they changed", "a=1", "deleted=1", "a=3", "a=3 deleted= deleted=1",
       "deleted:1/"},
      {"they deleted what I changed", "a=1", "a=2", "deleted=1", "a=2 deleted= deleted=1",
       "deleted:/1"},
      {"I deleted what others only doubted", "a=1", "deleted=1", "a=1 deleted= deleted=1",
       "deleted=1", ""},
      {"I brought it back", "deleted=1", "a=2", "deleted=1", "a=2", ""},
      {"both brought it back", "deleted=1", "a=2", "a=3", "a=2 a=3", "a:2/3"},
      {"I kept it after all", "a=3 deleted= deleted=1", "a=3", "a=3 deleted= deleted=1", "a=3", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Merged got =
        merge_fields(fields_of(row.base), fields_of(row.mine), fields_of(row.theirs));
    CHECK(text_of(got.fields) == row.merged);
    CHECK(text_of(got.conflicts) == row.conflicts);
  }
}

TEST_CASE("merge: its laws") {
  CHECK(rc::check("who changes nothing gets the other side; sides are only words", [] {
    const Fields base = *any_fields();
    const Fields mine = *any_fields();
    const Fields theirs = *any_fields();
    RC_ASSERT(merge_fields(base, mine, mine).fields == mine);
    RC_ASSERT(merge_fields(base, base, theirs).fields == theirs);
    RC_ASSERT(merge_fields(base, mine, base).fields == mine);
    RC_ASSERT(merge_fields(base, mine, mine).conflicts.empty());
    const Merged here = merge_fields(base, mine, theirs);
    Merged there = merge_fields(base, theirs, mine);
    RC_ASSERT(here.fields == there.fields);
    for (Conflict& one : there.conflicts) std::swap(one.mine, one.theirs);
    RC_ASSERT(text_of(here.conflicts) == text_of(there.conflicts));
    RC_ASSERT(here.fields.empty() || is_valid_item("x", here.fields));
    // Merging again what was merged changes nothing.
    RC_ASSERT(merge_fields(theirs, here.fields, theirs).fields == here.fields);
    RC_ASSERT(merge_fields(here.fields, here.fields, here.fields).fields == here.fields);
  }));
  CHECK(rc::check("a value that only one side has is in the result or was overwritten", [] {
    const Fields base = *any_fields();
    const Fields mine = *any_fields();
    const Fields theirs = *any_fields();
    if (is_deleted(mine) || is_deleted(theirs)) return;
    const Merged got = merge_fields(base, mine, theirs);
    for (const ItemField& field : mine) {
      const bool is_new = std::find(base.begin(), base.end(), field) == base.end();
      RC_ASSERT(!is_new ||
                std::find(got.fields.begin(), got.fields.end(), field) != got.fields.end());
    }
  }));
}

TEST_CASE("fields: setting, settling, deleting, bringing back") {
  Fields fields = fields_of("b=2");
  set_field(fields, "a", "1");
  set_field(fields, "c", "3");
  CHECK(text_of(fields) == "a=1 b=2 c=3");
  set_field(fields, "b", "");
  set_field(fields, "nothing", "");
  CHECK(text_of(fields) == "a=1 c=3");
  fields = fields_of("a=1 a=2 b=1");
  CHECK(has_conflict(fields));
  CHECK(is_in_conflict(fields, "a"));
  CHECK_FALSE(is_in_conflict(fields, "b"));
  CHECK(value_of(fields, "a").empty());
  CHECK(value_of(fields, "b") == "1");
  set_field(fields, "a", "2");
  CHECK(text_of(fields) == "a=2 b=1");
  CHECK_FALSE(has_conflict(fields));
  set_field(fields, "deleted", "yes");
  CHECK(text_of(fields) == "deleted=1");
  CHECK(is_deleted(fields));
  set_field(fields, "a", "5");
  CHECK(text_of(fields) == "a=5");
}

TEST_CASE("items: what is valid") {
  CHECK(is_valid_item("d-1_X", fields_of("a=1 b=2 b=3")));
  CHECK(is_valid_item("d", {}));
  CHECK_FALSE(is_valid_item("", fields_of("a=1")));
  CHECK_FALSE(is_valid_item(std::string(65, 'a'), fields_of("a=1")));
  CHECK_FALSE(is_valid_item("a b", fields_of("a=1")));
  CHECK_FALSE(is_valid_item("x", {{"A", "1"}}));
  CHECK_FALSE(is_valid_item("x", {{"", "1"}}));
  CHECK_FALSE(is_valid_item("x", {{std::string(33, 'a'), "1"}}));
  CHECK_FALSE(is_valid_item("x", {{"a", std::string(1025, '1')}}));
  CHECK_FALSE(is_valid_item("x", {{"b", "1"}, {"a", "1"}}));
  CHECK_FALSE(is_valid_item("x", {{"a", "1"}, {"a", "1"}}));
  CHECK_FALSE(is_valid_item("x", {{"a", ""}}));
  CHECK_FALSE(is_valid_item("x", {{"a", "1"}, {"deleted", "1"}}));
  Fields many;
  for (int i = 0; i < 49; ++i) many.push_back({"f" + std::to_string(100 + i), "1"});
  CHECK_FALSE(is_valid_item("x", many));
  many.pop_back();
  CHECK(is_valid_item("x", many));
}

namespace {

struct Phone {
  DeviceList list;
  explicit Phone(const std::string& name) { list.device = name; }
  DeviceItem& item(const std::string& id) {
    for (DeviceItem& one : list.items) {
      if (one.id == id) return one;
    }
    list.items.push_back({id, 0, 0, false, {}, {}, {}});
    return list.items.back();
  }
  void edit(const std::string& id, std::string_view name, std::string_view value) {
    set_field(item(id).mine, name, value);
  }
  std::string shows(const std::string& id) { return text_of(item(id).mine); }
};

struct Server {
  std::vector<ServerItem> items;
  std::int64_t revision = 0;
  Answer answer(const Push& push) { return apply_push(items, revision, push); }
  void sync(Phone& phone) { take_answer(phone.list, answer(push_now(phone.list))); }
};

}  // namespace

TEST_CASE("two devices: an edit here, an edit there, and both end equal") {
  Server server;
  Phone a("phone-a");
  Phone b("phone-b");
  a.edit("d1", "amount", "100");
  a.edit("d1", "note", "mum");
  server.sync(a);
  server.sync(b);
  CHECK(b.shows("d1") == "amount=100 note=mum");
  a.edit("d1", "note", "mother");
  b.edit("d1", "amount", "50");
  server.sync(b);
  server.sync(a);
  server.sync(b);
  CHECK(a.shows("d1") == "amount=50 note=mother");
  CHECK(b.shows("d1") == "amount=50 note=mother");
  a.edit("d1", "amount", "30");
  b.edit("d1", "amount", "20");
  server.sync(a);
  server.sync(b);
  server.sync(a);
  CHECK(a.shows("d1") == "amount=20 amount=30 note=mother");
  CHECK(b.shows("d1") == "amount=20 amount=30 note=mother");
  b.edit("d1", "amount", "30");
  server.sync(b);
  server.sync(a);
  CHECK(a.shows("d1") == "amount=30 note=mother");
  a.edit("d1", "deleted", "1");
  server.sync(a);
  server.sync(b);
  CHECK(a.list.items.empty());
  CHECK(b.list.items.empty());
}

TEST_CASE("a push whose answer was lost is repeated as it was, and is no conflict with itself") {
  Server server;
  Phone a("phone-a");
  Phone b("phone-b");
  a.edit("d1", "amount", "100");
  server.answer(push_now(a.list));  // the answer is lost
  server.sync(b);
  b.edit("d1", "amount", "50");  // seeing 100
  server.sync(b);
  a.edit("d1", "note", "later");
  const Push again = push_now(a.list);
  REQUIRE(again.items.size() == 1);
  CHECK(again.items[0].client_revision == 1);
  CHECK(text_of(again.items[0].mine) == "amount=100");
  const std::int64_t before = server.revision;
  take_answer(a.list, server.answer(again));
  CHECK(server.revision == before);
  CHECK(a.shows("d1") == "amount=50 note=later");
  server.sync(a);
  server.sync(b);
  CHECK(b.shows("d1") == "amount=50 note=later");
  CHECK_FALSE(has_conflict(b.item("d1").mine));
}

TEST_CASE("an item that was deleted elsewhere while its page was open comes back as a question") {
  Server server;
  Phone a("phone-a");
  Phone b("phone-b");
  a.edit("d1", "amount", "100");
  server.sync(a);
  server.sync(b);
  b.edit("d1", "deleted", "1");
  server.sync(b);
  server.sync(a);
  CHECK(a.list.items.empty());
  a.edit("d1", "amount", "200");
  server.sync(a);
  CHECK(a.shows("d1") == "amount=200 deleted= deleted=1");
}

TEST_CASE("late and repeated answers change nothing, and bring nothing back") {
  Server server;
  Phone a("phone-a");
  a.edit("d1", "amount", "100");
  const Answer first = server.answer(push_now(a.list));
  take_answer(a.list, first);
  a.edit("d1", "amount", "200");
  server.sync(a);
  take_answer(a.list, first);
  CHECK(a.shows("d1") == "amount=200");
  a.edit("d1", "deleted", "1");
  server.sync(a);
  take_answer(a.list, first);
  CHECK(a.list.items.empty());
  CHECK(a.list.revision == server.revision);
}

TEST_CASE("the server's refusals: each reason once, and the item stays on the device") {
  Server server;
  Phone a("phone-a");
  const auto reason = [&](const std::string& id) -> std::string {
    const Answer answer = server.answer(push_now(a.list));
    take_answer(a.list, answer);
    for (const RefusedItem& one : answer.refused) {
      if (one.id == id) return one.reason;
    }
    return "";
  };
  a.edit("bad id", "amount", "1");
  CHECK(reason("bad id") == "sync_item_invalid");
  CHECK_FALSE(a.item("bad id").is_pending);
  CHECK(a.shows("bad id") == "amount=1");
  a.list.items.clear();
  for (std::size_t i = 0; i < kMaxSyncItems; ++i) a.edit("d" + std::to_string(i), "amount", "1");
  CHECK(reason("d0").empty());
  a.edit("one-more", "amount", "1");
  CHECK(reason("one-more") == "sync_list_full");
  a.edit("d7", "deleted", "1");
  CHECK(reason("one-more").empty());  // room was made in the same push: d7 stands before it
  Phone b("phone-b");
  server.sync(b);
  for (int i = 0; i < 30; ++i) {
    const std::string name = "f" + std::to_string(i);
    a.edit("d1", name, "a");
    b.edit("d1", name, "b");
  }
  server.sync(b);
  CHECK(reason("d1") == "sync_conflicts_open");
  CHECK(a.item("d1").mine.size() > kMaxItemFields);  // merged here, where the buyer can settle it
  Push hostile{"not a device", 0, {{"d1", 9, {}, fields_of("amount=9")}}};
  CHECK(server.answer(hostile).refused.size() == 1);
  hostile = {"x", 0, {{"d1", 0, {}, fields_of("amount=9")}}};
  CHECK(server.answer(hostile).refused.size() == 1);
}

TEST_CASE("deleted items are forgotten beyond their number, the oldest first") {
  Server server;
  Phone a("phone-a");
  for (std::size_t i = 0; i < 2 * kMaxSyncItems + 5; ++i) {
    a.edit("d" + std::to_string(i), "deleted", "1");
    server.sync(a);
  }
  CHECK(server.items.size() == kMaxSyncItems);
  CHECK(server.items.front().id == "d205");
}

TEST_CASE("a device beyond the sixteenth pushes the first one out, and neither loses anything") {
  Server server;
  Phone first("phone-0");
  first.edit("d", "f0", "0");
  server.sync(first);
  for (std::size_t i = 1; i <= kMaxSeenDevices; ++i) {
    Phone next("phone-" + std::to_string(i));
    server.sync(next);
    next.edit("d", "f" + std::to_string(i), "1");
    server.sync(next);
  }
  CHECK(server.items[0].seen.size() == kMaxSeenDevices);
  first.edit("d", "f0", "2");
  server.sync(first);
  CHECK(value_of(server.items[0].fields, "f0") == "2");
  CHECK(first.item("d").mine.size() == kMaxSeenDevices + 1);
}

namespace {

// Devices, one server and a network that loses, repeats and delays. `overwritten` holds what a
// buyer replaced while seeing it; everything else that was typed must be there in the end.
class World {
 public:
  explicit World(std::vector<std::uint8_t> dice) : dice_(std::move(dice)) {
    for (int i = 0; i < 3; ++i) phones_.emplace_back("phone-" + std::to_string(i));
  }

  void run() {
    while (at_ < dice_.size()) step();
    requests_.clear();
    answers_.clear();
    for (int round = 0; round < 4; ++round) {
      for (Phone& phone : phones_) server_.sync(phone);
    }
  }

  void check_all_equal() {
    for (Phone& phone : phones_) {
      RC_ASSERT(phone.list.revision == server_.revision);
      std::size_t live = 0;
      for (const ServerItem& item : server_.items) {
        if (is_deleted(item.fields)) continue;
        ++live;
        const DeviceItem& here = phone.item(item.id);
        RC_ASSERT(here.mine == item.fields);
        RC_ASSERT(here.base == item.fields);
        RC_ASSERT(!here.is_pending);
      }
      for (const DeviceItem& item : phone.list.items) {
        const bool was_never_filled = item.revision == 0 && item.mine.empty();
        if (!was_never_filled) --live;
      }
      RC_ASSERT(live == 0U);
    }
  }

  void check_nothing_lost() {
    std::set<std::string> there;
    for (const ServerItem& item : server_.items) {
      for (const ItemField& field : item.fields) {
        there.insert(item.id + field.name + field.value);
        // Keeping what another device deleted may bring back what was overwritten before.
        const bool is_plain = !is_in_conflict(item.fields, field.name) && !deleted_.count(item.id);
        RC_ASSERT(!is_plain || !overwritten_.count(item.id + field.name + field.value) ||
                  chosen_.count(item.id + field.name + field.value));
      }
    }
    for (const std::string& typed : typed_)
      RC_ASSERT(overwritten_.count(typed) || there.count(typed));
  }

 private:
  std::size_t roll(std::size_t sides) { return at_ < dice_.size() ? dice_[at_++] % sides : 0; }

  void overwrite(const DeviceItem& item, std::string_view name) {
    for (const ItemField& field : item.mine) {
      if (name.empty() || field.name == name)
        overwritten_.insert(item.id + field.name + field.value);
    }
  }

  void edit(Phone& phone) {
    const std::string id = "d" + std::to_string(roll(2));
    DeviceItem& item = phone.item(id);
    if (roll(8) == 0) {
      overwrite(item, "");
      deleted_.insert(id);
      set_field(item.mine, "deleted", "1");
      return;
    }
    const std::string name(1, static_cast<char>('a' + roll(3)));
    if (has_conflict(item.mine) && roll(2) == 0) {  // the buyer settles one conflict
      for (const ItemField& field : Fields(item.mine)) {
        if (!is_in_conflict(item.mine, field.name)) continue;
        for (const ItemField& other : item.mine) {
          if (other.name == field.name && other.value != field.value) {
            overwritten_.insert(id + other.name + other.value);
          }
        }
        chosen_.insert(id + field.name + field.value);
        if (field.name == "deleted" && field.value == "1") overwrite(item, "");
        set_field(item.mine, field.name, field.value);
        return;
      }
    }
    overwrite(item, name);
    const std::string value = roll(9) == 0 ? "" : "v" + std::to_string(++values_);
    set_field(item.mine, name, value);
    if (!value.empty()) typed_.insert(id + name + value);
  }

  void step() {
    const std::size_t who = roll(phones_.size());
    switch (roll(5)) {
      case 0:
      case 1:
        edit(phones_[who]);
        break;
      case 2:
        requests_.push_back({who, push_now(phones_[who].list)});
        break;
      case 3:
        if (!requests_.empty()) {
          const std::size_t which = roll(requests_.size());
          answers_.push_back({requests_[which].first, server_.answer(requests_[which].second)});
          if (roll(3) > 0) requests_.erase(requests_.begin() + static_cast<std::ptrdiff_t>(which));
        }
        break;
      default:
        if (!answers_.empty()) {
          const std::size_t which = roll(answers_.size());
          if (roll(4) > 0) take_answer(phones_[answers_[which].first].list, answers_[which].second);
          if (roll(3) > 0) answers_.erase(answers_.begin() + static_cast<std::ptrdiff_t>(which));
        }
    }
  }

  std::vector<std::uint8_t> dice_;
  std::size_t at_ = 0;
  int values_ = 0;
  Server server_;
  std::vector<Phone> phones_;
  std::vector<std::pair<std::size_t, Push>> requests_;
  std::vector<std::pair<std::size_t, Answer>> answers_;
  std::set<std::string> typed_;
  std::set<std::string> overwritten_;
  std::set<std::string> deleted_;
  std::set<std::string> chosen_;  // in place of others: it may have been overwritten elsewhere
};

}  // namespace

TEST_CASE("three devices over a network that loses, repeats and delays: equal, and nothing lost") {
  CHECK(rc::check("any run", [] {
    World world(*rc::gen::resize(600, rc::gen::arbitrary<std::vector<std::uint8_t>>()));
    world.run();
    world.check_all_equal();
    world.check_nothing_lost();
  }));
}
