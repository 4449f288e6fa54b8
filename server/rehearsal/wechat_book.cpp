#include "server/rehearsal/wechat_book.h"

namespace topup::rehearsal::wechat_book {
namespace {

using storage::Reader;
using storage::Row;
using storage::Tx;

constexpr std::string_view kTables[] = {
    R"sql(
  CREATE TABLE IF NOT EXISTS wechat_orders (
    out_trade_no TEXT PRIMARY KEY, appid TEXT NOT NULL, mchid TEXT NOT NULL,
    description TEXT NOT NULL, attach TEXT NOT NULL, notify_url TEXT NOT NULL,
    openid TEXT NOT NULL, app_url TEXT NOT NULL, app_name TEXT NOT NULL,
    total_fen INTEGER NOT NULL, expires_ms INTEGER NOT NULL, fingerprint TEXT NOT NULL,
    trade_type TEXT NOT NULL, prepay_id TEXT NOT NULL UNIQUE, package TEXT NOT NULL,
    sheet_token TEXT NOT NULL, state TEXT NOT NULL, transaction_id TEXT UNIQUE,
    created_ms INTEGER NOT NULL, link_ms INTEGER NOT NULL, paid_ms INTEGER NOT NULL,
    paid_fen INTEGER NOT NULL, refunded_fen INTEGER NOT NULL, refunds INTEGER NOT NULL,
    sub_mchid TEXT NOT NULL DEFAULT ''))sql",
    R"sql(
  CREATE TABLE IF NOT EXISTS wechat_refunds (
    out_refund_no TEXT PRIMARY KEY, refund_id TEXT NOT NULL UNIQUE,
    transaction_id TEXT NOT NULL, out_trade_no TEXT NOT NULL, reason TEXT NOT NULL,
    notify_url TEXT NOT NULL, refund_fen INTEGER NOT NULL, total_fen INTEGER NOT NULL,
    fingerprint TEXT NOT NULL, status TEXT NOT NULL, created_ms INTEGER NOT NULL,
    success_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL, paid_fen INTEGER NOT NULL,
    will_fail INTEGER NOT NULL, sub_mchid TEXT NOT NULL DEFAULT ''))sql",
    R"sql(
  CREATE TABLE IF NOT EXISTS wechat_notices (
    row_id INTEGER PRIMARY KEY, notice_id TEXT NOT NULL, url TEXT NOT NULL,
    event_type TEXT NOT NULL, original_type TEXT NOT NULL, summary TEXT NOT NULL,
    plain TEXT NOT NULL, created_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL, is_bad_first INTEGER NOT NULL, is_owed INTEGER NOT NULL))sql",
    R"sql(CREATE INDEX IF NOT EXISTS wechat_notices_owed
            ON wechat_notices (due_ms) WHERE is_owed = 1)sql",
    R"sql(
  CREATE TABLE IF NOT EXISTS wechat_bill_plants (
    kind TEXT NOT NULL, number TEXT NOT NULL, value TEXT NOT NULL, at_ms INTEGER NOT NULL,
    PRIMARY KEY (kind, number)))sql",
    R"sql(CREATE INDEX IF NOT EXISTS wechat_orders_paid ON wechat_orders (paid_ms))sql",
    R"sql(CREATE INDEX IF NOT EXISTS wechat_refunds_made ON wechat_refunds (created_ms))sql",
};

constexpr std::string_view kOrderColumns = R"sql(
  SELECT out_trade_no, appid, mchid, description, attach, notify_url, openid, app_url,
  app_name, total_fen, expires_ms, fingerprint, trade_type, prepay_id, package, sheet_token,
  state, transaction_id, created_ms, link_ms, paid_ms, paid_fen, refunded_fen, refunds, sub_mchid
  FROM wechat_orders )sql";

WechatOrder order_of(const Row& row) {
  WechatOrder out;
  PrepayFields& fields = out.fields;
  int column = 0;
  fields.out_trade_no = row.text(column++);
  fields.appid = row.text(column++);
  fields.mchid = row.text(column++);
  fields.description = row.text(column++);
  fields.attach = row.text(column++);
  fields.notify_url = row.text(column++);
  fields.openid = row.text(column++);
  fields.app_url = row.text(column++);
  fields.app_name = row.text(column++);
  fields.total_fen = row.integer(column++);
  fields.expires_ms = row.integer(column++);
  out.fingerprint = row.text(column++);
  out.trade_type = row.text(column++);
  out.prepay_id = row.text(column++);
  out.package = row.text(column++);
  out.sheet_token = row.text(column++);
  out.state = row.text(column++);
  out.transaction_id = row.text(column++);
  out.created_ms = row.integer(column++);
  out.link_ms = row.integer(column++);
  out.paid_ms = row.integer(column++);
  out.paid_fen = row.integer(column++);
  out.refunded_fen = row.integer(column++);
  out.refunds = static_cast<int>(row.integer(column++));
  fields.sub_mchid = row.text(column++);
  return out;
}

std::optional<WechatOrder> one_order(Reader& reader, std::string_view sql, std::string_view key) {
  std::optional<WechatOrder> out;
  reader.query(sql, {key}, [&](const Row& row) { out = order_of(row); });
  return out;
}

constexpr std::string_view kRefundColumns = R"sql(
  SELECT out_refund_no, refund_id, transaction_id, out_trade_no, reason, notify_url,
  refund_fen, total_fen, fingerprint, status, created_ms, success_ms, due_ms, paid_fen,
  will_fail, sub_mchid FROM wechat_refunds )sql";

WechatRefund refund_of(const Row& row) {
  WechatRefund out;
  RefundFields& fields = out.fields;
  int column = 0;
  fields.out_refund_no = row.text(column++);
  out.refund_id = row.text(column++);
  fields.transaction_id = row.text(column++);
  fields.out_trade_no = row.text(column++);
  fields.reason = row.text(column++);
  fields.notify_url = row.text(column++);
  fields.refund_fen = row.integer(column++);
  fields.total_fen = row.integer(column++);
  out.fingerprint = row.text(column++);
  out.status = row.text(column++);
  out.created_ms = row.integer(column++);
  out.success_ms = row.integer(column++);
  out.due_ms = row.integer(column++);
  out.paid_fen = row.integer(column++);
  out.will_fail = row.integer(column++) != 0;
  fields.sub_mchid = row.text(column++);
  return out;
}

constexpr std::string_view kNoticeColumns = R"sql(
  SELECT row_id, notice_id, url, event_type, original_type, summary, plain, created_ms,
  due_ms, attempts, is_bad_first FROM wechat_notices WHERE is_owed = 1 )sql";

WechatNotice notice_of(const Row& row) {
  WechatNotice out;
  int column = 0;
  out.row_id = row.integer(column++);
  out.notice_id = row.text(column++);
  out.url = row.text(column++);
  out.event_type = row.text(column++);
  out.original_type = row.text(column++);
  out.summary = row.text(column++);
  out.plain = row.text(column++);
  out.created_ms = row.integer(column++);
  out.due_ms = row.integer(column++);
  out.attempts = static_cast<int>(row.integer(column++));
  out.is_bad_first = row.integer(column++) != 0;
  return out;
}

storage::Value text_or_null(const std::string& text) {
  if (text.empty()) return nullptr;
  return std::string_view(text);
}

}  // namespace

void create_tables(Tx& tx) {
  for (const auto sql : kTables) tx.exec(sql, {});
  // A world that was made before there were partners goes on.
  bool has_sub_mchid = false;
  tx.query("SELECT name FROM pragma_table_info('wechat_orders') WHERE name = 'sub_mchid'", {},
           [&](const Row&) { has_sub_mchid = true; });
  if (!has_sub_mchid) {
    tx.exec("ALTER TABLE wechat_orders ADD COLUMN sub_mchid TEXT NOT NULL DEFAULT ''", {});
    tx.exec("ALTER TABLE wechat_refunds ADD COLUMN sub_mchid TEXT NOT NULL DEFAULT ''", {});
  }
  tx.exec(R"sql(
    CREATE INDEX IF NOT EXISTS wechat_orders_code
      ON wechat_orders (package) WHERE trade_type = 'NATIVE')sql",
          {});
}

void insert_order(Tx& tx, const WechatOrder& order) {
  const PrepayFields& fields = order.fields;
  tx.exec(R"sql(
    INSERT INTO wechat_orders (out_trade_no, appid, mchid, description, attach, notify_url,
        openid, app_url, app_name, total_fen, expires_ms, fingerprint, trade_type, prepay_id,
        package, sheet_token, state, transaction_id, created_ms, link_ms, paid_ms, paid_fen,
        refunded_fen, refunds, sub_mchid)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, NULL,
              $18, $18, 0, 0, 0, 0, $19))sql",
          {fields.out_trade_no, fields.appid, fields.mchid, fields.description, fields.attach,
           fields.notify_url, fields.openid, fields.app_url, fields.app_name, fields.total_fen,
           fields.expires_ms, order.fingerprint, order.trade_type, order.prepay_id, order.package,
           order.sheet_token, order.state, order.created_ms, fields.sub_mchid});
}

void save_order(Tx& tx, const WechatOrder& order) {
  tx.exec(
      R"sql(
    UPDATE wechat_orders SET state = $2, transaction_id = $3, link_ms = $4, paid_ms = $5,
        paid_fen = $6, refunded_fen = $7, refunds = $8 WHERE out_trade_no = $1)sql",
      {order.fields.out_trade_no, order.state, text_or_null(order.transaction_id), order.link_ms,
       order.paid_ms, order.paid_fen, order.refunded_fen, std::int64_t{order.refunds}});
}

std::optional<WechatOrder> find_order(Reader& reader, std::string_view out_trade_no) {
  return one_order(reader, std::string(kOrderColumns) + "WHERE out_trade_no = $1", out_trade_no);
}

std::optional<WechatOrder> find_order_by_prepay(Reader& reader, std::string_view prepay_id) {
  return one_order(reader, std::string(kOrderColumns) + "WHERE prepay_id = $1", prepay_id);
}

std::optional<WechatOrder> find_order_by_code(Reader& reader, std::string_view code) {
  return one_order(
      reader, std::string(kOrderColumns) + "WHERE trade_type = 'NATIVE' AND package = $1", code);
}

std::optional<WechatOrder> find_order_by_transaction(Reader& reader,
                                                     std::string_view transaction_id) {
  return one_order(reader, std::string(kOrderColumns) + "WHERE transaction_id = $1",
                   transaction_id);
}

void insert_refund(Tx& tx, const WechatRefund& refund) {
  const RefundFields& fields = refund.fields;
  tx.exec(R"sql(
    INSERT INTO wechat_refunds (out_refund_no, refund_id, transaction_id, out_trade_no, reason,
        notify_url, refund_fen, total_fen, fingerprint, status, created_ms, success_ms, due_ms,
        paid_fen, will_fail, sub_mchid)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, $12, $13, $14, $15))sql",
          {fields.out_refund_no, refund.refund_id, fields.transaction_id, fields.out_trade_no,
           fields.reason, fields.notify_url, fields.refund_fen, fields.total_fen,
           refund.fingerprint, refund.status, refund.created_ms, refund.due_ms, refund.paid_fen,
           std::int64_t{refund.will_fail}, fields.sub_mchid});
}

void end_refund(Tx& tx, const WechatRefund& refund) {
  tx.exec(R"sql(
    UPDATE wechat_refunds SET status = $2, success_ms = $3 WHERE out_refund_no = $1)sql",
          {refund.fields.out_refund_no, refund.status, refund.success_ms});
}

std::optional<WechatRefund> find_refund(Reader& reader, std::string_view out_refund_no) {
  std::optional<WechatRefund> out;
  reader.query(std::string(kRefundColumns) + "WHERE out_refund_no = $1", {out_refund_no},
               [&](const Row& row) { out = refund_of(row); });
  return out;
}

std::vector<WechatRefund> list_processing_refunds(Reader& reader) {
  std::vector<WechatRefund> out;
  reader.query(std::string(kRefundColumns) + "WHERE status = 'PROCESSING' ORDER BY due_ms", {},
               [&](const Row& row) { out.push_back(refund_of(row)); });
  return out;
}

std::int64_t insert_notice(Tx& tx, const WechatNotice& notice) {
  std::int64_t row_id = 0;
  tx.query(R"sql(
    INSERT INTO wechat_notices (notice_id, url, event_type, original_type, summary, plain,
        created_ms, due_ms, attempts, is_bad_first, is_owed)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, 1) RETURNING row_id)sql",
           {notice.notice_id, notice.url, notice.event_type, notice.original_type, notice.summary,
            notice.plain, notice.created_ms, notice.due_ms, std::int64_t{notice.is_bad_first}},
           [&](const Row& row) { row_id = row.integer(0); });
  return row_id;
}

std::optional<WechatNotice> find_notice(Reader& reader, std::int64_t row_id) {
  std::optional<WechatNotice> out;
  reader.query(std::string(kNoticeColumns) + "AND row_id = $1", {row_id},
               [&](const Row& row) { out = notice_of(row); });
  return out;
}

std::vector<WechatNotice> list_notices(Reader& reader) {
  std::vector<WechatNotice> out;
  reader.query(std::string(kNoticeColumns) + "ORDER BY due_ms", {},
               [&](const Row& row) { out.push_back(notice_of(row)); });
  return out;
}

void postpone_notice(Tx& tx, std::int64_t row_id, int attempts, std::int64_t due_ms) {
  tx.exec(R"sql(
    UPDATE wechat_notices SET attempts = $2, due_ms = $3 WHERE row_id = $1)sql",
          {row_id, std::int64_t{attempts}, due_ms});
}

void end_notice(Tx& tx, std::int64_t row_id) {
  tx.exec("UPDATE wechat_notices SET is_owed = 0 WHERE row_id = $1", {row_id});
}

std::vector<WechatOrder> list_paid(Reader& reader, std::int64_t first_ms, std::int64_t last_ms) {
  std::vector<WechatOrder> out;
  reader.query(std::string(kOrderColumns) +
                   "WHERE paid_ms >= $1 AND paid_ms < $2 ORDER BY paid_ms, out_trade_no",
               {first_ms, last_ms}, [&](const Row& row) { out.push_back(order_of(row)); });
  return out;
}

std::vector<WechatRefund> list_refunds(Reader& reader, std::int64_t first_ms,
                                       std::int64_t last_ms) {
  std::vector<WechatRefund> out;
  reader.query(std::string(kRefundColumns) +
                   "WHERE created_ms >= $1 AND created_ms < $2 ORDER BY created_ms, out_refund_no",
               {first_ms, last_ms}, [&](const Row& row) { out.push_back(refund_of(row)); });
  return out;
}

void insert_plant(Tx& tx, const WechatBillPlant& plant) {
  tx.exec(R"sql(
    INSERT INTO wechat_bill_plants (kind, number, value, at_ms) VALUES ($1, $2, $3, $4)
    ON CONFLICT (kind, number) DO UPDATE SET value = $3, at_ms = $4)sql",
          {plant.kind, plant.number, plant.value, plant.at_ms});
}

std::vector<WechatBillPlant> list_plants(Reader& reader) {
  std::vector<WechatBillPlant> out;
  reader.query("SELECT kind, number, value, at_ms FROM wechat_bill_plants ORDER BY kind, number",
               {}, [&](const Row& row) {
                 out.push_back({row.text(0), row.text(1), row.text(2), row.integer(3)});
               });
  return out;
}

void drop_plants(Tx& tx) { tx.exec("DELETE FROM wechat_bill_plants", {}); }

}  // namespace topup::rehearsal::wechat_book
