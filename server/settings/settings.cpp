#include "server/settings/settings.h"

#include <map>
#include <optional>
#include <utility>

#include "server/audit/audit_log.h"
#include "server/base/log.h"
#include "server/settings/value.h"
#include "shared/check.h"

namespace topup::settings {
namespace {

using base::Json;

constexpr std::size_t kMaxAuditedValue = 120;

std::map<std::string, std::optional<std::string>> as_map(
    std::vector<settings_store::StoredValue> stored) {
  std::map<std::string, std::optional<std::string>> map;
  for (settings_store::StoredValue& one : stored) map[one.key] = std::move(one.value);
  return map;
}

std::string shown(const std::optional<std::string>& value) {
  return value ? std::string(Detail(value->substr(0, kMaxAuditedValue)).view()) : "preset";
}

Error error_of(const FieldError& wrong, const Definition* definition) {
  const Code code = wrong.reason == "permission_missing" ? Code::forbidden : Code::invalid_argument;
  return {code, wrong.reason, definition == nullptr ? "changes" : definition->key, wrong.detail};
}

}  // namespace

bool Snapshot::boolean(const char* key) const {
  const auto value = base::bool_in(values, key);
  check(value.has_value(), "a setting of this type");
  return *value;
}

std::int64_t Snapshot::integer(const char* key) const {
  const auto value = base::integer_in(values, key, INT64_MIN, INT64_MAX);
  check(value.has_value(), "a setting of this type");
  return *value;
}

std::string Snapshot::text(const char* key) const {
  auto value = base::text_in(values, key, base::kMaxJsonBytes);
  check(value.has_value(), "a setting of this type");
  return *std::move(value);
}

std::vector<std::string> Snapshot::list(const char* key) const {
  const auto found = values.find(key);
  check(found != values.end() && found->is_array(), "a setting of this type");
  std::vector<std::string> words;
  for (const Json& word : *found) words.push_back(word.get_ref<const std::string&>());
  return words;
}

Settings::Settings(storage::Db& db, const base::Clock& clock, Json configured,
                   std::span<const Definition> definitions)
    : db_(db), clock_(clock), definitions_(definitions) {
  for (const Definition& definition : definitions_) {
    const Json preset = definition.preset.empty() ? configured.value(definition.key, Json())
                                                  : Json::parse(definition.preset);
    check(!misfit(definition, preset), "a preset fits its setting");
    presets_[definition.key] = preset;
  }
  load();
}

std::shared_ptr<const Snapshot> Settings::current() const {
  const std::lock_guard hold(mutex_);
  return current_;
}

const Definition* Settings::find(std::string_view key) const {
  for (const Definition& definition : definitions_) {
    if (definition.key == key) return &definition;
  }
  return nullptr;
}

std::shared_ptr<const Snapshot> Settings::snapshot_of(
    std::int64_t version, const std::vector<settings_store::StoredValue>& stored) const {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->version = version;
  snapshot->values = presets_;
  for (const settings_store::StoredValue& one : stored) {
    const Definition* definition = find(one.key);
    if (definition == nullptr || !one.value) continue;
    const auto value = base::json_in(*one.value);
    if (value && !misfit(*definition, *value)) {
      snapshot->values[definition->key] = *value;
    } else {
      base::log(base::Level::warn, "setting_not_allowed", {{"key", one.key}, {"version", version}});
    }
  }
  return snapshot;
}

void Settings::load() {
  const std::lock_guard in_order(loading_);
  std::int64_t version = 0;
  std::vector<settings_store::StoredValue> stored;
  db_.read([&](storage::Reader& reader) {
    version = settings_store::newest_version(reader);
    stored = settings_store::values_at(reader, version);
  });
  const auto before = current();
  if (before && before->version >= version) return;
  const auto snapshot = snapshot_of(version, stored);
  {
    const std::lock_guard hold(mutex_);
    current_ = snapshot;
  }
  for (const auto& observer : observers_) observer(*snapshot);
}

void Settings::refresh() {
  std::int64_t newest = 0;
  db_.read([&newest](storage::Reader& reader) { newest = settings_store::newest_version(reader); });
  if (newest > current()->version) load();
}

void Settings::observe(std::function<void(const Snapshot&)> observer) {
  const std::lock_guard in_order(loading_);
  observer(*current());
  observers_.push_back(std::move(observer));
}

std::vector<FieldError> Settings::faults(const Json& changes, const Author& author) const {
  std::vector<FieldError> wrong;
  for (const auto& [key, value] : changes.items()) {
    const Definition* definition = find(key);
    if (definition == nullptr) {
      wrong.push_back({key, "unknown_field", "no setting has this key"});
    } else if (!author.may(definition->permission)) {
      wrong.push_back({key, "permission_missing", std::string(definition->permission)});
    } else if (!value.is_null()) {
      if (auto found = misfit(*definition, value))
        wrong.push_back({key, found->reason, std::move(found->detail)});
    }
  }
  return wrong;
}

Result<bool> Settings::write(storage::Tx& tx, const Json& changes, std::int64_t seen,
                             const Author& author, std::string_view action) const {
  const std::int64_t version = settings_store::newest_version(tx);
  if (version != seen) {
    return refuse(Code::conflict, "settings_changed", "version",
                  "look at version " + std::to_string(version) + " first");
  }
  const std::int64_t now = clock_.wall_ms();
  const auto before = as_map(settings_store::values_at(tx, version));
  std::string told;
  for (const auto& [key, value] : changes.items()) {
    settings_store::StoredRow row;
    row.version = version + 1;
    row.key = key;
    // Setting a value to its preset keeps it there when a later release has another preset.
    if (!value.is_null()) row.value = value.dump();
    const auto found = before.find(key);
    if (found != before.end()) row.previous = found->second;
    if (row.value == row.previous) continue;
    row.changed_by = author.actor;
    row.changed_at_ms = now;
    settings_store::insert(tx, row);
    told +=
        (told.empty() ? "" : "; ") + key + ": " + shown(row.previous) + " -> " + shown(row.value);
  }
  if (told.empty()) return false;
  audit::append(tx, {author.actor, action, "settings:" + std::to_string(version + 1), told},
                author.trace, now);
  return true;
}

Result<std::shared_ptr<const Snapshot>> Settings::change(const Json& changes, std::int64_t seen,
                                                         const Author& author,
                                                         std::vector<FieldError>* wrong) {
  if (!changes.is_object()) return refuse(Code::invalid_argument, "wrong_type", "changes");
  if (changes.empty()) return refuse(Code::invalid_argument, "changes_empty", "changes");
  *wrong = faults(changes, author);
  if (!wrong->empty())
    return tl::unexpected<Error>(error_of(wrong->front(), find(wrong->front().key)));
  const Result<bool> written = storage::with_tx(
      db_, [&](storage::Tx& tx) { return write(tx, changes, seen, author, "settings.changed"); });
  if (!written) return tl::unexpected<Error>(written.error());
  if (*written) load();
  return current();
}

Result<std::shared_ptr<const Snapshot>> Settings::roll_back(std::int64_t to, std::int64_t seen,
                                                            const Author& author,
                                                            std::vector<FieldError>* wrong) {
  std::vector<settings_store::StoredValue> then, now;
  std::int64_t newest = 0;
  db_.read([&](storage::Reader& reader) {
    newest = settings_store::newest_version(reader);
    then = settings_store::values_at(reader, to);
    now = settings_store::values_at(reader, newest);
  });
  if (to < 0 || to > newest) return refuse(Code::not_found, "version_unknown", "to");
  Json changes = Json::object();
  for (const settings_store::StoredValue& one : now) {
    if (find(one.key) != nullptr) changes[one.key] = nullptr;  // not set yet in that version
  }
  for (const settings_store::StoredValue& one : then) {
    if (find(one.key) == nullptr || !one.value) continue;
    const auto value = base::json_in(*one.value);
    if (value) changes[one.key] = *value;
  }
  *wrong = faults(changes, author);
  if (!wrong->empty())
    return tl::unexpected<Error>(error_of(wrong->front(), find(wrong->front().key)));
  const Result<bool> written = storage::with_tx(db_, [&](storage::Tx& tx) {
    return write(tx, changes, seen, author, "settings.rolled_back");
  });
  if (!written) return tl::unexpected<Error>(written.error());
  if (*written) load();
  return current();
}

std::vector<settings_store::StoredRow> Settings::history(const settings_store::Place& after,
                                                         std::int64_t limit) const {
  std::vector<settings_store::StoredRow> rows;
  db_.read([&](storage::Reader& reader) { rows = settings_store::history(reader, after, limit); });
  return rows;
}

}  // namespace topup::settings
