#include "server/orders/order_drawing.h"

#include <string_view>
#include <vector>

#include "shared/order_actions.h"
#include "shared/order_state.h"
#include "shared/refund_flow.h"

namespace topup::orders {
namespace {

void join(std::string& list, std::string_view word) {
  if (!list.empty()) list += ", ";
  list += word;
}
std::string arrow(std::string_view from, std::string_view to, std::string_view label) {
  std::string line = "  " + std::string(from) + " --> " + std::string(to);
  if (!label.empty()) line += " : " + std::string(label);
  return line + "\n";
}
std::string row(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& cell : cells) line += " " + cell + " |";
  return line + "\n";
}
std::string head(const std::vector<std::string>& cells) {
  return row(cells) + row(std::vector<std::string>(cells.size(), "---"));
}

// One arrow for each pair of places, in the order in which the table first names it. Steps that
// lead back to their own state are listed as text: drawn, they would hide the way.
template <class Steps>
std::string arrows(const Steps& steps) {
  std::string out;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    std::string label;
    bool is_drawn = steps[i].from == steps[i].to;
    for (std::size_t k = 0; k < steps.size(); ++k) {
      if (steps[k].from != steps[i].from || steps[k].to != steps[i].to) continue;
      is_drawn = is_drawn || k < i;
      join(label, to_word(steps[k].on));
    }
    if (!is_drawn) out += arrow(to_word(steps[i].from), to_word(steps[i].to), label);
  }
  return out;
}

std::string effect_words(Effect effects) {
  std::string words;
  for (std::size_t i = 0; i < kEffectCount; ++i) {
    const Effect one = static_cast<Effect>(1U << i);
    if (has(effects, one)) join(words, to_word(one));
  }
  return words;
}

// "15 min", "6 h"
std::string duration(std::int64_t milliseconds) {
  const std::int64_t minutes = milliseconds / 60'000;
  return minutes % 60 == 0 ? std::to_string(minutes / 60) + " h" : std::to_string(minutes) + " min";
}

std::string states_table() {
  std::string out = head({"State", "The buyer sees", "When nothing happens", "End"});
  for (std::size_t i = 0; i < kStateCount; ++i) {
    const State state = static_cast<State>(i);
    const auto timeout = timeout_of(state);
    out += row({std::string(to_word(state)), std::string(to_word(buyer_word(state))),
                timeout
                    ? std::string(to_word(timeout->event)) + " after " + duration(timeout->after_ms)
                    : "",
                is_final(state) ? "yes" : ""});
  }
  return out;
}

std::string ways_table() {
  std::string out = head({"From", "Event", "To", "Committed with it"});
  for (const Step& step : kSteps) {
    if (step.from == step.to) continue;
    out += row({std::string(to_word(step.from)), std::string(to_word(step.on)),
                std::string(to_word(step.to)), effect_words(step.effects)});
  }
  return out;
}

// Events that leave the state as it is, by event and effects.
std::string beside_table() {
  std::string out = head({"Event", "In", "Committed with it"});
  for (std::size_t i = 0; i < kSteps.size(); ++i) {
    std::string states;
    bool is_listed = kSteps[i].from != kSteps[i].to;
    for (std::size_t k = 0; k < kSteps.size(); ++k) {
      const Step& other = kSteps[k];
      if (other.from != other.to || other.on != kSteps[i].on ||
          other.effects != kSteps[i].effects) {
        continue;
      }
      is_listed = is_listed || k < i;
      join(states, to_word(other.from));
    }
    if (!is_listed)
      out += row({std::string(to_word(kSteps[i].on)), states, effect_words(kSteps[i].effects)});
  }
  return out;
}

std::string guard_text(Guard guard) {
  switch (guard) {
    case Guard::none:
      return "";
    case Guard::reason:
      return "a reason";
    case Guard::reason_and_second_person:
      return "a reason and a second person";
  }
  return "";
}

std::string actions_table() {
  std::string out = head({"Action", "In", "By", "Needs", "Event"});
  for (const ActionRule& rule : action_table::kRules) {
    std::string states, actors;
    for (std::size_t i = 0; i < kStateCount; ++i) {
      if ((rule.states & action_table::in(static_cast<State>(i))) != 0)
        join(states, to_word(static_cast<State>(i)));
    }
    for (std::size_t i = 0; i < kActorCount; ++i) {
      if ((rule.actors & action_table::by(static_cast<Actor>(i))) != 0)
        join(actors, to_word(static_cast<Actor>(i)));
    }
    out += row({std::string(to_word(rule.action)),
                rule.states == action_table::kEveryState ? "every state" : states, actors,
                guard_text(rule.guard), rule.event ? std::string(to_word(*rule.event)) : ""});
  }
  return out;
}

}  // namespace

std::string order_drawing() {
  std::string out = "stateDiagram-v2\n" + arrow("[*]", to_word(State::awaiting_payment), "place");
  out += arrows(kSteps);
  for (std::size_t i = 0; i < kStateCount; ++i) {
    const State state = static_cast<State>(i);
    if (is_final(state)) out += arrow(to_word(state), "[*]", "");
  }
  return out;
}

std::string refund_drawing() {
  return "stateDiagram-v2\n" + arrow("[*]", to_word(RefundStage::requested), "") +
         arrows(kRefundSteps);
}

std::string order_page() {
  return "# The order\n\n"
         "Written by `topup states > shared/order_state.md` from the tables in `order_state.h`, "
         "`order_actions.h` and `refund_flow.h`.\n\n"
         "```mermaid\n" +
         order_drawing() + "```\n\n## States\n\n" + states_table() +
         "\n## Ways from one to another\n\n" + ways_table() +
         "\n## Heard without leaving the state\n\n" + beside_table() + "\n## Who may do what\n\n" +
         actions_table() + "\n## One refund\n\n```mermaid\n" + refund_drawing() + "```\n";
}

}  // namespace topup::orders
