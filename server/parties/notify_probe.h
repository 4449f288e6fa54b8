// The shop calls its own notification addresses the way an outside party would: by their public
// name, as a POST, with a nonce that is good once. The shop that hears it answers with a proof that
// only this shop can make, so that another server at that name, or a page of a proxy, is told from
// it. What stands in the way is named: the address itself, its name (DNS), the connection, TLS, the
// status, the answer. Bounded: kMostMs for each address, one after the other, and none after the
// first that does not get through to any server. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/clock.h"
#include "server/base/http_client.h"
#include "server/base/random.h"
#include "server/privacy/pii.h"
#include "server/storage/db.h"

namespace topup::parties {

inline constexpr char kProbeHeader[] = "x-topup-probe";
inline constexpr std::int64_t kProbeMs = 4'000;       // a call
inline constexpr std::int64_t kProbesMs = 10'000;     // all of them
inline constexpr std::int64_t kProbeGoodMs = 30'000;  // a nonce
inline constexpr std::int64_t kProbesKeptMs = 3'600'000;

enum class Reach : std::uint8_t {
  outside,       // https, by a public name: whoever is out there can call
  this_machine,  // only parties that run on this machine
  nobody,
};
std::string_view to_word(Reach reach);

struct Probed {
  std::string path;
  bool is_well = false;
  // Where it ended: address, name, connection, tls, status, proof; "" when it got through.
  std::string_view step;
  // not_https, not_public, has_query; name_unknown, name_private, name_slow; connect_failed,
  // too_slow, connection_lost; tls_failed; redirected, not_found, refused, server_error, other;
  // another_server, not_once.
  std::string_view reason;
  std::string detail;  // the status, where a redirect leads …
};
struct ProbeReport {
  Reach reach = Reach::nobody;
  std::int64_t at_ms = 0;
  std::string origin;
  std::vector<Probed> paths;
  bool is_well() const;
};

class NotifyProbe {
 public:
  // How an outside call is made; tests stand in for it.
  using Caller = std::function<std::unique_ptr<base::Outbound>(const std::string& origin)>;
  using Lookup = base::Resolver::Lookup;
  NotifyProbe(storage::Db& db, const privacy::Pii& pii, const base::Clock& clock,
              base::Random& random, Caller caller = {}, Lookup lookup = {});

  ProbeReport run(const std::string& public_origin, const std::vector<std::string>& paths) const;
  // What this shop says to a probe that came to `path`: a proof, once; "" for anything else. A
  // nonce that this shop did not make is told by its own mark, without a look into the database.
  std::string answer(std::string_view path, std::string_view nonce) const;

 private:
  std::string mark_of(std::string_view random_part) const;
  std::string proof_of(std::string_view nonce) const;
  std::string new_nonce(const std::string& path) const;
  Probed call(base::Outbound& out, const std::string& path, std::int64_t most_ms) const;
  Probed judge(const base::OutboundReply& reply, std::string_view path,
               std::string_view nonce) const;

  storage::Db& db_;
  const privacy::Pii& pii_;
  const base::Clock& clock_;
  base::Random& random_;
  const Caller caller_;
  const Lookup lookup_;
};

}  // namespace topup::parties
