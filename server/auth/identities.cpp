#include "server/auth/identities.h"

#include <algorithm>
#include <utility>

#include "server/audit/audit_log.h"
#include "server/auth/buyer_session_store.h"
#include "server/base/crypto.h"
#include "shared/phone.h"

namespace topup::auth {
namespace {

namespace rows = identity_store;

std::string masked(std::string_view kind, std::string_view subject) {
  if (kind == identity_kind::kPhone) return mask_phone(subject);
  if (subject.size() < 12) return "****";
  return std::string(subject.substr(0, 3)) + "****" +
         std::string(subject.substr(subject.size() - 3));
}

std::string actor_of(const UserId& user) { return "buyer:" + user.text; }

bool is_way_in(const Identity& identity) { return identity.kind != identity_kind::kUnion; }
bool is_wechat(const Identity& identity) {
  return identity.kind == identity_kind::kWechatMini || identity.kind == identity_kind::kWechatOa;
}

}  // namespace

std::string whole_subject(std::string_view kind, std::string_view app, std::string_view subject) {
  std::string text(kind);
  text += '\x1f';
  text += app;
  text += '\x1f';
  text += subject;
  return text;
}

std::string tail_index_of(const privacy::Pii& pii, std::string_view digits) {
  const std::size_t from = digits.size() > kTailDigits ? digits.size() - kTailDigits : 0;
  return pii.blind_index("identities.tail", digits.substr(from));
}

std::string Identities::index_of(std::string_view kind, std::string_view app,
                                 std::string_view subject) const {
  return pii_.blind_index("identity", whole_subject(kind, app, subject));
}

SignIn Identities::entry_of(const Proof& proof, const UserId& user) const {
  SignIn entry;
  entry.user = user;
  entry.kind = proof.kind;
  if (proof.subject.empty()) return entry;
  entry.subject_index = index_of(proof.kind, proof.app, proof.subject);
  entry.subject_masked = masked(proof.kind, proof.subject);
  return entry;
}

void Identities::refused(const Proof& tried, std::string_view reason, const Caller& caller) const {
  SignIn entry = entry_of(tried, UserId());
  db_.write([&](storage::Tx& tx) {
    entry.user = UserId();
    if (!entry.subject_index.empty()) {
      const auto meant = rows::find(tx, tried.kind, tried.app, entry.subject_index);
      if (meant) entry.user = meant->user;
    }
    log_.failed(tx, entry, reason, caller);
    return true;
  });
}

Identities::Known Identities::owner_of(storage::Tx& tx, const Proof& proof) const {
  const auto by_subject =
      rows::find(tx, proof.kind, proof.app, index_of(proof.kind, proof.app, proof.subject));
  std::optional<Identity> by_union;
  if (!proof.unionid.empty()) {
    by_union = rows::find(tx, identity_kind::kUnion, "",
                          index_of(identity_kind::kUnion, "", proof.unionid));
  }
  if (!by_subject) return {by_union ? std::optional(by_union->user) : std::nullopt, {}};
  if (!by_union || by_union->user == by_subject->user) return {by_subject->user, {}};
  return {by_subject->user, by_union->user};
}

void Identities::attach_one(storage::Tx& tx, std::string_view kind, std::string_view app,
                            std::string_view subject, const UserId& user, const Caller& caller) {
  const std::string index = index_of(kind, app, subject);
  if (rows::find(tx, kind, app, index)) return;
  for (const Identity& own : rows::of_user(tx, user)) {
    if (own.kind == kind && own.app == app) return;
  }
  const std::int64_t now = clock_.wall_ms();
  Identity identity;
  identity.identity_id = base::new_id(random_, now);
  identity.user = user;
  identity.kind = kind;
  identity.app = app;
  identity.subject_index = index;
  identity.subject_sealed = pii_.seal("identities", "subject_sealed", identity.identity_id,
                                      whole_subject(kind, app, subject));
  identity.subject_masked = masked(kind, subject);
  identity.bound_at_ms = now;
  if (kind == identity_kind::kPhone) identity.tail_index = tail_index_of(pii_, subject);
  rows::insert(tx, identity);
  audit::append(tx, {actor_of(user), "identity.bound", user.text, kind}, caller.trace, now);
}

void Identities::attach(storage::Tx& tx, const Proof& proof, const UserId& user,
                        const Caller& caller) {
  attach_one(tx, proof.kind, proof.app, proof.subject, user, caller);
  if (!proof.unionid.empty())
    attach_one(tx, identity_kind::kUnion, "", proof.unionid, user, caller);
}

bool Identities::may_merge(storage::Reader& reader, const UserId& from, const UserId& into) const {
  const auto theirs = rows::of_user(reader, into);
  for (const Identity& own : rows::of_user(reader, from)) {
    const bool clashes = std::any_of(theirs.begin(), theirs.end(), [&](const Identity& other) {
      return other.kind == own.kind && other.app == own.app;
    });
    if (clashes) return false;
  }
  return true;
}

void Identities::merge_users(storage::Tx& tx, const UserId& from, const UserId& into,
                             std::string_view why, const Caller& caller) {
  const std::int64_t now = clock_.wall_ms();
  for (const Identity& identity : rows::of_user(tx, from)) {
    rows::give(tx, identity.identity_id, into);
  }
  const int orders = rows::move_belongings(tx, from, into);
  buyer_session_store::end_all(tx, from, "", "merged", now);
  rows::insert_merged(tx, from, into, now);
  const std::string detail =
      "from " + from.text + ", " + std::to_string(orders) + " orders, " + std::string(why);
  audit::append(tx, {actor_of(into), "user.merged", into.text, detail}, caller.trace, now);
  audit::append(tx, {actor_of(into), "user.ended", from.text, "merged into " + into.text},
                caller.trace, now);
}

std::string Identities::ticket(storage::Tx& tx, const UserId& from, const UserId& into,
                               const Proof& proof) {
  const std::int64_t now = clock_.wall_ms();
  const std::string token = base::new_token(random_);
  rows::insert_ticket(tx, base::hex(base::sha256(token)), {from, into, proof.kind}, now,
                      now + kMergeTicketMs);
  return token;
}

Arrival Identities::begin(storage::Tx& tx, const UserId& user, const Proof& proof,
                          std::string_view token, const Caller& caller) {
  Arrival arrival;
  arrival.session = sessions_.open(tx, user, proof.kind, caller, token);
  log_.succeeded(tx, entry_of(proof, user), caller);
  audit::append(tx, {actor_of(user), "user.signed_in", user.text, proof.kind}, caller.trace,
                clock_.wall_ms());
  return arrival;
}

Arrival Identities::arrive(storage::Tx& tx, const UserId& user, const Known& known,
                           const Proof& proof, std::string_view token, const Caller& caller) {
  attach(tx, proof, user, caller);
  Arrival arrival = begin(tx, user, proof, token, caller);
  if (known.twin && may_merge(tx, user, *known.twin))
    arrival.merge_token = ticket(tx, user, *known.twin, proof);
  return arrival;
}

Result<Arrival> Identities::sign_in(const Proof& proof, std::string_view token,
                                    const Caller& caller) {
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<Arrival> {
    const auto holder = sessions_.holder(tx, token);
    const bool is_guest = holder && rows::of_user(tx, *holder).empty();
    const Known known = owner_of(tx, proof);
    if (!known.owner) {
      UserId user;
      if (is_guest) {
        user = *holder;
      } else {
        user = UserId(base::new_id(random_, clock_.wall_ms()));
        buyer_session_store::insert_user(tx, user, clock_.wall_ms());
      }
      return arrive(tx, user, known, proof, token, caller);
    }
    if (is_guest && *holder != *known.owner) {
      if (rows::has_belongings(tx, *holder)) {
        Arrival asked;
        asked.merge_token = ticket(tx, *holder, *known.owner, proof);
        return asked;
      }
      merge_users(tx, *holder, *known.owner, "a guest without orders", caller);
    }
    return arrive(tx, *known.owner, known, proof, token, caller);
  });
}

Result<Arrival> Identities::bind(const Proof& proof, const UserId& user, std::string_view token,
                                 const Caller& caller) {
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<Arrival> {
    const Known known = owner_of(tx, proof);
    if (known.owner && *known.owner != user) {
      if (!may_merge(tx, user, *known.owner)) return refuse(Code::rejected, "merge_not_possible");
      Arrival asked;
      asked.merge_token = ticket(tx, user, *known.owner, proof);
      return asked;
    }
    if (!known.owner) {
      for (const Identity& own : rows::of_user(tx, user)) {
        if (own.kind == proof.kind && own.app == proof.app)
          return refuse(Code::conflict, "identity_kind_taken");
      }
    }
    return arrive(tx, user, known, proof, token, caller);
  });
}

Result<Arrival> Identities::merge(const UserId& user, std::string_view token,
                                  std::string_view merge_token, bool consent,
                                  const Caller& caller) {
  if (!consent) return refuse(Code::rejected, "consent_needed", "consent");
  const std::string hash = base::hex(base::sha256(merge_token));
  try {
    return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<Arrival> {
      const std::int64_t now = clock_.wall_ms();
      const auto found = rows::find_ticket(tx, hash, now);
      if (!found || found->from != user)
        return refuse(Code::not_found, "merge_token_unknown", "merge_token");
      if (!may_merge(tx, user, found->into)) return refuse(Code::rejected, "merge_not_possible");
      rows::use_ticket(tx, hash, now);
      merge_users(tx, user, found->into, "with consent", caller);
      Proof proof;
      proof.kind = found->proof;
      return begin(tx, found->into, proof, token, caller);
    });
  } catch (const storage::SqlError& failure) {
    // Both users placed an order with one and the same key.
    if (failure.is_constraint) return refuse(Code::rejected, "merge_not_possible");
    throw;
  }
}

Result<bool> Identities::unbind(const UserId& user, const std::string& identity_id,
                                const TraceId& trace) {
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<bool> {
    const auto own = rows::of_user(tx, user);
    const auto found = std::find_if(own.begin(), own.end(), [&](const Identity& identity) {
      return identity.identity_id == identity_id && is_way_in(identity);
    });
    if (found == own.end()) return refuse(Code::not_found, "identity_not_found", "identity_id");
    if (std::count_if(own.begin(), own.end(), is_way_in) < 2)
      return refuse(Code::rejected, "last_identity", "identity_id");
    rows::remove(tx, identity_id);
    const bool was_last_wechat =
        is_wechat(*found) && std::count_if(own.begin(), own.end(), is_wechat) == 1;
    for (const Identity& identity : own) {
      if (was_last_wechat && !is_way_in(identity)) rows::remove(tx, identity.identity_id);
    }
    audit::append(tx, {actor_of(user), "identity.unbound", user.text, found->kind}, trace,
                  clock_.wall_ms());
    return true;
  });
}

Person Identities::person(const UserId& user) const {
  Person person;
  db_.read([&](storage::Reader& reader) {
    person.identities = rows::of_user(reader, user);
    person.consents = rows::consents_of(reader, user);
  });
  const auto has = [&person](std::string_view kind) {
    return std::any_of(person.identities.begin(), person.identities.end(),
                       [kind](const Identity& identity) { return identity.kind == kind; });
  };
  const bool is_in_wechat =
      std::any_of(person.identities.begin(), person.identities.end(),
                  [](const Identity& one) { return is_wechat(one) || !is_way_in(one); });
  person.level = has(identity_kind::kPhone)        ? "phone"
                 : is_in_wechat                    ? "wechat"
                 : has(identity_kind::kAlipayMini) ? "alipay"
                                                   : "guest";
  return person;
}

void Identities::consent(const UserId& user, const std::string& document,
                         const std::string& version, const TraceId& trace) {
  const std::int64_t now = clock_.wall_ms();
  db_.write([&](storage::Tx& tx) {
    rows::insert_consent(tx, user, {document, version, now, 0});
    audit::append(tx, {actor_of(user), "consent.given", user.text, document + " " + version}, trace,
                  now);
    return true;
  });
}

void Identities::withdraw(const UserId& user, const std::string& document, const TraceId& trace,
                          const std::function<void(storage::Tx&)>& effects) {
  const std::int64_t now = clock_.wall_ms();
  db_.write([&](storage::Tx& tx) {
    const int taken_back = rows::withdraw_consents(tx, user, document, now);
    effects(tx);
    const std::string detail =
        (document.empty() ? "all" : document) + ", " + std::to_string(taken_back);
    audit::append(tx, {actor_of(user), "consent.withdrawn", user.text, detail}, trace, now);
    return true;
  });
}

Result<std::string> Identities::openid_of(const UserId& user, std::string_view kind,
                                          std::string_view app) const {
  std::vector<Identity> own;
  db_.read([&](storage::Reader& reader) { own = rows::of_user(reader, user); });
  for (const Identity& identity : own) {
    if (identity.kind != kind || identity.app != app) continue;
    auto text =
        pii_.open("identities", "subject_sealed", identity.identity_id, identity.subject_sealed);
    if (text) text->erase(0, whole_subject(kind, app, "").size());
    return text;
  }
  return refuse(Code::rejected, "openid_missing", "scene",
                "sign in with the app that takes the payment first");
}

void Identities::sweep() {
  const std::int64_t now = clock_.wall_ms();
  db_.write([&](storage::Tx& tx) {
    rows::sweep(tx, now, now - kSignInsKeptMs);
    return true;
  });
}

}  // namespace topup::auth
