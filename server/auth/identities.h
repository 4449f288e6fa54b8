// Who a buyer is, as outside parties prove it: a user has any number of identities (openids of our
// WeChat apps, a unionid, a phone number), an identity has one user. Signing in with one finds its
// user or makes one; a guest becomes that user in place, with all orders. When the identity belongs
// to somebody else and the guest owns something, nobody is moved without consent: the answer is a
// merge token, good once, for merge(). The same unionid is the same person, since WeChat says so:
// what it proves for one app is bound to the user it proves for another, without a question. Two
// users that turn out to be one person become one only with consent: the session comes with a merge
// token then.
// Subjects are kept sealed, found by blind index and shown masked.
//
// Errors: conflict/merge_needed is no error here but Arrival::merge_token;
// rejected/merge_not_possible, rejected/consent_needed, not_found/merge_token_unknown,
// conflict/identity_kind_taken, not_found/identity_not_found, rejected/last_identity,
// rejected/openid_missing. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/auth/buyer_sessions.h"
#include "server/auth/identity_store.h"
#include "server/auth/sign_in_log.h"
#include "server/privacy/pii.h"

namespace topup::auth {

// Stored words; do not rename.
namespace identity_kind {
inline constexpr std::string_view kWechatMini = "wechat_mini";
inline constexpr std::string_view kWechatOa = "wechat_oa";
inline constexpr std::string_view kAlipayMini = "alipay_mini";
inline constexpr std::string_view kUnion = "unionid";
inline constexpr std::string_view kPhone = "phone";
}  // namespace identity_kind

inline constexpr std::int64_t kMergeTicketMs = 10 * 60'000;

// What is sealed is what the index is made of, so that a new index key finds it there.
std::string whole_subject(std::string_view kind, std::string_view app, std::string_view subject);
// Of the last kTailDigits digits of a phone number, so that it is found by them.
inline constexpr std::size_t kTailDigits = 4;
std::string tail_index_of(const privacy::Pii& pii, std::string_view digits);

struct Proof {  // what an outside party has just said about whoever asks
  std::string kind;
  std::string app;      // the appid of an openid
  std::string subject;  // an openid, or a phone number in its canonical form
  std::string unionid;  // "" when unknown
};
struct Arrival {
  std::optional<StartedSession> session;  // nothing: merge_token must be answered first
  std::string merge_token;                // "" when there is nobody to become one with
};
struct Person {
  std::string level;  // "guest", "alipay", "wechat", "phone": the strongest proof
  std::vector<Identity> identities;
  std::vector<Consent> consents;
};

class Identities {
 public:
  Identities(storage::Db& db, const base::Clock& clock, base::Random& random,
             const privacy::Pii& pii, BuyerSessions& sessions, const SignInLog& log)
      : db_(db), clock_(clock), random_(random), pii_(pii), sessions_(sessions), log_(log) {}

  // `token`: the session it is asked with, "" for none. That session ends.
  Result<Arrival> sign_in(const Proof& proof, std::string_view token, const Caller& caller);
  // One more identity for the user of this session, which gets a new token.
  Result<Arrival> bind(const Proof& proof, const UserId& user, std::string_view token,
                       const Caller& caller);
  Result<Arrival> merge(const UserId& user, std::string_view token, std::string_view merge_token,
                        bool consent, const Caller& caller);
  Result<bool> unbind(const UserId& user, const std::string& identity_id, const TraceId& trace);

  Person person(const UserId& user) const;
  void consent(const UserId& user, const std::string& document, const std::string& version,
               const TraceId& trace);
  // Takes consents back, of one document or ("") all; `effects` runs in the same transaction.
  void withdraw(const UserId& user, const std::string& document, const TraceId& trace,
                const std::function<void(storage::Tx&)>& effects);
  Result<std::string> openid_of(const UserId& user, std::string_view kind,
                                std::string_view app) const;
  std::string index_of(std::string_view kind, std::string_view app, std::string_view subject) const;
  void refused(const Proof& tried, std::string_view reason, const Caller& caller) const;
  void sweep();

 private:
  struct Known {  // whose identity a proof is
    std::optional<UserId> owner;
    std::optional<UserId> twin;  // another user that the unionid names
  };
  Known owner_of(storage::Tx& tx, const Proof& proof) const;
  void attach(storage::Tx& tx, const Proof& proof, const UserId& user, const Caller& caller);
  void attach_one(storage::Tx& tx, std::string_view kind, std::string_view app,
                  std::string_view subject, const UserId& user, const Caller& caller);
  bool may_merge(storage::Reader& reader, const UserId& from, const UserId& into) const;
  void merge_users(storage::Tx& tx, const UserId& from, const UserId& into, std::string_view why,
                   const Caller& caller);
  // Signed in as this user, and asked about the twin where they can become one.
  Arrival arrive(storage::Tx& tx, const UserId& user, const Known& known, const Proof& proof,
                 std::string_view token, const Caller& caller);
  std::string ticket(storage::Tx& tx, const UserId& from, const UserId& into, const Proof& proof);
  Arrival begin(storage::Tx& tx, const UserId& user, const Proof& proof, std::string_view token,
                const Caller& caller);
  SignIn entry_of(const Proof& proof, const UserId& user) const;

  storage::Db& db_;
  const base::Clock& clock_;
  base::Random& random_;
  const privacy::Pii& pii_;
  BuyerSessions& sessions_;
  const SignInLog& log_;
};

}  // namespace topup::auth
