// What staff do about outside parties: save what they need, try it, let them go live one by one and
// come back. Each is one transaction with its audit row; secrets go in and never come out. A party
// goes live only when nothing is missing: see missing_of(). What was begun stays in its world
// (worlds.h), and money of one world never buys from the other: see may_deliver(). Thread-safe.
//
// Errors: not_found/party_unknown; conflict/keys_changed (somebody saved meanwhile),
// party_in_file (the configuration file holds its keys), world_unchanged; rejected/keys_wrong (with
// faults), not_ready_to_go_live (detail: what is missing), no_rehearsal, keys_missing;
// invalid_argument/step_unknown.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/clock.h"
#include "server/parties/key_check.h"
#include "server/parties/notify_probe.h"
#include "server/parties/party_store.h"
#include "server/parties/party_table.h"
#include "server/parties/worlds.h"
#include "server/privacy/pii.h"
#include "server/storage/db.h"
#include "shared/ids.h"
#include "shared/result.h"

namespace topup::parties {

inline constexpr std::string_view kSteps[] = {"owner",     "shop",   "wechat_pay", "alipay",
                                              "suppliers", "notify", "finish"};
inline constexpr std::size_t kMaxShopName = 60;  // bytes
inline constexpr std::string_view kLanguages[] = {"auto", "zh", "en"};
// Zones that every browser knows; browser: that of whoever looks.
inline constexpr std::string_view kTimeZones[] = {
    "browser",           "Asia/Shanghai",       "Asia/Hong_Kong",    "Asia/Taipei",
    "Asia/Singapore",    "Asia/Tokyo",          "Asia/Seoul",        "Asia/Bangkok",
    "Asia/Jakarta",      "Asia/Manila",         "Asia/Kuala_Lumpur", "Asia/Ho_Chi_Minh",
    "Asia/Kolkata",      "Asia/Dubai",          "Europe/London",     "Europe/Berlin",
    "Europe/Moscow",     "Africa/Lagos",        "Africa/Nairobi",    "America/New_York",
    "America/Sao_Paulo", "America/Los_Angeles", "Australia/Sydney",  "UTC"};
inline constexpr std::int64_t kTestGoodMs =
    24LL * 3'600'000;  // a test and a self-test count so long

// How the program was started, as far as one party is concerned.
struct Standing {
  bool is_in_file = false;    // the configuration holds its keys: live, and not ours to change
  bool is_played = false;     // the rehearsal plays it
  bool switches_now = false;  // else a switch takes effect with the next start
  bool started_live = false;  // with keys from here
};
struct Heard {
  bool is_well = false;
  std::string said;
};
struct DeskHooks {
  // Asks the party something harmless with these keys.
  std::function<Heard(const Party&, const Values&)> try_keys;
  // Hands the keys to the party's adapter; it uses them in the live world. Throws in words for the
  // operator, and then nothing has changed. Not called where a switch waits for the next start.
  std::function<void(const Party&, const Values&)> take_over;
  // A supplier changed its world: its lists and its balance are others now.
  std::function<void(storage::Tx&, const Party&)> world_changed;
};

struct Author {
  std::string actor;  // "staff:<staff id>"
  TraceId trace;
};

struct Missing {          // one line of a checklist
  std::string_view what;  // keys, certificate, test, notify, suppliers
  bool is_done = false;
  std::string detail;
};
struct PartyView {
  const Party* party = nullptr;
  Standing standing;
  std::string_view state;          // live, rehearsed, absent
  std::string_view after_restart;  // the same, where it differs; "" where not
  std::int64_t from_ms = 0;        // since when, or from when; 0: always
  std::int64_t version = 0, live_version = 0;
  std::map<std::string, std::string> plain;
  std::vector<std::string> secrets;  // which are kept
  KeyFacts facts;
  std::int64_t tested_at_ms = 0;
  bool tested_well = false;
  std::string tested_said;
  std::vector<Missing> checklist;
  bool may_go_live = false, may_go_back = false;
};

class PartyDesk {
 public:
  PartyDesk(storage::Db& db, const base::Clock& clock, const privacy::Pii& pii, Worlds& worlds,
            bool has_rehearsal);
  // Before the first request.
  void attach(std::map<std::string, Standing> standings, DeskHooks hooks);

  // Of every party that was ever live with keys from here: those it had last.
  std::map<std::string, Values> live_values() const;

  std::vector<PartyView> all() const;
  Result<PartyView> view(std::string_view party) const;
  // `given`: nullopt takes a value away; what is not named stays as it was.
  Result<PartyView> save(std::string_view party, std::int64_t seen,
                         const std::map<std::string, std::optional<std::string>>& given,
                         const Author& author, std::vector<Fault>* faults);
  Result<PartyView> test(std::string_view party, const Author& author);
  Result<PartyView> go(std::string_view party, World world, std::string_view reason,
                       const Author& author);

  // What the last self-test said; nothing when there was none.
  std::optional<ProbeReport> last_probe() const;
  void keep_probe(const ProbeReport& report, const Author& author);
  std::vector<std::string> notify_paths() const;

  // The shop's name, the console's time zone, the language of whoever has not chosen one; "" for
  // what was not set. Errors: out_of_range with the field.
  struct ShopFacts {
    std::string name, time_zone, language;
  };
  ShopFacts shop() const;
  Result<bool> set_shop(const ShopFacts& facts, const Author& author);

  std::vector<party_store::Note> steps() const;
  Result<bool> set_step(std::string_view step, std::string_view state, const Author& author);

  std::vector<std::string> rehearsed() const;  // words of the parties that are played now
  // Whether what this attempt's order was paid with may be delivered by this supplier: both in one
  // world. Reads the store.
  bool may_deliver(std::string_view supplier, const AttemptId& attempt) const;
  // A played sheet is not offered beside a real one.
  bool is_hidden(std::string_view channel) const;

 private:
  const Standing& standing(std::string_view party) const;
  World world_now(const Party& party) const;
  bool any_channel_live() const;
  PartyView view_of(storage::Reader& reader, const Party& party) const;
  std::vector<Missing> missing_of(storage::Reader& reader, const PartyView& view) const;
  std::vector<std::string> waiting_suppliers(storage::Reader& reader) const;
  Values values_of(const party_store::Keys& keys) const;
  Result<const Party*> ours(std::string_view party) const;
  std::vector<Fault> moved_accounts(storage::Reader& reader, const Party& party,
                                    const Values& values) const;

  storage::Db& db_;
  const base::Clock& clock_;
  const privacy::Pii& pii_;
  Worlds& worlds_;
  const bool has_rehearsal_;
  std::map<std::string, Standing, std::less<>> standings_;
  DeskHooks hooks_;
};

}  // namespace topup::parties
