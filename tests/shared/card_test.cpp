#include "shared/card.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

using namespace topup;

TEST_CASE("fuel card: each verdict and reason, at the first place that is wrong") {
  struct Row {
    std::string_view name;
    std::string_view typed;
    CardIssuer issuer;
    std::string_view verdict;
    std::string_view digits;
    int bad_at;
    std::string_view reason;
  };
  constexpr auto kSinopec = CardIssuer::sinopec;
  constexpr auto kPetrochina = CardIssuer::petrochina;
  constexpr auto kGuess = CardIssuer::none;
  constexpr Row kRows[] = {
      {"nothing", "", kSinopec, "empty", "", -1, ""},
      {"only blanks", "  　", kSinopec, "empty", "", -1, ""},
      {"a beginning", "10001", kSinopec, "incomplete", "10001", -1, ""},
      {"whole", "1000113200001234567", kSinopec, "valid", "1000113200001234567", -1, ""},
      {"as printed", "100011 3200 0012-34567", kSinopec, "valid", "1000113200001234567", -1, ""},
      {"full-width", "１０００１１３２００００１２３４５６７", kSinopec, "valid",
       "1000113200001234567", -1, ""},
      {"last of the prefix wrong", "100012", kSinopec, "impossible", "100012", 5,
       "card_prefix_wrong"},
      {"prefix before a letter", "10002x", kSinopec, "impossible", "10002", 4, "card_prefix_wrong"},
      {"the other issuer's", "9", kSinopec, "impossible", "9", 0, "card_other_issuer"},
      {"one digit more", "10001132000012345678", kSinopec, "impossible", "1000113200001234567", 19,
       "card_too_long"},
      {"a letter", "100011O", kSinopec, "impossible", "100011", 6, "card_bad_character"},
      {"surplus before a letter", "10001132000012345678x", kSinopec, "impossible",
       "1000113200001234567", 19, "card_too_long"},
      {"not UTF-8", "10\xFF", kSinopec, "impossible", "10", 2, "card_bad_character"},
      {"whole", "9030120000123456", kPetrochina, "valid", "9030120000123456", -1, ""},
      {"a beginning", "9", kPetrochina, "incomplete", "9", -1, ""},
      {"the other issuer's", "100011", kPetrochina, "impossible", "100011", 0, "card_other_issuer"},
      {"nobody's", "6", kPetrochina, "impossible", "6", 0, "card_prefix_wrong"},
      {"one digit more", "90301200001234567", kPetrochina, "impossible", "9030120000123456", 16,
       "card_too_long"},
      {"guessed", "9030120000123456", kGuess, "valid", "9030120000123456", -1, ""},
      {"guessed", "1000113200001234567", kGuess, "valid", "1000113200001234567", -1, ""},
      {"nobody's", "622202", kGuess, "impossible", "622202", 0, "card_prefix_wrong"},
      {"nothing to guess from", "", kGuess, "empty", "", -1, ""},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.name);
    CAPTURE(row.typed);
    const CardCheck got = check_fuel_card(row.typed, row.issuer);
    CHECK(to_word(got.verdict) == row.verdict);
    CHECK(got.digits == row.digits);
    CHECK(got.bad_at == row.bad_at);
    CHECK(got.reason == row.reason);
    if (row.issuer != kGuess) CHECK(got.issuer == row.issuer);
  }
  CHECK(check_fuel_card("9", kGuess).issuer == kPetrochina);
  CHECK(check_fuel_card("1", kGuess).issuer == kSinopec);
  CHECK(check_fuel_card(std::string(kMaxTypedBytes + 1, ' '), kSinopec).reason == "card_too_long");
}

TEST_CASE("fuel card: doubts are told and never refuse") {
  const CardCheck odd = check_fuel_card("1000119900001234567", CardIssuer::sinopec);
  CHECK(odd.verdict == CardVerdict::valid);
  CHECK(odd.province_doubtful);
  CHECK_FALSE(check_fuel_card("1000114400001234567", CardIssuer::sinopec).province_doubtful);
  CHECK_FALSE(check_fuel_card("1000119", CardIssuer::sinopec).province_doubtful);
  CHECK(check_fuel_card("91", CardIssuer::petrochina).prefix_doubtful);
  CHECK_FALSE(check_fuel_card("90", CardIssuer::petrochina).prefix_doubtful);
}

TEST_CASE("fuel card: the canonical number, or why there is none") {
  CHECK(normalise_fuel_card("100011 3200001234567", CardIssuer::sinopec).value() ==
        "1000113200001234567");
  struct Row {
    std::string_view typed;
    CardIssuer issuer;
    std::string_view detail;
  };
  constexpr Row kRows[] = {
      {"1000113200001234567", CardIssuer::none, "card_issuer_missing"},
      {"", CardIssuer::sinopec, "card_incomplete"},
      {"100011320000123456", CardIssuer::sinopec, "card_incomplete"},
      {"9030120000123456", CardIssuer::sinopec, "card_other_issuer"},
  };
  for (const Row& row : kRows) {
    const auto got = normalise_fuel_card(row.typed, row.issuer);
    REQUIRE_FALSE(got);
    CHECK(got.error().reason == "account_number_invalid");
    CHECK(got.error().field == "account_number");
    CHECK(got.error().detail == row.detail);
  }
}

TEST_CASE("fuel card: the second typing is compared as it is typed") {
  struct Row {
    std::string_view first;
    std::string_view second;
    std::string_view verdict;
    int differs_at;
  };
  constexpr Row kRows[] = {
      {"9030120000123456", "", "incomplete", -1},
      {"9030120000123456", "9030", "incomplete", -1},
      {"9030120000123456", "9030 1200 0012 3456", "match", -1},
      {"9030 1200 0012 3456", "９０３０１２００００１２３４５６", "match", -1},
      {"9030120000123456", "9031", "differs", 3},
      {"9030120000123456", "90301200001234567", "differs", 16},
      {"9030120000123456", "90x", "differs", 2},
      {"90x", "90", "differs", 2},
      {"", "", "incomplete", -1},
      {"", "9", "differs", 0},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.second);
    const CardComparison got = same_card(row.first, row.second);
    CHECK(to_word(got.verdict) == row.verdict);
    CHECK(got.differs_at == row.differs_at);
  }
}

TEST_CASE("fuel card: a mask shows the ends only, and nothing of anything else") {
  CHECK(mask_card("1000113200001234567") == "1000****4567");
  CHECK(mask_card("9030120000123456") == "9030****3456");
  CHECK(mask_card("903012000012") == "****");
  CHECK(mask_card("90301200001234567890") == "****");
  CHECK(mask_card("9030 1200 0012 3456") == "****");
  CHECK(mask_card("") == "****");
}

TEST_CASE("fuel card: issuers are stored under their words") {
  CHECK(static_cast<int>(CardIssuer::none) == 0);
  CHECK(static_cast<int>(CardIssuer::sinopec) == 1);
  CHECK(static_cast<int>(CardIssuer::petrochina) == 2);
  CHECK(parse_card_issuer("petrochina") == CardIssuer::petrochina);
  CHECK_FALSE(parse_card_issuer("Sinopec"));
}

TEST_CASE("fuel card: what is impossible stays so, and the beginnings of a valid card never are") {
  const auto typed =
      rc::gen::container<std::string>(rc::gen::element('0', '1', '9', '3', '-', 'x'));
  CHECK(rc::check("more typing mends nothing", [&] {
    const std::string text = *typed;
    const CardIssuer issuer = *rc::gen::element(CardIssuer::sinopec, CardIssuer::petrochina);
    bool was_impossible = false;
    for (std::size_t size = 0; size <= text.size(); ++size) {
      const auto verdict = check_fuel_card(text.substr(0, size), issuer).verdict;
      if (was_impossible) RC_ASSERT(verdict == CardVerdict::impossible);
      was_impossible = verdict == CardVerdict::impossible;
    }
  }));
  CHECK(rc::check("a valid card is typed without a false alarm", [] {
    std::string card = *rc::gen::element<std::string>("100011", "9");
    const std::size_t size = card[0] == '9' ? 16 : 19;
    while (card.size() < size) card += *rc::gen::inRange('0', static_cast<char>('9' + 1));
    for (std::size_t typing = 1; typing < size; ++typing) {
      RC_ASSERT(check_fuel_card(card.substr(0, typing), CardIssuer::none).verdict ==
                CardVerdict::incomplete);
    }
    RC_ASSERT(check_fuel_card(card, CardIssuer::none).digits == card);
    RC_ASSERT(same_card(card, card).verdict == SameCard::match);
  }));
}
