#include "server/operate/manifest.h"

#include <chrono>
#include <cstdio>
#include <fstream>
#include <limits>
#include <sstream>
#include <stdexcept>

#include "server/base/json.h"

namespace topup::operate {
namespace {

constexpr std::int64_t kFormat = 1;
constexpr std::size_t kMaxBytes = 1U << 20;
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

[[noreturn]] void refuse_broken(const std::string& path, const std::string& what) {
  throw std::runtime_error(path + " is not the manifest of a whole backup: " + what);
}

// Every getter of the manifest's own text: a member that is missing or of another kind ends it.
class Fields {
 public:
  Fields(std::string path, const base::Json& object) : path_(std::move(path)), object_(object) {}
  std::string text(const char* key) const {
    auto found = base::text_in(object_, key);
    if (!found) refuse_broken(path_, std::string("no ") + key);
    return std::move(*found);
  }
  std::int64_t integer(const char* key) const {
    const auto found = base::integer_in(object_, key, 0, kMost);
    if (!found) refuse_broken(path_, std::string("no ") + key);
    return *found;
  }
  const base::Json& part(const char* key, bool is_array) const {
    const auto found = object_.find(key);
    if (found == object_.end() || (is_array ? !found->is_array() : !found->is_object()))
      refuse_broken(path_, std::string("no ") + key);
    return *found;
  }
  bool flag(const char* key) const {
    const auto found = base::bool_in(object_, key);
    if (!found) refuse_broken(path_, std::string("no ") + key);
    return *found;
  }

 private:
  std::string path_;
  const base::Json& object_;
};

bool is_plain_name(const std::string& name) {
  return !name.empty() && name.find('/') == std::string::npos && name.front() != '.';
}

Manifest parsed(const std::string& path, const base::Json& json) {
  if (!json.is_object()) refuse_broken(path, "not an object");
  const Fields fields(path, json);
  if (fields.integer("format") != kFormat)
    throw std::runtime_error(path + " has a format that a later program made; use that program");
  Manifest manifest{fields.text("program"),
                    fields.integer("made_at_ms"),
                    fields.text("engine"),
                    fields.integer("schema"),
                    {},
                    {},
                    0,
                    "",
                    fields.flag("has_keys")};
  for (const base::Json& item : fields.part("files", true)) {
    if (!item.is_object()) refuse_broken(path, "a file is not an object");
    const Fields file(path, item);
    manifest.files.push_back({file.text("name"), file.integer("bytes"), file.text("sha256")});
    if (!is_plain_name(manifest.files.back().name)) refuse_broken(path, "a file outside of it");
  }
  for (const auto& [table, count] : fields.part("rows", false).items()) {
    if (!count.is_number_integer()) refuse_broken(path, "rows of " + table);
    manifest.rows.emplace_back(table, Fields(path, json["rows"]).integer(table.c_str()));
  }
  const Fields audit(path, fields.part("audit", false));
  manifest.audit_rows = audit.integer("rows");
  manifest.audit_hash = audit.text("hash");
  return manifest;
}

}  // namespace

std::string utc_text(std::int64_t ms) {
  using namespace std::chrono;  // NOLINT: a calendar is spelled with many of its names
  const sys_time<milliseconds> at{milliseconds(ms)};
  const sys_days day = floor<days>(at);
  const year_month_day date(day);
  const hh_mm_ss time(floor<seconds>(at - day));
  char text[48];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u %02d:%02d:%02d UTC",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
                static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()));
  return text;
}

std::string text_of(const Manifest& manifest) {
  base::Json files = base::Json::array();
  for (const SavedFile& file : manifest.files)
    files.push_back({{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  base::Json rows = base::Json::object();
  for (const auto& [table, count] : manifest.rows) rows[table] = count;
  const base::Json json = {
      {"format", kFormat},
      {"program", manifest.program},
      {"made_at_ms", manifest.made_at_ms},
      {"made_at", utc_text(manifest.made_at_ms)},
      {"engine", manifest.engine},
      {"schema", manifest.schema},
      {"files", files},
      {"rows", rows},
      {"audit", {{"rows", manifest.audit_rows}, {"hash", manifest.audit_hash}}},
      {"has_keys", manifest.has_keys}};
  return json.dump(2) + "\n";
}

Manifest read_manifest(const std::string& folder) {
  const std::string path = folder + "/" + kManifestName;
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error(folder + " is no whole backup: it has no " + kManifestName);
  std::stringstream text;
  text << in.rdbuf();
  const auto json = base::json_in(text.str(), kMaxBytes);
  if (!json) refuse_broken(path, std::string(json.error().reason));
  return parsed(path, *json);
}

}  // namespace topup::operate
