// What people type, and what pages and the shop hand each other.
#include <array>

#include "shared/amount_input.h"
#include "shared/border.h"
#include "shared/border_state.h"
#include "shared/money.h"
#include "shared/phone.h"
#include "shared/price_book.h"
#include "shared/sync_json.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/random_prices.h"

namespace topup::fuzz {
namespace {

void run_phone(std::string_view input) {
  const std::string_view country = input.substr(0, std::min<std::size_t>(2, input.size()));
  const std::string_view typed = input.substr(country.size());
  for (const std::string_view where : {country, std::string_view("CN"), std::string_view()}) {
    const PhoneCheck said = check_phone(typed, where);
    holds(said.national.size() <= 15, "at most 15 digits are kept");
    holds((said.bad_at >= 0) == (said.verdict == PhoneVerdict::impossible) || said.bad_at == -1,
          "only an impossible number has a bad place");
    const bool is_read = typed.size() <= kMaxPhoneInput;
    holds(!is_read || said.bad_at <= static_cast<int>(said.national.size()),
          "a bad place is inside");
    if (where.empty()) continue;
    const auto number = normalise_phone(typed, where);
    if (!number) continue;
    const auto again = normalise_phone(*number, where);
    holds(again && *again == *number, "a canonical number is its own canonical form");
    holds(mask_phone(*number).find("****") != std::string::npos, "a mask hides something");
  }
}

void run_money(std::string_view input) {
  for (const Currency currency : {Currency::cny, Currency::jpy, Currency::usd}) {
    if (const auto money = parse_decimal(input, currency)) {
      const auto again = parse_decimal(decimal_text(*money), currency);
      holds(again && *again == *money, "an amount's text reads as the amount");
    }
    const auto rounded = parse_decimal_rounded(input, currency, Round::half_up);
    if (rounded) holds(rounded->minor <= kMaxMinor && rounded->minor >= -kMaxMinor, "a bound");
    const AmountCheck typed = check_amount(input, {100, currency}, {1'000'000, currency});
    if (typed.verdict == FieldVerdict::valid)
      holds(typed.amount.minor >= 100 && typed.amount.minor <= 1'000'000, "a valid amount fits");
  }
  if (const auto rate = parse_rate(input, Currency::usd, Currency::cny)) {
    const auto again = parse_rate(rate_text(*rate), Currency::usd, Currency::cny);
    holds(again && rate_text(*again) == rate_text(*rate), "a rate's text reads as the rate");
  }
}

void run_price_book(std::string_view input) {
  const auto book = decode(input);
  if (!book) return;
  const std::string bytes = encode(*book);
  const auto again = decode(bytes);
  holds(again && encode(*again) == bytes, "what was decoded is encoded for good");
}

std::vector<std::string> price_books() {
  std::vector<std::string> books;
  testing::Dice dice(7);
  for (const int products : {2, 6, 20})
    books.push_back(
        encode(testing::random_book(dice, {products, products / 3, products / 4, true})));
  return books;
}

// Both sides of the merge, with what the wire says instead of what it should say.
void run_drafts(std::string_view input) {
  const auto document = JsonDocument::parse(input);
  if (!document) return;
  BorderFields in(document->root());
  const Push push = read_push(in, document->root());
  if (in.ok()) {
    std::vector<ServerItem> list;
    std::int64_t revision = 0;
    (void)apply_push(list, revision, push);
    JsonText first;
    put_answer(first, apply_push(list, revision, push));
    const std::int64_t before = revision;
    JsonText second;
    put_answer(second, apply_push(list, revision, push));
    holds(revision == before, "the same push again changes nothing");
    holds(first.str() == second.str(), "and is answered alike");
    holds(list.size() <= 2 * kMaxSyncItems, "a list has a bound");
    holds(JsonDocument::parse(second.str()).has_value(), "the answer is JSON");
  }
  BorderFields device(document->root());
  DeviceList kept = read_device_list(device, document->root());
  if (!device.ok()) return;
  JsonText text;
  put_device_list(text, kept);
  const auto read = JsonDocument::parse(text.str());
  holds(read.has_value(), "what a device keeps is JSON");
  BorderFields back(read->root());
  JsonText twice;
  put_device_list(twice, read_device_list(back, read->root()));
  holds(back.ok() && twice.str() == text.str(), "what a device keeps reads as it was");
}

// "name\n{…}": a call of the page, whatever its text.
void run_border(std::string_view input) {
  static Border border;
  const std::size_t end = std::min(input.find('\n'), input.size());
  const std::string_view json = end < input.size() ? input.substr(end + 1) : std::string_view();
  const std::string answer = border_call(border, input.substr(0, end), json);
  holds(answer.starts_with("{\"ok\":"), "any text has an answer");
}

std::vector<std::string> border_calls() {
  std::vector<std::string> all;
  for (const BorderTable table : {account_calls(), draft_calls(), intent_calls(), order_calls(),
                                  policy_calls(), pricing_calls(), station_calls()}) {
    for (std::size_t i = 0; i < table.size; ++i) {
      all.push_back(std::string(table.calls[i].name) +
                    "\n{\"typed\":\"13800138000\",\"text\":\"100\",\"country\":\"CN\",\"number\":"
                    "\"13800138000\",\"minor\":100,\"currency\":\"CNY\",\"state\":\"paid\"}");
    }
  }
  return all;
}

}  // namespace

std::span<const Target> core_targets() {
  static const std::array kAll = {
      Target{
          "phone",
          110,
          run_phone,
          nullptr,
          {"+86", "0086", "(", ")", "-", " ", "CN", "TH", "AR", "US", "\xEF\xBC\x91", "138", "00"}},
      Target{"money",
             110,
             run_money,
             nullptr,
             {".", ",", "-", "+", "\xC2\xA5", "CNY", "0.00", "1e9", " ", "\xEF\xBC\x91"}},
      Target{"price_book", 60, run_price_book, price_books, {}},
      Target{"drafts",
             80,
             run_drafts,
             nullptr,
             {"{\"id\":\"a\"}", "\"deleted\":\"1\"", "\"mine\":", "[\"a\",\"b\"]", "null", "{}",
              "[]"}},
      Target{"border",
             80,
             run_border,
             border_calls,
             {"{\"minor\":1,\"currency\":\"CNY\"}", "null", "[]", "{}", "true", "\"CN\"", "\n"}},
  };
  return kAll;
}

}  // namespace topup::fuzz
