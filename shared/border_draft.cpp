// The border calls about drafts and what devices share; see border.h. The JSON of fields, lists and
// answers is described in sync_json.h.
#include <iterator>

#include "shared/border_state.h"
#include "shared/draft.h"
#include "shared/sync_json.h"

namespace topup {
namespace {

constexpr std::size_t kMaxWord = 16;

// {"id","fields"} → the verdict of each field, what comes next, what may be done.
void draft_check(Border& border, BorderFields& in, JsonText& out) {
  const std::string_view id = in.text("id", kMaxItemId);
  const Fields fields = read_fields(in, in.value(), "fields");
  const DraftCheck check = check_draft(id, fields, border.book ? &*border.book : nullptr);
  out.begin_object().key("fields").begin_object();
  for (std::size_t i = 0; i < kDraftFields; ++i) {
    const DraftFieldCheck& field = check.fields[i];
    out.key(to_word(static_cast<DraftField>(i))).begin_object();
    out.key("verdict").text(to_word(field.verdict)).key("reason").text(field.reason);
    out.key("bad_at").integer(field.bad_at).end_object();
  }
  out.end_object().key("next").text(check.next ? to_word(*check.next) : std::string_view());
  out.key("may_save").boolean(check.may_save).key("may_order").boolean(check.may_order);
  out.key("account_number").text(check.account);
  if (check.amount) out.key("amount").money(*check.amount);
  out.end_object();
}

// {"state","event"} → the state after it, and which events there are then.
void write_next(BorderFields& in, JsonText& out) {
  const auto state = parse_draft_state(in.text("state", kMaxWord));
  const auto event = parse_draft_event(in.text("event", kMaxWord));
  if (!state) in.refuse("out_of_range", "state");
  if (!event) in.refuse("out_of_range", "event");
  if (!in.ok()) return;
  const auto to = next(*state, *event);
  if (!to) return in.refuse(Error{Code::conflict, "event_not_allowed", "event"});
  out.key("state").text(to_word(*to)).key("events").begin_array();
  for (const DraftStep& step : kDraftSteps) {
    if (step.from == *to) out.text(to_word(step.on));
  }
  out.end_array();
}

std::optional<Money> money_or_none(BorderFields& in, JsonValue object, const char* key) {
  if (!object[key].exists()) return std::nullopt;
  in.enter(object);
  return in.money(key);
}

// {"list","is_waiting","prices":{id:{"seen","priced"}}} → {"items":[{"id","state","moved"}]}: the
// honest state of each item of a device's list, and by how much its price moved.
void write_states(BorderFields& in, JsonText& out) {
  const JsonValue prices = in["prices"];
  const bool is_waiting = in.boolean_or("is_waiting", false);
  const DeviceList list = read_device_list(in, in["list"]);
  out.key("items").begin_array();
  for (const DeviceItem& item : list.items) {
    const JsonValue price = prices[item.id];
    const DraftFacts facts{is_waiting, money_or_none(in, price, "seen"),
                           money_or_none(in, price, "priced")};
    out.begin_object().key("id").text(item.id);
    out.key("state").text(to_word(state_of(item, facts)));
    if (facts.seen && facts.priced && facts.seen->currency == facts.priced->currency) {
      out.key("moved").integer(facts.priced->minor - facts.seen->minor);
    }
    out.end_object();
  }
  out.end_array();
}

void put_conflicts(JsonText& out, const std::vector<Conflict>& conflicts) {
  out.key("conflicts").begin_array();
  for (const Conflict& conflict : conflicts) {
    out.begin_object().key("id").text(conflict.id).key("field").text(conflict.name);
    out.key("mine").text(conflict.mine).key("theirs").text(conflict.theirs).end_object();
  }
  out.end_array();
}

// {"base","mine","theirs"} → {"fields","conflicts":[{"id":"","field","mine","theirs"}]}
void write_merge(BorderFields& in, JsonText& out) {
  const JsonValue input = in.value();
  const Fields base = read_fields(in, input, "base");
  const Fields mine = read_fields(in, input, "mine");
  const Merged merged = merge_fields(base, mine, read_fields(in, input, "theirs"));
  put_fields(out.key("fields"), merged.fields);
  put_conflicts(out, merged.conflicts);
}

// {"list","id","field","value"} → {"list"}: one field of one item set; a new id is a new item.
void write_edit(BorderFields& in, JsonText& out) {
  const std::string_view id = in.text("id", kMaxItemId);
  const std::string_view field = in.text("field", kMaxFieldName);
  const std::string_view value = in.text("value", kMaxFieldValue);
  DeviceList list = read_device_list(in, in["list"]);
  std::size_t at = 0;
  while (at < list.items.size() && list.items[at].id != id) ++at;
  if (at == list.items.size()) {
    if (at >= kMaxSyncItems) in.refuse(Error{Code::rejected, "sync_list_full", "id"});
    list.items.emplace_back().id = id;
  }
  set_field(list.items[at].mine, field, value);
  // Settling a conflict must work also while there are more fields than may be pushed.
  if (!is_valid_item(id, {}) || !are_valid_fields(list.items[at].mine, kMaxHeldFields)) {
    in.refuse("sync_item_invalid", "field");
  }
  put_device_list(out.key("list"), list);
}

// {"list"} → {"list","push"}; store the list before the push is sent.
void write_push(BorderFields& in, JsonText& out) {
  DeviceList list = read_device_list(in, in["list"]);
  start_push(list);
  put_device_list(out.key("list"), list);
  put_push(out.key("push"), list);
}

// {"list","answer"} → {"list","conflicts":[{"id","field","mine","theirs"}]}
void write_answer(BorderFields& in, JsonText& out) {
  const JsonValue answer = in["answer"];
  DeviceList list = read_device_list(in, in["list"]);
  const std::vector<Conflict> found = take_answer(in, list, answer);
  put_device_list(out.key("list"), list);
  put_conflicts(out, found);
}

constexpr BorderCall kCalls[] = {{"draft_check", draft_check},
                                 {"draft_next", border_object<write_next>},
                                 {"draft_states", border_object<write_states>},
                                 {"merge_items", border_object<write_merge>},
                                 {"sync_edit", border_object<write_edit>},
                                 {"sync_push", border_object<write_push>},
                                 {"sync_answer", border_object<write_answer>}};

}  // namespace

BorderTable draft_calls() { return {kCalls, std::size(kCalls)}; }

}  // namespace topup
