#include "shared/draft.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

#include "shared/sync_json.h"

using namespace topup;

namespace {

Push push_now(DeviceList& list) {
  start_push(list);
  return push_of(list);
}

PriceBook a_book() {
  PriceBook book;
  book.version = 1;
  Operator mobile;
  mobile.id = "cn-mobile";
  mobile.country = "CN";
  Operator sinopec;
  sinopec.id = "cn-sinopec";
  sinopec.country = "CN";
  sinopec.issuer = CardIssuer::sinopec;
  Operator ais;
  ais.id = "th-ais";
  ais.country = "TH";
  book.operators = {mobile, sinopec, ais};
  const auto product = [&](const char* id, std::uint32_t op, ProductKind kind, Money face) {
    Product one;
    one.id = ProductId(id);
    one.operator_index = op;
    one.kind = kind;
    one.face = face;
    one.delivered = face;
    book.products.push_back(one);
  };
  product("cn-mobile-100", 0, ProductKind::airtime, fen(10'000));
  product("cn-mobile-pin", 0, ProductKind::pin, fen(5'000));
  product("cn-sinopec-any", 1, ProductKind::fuel_card, fen(10'000));
  book.products.back().most_minor = 100'000;
  book.products.back().step_minor = 5'000;
  product("th-ais-50", 2, ProductKind::airtime, {5'000, Currency::thb});
  book.blocked_accounts = {blocked_hash(0, "+8613800138001")};
  return canonical(book);
}

Fields fields_of(const std::vector<std::pair<const char*, const char*>>& pairs) {
  Fields fields;
  for (const auto& [name, value] : pairs) fields.push_back({name, value});
  tidy_fields(fields);
  return fields;
}

Fields airtime() {
  return fields_of({{"kind", "airtime"},
                    {"country", "CN"},
                    {"operator_id", "cn-mobile"},
                    {"account_number", "138 0013 8000"},
                    {"product_id", "cn-mobile-100"}});
}

Fields fuel_card() {
  return fields_of({{"kind", "fuel_card"},
                    {"operator_id", "cn-sinopec"},
                    {"account_number", "1000 1111 0000 0000 001"},
                    {"account_again", "1000111100000000001"},
                    {"product_id", "cn-sinopec-any"},
                    {"amount", "150"}});
}

}  // namespace

TEST_CASE("a whole draft may be ordered") {
  const PriceBook book = a_book();
  for (const Fields& fields : {airtime(), fuel_card()}) {
    const DraftCheck check = check_draft("d1", fields, &book);
    for (std::size_t i = 0; i < kDraftFields; ++i) {
      CAPTURE(to_word(static_cast<DraftField>(i)));
      CAPTURE(check.fields[i].reason);
      const DraftVerdict verdict = check.fields[i].verdict;
      CHECK((verdict == DraftVerdict::ok || verdict == DraftVerdict::not_needed));
    }
    CHECK(check.may_save);
    CHECK(check.may_order);
    CHECK_FALSE(check.next);
  }
  CHECK(check_draft("d1", airtime(), &book).account == "+8613800138000");
  CHECK(check_draft("d1", airtime(), &book).amount == fen(10'000));
  CHECK(check_draft("d1", fuel_card(), &book).account == "1000111100000000001");
  CHECK(check_draft("d1", fuel_card(), &book).amount == fen(15'000));
}

TEST_CASE("each field: its verdict and reason, in the order a buyer is led through them") {
  struct Row {
    const char* name;
    Fields from;
    const char* field;
    std::string value;
    const char* verdict;
    const char* reason;
  };
  const Row rows[] = {
      {"no kind", airtime(), "kind", "", "missing", ""},
      {"a kind nobody knows", airtime(), "kind", "gold", "wrong", "draft_kind_unknown"},
      {"no country", airtime(), "country", "", "missing", ""},
      {"a fuel card needs no country", fuel_card(), "country", "", "not_needed", ""},
      {"no country at all", airtime(), "country", "XX", "wrong", "country_not_served"},
      {"a country without operators", airtime(), "country", "FR", "wrong", "country_not_served"},
      {"the product says the operator", airtime(), "operator_id", "", "not_needed", ""},
      {"no such operator", airtime(), "operator_id", "x", "wrong", "operator_not_served"},
      {"an operator of another country", airtime(), "operator_id", "th-ais", "wrong",
       "operator_elsewhere"},
      {"no number", airtime(), "account_number", "", "missing", ""},
      {"half a number", airtime(), "account_number", "1380", "incomplete", ""},
      {"no number at all", airtime(), "account_number", "12", "wrong", "phone_not_mobile"},
      {"a number that is not served", airtime(), "account_number", "13800138001", "wrong",
       "account_blocked"},
      {"half a card", fuel_card(), "account_number", "100011", "incomplete", ""},
      {"another issuer's card", fuel_card(), "account_number", "9030110000000001", "wrong",
       "card_other_issuer"},
      {"a card of no province", fuel_card(), "account_number", "1000119900000000001", "doubtful",
       "card_province_doubtful"},
      {"typed once", fuel_card(), "account_again", "", "missing", ""},
      {"typed half again", fuel_card(), "account_again", "100011", "incomplete", ""},
      {"typed differently", fuel_card(), "account_again", "1000111100000000002", "wrong",
       "card_numbers_differ"},
      {"no product", airtime(), "product_id", "", "missing", ""},
      {"a product that is gone", airtime(), "product_id", "x", "wrong", "product_not_found"},
      {"a product of another kind", airtime(), "product_id", "cn-mobile-pin", "wrong",
       "product_kind_differs"},
      {"a product of another operator", airtime(), "product_id", "th-ais-50", "wrong",
       "product_elsewhere"},
      {"no amount", fuel_card(), "amount", "", "missing", ""},
      {"an amount of a fixed face", airtime(), "amount", "5", "not_needed", ""},
      {"no amount at all", fuel_card(), "amount", "1e3", "wrong", "amount_malformed"},
      {"too little", fuel_card(), "amount", "99.99", "wrong", "amount_out_of_range"},
      {"too much", fuel_card(), "amount", "1000.01", "wrong", "amount_out_of_range"},
      {"the most", fuel_card(), "amount", "1000", "ok", ""},
      {"between two steps", fuel_card(), "amount", "120", "wrong", "amount_off_step"},
      {"any coupon", airtime(), "coupon", "none", "ok", ""},
      {"a note", airtime(), "note", "给妈妈", "ok", ""},
      {"the longest note", airtime(), "note", std::string(200, 'x'), "ok", ""},
      {"a note too long", airtime(), "note", std::string(201, 'x'), "wrong", "note_too_long"},
  };
  const PriceBook book = a_book();
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Fields fields = row.from;
    set_field(fields, row.field, row.value);
    const DraftCheck check = check_draft("d1", fields, &book);
    std::size_t at = 0;
    while (to_word(static_cast<DraftField>(at)) != row.field) ++at;
    CHECK(to_word(check.fields[at].verdict) == row.verdict);
    CHECK(check.fields[at].reason == row.reason);
    CHECK(check.may_save);
    const std::string_view verdict = row.verdict;
    if (verdict == "missing" || verdict == "incomplete" || verdict == "wrong") {
      CHECK_FALSE(check.may_order);
      REQUIRE(check.next);
      CHECK(*check.next <= static_cast<DraftField>(at));
    }
  }
}

TEST_CASE("a PIN needs no number") {
  const PriceBook book = a_book();
  const DraftCheck check = check_draft(
      "d1", fields_of({{"kind", "pin"}, {"country", "CN"}, {"product_id", "cn-mobile-pin"}}),
      &book);
  CHECK(check.may_order);
  CHECK(check[DraftField::account_number].verdict == DraftVerdict::not_needed);
}

TEST_CASE("without a price book a draft is filled and saved, never ordered") {
  const DraftCheck check = check_draft("d1", airtime(), nullptr);
  CHECK(check.may_save);
  CHECK_FALSE(check.may_order);
  CHECK_FALSE(check.next);  // nothing the buyer could do better
  CHECK(check[DraftField::product_id].reason == "price_book_missing");
  CHECK(check[DraftField::account_number].verdict == DraftVerdict::ok);
}

TEST_CASE("an open conflict asks the buyer first") {
  const PriceBook book = a_book();
  Fields fields = airtime();
  fields.push_back({"account_number", "13900139000"});
  tidy_fields(fields);
  DraftCheck check = check_draft("d1", fields, &book);
  CHECK(check[DraftField::account_number].reason == "draft_conflict");
  CHECK(check.next == DraftField::account_number);
  CHECK_FALSE(check.may_order);
  CHECK(check.may_save);
  fields = airtime();
  fields.push_back({"deleted", ""});
  fields.push_back({"deleted", "1"});
  tidy_fields(fields);
  CHECK_FALSE(check_draft("d1", fields, &book).may_order);
  CHECK_FALSE(check_draft("bad id", airtime(), &book).may_save);
}

TEST_CASE("any fields give an answer, and what may be ordered is whole") {
  const PriceBook book = a_book();
  CHECK(rc::check("random texts", [&] {
    Fields fields = *rc::gen::arbitrary<bool>() ? airtime() : fuel_card();
    const auto changes = *rc::gen::inRange(0, 4);
    for (int i = 0; i < changes; ++i) {
      const auto field =
          static_cast<DraftField>(*rc::gen::inRange(0, static_cast<int>(kDraftFields)));
      set_field(fields, to_word(field), *rc::gen::arbitrary<std::string>());
    }
    const DraftCheck check = check_draft("d1", fields, &book);
    if (!check.may_order) return;
    RC_ASSERT(check.may_save);
    RC_ASSERT(check.amount);
    RC_ASSERT(!check.account.empty());
    RC_ASSERT(!check.next);
  }));
}

TEST_CASE("states: every step there is, and no other") {
  int steps = 0;
  for (int state = 0; state < 6; ++state) {
    for (int event = 0; event < 8; ++event) {
      if (next(static_cast<DraftState>(state), static_cast<DraftEvent>(event))) ++steps;
    }
  }
  CHECK(steps == static_cast<int>(kDraftSteps.size()));
  for (int state = 0; state < 6; ++state) {
    const auto one = static_cast<DraftState>(state);
    CHECK(parse_draft_state(to_word(one)) == one);
    CHECK(next(one, DraftEvent::clash) == DraftState::conflict);
    CHECK(next(one, DraftEvent::edit) == DraftState::only_here);
  }
  for (int event = 0; event < 8; ++event) {
    const auto one = static_cast<DraftEvent>(event);
    CHECK(parse_draft_event(to_word(one)) == one);
  }
}

TEST_CASE("the state as the facts say it, and as the table says it") {
  DeviceList list;
  list.device = "phone";
  list.items.emplace_back().id = "d1";
  DraftFacts facts;
  DraftState state = state_of(list.items[0], facts);
  CHECK(state == DraftState::only_here);
  const auto now = [&](DraftEvent event) {
    const DraftState before = state;
    state = state_of(list.items[0], facts);
    CAPTURE(to_word(before));
    CAPTURE(to_word(event));
    CHECK(next(before, event) == state);
    return state;
  };
  std::vector<ServerItem> stored;
  std::int64_t revision = 0;
  const auto send = [&] {
    facts.is_waiting = true;
    return push_now(list);
  };
  const auto answer = [&](const Push& push) {
    facts.is_waiting = false;
    take_answer(list, apply_push(stored, revision, push));
  };

  set_field(list.items[0].mine, "amount", "100");
  CHECK(now(DraftEvent::edit) == DraftState::only_here);
  Push push = send();
  CHECK(now(DraftEvent::push) == DraftState::sending);
  facts.is_waiting = false;
  CHECK(now(DraftEvent::lost) == DraftState::only_here);
  push = send();
  CHECK(now(DraftEvent::push) == DraftState::sending);
  answer(push);
  CHECK(now(DraftEvent::acknowledge) == DraftState::sent);
  facts.seen = fen(9'850);
  facts.priced = fen(9'850);
  CHECK(now(DraftEvent::price_same) == DraftState::confirmed);
  facts.priced = fen(9'900);
  CHECK(now(DraftEvent::price_moved) == DraftState::changed);
  facts.seen = fen(9'900);
  CHECK(now(DraftEvent::accept) == DraftState::confirmed);
  facts = {};
  set_field(list.items[0].mine, "amount", "200");
  CHECK(now(DraftEvent::edit) == DraftState::only_here);
  apply_push(
      stored, revision,
      {"other", 0, {{"d1", 1, fields_of({{"amount", "100"}}), fields_of({{"amount", "50"}})}}});
  push = send();
  CHECK(now(DraftEvent::push) == DraftState::sending);
  answer(push);
  CHECK(now(DraftEvent::clash) == DraftState::conflict);
  set_field(list.items[0].mine, "amount", "50");
  CHECK(now(DraftEvent::edit) == DraftState::only_here);
  push = send();
  CHECK(now(DraftEvent::push) == DraftState::sending);
  set_field(list.items[0].mine, "note", "x");
  CHECK(now(DraftEvent::edit) == DraftState::only_here);
  answer(push);  // of what was sent, not of what is here
  CHECK(state_of(list.items[0], facts) == DraftState::only_here);
}

TEST_CASE("lists, pushes and answers come through JSON as they were") {
  CHECK(rc::check("there and back", [] {
    const auto word = [] { return "x" + std::to_string(*rc::gen::inRange(0, 50)); };
    const auto fields = [&] {
      Fields some;
      const int size = *rc::gen::inRange(0, 6);
      for (int i = 0; i < size; ++i) {
        some.push_back({word(), *rc::gen::element<std::string>("", "1", "给妈妈", "\"\\\n")});
      }
      tidy_fields(some);
      return some;
    };
    DeviceList list{word(), 7, 9, {}};
    Answer answer{9, {}, {{word(), 3, "sync_list_full"}}};
    for (int i = 0; i < *rc::gen::inRange(0, 4); ++i) {
      DeviceItem item{
          "d" + std::to_string(i), 5, 6, *rc::gen::arbitrary<bool>(), fields(), {}, fields()};
      if (item.is_pending) item.pending = fields();
      list.items.push_back(item);
      answer.items.push_back({item.id, 8, {{word(), 2}}, fields()});
    }
    JsonText first;
    put_device_list(first, list);
    const auto document = JsonDocument::parse(first.str());
    RC_ASSERT(document);
    BorderFields in(document->root());
    DeviceList again = read_device_list(in, document->root());
    RC_ASSERT(in.ok());
    JsonText second;
    put_device_list(second, again);
    RC_ASSERT(first.str() == second.str());
    RC_ASSERT(again.items.size() == list.items.size());
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      RC_ASSERT(again.items[i].base == list.items[i].base);
      RC_ASSERT(again.items[i].is_pending == list.items[i].is_pending);
    }

    start_push(list);
    const Push push = push_of(list);
    JsonText push_text;
    put_push(push_text, list);
    const auto push_document = JsonDocument::parse(push_text.str());
    BorderFields push_in(push_document->root());
    const Push read = read_push(push_in, push_document->root());
    RC_ASSERT(push_in.ok());
    RC_ASSERT(read.device == push.device);
    RC_ASSERT(read.since == push.since);
    RC_ASSERT(read.items.size() == push.items.size());
    for (std::size_t i = 0; i < push.items.size(); ++i) {
      RC_ASSERT(read.items[i].id == push.items[i].id);
      RC_ASSERT(read.items[i].client_revision == push.items[i].client_revision);
      RC_ASSERT(read.items[i].base == push.items[i].base);
      RC_ASSERT(read.items[i].mine == push.items[i].mine);
    }

    JsonText answer_text;
    put_answer(answer_text, answer);
    const auto answer_document = JsonDocument::parse(answer_text.str());
    BorderFields answer_in(answer_document->root());
    DeviceList by_text = list;
    const auto found_in_text = take_answer(answer_in, by_text, answer_document->root());
    RC_ASSERT(answer_in.ok());
    DeviceList by_value = list;
    RC_ASSERT(take_answer(by_value, answer).size() == found_in_text.size());
    JsonText text_list;
    JsonText value_list;
    put_device_list(text_list, by_text);
    put_device_list(value_list, by_value);
    RC_ASSERT(text_list.str() == value_list.str());
  }));
}
