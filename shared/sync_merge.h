// How drafts and saved recipients of one buyer stay equal on all devices. An item is an id and an
// ordered list of (name, value) texts. A name that stands there twice is an open conflict: both
// values are kept, travel to every device, and the buyer chooses. So nothing that was typed is lost
// without somebody having overwritten what they saw. Pure; thread-safe.
//
// A device keeps three copies of an item: `base` as the server last said it, `mine` as it is here,
// and `pending`, what was pushed and not answered. A push that was not answered is repeated as it
// was; the server knows a repeat by (device, client revision) and only answers it. Answers may be
// lost, come twice or late. Time plays no part in what wins.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shared/result.h"

namespace topup {

inline constexpr std::size_t kMaxSyncItems = 200;  // of one list of one buyer
inline constexpr std::size_t kMaxItemFields = 48;  // with the values of conflicts
// While conflicts are open a device may hold more than it may push.
inline constexpr std::size_t kMaxHeldFields = 2 * kMaxItemFields;
inline constexpr std::size_t kMaxFieldName = 32;     // bytes
inline constexpr std::size_t kMaxFieldValue = 1024;  // bytes
inline constexpr std::size_t kMaxItemId = 64;
inline constexpr std::size_t kMaxSeenDevices = 16;

struct ItemField {
  std::string name;
  std::string value;
  friend bool operator==(const ItemField& a, const ItemField& b) {
    return a.name == b.name && a.value == b.value;
  }
  friend bool operator<(const ItemField& a, const ItemField& b) {
    return a.name != b.name ? a.name < b.name : a.value < b.value;
  }
};

// Ascending, no pair twice; a name whose only value is "" does not stand there at all.
using Fields = std::vector<ItemField>;

// A deleted item has this one field, with value "1"; a deletion that met an edit is the edited
// fields and both "" and "1" of it: an open conflict like any other.
inline constexpr std::string_view kDeletedField = "deleted";
bool is_deleted(const Fields& fields);

std::string_view value_of(const Fields& fields, std::string_view name);  // "" too when in conflict
bool is_in_conflict(const Fields& fields, std::string_view name);
bool has_conflict(const Fields& fields);

// Puts one value in place of all there are, which settles a conflict; "" takes the name away.
// Deleting takes all else away; any other field of a deleted item brings it back.
void set_field(Fields& fields, std::string_view name, std::string_view value);
// Brings pairs in any order into the form above.
void tidy_fields(Fields& fields);

struct Conflict {
  std::string id;  // of the item; "" from merge_fields()
  std::string name;
  std::string mine;
  std::string theirs;
};
struct Merged {
  Fields fields;
  std::vector<Conflict> conflicts;  // that this merge found; those of `fields` may be more
};

// Field by field: the side that changed wins; both the same is no conflict; both differently keeps
// the values of both. Laws: merge(b, m, m) = m; merge(b, b, t) = t; merge(b, m, b) = m; exchanging
// mine and theirs exchanges these two words in the conflicts and nothing else.
Merged merge_fields(const Fields& base, const Fields& mine, const Fields& theirs);

// --- what travels ---

struct SeenRevision {
  std::string device;
  std::int64_t client_revision = 0;
};
struct ServerItem {
  std::string id;
  std::int64_t revision = 0;       // of the list, when this item last changed
  std::vector<SeenRevision> seen;  // the last push of each device that is in it, latest last
  Fields fields;
};
struct PushedItem {
  std::string id;
  std::int64_t client_revision = 0;  // of the device, from 1; each content has its own
  Fields base;
  Fields mine;
};
struct Push {
  std::string device;
  std::int64_t since = 0;         // the last revision of the list this device knows
  std::vector<PushedItem> items;  // none: only a pull
};
struct RefusedItem {
  std::string id;
  std::int64_t client_revision = 0;
  std::string reason;
};
struct Answer {
  std::int64_t revision = 0;
  std::vector<ServerItem> items;  // all that were pushed, and all that changed after `since`
  std::vector<RefusedItem> refused;
};

// The server's side. `list` and `revision` are the buyer's stored list; both change in place, to be
// stored in one transaction. The same push again changes nothing and gets the same items as they
// are now. Of deleted items the oldest are forgotten beyond kMaxSyncItems. Reasons of refused
// items: sync_item_invalid, sync_list_full, sync_conflicts_open (more values than an item holds).
Answer apply_push(std::vector<ServerItem>& list, std::int64_t& revision, const Push& push);

// --- the device's side ---

struct DeviceItem {
  std::string id;
  std::int64_t revision = 0;         // of the list, when the server last said `base`; 0: never
  std::int64_t client_revision = 0;  // of the last push of it
  bool is_pending = false;
  Fields base;
  Fields pending;
  Fields mine;
};
struct DeviceList {
  std::string device;  // made once, with the list; a list that was lost gets a new one
  std::int64_t client_revision = 0;  // counts what this device pushed, so that no two share one
  std::int64_t revision = 0;
  std::vector<DeviceItem> items;
};

// Decides what to send: all that is pending, as it was sent before, and what else changed here,
// which is pending from now on. push_of() is then the push; an unanswered one is repeated by
// calling both again.
void start_push(DeviceList& list);
Push push_of(const DeviceList& list);

// Takes an answer, also a late or repeated one. A refused item stays as it is here and goes out
// again with the next push. Returns the conflicts that were found here; those that the server found
// are in the items.
std::vector<Conflict> take_answer(DeviceList& list, const Answer& answer);

// The parts of take_answer(), for readers that hold no Answer: nothing at all of an answer whose
// revision is below the list's; else the refusals, then the items (`seen`: the client revision of
// this device that is in it, or 0), then the end.
void take_refusal(DeviceList& list, std::string_view id, std::int64_t client_revision);
void take_item(DeviceList& list, std::string_view id, std::int64_t revision, std::int64_t seen,
               const Fields& theirs, std::vector<Conflict>& found);
void end_answer(DeviceList& list, std::int64_t revision);

// The bounds above; ids of letters, digits, '-' and '_'; names of small letters, digits and '_'.
bool is_valid_item(std::string_view id, const Fields& fields);
bool are_valid_fields(const Fields& fields, std::size_t most);

}  // namespace topup
