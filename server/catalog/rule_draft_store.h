// Rows of price_rule_drafts: what somebody is working on, kept until it is published or discarded.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "server/storage/db.h"
#include "shared/ids.h"

namespace topup::catalog::rule_drafts {

struct Draft {
  StaffId staff;
  std::int64_t seen_version = 0;  // of the published rules that it began from
  std::string rules;              // JSON text of rules_out()
  std::int64_t saved_at_ms = 0;
};

std::optional<Draft> find(storage::Reader& reader, const StaffId& staff);
void save(storage::Tx& tx, const Draft& draft);  // inserts or replaces
bool discard(storage::Tx& tx, const StaffId& staff);

}  // namespace topup::catalog::rule_drafts
