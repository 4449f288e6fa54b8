// The native side of the comparison between both builds of the core. Draws requests from a seed,
// answers them through the border, and prints each as two lines: "call json" and the answer.
// tests/wasm/parity.test.mjs gives the same requests to the WebAssembly and compares every byte.
//   topup_parity SEED QUOTES ORDERS INPUTS
#include <cstdio>
#include <cstdlib>
#include <string>

#include "shared/border.h"
#include "shared/border_state.h"
#include "shared/json_text.h"
#include "shared/order_state.h"
#include "tests/support/random_prices.h"

using namespace topup;
using topup::testing::Dice;

namespace {

constexpr int kQuotesPerBook = 500;
constexpr int kQuotesPerBuyer = 20;
constexpr int kOneInBad = 40;  // requests with one byte changed
constexpr int kMaxEvents = 14;

class Session {
 public:
  explicit Session(std::uint64_t seed) : dice(seed) {}

  void ask(std::string_view call, const std::string& json) {
    const std::string answer = border_call(border_, call, json);
    std::fwrite(call.data(), 1, call.size(), stdout);
    std::fputc(' ', stdout);
    print_line(json);
    print_line(answer);
  }
  // A printable byte in the place of another: still one line, seldom still a good request.
  std::string spoil(std::string json) {
    if (!json.empty() && dice.one_in(kOneInBad)) {
      const std::int64_t at = dice.between(0, static_cast<std::int64_t>(json.size()) - 1);
      char& byte = json[static_cast<std::size_t>(at)];
      const bool is_ascii = static_cast<unsigned char>(byte) < 0x80;  // a page has no broken UTF-8
      if (is_ascii) byte = static_cast<char>(dice.between(' ', '~'));
    }
    return json;
  }

  Dice dice;

 private:
  static void print_line(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fputc('\n', stdout);
  }
  Border border_;
};

void ask_quotes(Session& session, int count) {
  PriceBook book;
  BuyerFacts facts;
  for (int i = 0; i < count; ++i) {
    if (i % kQuotesPerBook == 0) {
      book = testing::random_book(session.dice);
      session.ask("load_book_hex", R"({"hex":")" + testing::hex_of(encode(book)) + R"("})");
      session.ask("book_rows", "{}");
      session.ask("list_products", R"({"now_ms":1770000000000})");
      session.ask("list_operators", "{}");
      session.ask("list_countries", "{}");
    }
    if (i % kQuotesPerBuyer == 0) {
      facts =
          testing::random_buyer(session.dice, book, static_cast<int>(session.dice.between(0, 16)));
      session.ask("set_buyer", session.spoil(testing::buyer_json(facts)));
    }
    const QuoteRequest request = testing::random_request(session.dice, book, facts);
    session.ask("quote", session.spoil(testing::request_json(request)));
  }
}

State random_state(Dice& dice) {
  return static_cast<State>(dice.between(0, static_cast<std::int64_t>(kStateCount) - 1));
}
Event random_event(Dice& dice) {
  return static_cast<Event>(dice.between(0, static_cast<std::int64_t>(kEventCount) - 1));
}

// Half of the events are ones that the order may take, so that most sequences get somewhere.
Event likely_event(Dice& dice, State state) {
  Event event = random_event(dice);
  for (int tries = 0; tries < 20 && !next(state, event) && !dice.one_in(2); ++tries) {
    event = random_event(dice);
  }
  return event;
}

void ask_orders(Session& session, int count) {
  for (int i = 0; i < count; ++i) {
    State state = session.dice.one_in(4) ? random_state(session.dice) : State::awaiting_payment;
    JsonText run;
    run.begin_object().key("from").text(to_word(state)).key("events").begin_array();
    for (std::int64_t left = session.dice.between(1, kMaxEvents); left > 0; --left) {
      const Event event = likely_event(session.dice, state);
      run.text(to_word(event));
      state = next(state, event).value_or(state);
    }
    session.ask("order_run", session.spoil(run.end_array().end_object().take()));
    if (!session.dice.one_in(8)) continue;
    JsonText step;
    step.begin_object().key("state").text(to_word(random_state(session.dice)));
    step.key("event").text(to_word(random_event(session.dice)));
    session.ask("order_next", session.spoil(step.end_object().take()));
  }
}

// What a buyer might type: digits, letters, blanks and a few characters beyond ASCII.
std::string random_text(Dice& dice) {
  constexpr std::string_view kParts[] = {"138", "1",  "0",    "86",   "+",    " ",   "-",    "9",
                                         "１",  "京", "A",    "12",   "@",    ".",   "com",  "张",
                                         "100", "块", "4401", "1990", "0101", "622", "1000", "X"};
  std::string text;
  for (std::int64_t left = dice.between(0, 12); left > 0; --left) {
    text += kParts[dice.between(0, static_cast<std::int64_t>(std::size(kParts)) - 1)];
  }
  return text;
}

void ask_inputs(Session& session, int count) {
  constexpr std::string_view kCountries[] = {"CN", "TH", "US", "AR", "BR", "GB", "NG", "", "ZZ"};
  constexpr std::string_view kCalls[] = {"check_phone", "check_card",   "check_bank_card",
                                         "check_plate", "check_name",   "check_email",
                                         "check_id",    "check_amount", "read_intent"};
  for (int i = 0; i < count; ++i) {
    const std::string_view call = kCalls[static_cast<std::size_t>(i) % std::size(kCalls)];
    const std::string text = random_text(session.dice);
    JsonText out;
    out.begin_object().key("typed").text(text).key("text").text(text);
    out.key("country").text(kCountries[session.dice.between(0, std::size(kCountries) - 1)]);
    out.key("issuer").text(session.dice.one_in(2) ? "sinopec" : "petrochina");
    out.key("today").text("2026-11-22").key("currency").text("CNY");
    session.ask(call, session.spoil(out.end_object().take()));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fputs("usage: topup_parity SEED QUOTES ORDERS INPUTS\n", stderr);
    return 2;
  }
  Session session(std::strtoull(argv[1], nullptr, 10));
  ask_quotes(session, std::atoi(argv[2]));
  ask_orders(session, std::atoi(argv[3]));
  ask_inputs(session, std::atoi(argv[4]));
  return 0;
}
