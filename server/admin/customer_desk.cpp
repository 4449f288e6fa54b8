#include "server/admin/customer_desk.h"

#include <algorithm>

#include "server/audit/audit_log.h"
#include "server/audit/audit_search.h"
#include "server/auth/buyer_session_store.h"
#include "server/auth/identities.h"
#include "server/orders/order_rules.h"
#include "server/orders/order_store.h"
#include "server/risk/blacklist_store.h"
#include "shared/phone.h"

namespace topup::admin {
namespace {

std::string actor_of(const StaffId& staff) { return "staff:" + staff.text; }

bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

void add(std::vector<UserId>* all, const std::vector<UserId>& more) {
  for (const UserId& user : more) {
    if (std::find(all->begin(), all->end(), user) == all->end()) all->push_back(user);
  }
}

}  // namespace

Result<std::string> checked_reason(const std::string& typed) {
  const std::size_t first = typed.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return refuse(Code::invalid_argument, "reason_missing", "reason");
  return typed.substr(first, typed.find_last_not_of(" \t\r\n") - first + 1);
}

std::vector<Customer> CustomerDesk::list(CustomerList wanted, const UserId& before) const {
  std::vector<Customer> found;
  db_.read([&](storage::Reader& reader) {
    found = customer_store::list(reader, wanted, before, kCustomersPage + 1);
  });
  return found;
}

std::vector<UserId> CustomerDesk::candidates(storage::Reader& reader, std::string_view q) const {
  std::vector<UserId> found;
  if (q.size() == orders::kTailDigits && all_digits(q)) {
    add(&found, customer_store::by_tail(reader, auth::tail_index_of(pii_, q), kMaxFound));
    add(&found, customer_store::by_order_tail(reader, orders::tail_index_of(pii_, q), kMaxFound));
    return found;
  }
  found.emplace_back(std::string(q));
  if (const auto order = orders::order_store::find(reader, OrderId(std::string(q))))
    add(&found, {order->user});
  const auto index = [this](std::string_view kind, std::string_view app, std::string_view subject) {
    return pii_.blind_index("identity", auth::whole_subject(kind, app, subject));
  };
  const auto mainland = normalise_mainland_phone(q);
  const auto phone = mainland ? mainland : normalise_phone(q, "");
  if (phone) {
    const auto kind = auth::identity_kind::kPhone;
    add(&found, customer_store::by_identity(reader, kind, "", index(kind, "", *phone)));
    add(&found, customer_store::by_order_account(reader, orders::account_index_of(pii_, *phone),
                                                 kMaxFound));
  }
  for (const auto& [kind, app] : apps_)
    add(&found, customer_store::by_identity(reader, kind, app, index(kind, app, q)));
  const auto kind = auth::identity_kind::kUnion;
  add(&found, customer_store::by_identity(reader, kind, "", index(kind, "", q)));
  return found;
}

std::vector<Customer> CustomerDesk::search(storage::Reader& reader, std::string_view q) const {
  std::vector<Customer> found;
  for (const UserId& user : candidates(reader, q)) {
    if (found.size() == static_cast<std::size_t>(kMaxFound)) break;
    if (auto customer = customer_store::find(reader, user)) found.push_back(std::move(*customer));
  }
  return found;
}

FrozenState CustomerDesk::frozen(storage::Reader& reader, const UserId& user) const {
  const risk::Freeze freeze = risk::blacklist_store::freeze_of(reader, user);
  if (freeze.at_ms == 0) return {};
  return {freeze.at_ms, freeze.by,
          pii_.open("users", "frozen_why_sealed", user.text, freeze.why_sealed).value_or("")};
}

std::vector<ReadableNote> CustomerDesk::notes(storage::Reader& reader, const UserId& user) const {
  std::vector<ReadableNote> notes;
  for (const CustomerNote& note : customer_store::notes_of(reader, user)) {
    notes.push_back(
        {note.id, note.staff,
         pii_.open("customer_notes", "text_sealed", note.id, note.text_sealed).value_or(""),
         note.at_ms});
  }
  return notes;
}

Result<Customer> CustomerDesk::target(storage::Reader& reader, const UserId& user) const {
  auto customer = customer_store::find(reader, user);
  if (!customer) return refuse(Code::not_found, "user_not_found", "user_id");
  if (!customer->merged_into.empty())
    return refuse(Code::conflict, "customer_merged", "user_id", customer->merged_into.text);
  return std::move(*customer);
}

Result<bool> CustomerDesk::freeze(const UserId& user, const Deed& deed) const {
  const std::int64_t now = clock_.wall_ms();
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<bool> {
    const auto customer = target(tx, user);
    if (!customer) return tl::unexpected<Error>(customer.error());
    if (customer->frozen_at_ms > 0) return refuse(Code::conflict, "customer_frozen", "user_id");
    risk::blacklist_store::set_freeze(
        tx, user,
        {now, actor_of(deed.staff),
         pii_.seal("users", "frozen_why_sealed", user.text, deed.reason)});
    audit::append(tx,
                  {actor_of(deed.staff), "customer.frozen", user.text, deed.reason,
                   R"({"frozen":false})", R"({"frozen":true})"},
                  deed.trace, now);
    return true;
  });
}

Result<bool> CustomerDesk::unfreeze(const UserId& user, const Deed& deed) const {
  const std::int64_t now = clock_.wall_ms();
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<bool> {
    const auto customer = target(tx, user);
    if (!customer) return tl::unexpected<Error>(customer.error());
    if (customer->frozen_at_ms == 0)
      return refuse(Code::conflict, "customer_not_frozen", "user_id");
    risk::blacklist_store::set_freeze(tx, user, {});
    audit::append(tx,
                  {actor_of(deed.staff), "customer.unfrozen", user.text, deed.reason,
                   R"({"frozen":true})", R"({"frozen":false})"},
                  deed.trace, now);
    return true;
  });
}

Result<int> CustomerDesk::end_sessions(const UserId& user, const Deed& deed) const {
  const std::int64_t now = clock_.wall_ms();
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<int> {
    const auto customer = target(tx, user);
    if (!customer) return tl::unexpected<Error>(customer.error());
    const int ended = auth::buyer_session_store::end_all(tx, user, "", "ended_by_staff", now);
    audit::append(tx,
                  {actor_of(deed.staff), "customer.sessions_ended", user.text,
                   std::to_string(ended) + " sessions: " + deed.reason},
                  deed.trace, now);
    return ended;
  });
}

Result<std::string> CustomerDesk::add_note(const UserId& user, const std::string& text,
                                           const StaffId& staff, const TraceId& trace) const {
  const std::int64_t now = clock_.wall_ms();
  const std::string id = base::new_id(random_, now);
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<std::string> {
    const auto customer = target(tx, user);
    if (!customer) return tl::unexpected<Error>(customer.error());
    const CustomerNote note{id, user, staff, pii_.seal("customer_notes", "text_sealed", id, text),
                            now};
    if (!customer_store::insert_note(tx, note))
      return refuse(Code::rejected, "too_many_notes", "user_id");
    audit::append(tx, {actor_of(staff), "customer.note", user.text, id}, trace, now);
    return id;
  });
}

Result<bool> may_reveal(storage::Reader& reader, const StaffId& staff, std::int64_t now_ms) {
  const std::int64_t since = now_ms - kRevealWindowMs;
  if (audit::count_of_staff(reader, actor_of(staff), kRevealed, since, kRevealsPerHour) <
      kRevealsPerHour)
    return true;
  return refuse(Code::rate_limited, "too_many_reveals", {},
                std::to_string(kRevealsPerHour) + " in an hour");
}

Result<std::string> CustomerDesk::reveal_identity(const UserId& user, std::string_view identity_id,
                                                  const Deed& deed) const {
  const std::int64_t now = clock_.wall_ms();
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<std::string> {
    const auto allowed = may_reveal(tx, deed.staff, now);
    if (!allowed) return tl::unexpected<Error>(allowed.error());
    const auto own = auth::identity_store::of_user(tx, user);
    const auto found = std::find_if(own.begin(), own.end(), [&](const auth::Identity& one) {
      return one.identity_id == identity_id;
    });
    if (found == own.end()) return refuse(Code::not_found, "identity_not_found", "identity_id");
    const auto whole =
        pii_.open("identities", "subject_sealed", found->identity_id, found->subject_sealed);
    if (!whole) return tl::unexpected<Error>(whole.error());
    audit::append(tx,
                  {actor_of(deed.staff), kRevealed, user.text,
                   found->kind + " " + found->identity_id + ": " + deed.reason},
                  deed.trace, now);
    return whole->substr(whole->rfind('\x1f') + 1);
  });
}

Result<std::string> CustomerDesk::reveal_recipient(const UserId& user, const OrderId& order,
                                                   const Deed& deed) const {
  const std::int64_t now = clock_.wall_ms();
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<std::string> {
    const auto allowed = may_reveal(tx, deed.staff, now);
    if (!allowed) return tl::unexpected<Error>(allowed.error());
    const auto found = orders::order_store::find(tx, order);
    if (!found || found->user != user)
      return refuse(Code::not_found, "order_not_found", "order_id");
    const auto account =
        pii_.open("orders", "account_sealed", found->id.text, found->account_sealed);
    if (!account) return tl::unexpected<Error>(account.error());
    audit::append(tx,
                  {actor_of(deed.staff), kRevealed, user.text,
                   "recipient of " + order.text + ": " + deed.reason},
                  deed.trace, now);
    return *account;
  });
}

}  // namespace topup::admin
