#include <doctest/doctest.h>

#include <string>

#include "shared/border.h"
#include "shared/border_state.h"
#include "shared/order_actions.h"
#include "shared/order_state.h"

using namespace topup;

namespace {

std::string call(std::string_view name, const std::string& json) {
  Border border;
  return border_call(border, name, json);
}
std::string repeated(const std::string& element, std::size_t count) {
  std::string list;
  for (std::size_t i = 0; i < count; ++i) list += (i == 0 ? "" : ",") + element;
  return "[" + list + "]";
}

}  // namespace

TEST_CASE("border: order_next answers for every pair of state and event as the table does") {
  for (std::size_t s = 0; s < kStateCount; ++s) {
    for (std::size_t e = 0; e < kEventCount; ++e) {
      const State state = static_cast<State>(s);
      const Event event = static_cast<Event>(e);
      const std::string answer =
          call("order_next", R"({"state":")" + std::string(to_word(state)) + R"(","event":")" +
                                 std::string(to_word(event)) + R"("})");
      CAPTURE(answer);
      const auto to = next(state, event);
      const std::string start =
          to ? R"({"ok":true,"value":{"state":")" + std::string(to_word(*to)) + R"(",)"
             : R"({"ok":false,"error":{"code":"conflict",)"
               R"("reason":"event_not_allowed",)";
      CHECK(answer.compare(0, start.size(), start) == 0);
    }
  }
}

TEST_CASE("border: order_view offers exactly what each actor may do") {
  for (std::size_t s = 0; s < kStateCount; ++s) {
    for (std::size_t a = 0; a < kActorCount; ++a) {
      const State state = static_cast<State>(s);
      const Actor actor = static_cast<Actor>(a);
      const std::string answer =
          call("order_view", R"({"state":")" + std::string(to_word(state)) + R"(","actor":")" +
                                 std::string(to_word(actor)) + R"("})");
      for (std::size_t i = 0; i < kActionCount; ++i) {
        const Action action = static_cast<Action>(i);
        const std::string wanted = R"("action":")" + std::string(to_word(action)) + R"(")";
        CHECK((answer.find(wanted) != std::string::npos) == may(actor, state, action));
      }
    }
  }
}

TEST_CASE("border: lists beyond their bounds are refused, at their bounds they are answered") {
  const std::string run = R"({"from":"paying","events":)";
  CHECK(call("order_run", run + repeated(R"("expire")", 10'000) + "}") ==
        R"({"ok":true,"value":{"state":"closed","applied":1,"effects":{"release_holds":1}}})");
  CHECK(call("order_run", run + repeated(R"("expire")", 10'001) + "}") ==
        R"({"ok":false,"error":{"code":"invalid_argument","reason":"out_of_range",)"
        R"("field":"events","detail":""}})");
  const std::string yuan = R"({"minor":100,"currency":"CNY"})";
  const std::string check =
      R"({"state":"succeeded","paid":)" + yuan + R"(,"asked":)" + yuan + R"(,"refunds":)";
  const std::string refund = R"({"amount":)" + yuan + R"(,"stage":"refused"})";
  CHECK(call("refund_check", check + repeated(refund, 64) + "}") ==
        R"({"ok":true,"value":{"event":"refund_ordered","left":{"minor":0,"currency":"CNY"}}})");
  CHECK(call("refund_check", check + repeated(refund, 65) + "}") ==
        R"({"ok":false,"error":{"code":"invalid_argument","reason":"out_of_range",)"
        R"("field":"refunds","detail":""}})");
}
