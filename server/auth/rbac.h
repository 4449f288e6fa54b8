// Who may do what, as data: permissions, built-in roles, and which roles one person may not hold
// together. A person may hold several roles and may do what any of them may. Routes name a
// permission; an unknown one is refused to everybody, so a typing slip closes a door and never
// opens one. What a permission means is told by the console under "permission.<word>".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace topup::auth {

struct Permission {
  std::string_view word;
  bool writes;         // changes something of the shop
  bool step_up;        // wants a second factor not older than kStepUpMs
  bool guarded;        // moves money or hands out power: whoever holds it needs TOTP
  bool for_everybody;  // about oneself: every member of staff has it, whatever their roles
};

inline constexpr std::array kPermissions = {
    Permission{"session.own", false, false, false, true},
    Permission{"session.secure", false, true, false, true},
    Permission{"overview.read", false, false, false, false},
    Permission{"orders.read", false, false, false, false},
    Permission{"orders.act", true, false, false, false},
    Permission{"orders.review", true, false, true, false},
    Permission{"orders.supply", true, false, true, false},
    Permission{"personal_data.read", false, true, true, false},
    Permission{"customers.read", false, false, false, false},
    Permission{"customers.act", true, false, false, false},
    Permission{"refund.request", true, false, true, false},
    Permission{"refund.approve", true, true, true, false},
    Permission{"ledger.read", false, false, false, false},
    Permission{"ledger.post", true, false, true, false},
    Permission{"ledger.approve", true, true, true, false},
    Permission{"reconcile.read", false, false, false, false},
    Permission{"reconcile.act", true, false, true, false},
    Permission{"catalog.read", false, false, false, false},
    Permission{"catalog.write", true, false, false, false},
    Permission{"prices.write", true, true, true, false},
    Permission{"marketing.read", false, false, false, false},
    Permission{"marketing.write", true, false, true, false},
    Permission{"content.read", false, false, false, false},
    Permission{"content.write", true, false, false, false},
    Permission{"risk.read", false, false, false, false},
    Permission{"risk.write", true, false, false, false},
    Permission{"settings.read", false, false, false, false},
    Permission{"settings.write", true, true, true, false},
    Permission{"keys.read", false, false, false, false},
    Permission{"keys.manage", true, true, true, false},
    Permission{"jobs.read", false, false, false, false},
    Permission{"jobs.manage", true, false, false, false},
    Permission{"audit.read", false, false, false, false},
    Permission{"staff.read", false, false, false, false},
    Permission{"staff.write", true, true, true, false},
    Permission{"staff.roles", true, true, true, false},
    Permission{"approvals.read", false, false, false, false},
    Permission{"approvals.decide", true, true, true, false},
    Permission{"stations.read", false, false, false, false},
    Permission{"stations.write", true, false, false, false},
};

struct Role {
  std::string_view word;
  std::string_view permissions;  // words separated by one blank; "*" is every permission
  bool needs_second;             // giving it to somebody is agreed to by a second person
};

inline constexpr std::array kRoles = {
    Role{"owner", "*", true},
    Role{"finance",
         "overview.read orders.read ledger.read ledger.post reconcile.read reconcile.act "
         "refund.request",
         false},
    Role{"finance_director",
         "overview.read orders.read ledger.read ledger.approve reconcile.read refund.approve "
         "prices.write "
         "catalog.read approvals.read approvals.decide",
         true},
    Role{"support",
         "overview.read orders.read orders.act personal_data.read refund.request "
         "customers.read customers.act risk.read",
         false},
    Role{"operations",
         "overview.read orders.read orders.act orders.review orders.supply jobs.read jobs.manage "
         "reconcile.read "
         "settings.read settings.write catalog.read content.read customers.read",
         false},
    Role{"catalog",
         "overview.read catalog.read catalog.write content.read content.write stations.read "
         "stations.write",
         false},
    Role{"marketing",
         "overview.read catalog.read marketing.read marketing.write content.read content.write "
         "stations.read stations.write",
         false},
    Role{"risk",
         "overview.read orders.read orders.review risk.read risk.write personal_data.read "
         "customers.read customers.act",
         false},
    Role{"auditor",
         "overview.read orders.read ledger.read reconcile.read catalog.read marketing.read "
         "content.read risk.read settings.read keys.read jobs.read audit.read staff.read "
         "approvals.read stations.read customers.read",
         false},
    Role{"security_admin",
         "staff.read staff.write staff.roles keys.read keys.manage settings.read approvals.read "
         "approvals.decide",
         true},
    Role{"read_only",
         "overview.read orders.read catalog.read marketing.read content.read stations.read "
         "customers.read",
         false},
};

// Nobody holds both roles of a pair: the first half of a deed and its second, or the deed and the
// eye on it.
struct Separated {
  std::string_view one, other;
};
inline constexpr std::array kSeparated = {
    Separated{"finance", "finance_director"},
    Separated{"support", "finance_director"},
    Separated{"security_admin", "finance"},
    Separated{"security_admin", "finance_director"},
    Separated{"security_admin", "support"},
    Separated{"security_admin", "operations"},
    Separated{"auditor", "owner"},
    Separated{"auditor", "finance"},
    Separated{"auditor", "finance_director"},
    Separated{"auditor", "support"},
    Separated{"auditor", "operations"},
    Separated{"auditor", "catalog"},
    Separated{"auditor", "marketing"},
    Separated{"auditor", "risk"},
    Separated{"auditor", "security_admin"},
};

// Places and not addresses, for the proofs below: under -fsanitize=undefined GCC 12 takes no
// comparison of an address for a constant. kNowhere when no row has the word.
inline constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

constexpr std::size_t place_of(const auto& rows, std::string_view word) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].word == word) return i;
  }
  return kNowhere;
}

constexpr const Permission* find_permission(std::string_view word) {
  const std::size_t place = place_of(kPermissions, word);
  return place == kNowhere ? nullptr : &kPermissions[place];
}

constexpr const Role* find_role(std::string_view word) {
  const std::size_t place = place_of(kRoles, word);
  return place == kNowhere ? nullptr : &kRoles[place];
}

constexpr bool has_word(std::string_view words, std::string_view wanted) {
  while (!words.empty()) {
    const std::size_t end = words.find(' ');
    if (words.substr(0, end) == wanted) return true;
    words = end == std::string_view::npos ? std::string_view() : words.substr(end + 1);
  }
  return false;
}

constexpr bool allows(std::string_view role, std::string_view permission) {
  const std::size_t known = place_of(kRoles, role);
  const std::size_t wanted = place_of(kPermissions, permission);
  if (known == kNowhere || wanted == kNowhere) return false;
  return kPermissions[wanted].for_everybody || kRoles[known].permissions == "*" ||
         has_word(kRoles[known].permissions, permission);
}

constexpr bool is_pair(const Separated& pair, std::string_view one, std::string_view other) {
  return (pair.one == one && pair.other == other) || (pair.one == other && pair.other == one);
}
constexpr const Separated* separated_pair(std::string_view one, std::string_view other) {
  for (const Separated& pair : kSeparated) {
    if (is_pair(pair, one, other)) return &pair;
  }
  return nullptr;
}
constexpr bool are_separated(std::string_view one, std::string_view other) {
  for (const Separated& pair : kSeparated) {
    if (is_pair(pair, one, other)) return true;
  }
  return false;
}

// The union of somebody's roles; what is for everybody needs no role.
inline bool may(std::span<const std::string> roles, std::string_view permission) {
  const Permission* wanted = find_permission(permission);
  if (wanted == nullptr) return false;
  if (wanted->for_everybody) return true;
  for (const std::string& role : roles) {
    if (allows(role, permission)) return true;
  }
  return false;
}

inline bool holds_guarded(std::span<const std::string> roles) {
  for (const Permission& permission : kPermissions) {
    if (permission.guarded && may(roles, permission.word)) return true;
  }
  return false;
}

// The first two of these roles that nobody may hold together; nullptr when there are none.
inline const Separated* conflict_in(std::span<const std::string> roles) {
  for (std::size_t i = 0; i < roles.size(); ++i) {
    for (std::size_t j = i + 1; j < roles.size(); ++j) {
      if (const Separated* pair = separated_pair(roles[i], roles[j])) return pair;
    }
  }
  return nullptr;
}

namespace rbac_proof {

constexpr bool words_are_known() {
  for (const Role& role : kRoles) {
    if (role.permissions == "*") continue;
    std::string_view rest = role.permissions;
    while (!rest.empty()) {
      const std::size_t end = rest.find(' ');
      if (place_of(kPermissions, rest.substr(0, end)) == kNowhere) return false;
      rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    }
  }
  for (const Separated& pair : kSeparated) {
    if (place_of(kRoles, pair.one) == kNowhere || place_of(kRoles, pair.other) == kNowhere)
      return false;
  }
  return true;
}

constexpr bool writes_something(std::string_view role) {
  for (const Permission& permission : kPermissions) {
    if (permission.writes && allows(role, permission.word)) return true;
  }
  return false;
}

constexpr bool only_held_by(std::string_view permission, std::string_view roles) {
  for (const Role& role : kRoles) {
    if (allows(role.word, permission) && !has_word(roles, role.word)) return false;
  }
  return true;
}

constexpr bool each_has_a_role_beside_owner() {
  for (const Permission& permission : kPermissions) {
    bool held = false;
    for (const Role& role : kRoles) {
      held = held || (role.word != "owner" && allows(role.word, permission.word));
    }
    if (!held) return false;
  }
  return true;
}

// Whoever is not an owner can not come to hold both, whatever roles they are given.
constexpr bool never_together(std::string_view one, std::string_view other) {
  for (const Role& a : kRoles) {
    for (const Role& b : kRoles) {
      if (a.word == "owner" || b.word == "owner" || are_separated(a.word, b.word)) continue;
      const bool has_one = allows(a.word, one) || allows(b.word, one);
      const bool has_other = allows(a.word, other) || allows(b.word, other);
      if (has_one && has_other) return false;
    }
  }
  return true;
}

}  // namespace rbac_proof

static_assert(rbac_proof::words_are_known(), "every role names permissions of the table");
static_assert(rbac_proof::each_has_a_role_beside_owner(), "no permission is the owner's alone");
static_assert(!rbac_proof::writes_something("auditor"), "whoever audits changes nothing");
static_assert(!rbac_proof::writes_something("read_only"), "whoever only reads changes nothing");
static_assert(rbac_proof::only_held_by("staff.roles", "owner security_admin"));
static_assert(rbac_proof::only_held_by("staff.write", "owner security_admin"));
static_assert(rbac_proof::only_held_by("keys.manage", "owner security_admin"));
static_assert(rbac_proof::only_held_by("audit.read", "owner auditor"));
static_assert(rbac_proof::only_held_by("refund.approve", "owner finance_director"));
static_assert(rbac_proof::never_together("refund.request", "refund.approve"));
static_assert(rbac_proof::never_together("ledger.post", "ledger.approve"));
static_assert(rbac_proof::never_together("staff.roles", "audit.read"));
static_assert(rbac_proof::never_together("staff.roles", "refund.request"));
static_assert(rbac_proof::never_together("staff.roles", "refund.approve"));
static_assert(rbac_proof::never_together("staff.roles", "settings.write"));
static_assert(rbac_proof::never_together("audit.read", "orders.act"));
static_assert(rbac_proof::never_together("audit.read", "orders.supply"));
static_assert(rbac_proof::never_together("audit.read", "customers.act"));
static_assert(rbac_proof::never_together("audit.read", "personal_data.read"));
static_assert(!allows("", "orders.read") && !allows("owner", "") && !allows("owner", "*"));

}  // namespace topup::auth
