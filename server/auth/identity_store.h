// Rows of identities, merged_users, merge_tickets and consents, and what moves when two users
// become one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"
#include "shared/ids.h"

namespace topup::auth {

struct Identity {
  std::string identity_id;
  UserId user;
  std::string kind, app, subject_index, subject_sealed, subject_masked;
  std::int64_t bound_at_ms = 0;
  std::string tail_index = {};  // of a phone number; written, never read back
};
struct Consent {
  std::string document, version;
  std::int64_t given_at_ms = 0, withdrawn_at_ms = 0;  // 0: it holds
};

namespace identity_store {

std::optional<Identity> find(storage::Reader& reader, std::string_view kind, std::string_view app,
                             std::string_view subject_index);
std::vector<Identity> of_user(storage::Reader& reader, const UserId& user);
void insert(storage::Tx& tx, const Identity& identity);
void remove(storage::Tx& tx, std::string_view identity_id);
void give(storage::Tx& tx, std::string_view identity_id, const UserId& user);

// Whether the user owns anything that would be lost with it.
bool has_belongings(storage::Reader& reader, const UserId& user);
// Orders and consents; how many orders. Whoever was frozen makes the other one frozen.
int move_belongings(storage::Tx& tx, const UserId& from, const UserId& into);
void insert_merged(storage::Tx& tx, const UserId& from, const UserId& into, std::int64_t now_ms);

struct Ticket {
  UserId from, into;
  std::string proof;
};
void insert_ticket(storage::Tx& tx, std::string_view hash, const Ticket& ticket,
                   std::int64_t now_ms, std::int64_t expires_at_ms);
std::optional<Ticket> find_ticket(storage::Reader& reader, std::string_view hash,
                                  std::int64_t now_ms);  // unused and in time
void use_ticket(storage::Tx& tx, std::string_view hash, std::int64_t now_ms);

void insert_consent(storage::Tx& tx, const UserId& user, const Consent& consent);
// Of this document ("" for all of them); how many still held.
int withdraw_consents(storage::Tx& tx, const UserId& user, std::string_view document,
                      std::int64_t now_ms);
std::vector<Consent> consents_of(storage::Reader& reader, const UserId& user);

// Rows that no longer serve anything: journeys, tickets and codes of more than two days ago,
// sign-ins older than `sign_ins_before_ms`.
void sweep(storage::Tx& tx, std::int64_t now_ms, std::int64_t sign_ins_before_ms);

}  // namespace identity_store
}  // namespace topup::auth
