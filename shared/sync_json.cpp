#include "shared/sync_json.h"

namespace topup {
namespace {

// An absent list is empty, and so is everything behind an error.
JsonValue list_in(BorderFields& in, JsonValue object, const char* key, std::size_t most) {
  in.enter(object);
  const JsonValue list = in.list_or_none(key, most);
  return in.ok() ? list : JsonValue();
}

std::string_view id_in(BorderFields& in, JsonValue object, const char* key) {
  in.enter(object);
  return in.text(key, kMaxItemId);
}

std::int64_t number_in(BorderFields& in, JsonValue object, const char* key) {
  in.enter(object);
  return in.integer_or(key, 0, kMaxMinor, 0);
}

JsonText& put_head(JsonText& out, std::string_view id, std::int64_t client_revision) {
  return out.begin_object().key("id").text(id).key("client_revision").integer(client_revision);
}

}  // namespace

Fields read_fields(BorderFields& in, JsonValue object, const char* key) {
  const JsonValue members = object[key];
  Fields fields;
  bool is_right = !members.exists() || members.kind() == JsonKind::object;
  for (std::size_t i = 0; i < members.size() && is_right; ++i) {
    const JsonValue value = members.at(i);
    const bool is_list = value.kind() == JsonKind::array && value.size() > 0;
    for (std::size_t j = 0; j < (is_list ? value.size() : 1) && is_right; ++j) {
      const auto text = (is_list ? value.at(j) : value).text();
      is_right = text.has_value();
      if (!text) continue;
      // One more than may be held is enough to be refused.
      if (fields.size() > kMaxHeldFields) break;
      fields.push_back({std::string(members.key_at(i)), std::string(*text)});
    }
  }
  if (!is_right) in.refuse("field_type", key);
  tidy_fields(fields);
  if (!are_valid_fields(fields, kMaxHeldFields)) in.refuse("sync_item_invalid", key);
  return fields;
}

void put_fields(JsonText& out, const Fields& fields) {
  out.begin_object();
  for (std::size_t i = 0; i < fields.size();) {
    const std::size_t first = i;
    while (i < fields.size() && fields[i].name == fields[first].name) ++i;
    out.key(fields[first].name);
    if (i - first > 1) out.begin_array();
    for (std::size_t at = first; at < i; ++at) out.text(fields[at].value);
    if (i - first > 1) out.end_array();
  }
  out.end_object();
}

DeviceList read_device_list(BorderFields& in, JsonValue object) {
  DeviceList list;
  list.device = id_in(in, object, "device");
  list.client_revision = number_in(in, object, "client_revision");
  list.revision = number_in(in, object, "revision");
  const JsonValue items = list_in(in, object, "items", 2 * kMaxSyncItems);
  list.items.resize(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    const JsonValue value = items.at(i);
    DeviceItem& item = list.items[i];
    item.id = id_in(in, value, "id");
    item.revision = number_in(in, value, "revision");
    item.client_revision = number_in(in, value, "client_revision");
    item.mine = read_fields(in, value, "mine");
    item.base = read_fields(in, value, value["base"].exists() ? "base" : "mine");
    item.is_pending = value["pending"].exists();
    item.pending = read_fields(in, value, "pending");
  }
  return list;
}

void put_device_list(JsonText& out, const DeviceList& list) {
  out.begin_object().key("device").text(list.device);
  out.key("client_revision").integer(list.client_revision);
  out.key("revision").integer(list.revision).key("items").begin_array();
  for (const DeviceItem& item : list.items) {
    put_head(out, item.id, item.client_revision).key("revision").integer(item.revision);
    put_fields(out.key("mine"), item.mine);
    if (!(item.base == item.mine)) put_fields(out.key("base"), item.base);
    if (item.is_pending) put_fields(out.key("pending"), item.pending);
    out.end_object();
  }
  out.end_array().end_object();
}

void put_push(JsonText& out, const DeviceList& list) {
  out.begin_object().key("device").text(list.device).key("since").integer(list.revision);
  out.key("items").begin_array();
  for (const DeviceItem& item : list.items) {
    if (!item.is_pending) continue;
    put_fields(put_head(out, item.id, item.client_revision).key("base"), item.base);
    put_fields(out.key("mine"), item.pending);
    out.end_object();
  }
  out.end_array().end_object();
}

std::vector<Conflict> take_answer(BorderFields& in, DeviceList& list, JsonValue answer) {
  std::vector<Conflict> found;
  in.enter(answer);
  const std::int64_t revision = in.integer("revision", 0, kMaxMinor);
  if (revision < list.revision) return found;  // late: what is pending is answered again
  const JsonValue refusals = list_in(in, answer, "refused", kMaxSyncItems);
  for (std::size_t i = 0; i < refusals.size(); ++i) {
    const JsonValue one = refusals.at(i);
    take_refusal(list, id_in(in, one, "id"), number_in(in, one, "client_revision"));
  }
  const JsonValue items = list_in(in, answer, "items", 2 * kMaxSyncItems);
  for (std::size_t i = 0; i < items.size(); ++i) {
    const JsonValue item = items.at(i);
    std::int64_t seen = 0;
    const JsonValue devices = list_in(in, item, "seen", kMaxSeenDevices);
    for (std::size_t j = 0; j < devices.size(); ++j) {
      const JsonValue one = devices.at(j);
      const std::int64_t client_revision = number_in(in, one, "client_revision");
      if (id_in(in, one, "device") == list.device) seen = client_revision;
    }
    take_item(list, id_in(in, item, "id"), number_in(in, item, "revision"), seen,
              read_fields(in, item, "fields"), found);
  }
  end_answer(list, revision);
  return found;
}

Push read_push(BorderFields& in, JsonValue object) {
  Push push;
  push.device = id_in(in, object, "device");
  push.since = number_in(in, object, "since");
  const JsonValue items = list_in(in, object, "items", kMaxSyncItems);
  for (std::size_t i = 0; i < items.size(); ++i) {
    const JsonValue item = items.at(i);
    push.items.push_back({std::string(id_in(in, item, "id")),
                          number_in(in, item, "client_revision"), read_fields(in, item, "base"),
                          read_fields(in, item, "mine")});
  }
  return push;
}

void put_answer(JsonText& out, const Answer& answer) {
  out.begin_object().key("revision").integer(answer.revision).key("items").begin_array();
  for (const ServerItem& item : answer.items) {
    out.begin_object().key("id").text(item.id).key("revision").integer(item.revision);
    out.key("seen").begin_array();
    for (const SeenRevision& seen : item.seen) {
      out.begin_object().key("device").text(seen.device);
      out.key("client_revision").integer(seen.client_revision).end_object();
    }
    put_fields(out.end_array().key("fields"), item.fields);
    out.end_object();
  }
  out.end_array().key("refused").begin_array();
  for (const RefusedItem& one : answer.refused) {
    put_head(out, one.id, one.client_revision).key("reason").text(one.reason).end_object();
  }
  out.end_array().end_object();
}

}  // namespace topup
