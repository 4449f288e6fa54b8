#include "server/parties/notify_probe.h"

#include <algorithm>
#include <utility>

#include "server/base/address_rules.h"
#include "server/base/crypto.h"
#include "server/base/json.h"
#include "server/base/resolver.h"
#include "server/parties/key_check.h"
#include "server/parties/party_store.h"

namespace topup::parties {
namespace {

constexpr char kPurpose[] = "notify_probe";
constexpr char kProofPurpose[] = "notify_probe_proof";
constexpr std::size_t kRandomPart = 32;
constexpr std::size_t kMark = 16;
constexpr std::size_t kMostDetail = 160;

std::string host_of(std::string_view origin) {
  std::string_view rest = origin.substr(origin.find("://") + 3);
  return std::string(rest.substr(0, rest.find(':')));
}

Probed ended(std::string path, std::string_view step, std::string_view reason,
             std::string detail = "") {
  if (detail.size() > kMostDetail) detail.resize(kMostDetail);
  return {std::move(path), false, step, reason, std::move(detail)};
}

// "": the address may be called.
std::string_view address_fault(const std::string& origin, Reach* reach) {
  if (origin.find_first_of("?#") != std::string::npos) return "has_query";
  if (is_this_machine(origin)) {
    *reach = Reach::this_machine;
    return {};
  }
  if (!origin.starts_with("https://")) return "not_https";
  if (!base::public_https_origin(origin)) return "not_public";
  *reach = Reach::outside;
  return {};
}

std::unique_ptr<base::Outbound> guarded(const std::string& origin) {
  base::OutboundOptions options;
  options.max_connections = 1;
  options.public_only = !is_this_machine(origin);
  return base::make_outbound("notify_probe", origin, options);
}

std::string_view reason_of(int status) {
  if (status >= 300 && status < 400) return "redirected";
  if (status == 404 || status == 405) return "not_found";
  if (status == 401 || status == 403 || status == 407 || status == 429) return "refused";
  return status >= 500 ? "server_error" : "other";
}

// Whether nothing answered at that name: the next path would fare alike.
bool is_about_all(const Probed& one) {
  return one.step == "connection" || one.step == "tls" || one.step == "name";
}

}  // namespace

std::string_view to_word(Reach reach) {
  constexpr std::string_view kWords[] = {"outside", "this_machine", "nobody"};
  return kWords[static_cast<std::size_t>(reach)];
}

bool ProbeReport::is_well() const {
  return reach != Reach::nobody && !paths.empty() &&
         std::all_of(paths.begin(), paths.end(), [](const Probed& one) { return one.is_well; });
}

NotifyProbe::NotifyProbe(storage::Db& db, const privacy::Pii& pii, const base::Clock& clock,
                         base::Random& random, Caller caller, Lookup lookup)
    : db_(db),
      pii_(pii),
      clock_(clock),
      random_(random),
      caller_(caller ? std::move(caller) : Caller(guarded)),
      lookup_(std::move(lookup)) {}

std::string NotifyProbe::mark_of(std::string_view random_part) const {
  return pii_.blind_index(kPurpose, random_part).substr(0, kMark);
}

std::string NotifyProbe::proof_of(std::string_view nonce) const {
  return pii_.blind_index(kProofPurpose, nonce);
}

std::string NotifyProbe::new_nonce(const std::string& path) const {
  const std::string part = base::new_nonce(random_);
  std::string nonce = part + mark_of(part);
  const std::int64_t now = clock_.wall_ms();
  db_.write([&](storage::Tx& tx) {
    party_store::forget_probes(tx, now - kProbesKeptMs);
    party_store::insert_probe(tx, base::hex(base::sha256(nonce)), path, now);
    return true;
  });
  return nonce;
}

std::string NotifyProbe::answer(std::string_view path, std::string_view nonce) const {
  if (nonce.size() != kRandomPart + kMark) return {};
  const std::string_view part = nonce.substr(0, kRandomPart);
  if (!base::constant_time_equal(nonce.substr(kRandomPart), mark_of(part))) return {};
  const std::int64_t now = clock_.wall_ms();
  bool is_first = false;
  db_.write([&](storage::Tx& tx) {
    is_first =
        party_store::hear_probe(tx, base::hex(base::sha256(nonce)), path, now - kProbeGoodMs, now);
    return is_first;
  });
  return is_first ? proof_of(nonce) : std::string();
}

Probed NotifyProbe::judge(const base::OutboundReply& reply, std::string_view path,
                          std::string_view nonce) const {
  const std::string at(path);
  if (reply.kind != base::OutboundReply::Kind::answered) {
    if (reply.failure == "tls_failed") return ended(at, "tls", "tls_failed");
    if (reply.failure == "address_refused") return ended(at, "name", "name_private");
    if (reply.failure == "deadline") return ended(at, "connection", "too_slow");
    if (reply.failure == "connect_failed") return ended(at, "connection", "connect_failed");
    return ended(at, "connection", "connection_lost", reply.failure);
  }
  if (reply.status != 200) {
    std::string detail = std::to_string(reply.status);
    const std::string location = reply.header("location");
    if (!location.empty()) detail += " " + location;
    return ended(at, "status", reason_of(reply.status), detail);
  }
  const auto body = base::json_in(reply.body);
  const auto proof = body ? base::text_in(*body, "proof", 128) : Result<std::string>();
  if (!body || !proof || !base::constant_time_equal(*proof, proof_of(nonce)))
    return ended(at, "proof", "another_server");
  return {at, true, {}, {}, {}};
}

Probed NotifyProbe::call(base::Outbound& out, const std::string& path, std::int64_t most_ms) const {
  if (most_ms <= 0) return ended(path, "connection", "too_slow");
  const std::string nonce = new_nonce(path);
  base::OutboundRequest request;
  request.method = "POST";
  request.target = path;
  request.headers = {{"content-type", "application/json"}, {kProbeHeader, nonce}};
  request.body = "{}";
  request.deadline_ms = std::min(kProbeMs, most_ms);
  return judge(out.call(request), path, nonce);
}

ProbeReport NotifyProbe::run(const std::string& public_origin,
                             const std::vector<std::string>& paths) const {
  ProbeReport report;
  report.at_ms = clock_.wall_ms();
  report.origin = public_origin;
  const auto all_end = [&](std::string_view step, std::string_view reason, std::string detail) {
    for (const std::string& path : paths) report.paths.push_back(ended(path, step, reason, detail));
    report.reach = Reach::nobody;
    return report;
  };
  Reach reach = Reach::nobody;
  const std::string_view fault = address_fault(public_origin, &reach);
  if (!fault.empty()) return all_end("address", fault, public_origin);
  if (reach == Reach::outside) {
    const std::string host = host_of(public_origin);
    base::Resolver resolver(host, base::Resolver::Allow::public_only, lookup_);
    const auto found = resolver.find_addresses(base::SystemClock().mono_ms() + kProbeMs);
    if (!found) {
      const std::string_view why = found.error().reason;
      return all_end("name",
                     why == "address_refused" ? "name_private"
                     : why == "deadline"      ? "name_slow"
                                              : "name_unknown",
                     host);
    }
  }
  const auto out = caller_(public_origin);
  const std::int64_t until = clock_.mono_ms() + kProbesMs;
  for (const std::string& path : paths) {
    report.paths.push_back(call(*out, path, until - clock_.mono_ms()));
    if (!is_about_all(report.paths.back())) continue;
    const Probed first = report.paths.back();
    while (report.paths.size() < paths.size()) {
      report.paths.push_back(first);
      report.paths.back().path = paths[report.paths.size() - 1];
    }
    break;
  }
  report.reach = reach;
  return report;
}

}  // namespace topup::parties
