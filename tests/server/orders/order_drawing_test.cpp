#include "server/orders/order_drawing.h"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "shared/order_state.h"
#include "tests/support/source_dir.h"

namespace topup::orders {
namespace {

TEST_CASE("drawing: the page beside the code is the one the tables give") {
  const std::string path = testing::source_dir() + "/shared/order_state.md";
  std::ifstream in(path);
  REQUIRE_MESSAGE(in.good(), path);
  std::ostringstream kept;
  kept << in.rdbuf();
  CHECK_MESSAGE(kept.str() == order_page(),
                "the table has changed: topup states > shared/order_state.md renews the page");
}

TEST_CASE("drawing: every way between two states is drawn once, with all its events") {
  const std::string drawing = order_drawing();
  for (const Step& step : kSteps) {
    const std::string start =
        "  " + std::string(to_word(step.from)) + " --> " + std::string(to_word(step.to)) + " : ";
    const std::size_t at = drawing.find(start);
    CAPTURE(start);
    if (step.from == step.to) {
      CHECK(at == std::string::npos);
      continue;
    }
    REQUIRE(at != std::string::npos);
    CHECK(drawing.find(start, at + 1) == std::string::npos);
    const std::string line = drawing.substr(at, drawing.find('\n', at) - at) + ",";
    CHECK(line.find(" " + std::string(to_word(step.on)) + ",") != std::string::npos);
  }
}

}  // namespace
}  // namespace topup::orders
