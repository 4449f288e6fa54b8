// The core's native figures, and the bytes that the WebAssembly figures are measured with.
//   topup_bench --write-book scenario|large FILE
//   topup_bench --quotes    what the scenario's requests are answered: [quote_text(), …]
//   topup_bench --steps     the table of orders: [{"from","on","to","effects":[…]}]
//   topup_bench --measure   [{"id","unit","rounds":[…]}]
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/json_text.h"
#include "shared/order_state.h"
#include "shared/phone.h"
#include "shared/station.h"
#include "tests/bench/core_books.h"

namespace topup::bench {
namespace {

using Steady = std::chrono::steady_clock;

constexpr int kRounds = 7;
constexpr int kRepeats = 20;  // between two looks at the clock, which then cost nothing
constexpr auto kRound = std::chrono::milliseconds(150);
constexpr std::size_t kNearest = 20;
constexpr double kMicrosecondsPerSecond = 1e6;

volatile std::int64_t kept;  // what was worked out is looked at, so that it cannot be left out

struct Series {
  std::string id, unit;
  std::vector<double> rounds;
};

[[noreturn]] void fail(std::string_view what) {
  std::fprintf(stderr, "topup_bench: %.*s\n", static_cast<int>(what.size()), what.data());
  std::exit(EXIT_FAILURE);
}

// `turn` answers `answers` questions; what comes back is questions per second of each round. The
// first round only warms up.
template <typename Turn>
std::vector<double> per_second(std::size_t answers, const Turn& turn) {
  std::vector<double> rates;
  for (int round = 0; round <= kRounds; ++round) {
    const auto began = Steady::now();
    std::size_t made = 0;
    auto now = began;
    while (now - began < kRound) {
      for (int i = 0; i < kRepeats; ++i) turn();
      made += kRepeats * answers;
      now = Steady::now();
    }
    const double seconds = std::chrono::duration<double>(now - began).count();
    if (round > 0) rates.push_back(static_cast<double>(made) / seconds);
  }
  return rates;
}

Series quotes(std::string id, const PriceBook& book, const BuyerFacts& facts) {
  const Buyer buyer = prepare(book, facts);
  const std::vector<QuoteRequest> requests = scenario_requests();
  Quote out;
  return {std::move(id), "per s", per_second(requests.size(), [&] {
            for (const QuoteRequest& request : requests) {
              if (!quote_into(book, buyer, request, &out)) fail("a quote was refused");
              kept = out.payable.minor;
            }
          })};
}

// The same with the text that the server keeps with the order.
Series quote_texts() {
  const PriceBook book = scenario_book();
  const Buyer buyer = prepare(book, scenario_buyer());
  const std::vector<QuoteRequest> requests = scenario_requests();
  Quote out;
  return {"core.quote_text_native", "per s", per_second(requests.size(), [&] {
            for (const QuoteRequest& request : requests) {
              if (!quote_into(book, buyer, request, &out)) fail("a quote was refused");
              kept = static_cast<std::int64_t>(quote_text(book, buyer, out).size());
            }
          })};
}

Series verdicts() {
  static constexpr std::array<std::array<std::string_view, 2>, 6> kTyped = {{
      {"13800138000", "CN"},
      {"+66 81 234 5678", "TH"},
      {"2015550123", "US"},
      {"0812", "ID"},
      {"074001", "GB"},
      {"+91 81234 56789", "IN"},
  }};
  return {"core.phone_verdict_native", "per s", per_second(kTyped.size(), [] {
            for (const auto& [typed, country] : kTyped) {
              kept = static_cast<std::int64_t>(check_phone(typed, country).verdict);
            }
          })};
}

Series transitions() {
  return {"core.order_next_native", "per s", per_second(kSteps.size(), [] {
            for (const Step& step : kSteps) {
              kept = static_cast<std::int64_t>(find_step(step.from, step.on)->to);
            }
          })};
}

Series nearest() {
  const std::vector<LatLng> from = station_questions();
  const Result<StationIndex> index = decode_stations(station_bytes());
  if (!index) fail("the stations are refused");
  std::vector<double> rounds = per_second(from.size(), [&] {
    for (const LatLng place : from) {
      const std::vector<NearStation> found = index->nearest(place, kNearest);
      if (found.size() != kNearest) fail("stations are missing");
      kept = found.back().chord_squared;
    }
  });
  for (double& rate : rounds) rate = kMicrosecondsPerSecond / rate;
  return {"core.nearest_native", "µs", std::move(rounds)};
}

void print(const std::vector<Series>& all) {
  for (const Series& series : all) {
    std::printf("%s{\"id\":\"%s\",\"unit\":\"%s\",\"rounds\":", &series == &all[0] ? "[" : ",",
                series.id.c_str(), series.unit.c_str());
    for (const double& value : series.rounds) {
      std::printf("%s%.4f", &value == &series.rounds[0] ? "[" : ",", value);
    }
    std::printf("]}");
  }
  std::printf("]\n");
}

void measure() {
  const PriceBook scenario = scenario_book();
  print({quotes("core.quote_native", scenario, scenario_buyer()),
         quotes("core.quote_plain_native", plain_book(), {}), quote_texts(), verdicts(),
         transitions(), nearest()});
}

void print_quotes() {
  const PriceBook book = scenario_book();
  const Buyer buyer = prepare(book, scenario_buyer());
  JsonText out;
  out.begin_array();
  for (const QuoteRequest& request : scenario_requests()) {
    const Result<Quote> priced = quote(book, buyer, request);
    if (!priced) fail(priced.error().reason);
    out.raw(quote_text(book, buyer, *priced));
  }
  std::printf("%s\n", out.end_array().take().c_str());
}

void print_steps() {
  JsonText out;
  out.begin_array();
  for (const Step& step : kSteps) {
    out.begin_object().key("from").text(to_word(step.from)).key("on").text(to_word(step.on));
    out.key("to").text(to_word(step.to)).key("effects").begin_array();
    for (std::size_t i = 0; i < kEffectCount; ++i) {
      const auto one = static_cast<Effect>(1U << i);
      if (has(step.effects, one)) out.text(to_word(one));
    }
    out.end_array().end_object();
  }
  std::printf("%s\n", out.end_array().take().c_str());
}

void write_book(std::string_view name, const char* path) {
  const std::string bytes = encode(name == "large" ? large_book() : scenario_book());
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) fail("the book could not be written");
}

int run(const std::vector<std::string_view>& words) {
  if (words.size() == 3 && words[0] == "--write-book") {
    write_book(words[1], words[2].data());
  } else if (words.size() == 1 && words[0] == "--quotes") {
    print_quotes();
  } else if (words.size() == 1 && words[0] == "--steps") {
    print_steps();
  } else if (words.size() == 1 && words[0] == "--measure") {
    measure();
  } else {
    fail("--measure, --quotes, --steps, or --write-book scenario|large FILE");
  }
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace topup::bench

int main(int count, char** words) {
  return topup::bench::run(std::vector<std::string_view>(words + 1, words + count));
}
