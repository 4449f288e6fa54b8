// Rows of shop_nodes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"

namespace topup::jobs::node_roll_store {

struct Beat {
  std::string_view process, node;
  std::int64_t now_ms, gone_ms, forget_ms;
};
// Counts the process's row up, or makes it. Earlier processes of its node were not seen after
// `gone_ms`; rows not seen since `forget_ms` go away.
void beat(storage::Tx& tx, const Beat& beat);
struct Row {
  std::string process, node;
  std::int64_t beats, seen_at_ms;
};
std::vector<Row> all(storage::Reader& reader);
void leave(storage::Tx& tx, std::string_view process);
// Whether the process is known, and was not seen after `since_ms`.
bool is_gone(storage::Reader& reader, std::string_view process, std::int64_t since_ms);

}  // namespace topup::jobs::node_roll_store
