// Setting the shop up from the console, wired: outside parties whose keys the store holds become
// sections of the configuration, as if the file had them (the file goes before); the desk that
// changes them; the probe of the shop's own address; the wizard's routes. Outlives the router.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "server/app_parties.h"
#include "server/base/clock.h"
#include "server/base/random.h"
#include "server/config.h"
#include "server/http/router.h"
#include "server/http/routes/setup.h"
#include "server/parties/notify_probe.h"
#include "server/parties/party_desk.h"
#include "server/parties/worlds.h"
#include "server/privacy/pii.h"
#include "server/storage/db.h"

namespace topup {

class SetupParts {
 public:
  // `config` gains what the store holds; whoever is made afterwards uses that. `rehearsed`: the
  // parties that are played.
  SetupParts(Config& config, storage::Db& db, const base::Clock& clock, base::Random& random,
             const privacy::Pii& pii, const std::vector<std::string>& rehearsed);
  SetupParts(const SetupParts&) = delete;
  SetupParts& operator=(const SetupParts&) = delete;

  const RealWorld* real() const { return has_rehearsal_ ? &real_ : nullptr; }
  parties::PartyDesk& desk() { return desk_; }
  const parties::PartyDesk& desk() const { return desk_; }
  const parties::NotifyProbe& probe() const { return probe_; }
  // What the page is told of it first.
  void add_to(base::Json& shop) const;
  // Channels that are not offered: played ones beside a real one.
  std::function<bool(std::string_view channel)> hidden() const {
    return [this](std::string_view channel) { return desk_.is_hidden(channel); };
  }
  // Before the first request. `wake_jobs`: some were planned.
  void attach(PartyParts& parties, std::function<void()> wake_jobs);
  void mount(http::Router& router);

 private:
  std::string shop_name() const;
  void merge(Config& config, const std::vector<std::string>& rehearsed);
  parties::Heard try_keys(const parties::Party& party, const parties::Values& values) const;
  Config with(const parties::Party& party, const parties::Values& values) const;

  storage::Db& db_;
  const base::Clock& clock_;
  base::Random& random_;
  const bool has_rehearsal_;
  std::string file_name_;  // the shop's name in the configuration
  Config bare_;            // nothing of any party
  Config sections_;        // of the real world beside a rehearsal
  parties::Worlds worlds_;
  RealWorld real_;
  parties::PartyDesk desk_;
  parties::NotifyProbe probe_;
  std::map<std::string, parties::Standing> standings_;
};

}  // namespace topup
