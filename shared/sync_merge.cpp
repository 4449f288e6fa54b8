#include "shared/sync_merge.h"

#include <algorithm>
#include <utility>

namespace topup {
namespace {

// The fields of one name, as [first, last).
struct Group {
  std::size_t first = 0;
  std::size_t last = 0;
  std::size_t size() const { return last - first; }
};

Group group_of(const Fields& fields, std::string_view name) {
  Group group;
  while (group.first < fields.size() && fields[group.first].name < name) ++group.first;
  group.last = group.first;
  while (group.last < fields.size() && fields[group.last].name == name) ++group.last;
  return group;
}

bool holds(const Fields& fields, const Group& group, std::string_view value) {
  for (std::size_t i = group.first; i < group.last; ++i) {
    if (fields[i].value == value) return true;
  }
  return group.size() == 0 && value.empty();  // a name that does not stand there is empty
}

bool same_group(const Fields& a, const Group& in_a, const Fields& b, const Group& in_b) {
  if (in_a.size() != in_b.size()) return false;
  for (std::size_t i = 0; i < in_a.size(); ++i) {
    if (a[in_a.first + i].value != b[in_b.first + i].value) return false;
  }
  return true;
}

// The first value that the other side does not have, or just the first.
std::string own_value(const Fields& fields, const Group& group, const Fields& others,
                      const Group& of_others) {
  for (std::size_t i = group.first; i < group.last; ++i) {
    if (!holds(others, of_others, fields[i].value)) return fields[i].value;
  }
  return group.size() == 0 ? std::string() : fields[group.first].value;
}

void append_group(Fields& out, const Fields& fields, const Group& group, std::string_view name) {
  if (group.size() == 0) out.push_back({std::string(name), {}});
  for (std::size_t i = group.first; i < group.last; ++i) out.push_back(fields[i]);
}

void merge_name(Merged& out, std::string_view name, const Fields& base, const Fields& mine,
                const Fields& theirs) {
  const Group in_base = group_of(base, name);
  const Group in_mine = group_of(mine, name);
  const Group in_theirs = group_of(theirs, name);
  const bool i_changed = !same_group(mine, in_mine, base, in_base);
  const bool they_changed = !same_group(theirs, in_theirs, base, in_base);
  if (i_changed || !they_changed) append_group(out.fields, mine, in_mine, name);
  if (they_changed) append_group(out.fields, theirs, in_theirs, name);
  if (i_changed && they_changed && !same_group(mine, in_mine, theirs, in_theirs)) {
    out.conflicts.push_back({{},
                             std::string(name),
                             own_value(mine, in_mine, theirs, in_theirs),
                             own_value(theirs, in_theirs, mine, in_mine)});
  }
}

Fields without_deletion(const Fields& fields) {
  Fields rest = fields;
  set_field(rest, kDeletedField, {});
  return rest;
}

ServerItem* find_item(std::vector<ServerItem>& list, std::string_view id) {
  for (ServerItem& item : list) {
    if (item.id == id) return &item;
  }
  return nullptr;
}

std::int64_t seen_of(const ServerItem& item, std::string_view device) {
  for (const SeenRevision& seen : item.seen) {
    if (seen.device == device) return seen.client_revision;
  }
  return 0;
}

void remember_seen(ServerItem& item, const std::string& device, std::int64_t client_revision) {
  for (std::size_t i = 0; i < item.seen.size(); ++i) {
    if (item.seen[i].device != device) continue;
    item.seen.erase(item.seen.begin() + static_cast<std::ptrdiff_t>(i));
    break;
  }
  if (item.seen.size() == kMaxSeenDevices) item.seen.erase(item.seen.begin());
  item.seen.push_back({device, client_revision});
}

// Room for one more; false when the list is full of items that still live.
bool make_room(std::vector<ServerItem>& list) {
  std::size_t deleted = 0;
  std::size_t oldest = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!is_deleted(list[i].fields)) continue;
    if (deleted++ == 0 || list[i].revision < list[oldest].revision) oldest = i;
  }
  if (list.size() - deleted >= kMaxSyncItems) return false;
  if (deleted >= kMaxSyncItems) list.erase(list.begin() + static_cast<std::ptrdiff_t>(oldest));
  return true;
}

// The reason of a refusal, or "".
std::string_view apply_item(std::vector<ServerItem>& list, std::int64_t& revision,
                            const std::string& device, const PushedItem& pushed) {
  if (!is_valid_item(pushed.id, pushed.mine) || pushed.client_revision < 1) {
    return "sync_item_invalid";
  }
  ServerItem* stored = find_item(list, pushed.id);
  if (stored != nullptr && seen_of(*stored, device) >= pushed.client_revision) return {};
  Fields merged = pushed.mine;
  if (stored != nullptr) merged = merge_fields(pushed.base, pushed.mine, stored->fields).fields;
  if (merged.size() > kMaxItemFields) return "sync_conflicts_open";
  if (stored == nullptr) {
    if (!make_room(list)) return "sync_list_full";
    stored = &list.emplace_back();
    stored->id = pushed.id;
  }
  if (stored->revision == 0 || !(stored->fields == merged)) stored->revision = ++revision;
  stored->fields = std::move(merged);
  remember_seen(*stored, device, pushed.client_revision);
  return {};
}

bool is_word(std::string_view text, std::size_t most, bool is_id) {
  if (text.empty() || text.size() > most) return false;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    if (!is_plain && !(is_id && ((c >= 'A' && c <= 'Z') || c == '-'))) return false;
  }
  return true;
}

}  // namespace

bool is_deleted(const Fields& fields) {
  return fields.size() == 1 && fields[0].name == kDeletedField && fields[0].value == "1";
}

std::string_view value_of(const Fields& fields, std::string_view name) {
  const Group group = group_of(fields, name);
  return group.size() == 1 ? std::string_view(fields[group.first].value) : std::string_view();
}

bool is_in_conflict(const Fields& fields, std::string_view name) {
  return group_of(fields, name).size() > 1;
}

bool has_conflict(const Fields& fields) {
  for (std::size_t i = 1; i < fields.size(); ++i) {
    if (fields[i].name == fields[i - 1].name) return true;
  }
  return false;
}

void tidy_fields(Fields& fields) {
  for (std::size_t i = 1; i < fields.size(); ++i) {
    for (std::size_t at = i; at > 0 && fields[at] < fields[at - 1]; --at) {
      std::swap(fields[at], fields[at - 1]);
    }
  }
  Fields kept;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0 && fields[i] == fields[i - 1]) continue;
    std::size_t next = i + 1;
    while (next < fields.size() && fields[next] == fields[i]) ++next;
    const bool has_others = next < fields.size() && fields[next].name == fields[i].name;
    if (!fields[i].value.empty() || has_others) kept.push_back(fields[i]);
  }
  fields = std::move(kept);
}

void set_field(Fields& fields, std::string_view name, std::string_view value) {
  const bool deletes = name == kDeletedField && !value.empty();
  Fields kept;
  if (!deletes && !is_deleted(fields)) {
    for (const ItemField& field : fields) {
      if (field.name != name) kept.push_back(field);
    }
  }
  kept.push_back({std::string(name), deletes ? std::string("1") : std::string(value)});
  tidy_fields(kept);  // which drops an empty value
  fields = std::move(kept);
}

Merged merge_fields(const Fields& base, const Fields& mine, const Fields& theirs) {
  if (mine == base || mine == theirs) return {theirs, {}};
  if (theirs == base) return {mine, {}};
  Merged out;
  const bool i_deleted = is_deleted(mine);
  if (i_deleted || is_deleted(theirs)) {  // what the other side changed must not go unseen
    out.fields = i_deleted ? theirs : mine;
    if (without_deletion(out.fields) == without_deletion(base)) {  // it only doubted a deletion
      return {i_deleted ? mine : theirs, {}};
    }
    out.fields.push_back({std::string(kDeletedField), {}});
    out.fields.push_back({std::string(kDeletedField), "1"});
    out.conflicts.push_back(
        {{}, std::string(kDeletedField), i_deleted ? "1" : "", i_deleted ? "" : "1"});
    tidy_fields(out.fields);
    return out;
  }
  std::size_t in_mine = 0;
  std::size_t in_theirs = 0;
  std::string name;
  while (in_mine < mine.size() || in_theirs < theirs.size()) {
    const bool takes_mine = in_theirs == theirs.size() ||
                            (in_mine < mine.size() && mine[in_mine].name < theirs[in_theirs].name);
    name = takes_mine ? mine[in_mine].name : theirs[in_theirs].name;
    merge_name(out, name, base, mine, theirs);
    while (in_mine < mine.size() && mine[in_mine].name == name) ++in_mine;
    while (in_theirs < theirs.size() && theirs[in_theirs].name == name) ++in_theirs;
  }
  tidy_fields(out.fields);
  return out;
}

bool is_valid_item(std::string_view id, const Fields& fields) {
  return is_word(id, kMaxItemId, true) && are_valid_fields(fields, kMaxItemFields);
}

bool are_valid_fields(const Fields& fields, std::size_t most) {
  bool ok = fields.size() <= most;
  for (std::size_t i = 0; i < fields.size() && ok; ++i) {
    const bool opens_conflict = i + 1 < fields.size() && fields[i].name == fields[i + 1].name;
    const bool is_lone = !opens_conflict && (i == 0 || fields[i].name != fields[i - 1].name);
    ok = is_word(fields[i].name, kMaxFieldName, false) &&
         fields[i].value.size() <= kMaxFieldValue && (i == 0 || fields[i - 1] < fields[i]) &&
         !(is_lone && fields[i].value.empty()) &&
         !(is_lone && fields[i].name == kDeletedField && !is_deleted(fields));
  }
  return ok;
}

Answer apply_push(std::vector<ServerItem>& list, std::int64_t& revision, const Push& push) {
  Answer answer;
  if (push.items.size() > kMaxSyncItems || !is_word(push.device, kMaxItemId, true)) {
    for (const PushedItem& item : push.items) {
      answer.refused.push_back({item.id, item.client_revision, "sync_item_invalid"});
    }
  } else {
    for (const PushedItem& item : push.items) {
      const std::string_view reason = apply_item(list, revision, push.device, item);
      if (reason.empty()) continue;
      answer.refused.push_back({item.id, item.client_revision, std::string(reason)});
    }
  }
  answer.revision = revision;
  for (const ServerItem& item : list) {
    bool was_pushed = false;
    for (const PushedItem& pushed : push.items) was_pushed = was_pushed || pushed.id == item.id;
    if (was_pushed || item.revision > push.since) answer.items.push_back(item);
  }
  return answer;
}

void start_push(DeviceList& list) {
  for (DeviceItem& item : list.items) {
    if (item.is_pending || item.mine == item.base) continue;
    item.is_pending = true;
    item.pending = item.mine;
    item.client_revision = ++list.client_revision;
  }
}

Push push_of(const DeviceList& list) {
  Push push{list.device, list.revision, {}};
  for (const DeviceItem& item : list.items) {
    if (!item.is_pending) continue;
    push.items.push_back({item.id, item.client_revision, item.base, item.pending});
  }
  return push;
}

void take_refusal(DeviceList& list, std::string_view id, std::int64_t client_revision) {
  for (DeviceItem& item : list.items) {
    if (item.id == id && item.client_revision == client_revision) item.is_pending = false;
  }
}

void take_item(DeviceList& list, std::string_view id, std::int64_t revision, std::int64_t seen,
               const Fields& theirs, std::vector<Conflict>& found) {
  std::size_t at = 0;
  while (at < list.items.size() && list.items[at].id != id) ++at;
  if (at == list.items.size()) {
    DeviceItem& item = list.items.emplace_back();
    item.id = std::string(id);
    item.client_revision = seen;
  }
  DeviceItem& item = list.items[at];
  // Until the server has our push, only the answer to that push can be merged: what it met there is
  // not known here.
  if (item.is_pending && seen < item.client_revision) return;
  Merged merged = merge_fields(item.is_pending ? item.pending : item.base, item.mine, theirs);
  if (merged.fields.size() > kMaxHeldFields) return;  // the buyer settles some here first
  for (Conflict& conflict : merged.conflicts) {
    conflict.id = item.id;
    found.push_back(std::move(conflict));
  }
  item.mine = std::move(merged.fields);
  item.base = theirs;
  item.revision = revision;
  item.is_pending = false;
}

void end_answer(DeviceList& list, std::int64_t revision) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const DeviceItem& item = list.items[i];
    // Deleted on both sides: forgotten here.
    if (!item.is_pending && is_deleted(item.base) && is_deleted(item.mine)) continue;
    if (kept != i) std::swap(list.items[kept], list.items[i]);
    ++kept;
  }
  while (list.items.size() > kept) list.items.pop_back();
  list.revision = revision;
}

std::vector<Conflict> take_answer(DeviceList& list, const Answer& answer) {
  std::vector<Conflict> found;
  // A late answer says nothing new: what is pending goes out again and is answered again.
  if (answer.revision < list.revision) return found;
  for (const RefusedItem& refused : answer.refused) {
    take_refusal(list, refused.id, refused.client_revision);
  }
  for (const ServerItem& theirs : answer.items) {
    take_item(list, theirs.id, theirs.revision, seen_of(theirs, list.device), theirs.fields, found);
  }
  end_answer(list, answer.revision);
  return found;
}

}  // namespace topup
