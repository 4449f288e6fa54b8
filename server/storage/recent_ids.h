// How a look-up by an id stays cheap in a table that is kept by month. PostgreSQL plans such a
// statement anew each time it runs, because only the value tells which month it goes into, and that
// costs more than to run it. So a statement says in a comment which column its value is an id of,
//   SELECT … FROM orders WHERE order_id = $1 /*in order_id $1*/
//   SELECT … FROM supplier_attempts WHERE … /*in attempt_id S$1*/   (ids that begin with S and $1)
// and for ids of the last hours it is given their beginning as constants,
//   … AND order_id >= '01K9V' AND order_id < '01K9W'
// which follow from the value and change nothing, but choose the month when it is planned, once.
// A statement that goes into parts of every month, and that one plan serves whatever its values
// are, says /*any*/: it is planned once as well. Pure; SQLite reads a comment.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "server/storage/db.h"

namespace topup::storage {

// The beginning that the id in `values` shares with all ids of its hours (about 9); "" when the
// statement names none, or when it is older than two such stretches: each beginning makes a
// statement of its own, and there must be few.
std::string beginning_of_ids(std::string_view sql, std::initializer_list<Value> values,
                             std::int64_t now_ms);
bool fits_any_value(std::string_view sql);
// The statement for ids with this beginning, which is not empty.
std::string within(std::string_view sql, std::string_view beginning);

}  // namespace topup::storage
