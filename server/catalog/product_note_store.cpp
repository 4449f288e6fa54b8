#include "server/catalog/product_note_store.h"

#include <algorithm>
#include <optional>
#include <set>

#include "server/audit/audit_log.h"
#include "server/base/json.h"

namespace topup::catalog::product_notes {
namespace {

using base::Json;

std::vector<std::string> texts_of(const std::string& json) {
  std::vector<std::string> texts;
  const auto list = base::json_in(json);
  if (!list || !list->is_array()) return texts;
  for (const Json& one : *list) {
    if (one.is_string()) texts.push_back(one.get<std::string>());
  }
  return texts;
}

Note read_note(const storage::Row& row) {
  return {row.text(0),           texts_of(row.text(1)), row.integer(2),
          texts_of(row.text(3)), row.text(4),           row.integer(5)};
}

Json facts_of(const Note& note) {
  return {{"labels", note.labels}, {"place", note.place}, {"aliases", note.aliases}};
}

bool is_plain(const std::string& text) {
  return !text.empty() && text.size() <= kMaxAlias &&
         text.find_first_not_of(' ') != std::string::npos &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; });
}

bool are_all_different(const std::vector<std::string>& texts) {
  return std::set<std::string>(texts.begin(), texts.end()).size() == texts.size();
}

Result<bool> checked(const Note& note) {
  const bool are_labels =
      std::all_of(note.labels.begin(), note.labels.end(), [](const std::string& label) {
        return std::find(kLabels.begin(), kLabels.end(), label) != kLabels.end();
      });
  if (!are_labels || note.labels.size() > kMostLabels || !are_all_different(note.labels))
    return refuse(Code::invalid_argument, "out_of_range", "labels");
  if (note.place < 0 || note.place > kLastPlace)
    return refuse(Code::invalid_argument, "out_of_range", "place");
  if (note.aliases.size() > kMostAliases || !are_all_different(note.aliases) ||
      !std::all_of(note.aliases.begin(), note.aliases.end(), is_plain))
    return refuse(Code::invalid_argument, "out_of_range", "aliases");
  return true;
}

}  // namespace

std::vector<Note> all(storage::Reader& reader) {
  std::vector<Note> notes;
  reader.query(R"sql(
    SELECT product_id, labels, place, aliases, edited_by, edited_at_ms
      FROM product_notes ORDER BY product_id LIMIT $1)sql",
               {kMostNotes},
               [&notes](const storage::Row& row) { notes.push_back(read_note(row)); });
  return notes;
}

Result<bool> save(storage::Tx& tx, const Note& note, const TraceId& trace) {
  if (const auto good = checked(note); !good) return good;
  std::optional<Note> before;
  tx.query(R"sql(
    SELECT product_id, labels, place, aliases, edited_by, edited_at_ms
      FROM product_notes WHERE product_id = $1)sql",
           {note.product_id}, [&before](const storage::Row& row) { before = read_note(row); });
  const Json was = facts_of(before.value_or(Note()));
  if (was == facts_of(note)) return false;
  if (!before) {
    std::int64_t count = 0;
    tx.query("SELECT COUNT(*) FROM product_notes", {},
             [&count](const storage::Row& row) { count = row.integer(0); });
    if (count >= kMostNotes) return refuse(Code::rejected, "too_many_product_notes", "product_id");
  }
  if (note.is_empty()) {
    tx.exec("DELETE FROM product_notes WHERE product_id = $1", {note.product_id});
  } else {
    tx.exec(R"sql(
    INSERT INTO product_notes (product_id, labels, place, aliases, edited_by, edited_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (product_id) DO UPDATE SET labels = excluded.labels, place = excluded.place,
      aliases = excluded.aliases, edited_by = excluded.edited_by,
      edited_at_ms = excluded.edited_at_ms)sql",
            {note.product_id, Json(note.labels).dump(), note.place, Json(note.aliases).dump(),
             note.edited_by, note.edited_at_ms});
  }
  const auto diff = audit::change_between(was, facts_of(note));
  audit::append(tx,
                {note.edited_by, "catalog.product_noted", "product:" + note.product_id, "",
                 diff.before, diff.after},
                trace, note.edited_at_ms);
  return true;
}

}  // namespace topup::catalog::product_notes
