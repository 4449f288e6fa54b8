#include "server/orders/draft_service.h"

#include <array>
#include <string>
#include <utility>

#include "server/orders/draft_store.h"
#include "shared/json_read.h"
#include "shared/json_text.h"
#include "shared/sync_json.h"

namespace topup::orders {
namespace {

constexpr std::string_view kTable = "sync_lists";
constexpr std::string_view kColumn = "items_sealed";
constexpr std::array<std::string_view, 2> kLists = {"drafts", "recipients"};

// The text is our own: what does not read as it was written has been damaged.
std::optional<std::vector<ServerItem>> items_of(std::string_view text) {
  const auto document = JsonDocument::parse(text);
  if (!document) return std::nullopt;
  std::vector<ServerItem> items;
  const JsonValue rows = document->root()["items"];
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const JsonValue row = rows.at(i);
    BorderFields in(row);
    ServerItem item;
    item.id = std::string(in.text("id", kMaxItemId));
    item.revision = in.integer("revision", 0, kMaxMinor);
    const JsonValue seen = in.list("seen", kMaxSeenDevices);
    for (std::size_t at = 0; at < seen.size() && in.ok(); ++at) {
      in.enter(seen.at(at));
      SeenRevision one;
      one.device = std::string(in.text("device", kMaxItemId));
      one.client_revision = in.integer("client_revision", 0, kMaxMinor);
      item.seen.push_back(std::move(one));
    }
    item.fields = read_fields(in, row, "fields");
    if (!in.ok()) return std::nullopt;
    items.push_back(std::move(item));
  }
  return items;
}

std::string text_of(std::vector<ServerItem> items, std::int64_t revision) {
  JsonText out;
  put_answer(out, Answer{revision, std::move(items), {}});
  return out.take();
}

}  // namespace

std::string_view to_word(SyncList list) { return kLists[static_cast<std::size_t>(list)]; }

std::optional<SyncList> parse_sync_list(std::string_view word) {
  for (std::size_t i = 0; i < kLists.size(); ++i) {
    if (kLists[i] == word) return static_cast<SyncList>(i);
  }
  return std::nullopt;
}

Result<DraftService::Loaded> DraftService::load(storage::Reader& reader, const UserId& user,
                                                SyncList list) const {
  const auto stored = draft_store::find(reader, user, to_word(list));
  if (!stored) return Loaded{};
  const auto text =
      pii_.open(kTable, kColumn, draft_store::key_of(user, to_word(list)), stored->sealed);
  if (!text) return tl::unexpected<Error>(text.error());
  auto items = items_of(*text);
  if (!items) return refuse(Code::unavailable, "sync_list_damaged");
  return Loaded{true, stored->revision, std::move(*items)};
}

Result<bool> DraftService::save(storage::Tx& tx, const UserId& user, SyncList list,
                                const Loaded& before, const Loaded& now) const {
  const std::string text = text_of(now.items, now.revision);
  // What could not be read again must not be stored: the reader has bounds of its own.
  if (text.size() > kMaxStoredListBytes || !JsonDocument::parse(text)) {
    return refuse(Code::rejected, "sync_list_too_large", "items");
  }
  const std::string_view word = to_word(list);
  const draft_store::StoredList fresh{
      pii_.seal(kTable, kColumn, draft_store::key_of(user, word), text), now.revision};
  if (!before.is_stored) {
    draft_store::insert(tx, user, word, fresh, clock_.wall_ms());
    return true;
  }
  if (draft_store::replace(tx, user, word, fresh, before.revision, clock_.wall_ms())) return true;
  return refuse(Code::conflict, "sync_list_changed", "since");
}

Result<Answer> DraftService::sync(const UserId& user, SyncList list, const Push& push) const {
  if (push.items.empty()) {
    std::optional<Result<Loaded>> now;
    db_.read([&](storage::Reader& reader) { now = load(reader, user, list); });
    if (!*now) return tl::unexpected<Error>((*now).error());
    return apply_push((*now)->items, (*now)->revision, push);
  }
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<Answer> {
    auto before = load(tx, user, list);
    if (!before) return tl::unexpected<Error>(before.error());
    Loaded now = *before;
    Answer answer = apply_push(now.items, now.revision, push);
    if (now.revision == before->revision) return answer;  // a repeat, or all refused
    const auto saved = save(tx, user, list, *before, now);
    if (!saved) return tl::unexpected<Error>(saved.error());
    return answer;
  });
}

base::Json DraftService::tell(storage::Reader& reader, const privacy::Persons& persons) const {
  base::Json told = base::Json::object();
  for (const std::string_view word : kLists) {
    base::Json& items = told[std::string(word)] = base::Json::array();
    for (const UserId& user : persons) {
      const auto stored = load(reader, user, *parse_sync_list(word));
      if (!stored) continue;  // what cannot be opened cannot be told
      for (const ServerItem& item : stored->items) {
        base::Json fields = base::Json::array();
        for (const ItemField& field : item.fields)
          fields.push_back({{"field", field.name}, {"value", field.value}});
        items.push_back({{"id", item.id}, {"fields", std::move(fields)}});
      }
    }
  }
  return told;
}

privacy::Holder DraftService::holder() const {
  privacy::Holder holder;
  holder.name = "devices";
  holder.tables = {kTable};
  holder.tell = [this](storage::Reader& reader, const privacy::Persons& persons) {
    return tell(reader, persons);
  };
  holder.erase = [](storage::Tx& tx, const privacy::Persons& persons) {
    std::int64_t gone = 0;
    for (const UserId& user : persons) gone += draft_store::forget_user(tx, user);
    return gone;
  };
  return holder;
}

int DraftService::sweep() const {
  int gone = 0;
  db_.write([&](storage::Tx& tx) {
    gone = draft_store::forget_before(tx, clock_.wall_ms() - kSyncListKeptMs);
    return true;
  });
  return gone;
}

}  // namespace topup::orders
