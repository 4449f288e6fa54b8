#include "server/parties/party_desk.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "server/audit/audit_log.h"
#include "server/base/json.h"
#include "server/base/log.h"
#include "server/payments/payment_store.h"
#include "server/suppliers/supplier_line_store.h"

namespace topup::parties {
namespace {

using base::Json;
using party_store::Keys;

constexpr char kTable[] = "party_keys";
constexpr char kColumn[] = "secrets_sealed";
constexpr char kProbeNote[] = "notify_probe";
constexpr std::string_view kStepNote = "step.";
constexpr std::size_t kMaxSaid = 200;
constexpr std::size_t kIdLength = 26;
constexpr char kShopName[] = "shop.name", kTimeZone[] = "shop.time_zone",
               kLanguage[] = "shop.language";

std::string row_of(const Keys& keys) { return keys.party + "/" + std::to_string(keys.version); }

std::vector<std::string> words_in(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = text.find(' ');
    words.emplace_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return words;
}

Json facts_json(const KeyFacts& facts) {
  return {{"serial", facts.serial},
          {"subject", facts.subject},
          {"begin_ms", facts.begin_ms},
          {"end_ms", facts.end_ms}};
}

KeyFacts facts_of(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return {};
  return {json.value("serial", ""), json.value("subject", ""),
          json.value("begin_ms", std::int64_t{0}), json.value("end_ms", std::int64_t{0})};
}

void read_into(const std::string& text, Values& values) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return;
  for (const auto& [name, value] : json.items())
    if (value.is_string()) values[name] = value.get<std::string>();
}

Json probe_json(const ProbeReport& report) {
  Json out = {{"reach", to_word(report.reach)},
              {"at_ms", report.at_ms},
              {"origin", report.origin},
              {"paths", Json::array()}};
  for (const Probed& one : report.paths) {
    out["paths"].push_back({{"path", one.path},
                            {"ok", one.is_well},
                            {"step", one.step},
                            {"reason", one.reason},
                            {"detail", one.detail}});
  }
  return out;
}

// What the words of a stored report point to must outlive it.
std::string_view kept_word(const std::string& word) {
  static constexpr std::string_view kWords[] = {
      "address",    "name",           "connection",      "tls",
      "status",     "proof",          "not_https",       "not_public",
      "has_query",  "name_unknown",   "name_private",    "name_slow",
      "too_slow",   "connect_failed", "connection_lost", "tls_failed",
      "redirected", "not_found",      "refused",         "server_error",
      "other",      "another_server"};
  const auto* found = std::find(std::begin(kWords), std::end(kWords), word);
  return found == std::end(kWords) ? std::string_view() : *found;
}

ProbeReport report_of(const Json& json) {
  ProbeReport report;
  report.at_ms = json.value("at_ms", std::int64_t{0});
  report.origin = json.value("origin", "");
  const std::string reach = json.value("reach", "");
  for (const Reach one : {Reach::outside, Reach::this_machine})
    if (reach == to_word(one)) report.reach = one;
  for (const Json& one : json.value("paths", Json::array())) {
    report.paths.push_back({one.value("path", ""), one.value("ok", false),
                            kept_word(one.value("step", "")), kept_word(one.value("reason", "")),
                            one.value("detail", "")});
  }
  return report;
}

std::optional<ProbeReport> probe_in(storage::Reader& reader) {
  for (const auto& note : party_store::notes(reader)) {
    if (note.name != kProbeNote) continue;
    const Json json = Json::parse(note.value, nullptr, false);
    if (json.is_object()) return report_of(json);
  }
  return std::nullopt;
}

}  // namespace

PartyDesk::PartyDesk(storage::Db& db, const base::Clock& clock, const privacy::Pii& pii,
                     Worlds& worlds, bool has_rehearsal)
    : db_(db), clock_(clock), pii_(pii), worlds_(worlds), has_rehearsal_(has_rehearsal) {
  db_.read([this](storage::Reader& reader) {
    for (const auto& row : party_store::worlds(reader))
      worlds_.add(row.party, row.from_ms, parse_world(row.world));
  });
}

void PartyDesk::attach(std::map<std::string, Standing> standings, DeskHooks hooks) {
  for (auto& [word, standing] : standings) standings_[word] = standing;
  hooks_ = std::move(hooks);
}

const Standing& PartyDesk::standing(std::string_view party) const {
  static const Standing kNone;
  const auto found = standings_.find(party);
  return found == standings_.end() ? kNone : found->second;
}

// What was decided counts from the moment it is told: whoever goes live next does so later still.
World PartyDesk::world_now(const Party& party) const {
  return worlds_.at(party.word, clock_.wall_ms() + kSwitchAfterMs);
}

Values PartyDesk::values_of(const Keys& keys) const {
  Values values;
  read_into(keys.plain, values);
  const auto secrets = pii_.open(kTable, kColumn, row_of(keys), keys.secrets_sealed);
  if (!secrets) throw std::runtime_error("the keys of " + keys.party + " do not open");
  read_into(*secrets, values);
  return values;
}

std::map<std::string, Values> PartyDesk::live_values() const {
  std::map<std::string, Values> found;
  db_.read([&](storage::Reader& reader) {
    for (const auto& row : party_store::worlds(reader)) {
      if (parse_world(row.world) != World::live) continue;
      const auto keys = party_store::find(reader, row.party, row.version);
      if (keys) found[row.party] = values_of(*keys);
    }
  });
  return found;
}

bool PartyDesk::any_channel_live() const {
  return std::any_of(kParties.begin(), kParties.end(), [this](const Party& party) {
    return party.kind == PartyKind::channel && standing(party.word).is_played &&
           world_now(party) == World::live;
  });
}

std::vector<std::string> PartyDesk::rehearsed() const {
  std::vector<std::string> words;
  for (const Party& party : kParties) {
    const Standing& how = standing(party.word);
    const bool is_live = how.switches_now ? world_now(party) == World::live : how.started_live;
    if (how.is_played && !is_live) words.emplace_back(party.word);
  }
  return words;
}

bool PartyDesk::may_deliver(std::string_view supplier, const AttemptId& attempt) const {
  const OrderId order(attempt.text.substr(1, kIdLength));
  payments::Attempt payment;
  db_.read([&](storage::Reader& reader) {
    for (const payments::Attempt& one : payments::payment_store::attempts_of(reader, order))
      if (one.state == payments::attempt_state::kPaid) payment = one;
  });
  World paid = any_channel_live() ? World::live : World::rehearsed;
  for (const Party& party : kParties)
    if (party.wiring == payment.channel) paid = worlds_.of(party.word, payment.out_trade_no.text);
  return worlds_.of(supplier, attempt.text) == paid;
}

bool PartyDesk::is_hidden(std::string_view channel) const {
  if (!has_rehearsal_) return false;
  for (const Party& party : kParties)
    if (party.wiring == channel) return world_now(party) == World::rehearsed && any_channel_live();
  return false;
}

std::vector<std::string> PartyDesk::notify_paths() const {
  std::vector<std::string> paths;
  for (const Party& party : kParties)
    if (!party.notify_path.empty()) paths.emplace_back(party.notify_path);
  return paths;
}

std::vector<std::string> PartyDesk::waiting_suppliers(storage::Reader& reader) const {
  std::vector<std::string> waiting;
  bool any_live = false;
  for (const Party& party : kParties) {
    if (party.kind != PartyKind::supplier) continue;
    const Standing& how = standing(party.word);
    const bool is_live = how.is_in_file || world_now(party) == World::live;
    any_live = any_live || is_live;
    if (is_live || !how.is_played) continue;
    const auto line = suppliers::supplier_line_store::find(reader, std::string(party.word));
    if (!line || line->state != suppliers::LineState::off) waiting.emplace_back(party.word);
  }
  if (!any_live && waiting.empty()) waiting.emplace_back("");
  return waiting;
}

std::vector<Missing> PartyDesk::missing_of(storage::Reader& reader, const PartyView& view) const {
  const std::int64_t now = clock_.wall_ms();
  std::vector<Missing> list;
  list.push_back({"keys", view.version > 0, ""});
  if (view.facts.end_ms > 0)
    list.push_back({"certificate", view.facts.end_ms > now, std::to_string(view.facts.end_ms)});
  list.push_back(
      {"test", view.tested_well && now - view.tested_at_ms < kTestGoodMs, view.tested_said});
  if (!view.party->notify_path.empty()) {
    const auto probe = probe_in(reader);
    const auto origin = view.plain.find("origin");
    const bool is_near = origin != view.plain.end() && is_this_machine(origin->second);
    bool is_heard = false;
    if (probe && now - probe->at_ms < kTestGoodMs) {
      const bool reaches =
          probe->reach == Reach::outside || (is_near && probe->reach == Reach::this_machine);
      is_heard = reaches &&
                 std::any_of(probe->paths.begin(), probe->paths.end(), [&view](const Probed& one) {
                   return one.is_well && one.path == view.party->notify_path;
                 });
    }
    list.push_back({"notify", is_heard, probe ? std::string(to_word(probe->reach)) : ""});
  }
  if (view.party->kind == PartyKind::channel) {
    const auto waiting = waiting_suppliers(reader);
    std::string words;
    for (const std::string& word : waiting) words += (words.empty() ? "" : " ") + word;
    list.push_back({"suppliers", waiting.empty(), words});
  }
  return list;
}

PartyView PartyDesk::view_of(storage::Reader& reader, const Party& party) const {
  PartyView view;
  view.party = &party;
  view.standing = standing(party.word);
  if (const auto keys = party_store::newest(reader, party.word)) {
    Values plain;
    read_into(keys->plain, plain);
    for (auto& [name, value] : plain) view.plain[name] = value;
    view.version = keys->version;
    view.secrets = words_in(keys->secret_names);
    view.facts = facts_of(keys->facts);
    view.tested_at_ms = keys->tested_at_ms;
    view.tested_well = keys->tested_well;
    view.tested_said = keys->tested_said;
  }
  for (const auto& row : party_store::worlds(reader)) {
    if (row.party != party.word) continue;
    view.from_ms = row.from_ms;
    view.live_version = row.version;
  }
  const bool wants_live = view.live_version > 0;
  const std::string_view without = view.standing.is_played ? "rehearsed" : "absent";
  const std::string_view wanted = wants_live ? "live" : without;
  if (view.standing.is_in_file) {
    view.state = "live";
    return view;
  }
  view.state = view.standing.switches_now ? wanted : view.standing.started_live ? "live" : without;
  if (view.state != wanted) view.after_restart = wanted;
  view.checklist = missing_of(reader, view);
  const bool is_whole = std::all_of(view.checklist.begin(), view.checklist.end(),
                                    [](const Missing& one) { return one.is_done; });
  view.may_go_live = is_whole && view.version != view.live_version;
  view.may_go_back = wants_live && has_rehearsal_;
  return view;
}

std::vector<PartyView> PartyDesk::all() const {
  std::vector<PartyView> views;
  db_.read([&](storage::Reader& reader) {
    for (const Party& party : kParties) views.push_back(view_of(reader, party));
  });
  return views;
}

Result<PartyView> PartyDesk::view(std::string_view word) const {
  const Party* party = find_party(word);
  if (party == nullptr) return refuse(Code::not_found, "party_unknown", "party");
  PartyView seen;
  db_.read([&](storage::Reader& reader) { seen = view_of(reader, *party); });
  return seen;
}

Result<const Party*> PartyDesk::ours(std::string_view word) const {
  const Party* party = find_party(word);
  if (party == nullptr) return refuse(Code::not_found, "party_unknown", "party");
  if (standing(word).is_in_file) return refuse(Code::conflict, "party_in_file", "party");
  return party;
}

// Orders that were paid to one account can not be asked about, or given back, from another.
std::vector<Fault> PartyDesk::moved_accounts(storage::Reader& reader, const Party& party,
                                             const Values& values) const {
  std::vector<Fault> faults;
  std::optional<Keys> last;
  for (const auto& row : party_store::worlds(reader))
    if (row.party == party.word && row.version > 0)
      last = party_store::find(reader, row.party, row.version);
  if (!last) return faults;
  const Values before = values_of(*last);
  for (const Field& field : party.fields) {
    if (!field.names_account) continue;
    const auto was = before.find(field.name);
    const auto is = values.find(field.name);
    if (was == before.end() || (is != values.end() && is->second == was->second)) continue;
    faults.push_back({std::string(field.name), "account_fixed", was->second});
  }
  return faults;
}

Result<PartyView> PartyDesk::save(std::string_view word, std::int64_t seen,
                                  const std::map<std::string, std::optional<std::string>>& given,
                                  const Author& author, std::vector<Fault>* faults) {
  const auto party = ours(word);
  if (!party) return tl::unexpected<Error>(party.error());
  const std::int64_t now = clock_.wall_ms();
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<PartyView> {
    faults->clear();
    const auto before = party_store::newest(tx, word);
    if ((before ? before->version : 0) != seen)
      return refuse(Code::conflict, "keys_changed", "version");
    Values values = before ? values_of(*before) : Values();
    std::string changed;
    for (const auto& [name, value] : given) {
      changed += (changed.empty() ? "" : " ") + name.substr(0, 32);
      if (value) {
        values[name] = *value;
      } else {
        values.erase(name);
      }
    }
    KeyFacts facts;
    *faults = check_keys(**party, values, {now, has_rehearsal_}, &facts);
    if (faults->empty()) *faults = moved_accounts(tx, **party, values);
    if (!faults->empty()) return refuse(Code::rejected, "keys_wrong", "fields");
    Keys keys;
    keys.party = word;
    keys.version = seen + 1;
    Json plain = Json::object(), secrets = Json::object();
    for (const auto& [name, value] : values) {
      if (value.empty()) continue;
      const bool is_secret = find_field(**party, name)->is_secret;
      (is_secret ? secrets : plain)[name] = value;
      if (is_secret) keys.secret_names += (keys.secret_names.empty() ? "" : " ") + name;
    }
    keys.plain = plain.dump();
    keys.secrets_sealed = pii_.seal(kTable, kColumn, row_of(keys), secrets.dump());
    keys.facts = facts_json(facts).dump();
    keys.saved_by = author.actor;
    keys.saved_at_ms = now;
    party_store::insert(tx, keys);
    audit::append(tx,
                  {author.actor, "party.keys_saved", "party:" + std::string(word),
                   "version " + std::to_string(keys.version) + ": " + changed},
                  author.trace, now);
    return view_of(tx, **party);
  });
}

Result<PartyView> PartyDesk::test(std::string_view word, const Author& author) {
  const auto party = ours(word);
  if (!party) return tl::unexpected<Error>(party.error());
  std::optional<Keys> keys;
  Values values;
  db_.read([&](storage::Reader& reader) {
    keys = party_store::newest(reader, word);
    if (keys) values = values_of(*keys);
  });
  if (!keys) return refuse(Code::rejected, "keys_missing", "party");
  const Heard heard = hooks_.try_keys(**party, values);
  keys->tested_at_ms = clock_.wall_ms();
  keys->tested_well = heard.is_well;
  keys->tested_said = heard.said.substr(0, kMaxSaid);
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<PartyView> {
    party_store::save_test(tx, *keys);
    audit::append(tx,
                  {author.actor, "party.keys_tested", "party:" + std::string(word),
                   "version " + std::to_string(keys->version) + ": " +
                       (heard.is_well ? "answered" : keys->tested_said)},
                  author.trace, keys->tested_at_ms);
    return view_of(tx, **party);
  });
}

Result<PartyView> PartyDesk::go(std::string_view word, World world, std::string_view reason,
                                const Author& author) {
  const auto party = ours(word);
  if (!party) return tl::unexpected<Error>(party.error());
  const auto seen = view(word);
  if (!seen) return seen;
  const std::int64_t next_version = world == World::live ? seen->version : 0;
  if (next_version == seen->live_version)
    return refuse(world == World::live && next_version == 0 ? Code::rejected : Code::conflict,
                  next_version == 0 && world == World::live ? "keys_missing" : "world_unchanged",
                  "world");
  if (world == World::rehearsed && !has_rehearsal_)
    return refuse(Code::rejected, "no_rehearsal", "world");
  if (world == World::live) {
    for (const Missing& one : seen->checklist)
      if (!one.is_done) return refuse(Code::rejected, "not_ready_to_go_live", "world", one.what);
    if (standing(word).switches_now) {
      std::optional<Keys> keys;
      Values values;
      db_.read([&](storage::Reader& reader) {
        keys = party_store::find(reader, word, next_version);
        if (keys) values = values_of(*keys);
      });
      hooks_.take_over(**party, values);
    }
  }
  const std::int64_t now = clock_.wall_ms();
  const std::int64_t from_ms = std::max(now + kSwitchAfterMs, seen->from_ms + 1);
  worlds_.add(word, from_ms, world);
  auto done = storage::with_tx(db_, [&](storage::Tx& tx) -> Result<PartyView> {
    const PartyView again = view_of(tx, **party);
    if (again.live_version != seen->live_version || again.version != seen->version)
      return refuse(Code::conflict, "keys_changed", "version");
    party_store::insert(tx, {std::string(word), from_ms, std::string(to_word(world)), next_version,
                             std::string(reason), author.actor});
    audit::append(tx,
                  {author.actor, world == World::live ? "party.went_live" : "party.went_back",
                   "party:" + std::string(word), std::string(reason), again.state, to_word(world)},
                  author.trace, now);
    if (hooks_.world_changed) hooks_.world_changed(tx, **party);
    return view_of(tx, **party);
  });
  if (!done) worlds_.take_back(word, from_ms);
  if (done)
    base::log(base::Level::warn, "party_world",
              {{"party", word}, {"world", to_word(world)}, {"from_ms", from_ms}});
  return done;
}

std::optional<ProbeReport> PartyDesk::last_probe() const {
  std::optional<ProbeReport> report;
  db_.read([&report](storage::Reader& reader) { report = probe_in(reader); });
  return report;
}

void PartyDesk::keep_probe(const ProbeReport& report, const Author& author) {
  db_.write([&](storage::Tx& tx) {
    party_store::save(tx, {kProbeNote, probe_json(report).dump(), author.actor, report.at_ms});
    audit::append(
        tx,
        {author.actor, "notify.self_tested", "shop", report.is_well() ? "reached" : "not reached"},
        author.trace, report.at_ms);
    return true;
  });
}

PartyDesk::ShopFacts PartyDesk::shop() const {
  ShopFacts facts;
  db_.read([&facts](storage::Reader& reader) {
    for (const auto& note : party_store::notes(reader)) {
      if (note.name == kShopName) facts.name = note.value;
      if (note.name == kTimeZone) facts.time_zone = note.value;
      if (note.name == kLanguage) facts.language = note.value;
    }
  });
  return facts;
}

Result<bool> PartyDesk::set_shop(const ShopFacts& facts, const Author& author) {
  const auto is_one_of = [](const auto& words, const std::string& word) {
    return std::find(std::begin(words), std::end(words), word) != std::end(words);
  };
  const bool is_plain = std::none_of(facts.name.begin(), facts.name.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
  if (facts.name.find_first_not_of(' ') == std::string::npos || facts.name.size() > kMaxShopName ||
      !is_plain)
    return refuse(Code::invalid_argument, "out_of_range", "name");
  if (!is_one_of(kTimeZones, facts.time_zone))
    return refuse(Code::invalid_argument, "out_of_range", "time_zone");
  if (!is_one_of(kLanguages, facts.language))
    return refuse(Code::invalid_argument, "out_of_range", "language");
  const ShopFacts before = shop();
  const auto json = [](const ShopFacts& one) {
    return Json{{"name", one.name}, {"time_zone", one.time_zone}, {"language", one.language}};
  };
  const audit::Change change = audit::change_between(json(before), json(facts));
  const std::int64_t now = clock_.wall_ms();
  db_.write([&](storage::Tx& tx) {
    party_store::save(tx, {kShopName, facts.name, author.actor, now});
    party_store::save(tx, {kTimeZone, facts.time_zone, author.actor, now});
    party_store::save(tx, {kLanguage, facts.language, author.actor, now});
    audit::append(tx, {author.actor, "setup.shop", "shop", "", change.before, change.after},
                  author.trace, now);
    return true;
  });
  return true;
}

std::vector<party_store::Note> PartyDesk::steps() const {
  std::vector<party_store::Note> found;
  db_.read([&](storage::Reader& reader) { found = party_store::notes(reader); });
  std::erase_if(found, [](const auto& note) { return !note.name.starts_with(kStepNote); });
  for (auto& note : found) note.name.erase(0, kStepNote.size());
  return found;
}

Result<bool> PartyDesk::set_step(std::string_view step, std::string_view state,
                                 const Author& author) {
  if (std::find(std::begin(kSteps), std::end(kSteps), step) == std::end(kSteps))
    return refuse(Code::invalid_argument, "step_unknown", "step");
  const std::int64_t now = clock_.wall_ms();
  const std::string name = std::string(kStepNote) + std::string(step);
  db_.write([&](storage::Tx& tx) {
    if (state == "open") {
      party_store::forget_note(tx, name);
    } else {
      party_store::save(tx, {name, std::string(state), author.actor, now});
    }
    audit::append(
        tx, {author.actor, "setup.step", "shop", std::string(step) + " " + std::string(state)},
        author.trace, now);
    return true;
  });
  return true;
}

}  // namespace topup::parties
