// Tables as files for a spreadsheet (feature X21), part by part along the cursor, so that neither
// side holds more than a part of a table of a million rows. Every cell is inert, numbers of buyers
// are masked as on the page, and each part stands in the audit trail.
#include <algorithm>

#include "server/admin/csv.h"
#include "server/audit/audit_log.h"
#include "server/base/mask.h"
#include "server/http/routes/desk.h"
#include "server/http/routes/order_search.h"
#include "server/ledger/browse_store.h"
#include "server/orders/order_notes_store.h"
#include "server/suppliers/supplier_store.h"

namespace topup::http::routes {
namespace {

using admin::csv_amount;
using admin::csv_row;
using admin::csv_time;
using base::Json;

constexpr std::size_t kMaxBody = 1'024;
constexpr std::int64_t kRowsOfPart = 500;
constexpr std::int64_t kMostRows = 50'000;  // of one file; the page stops asking then

Result<std::string> text_of(const Json& body, const char* key) {
  if (!body.contains(key)) return std::string();
  return base::text_in(body, key, 256);
}

// The members of `body`, each a text; those that are not given are empty.
Result<std::vector<std::string>> texts_of(const std::string& raw,
                                          std::initializer_list<const char*> keys) {
  const auto body = base::json_in(raw);
  if (!body) return tl::unexpected<Error>(body.error());
  if (!body->is_object()) return refuse(Code::invalid_argument, "wrong_type");
  for (const auto& member : body->items()) {
    const bool is_known = std::find_if(keys.begin(), keys.end(), [&member](const char* key) {
                            return member.key() == key;
                          }) != keys.end();
    if (!is_known) return refuse(Code::invalid_argument, "unknown_field");
  }
  std::vector<std::string> texts;
  for (const char* key : keys) {
    auto text = text_of(*body, key);
    if (!text) return tl::unexpected<Error>(text.error());
    texts.push_back(std::move(*text));
  }
  return texts;
}

Response part_of(std::string text, std::size_t rows, const std::string& next_cursor) {
  Response response;
  response.content_type = "text/csv; charset=utf-8";
  response.body = std::move(text);
  response.headers.emplace_back("X-Rows", std::to_string(rows));
  response.headers.emplace_back("X-Most-Rows", std::to_string(kMostRows));
  if (!next_cursor.empty()) response.headers.emplace_back("X-Next-Cursor", next_cursor);
  return response;
}

void tell(const DeskParts& desk, const Request& request, std::string_view action,
          const std::string& detail) {
  desk.env.db.write([&](storage::Tx& tx) {
    audit::append(tx,
                  {"staff:" + request.staff.text, std::string(action), request.staff.text, detail},
                  request.trace, desk.env.clock.wall_ms());
    return true;
  });
}

std::string order_row(storage::Reader& reader, const privacy::Pii& pii,
                      const orders::Order& order) {
  std::string channel, number, supplier;
  for (const auto& attempt : payments::payment_store::attempts_of(reader, order.id)) {
    if (!number.empty() && attempt.paid_minor == 0) continue;
    channel = attempt.channel;
    number = attempt.transaction_id.empty() ? attempt.out_trade_no.text : attempt.transaction_id;
  }
  for (const auto& attempt : suppliers::supplier_store::attempts_of(reader, order.id))
    supplier = attempt.supplier;
  const auto notes = orders::order_notes::of_order(reader, pii, order.id);
  return csv_row({order.id.text, csv_time(order.created_at_ms), std::string(to_word(order.state)),
                  order.account_masked, order.operator_name_zh, order.product.text,
                  csv_amount(order.face), std::string(to_word(order.face.currency)),
                  csv_amount(order.payable), std::string(to_word(order.payable.currency)),
                  csv_amount(order.delivered), std::string(to_word(order.delivered.currency)),
                  channel, number, supplier, order.user.text,
                  notes.empty() ? "" : base::scrub(notes.back().text)});
}

Result<Response> export_orders(const DeskParts& desk, const Request& request) {
  const auto texts = texts_of(
      request.body, {"cursor", "q", "state", "channel", "supplier", "kind", "from_ms", "to_ms"});
  if (!texts) return tl::unexpected<Error>(texts.error());
  const std::vector<std::string>& of = *texts;
  const auto search = OrderSearch::of(desk.find, {of[1], of[2], of[3], of[4], of[5], of[6], of[7]});
  if (!search) return tl::unexpected<Error>(search.error());
  const auto page = search->page(of[0], kRowsOfPart);
  if (!page) return tl::unexpected<Error>(page.error());
  std::string text;
  desk.env.db.read([&](storage::Reader& reader) {
    text.clear();
    if (of[0].empty()) {
      text += admin::kCsvMark;
      text += csv_row({"order_id", "placed_at", "state", "account", "operator", "product", "face",
                       "face_currency", "payable", "payable_currency", "delivered",
                       "delivered_currency", "channel", "payment_number", "supplier", "user_id",
                       "last_note"});
    }
    for (const orders::Order& order : page->orders) text += order_row(reader, desk.env.pii, order);
  });
  tell(desk, request, "orders.exported",
       search->shown() + "rows=" + std::to_string(page->orders.size()));
  return part_of(std::move(text), page->orders.size(), page->next_cursor);
}

Result<Response> export_journals(const DeskParts& desk, const Request& request) {
  const auto texts = texts_of(request.body, {"cursor", "account", "template", "from_ms", "to_ms"});
  if (!texts) return tl::unexpected<Error>(texts.error());
  const std::vector<std::string>& of = *texts;
  const auto wanted = journals_wanted(of[1], of[2], of[3], of[4]);
  if (!wanted) return tl::unexpected<Error>(wanted.error());
  const std::string name = journals_name(*wanted);
  const auto place = desk.find.cursors.place_of(name, "", of[0]);
  if (!place) return tl::unexpected<Error>(place.error());
  ledger::browse_store::Page page;
  desk.env.db.read([&](storage::Reader& reader) {
    page = ledger::browse_store::journals(reader, *wanted, place->empty() ? 0 : std::stoll(*place),
                                          kRowsOfPart);
  });
  std::string text;
  if (of[0].empty()) {
    text += admin::kCsvMark;
    text += csv_row({"seq", "journal_id", "posted_at", "template", "subject", "order_id", "account",
                     "debit", "credit", "currency"});
  }
  std::size_t rows = 0;
  for (const auto& one : page.journals) {
    for (const ledger::Posting& posting : one.journal.postings) {
      const Money amount = posting.amount;
      const bool is_debit = amount.minor > 0;
      const std::string shown =
          decimal_text({is_debit ? amount.minor : -amount.minor, amount.currency});
      text += csv_row({std::to_string(one.journal.seq), one.journal.journal_id,
                       csv_time(one.journal.at_ms), one.journal.name, one.journal.subject,
                       one.order.text, posting.account, is_debit ? shown : "",
                       is_debit ? "" : shown, std::string(to_word(amount.currency))});
      ++rows;
    }
  }
  tell(desk, request, "journals.exported", name + " rows=" + std::to_string(rows));
  return part_of(std::move(text), rows,
                 page.next_before == 0
                     ? ""
                     : desk.find.cursors.make(name, "", std::to_string(page.next_before)));
}

}  // namespace

void mount_admin_export(Router& router, const DeskParts& desk) {
  router.add({"POST", "/api/admin/orders/export", Auth::staff, "orders.read", Pool::store, kMaxBody,
              false, Rate::write, Audited::yes, Level::maintenance,
              [desk](const Request& request) { return export_orders(desk, request); }});
  router.add({"POST", "/api/admin/ledger/export", Auth::staff, "ledger.read", Pool::store, kMaxBody,
              false, Rate::write, Audited::yes, Level::maintenance,
              [desk](const Request& request) { return export_journals(desk, request); }});
}

}  // namespace topup::http::routes
