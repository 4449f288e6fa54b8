#include "server/rehearsal/alipay_book.h"

namespace topup::rehearsal::alipay_book {
namespace {

using storage::Reader;
using storage::Row;
using storage::Tx;

constexpr std::string_view kTables[] = {
    R"sql(
  CREATE TABLE IF NOT EXISTS alipay_trades (
    out_trade_no TEXT PRIMARY KEY, trade_no TEXT NOT NULL UNIQUE, subject TEXT NOT NULL,
    product_code TEXT NOT NULL, buyer_open_id TEXT NOT NULL, notify_url TEXT NOT NULL,
    return_url TEXT NOT NULL, total_fen INTEGER NOT NULL, expires_ms INTEGER NOT NULL,
    sheet_token TEXT NOT NULL, status TEXT NOT NULL, created_ms INTEGER NOT NULL,
    paid_ms INTEGER NOT NULL, paid_fen INTEGER NOT NULL, refunded_fen INTEGER NOT NULL))sql",
    R"sql(
  CREATE TABLE IF NOT EXISTS alipay_refunds (
    out_trade_no TEXT NOT NULL, out_request_no TEXT NOT NULL, refund_fen INTEGER NOT NULL,
    created_ms INTEGER NOT NULL, done_ms INTEGER NOT NULL,
    PRIMARY KEY (out_trade_no, out_request_no)))sql",
    R"sql(
  CREATE TABLE IF NOT EXISTS alipay_notices (
    row_id INTEGER PRIMARY KEY, notify_id TEXT NOT NULL, url TEXT NOT NULL, fields TEXT NOT NULL,
    due_ms INTEGER NOT NULL, attempts INTEGER NOT NULL, is_bad_first INTEGER NOT NULL,
    is_owed INTEGER NOT NULL))sql",
    R"sql(
  CREATE TABLE IF NOT EXISTS alipay_plants (
    plant_id INTEGER PRIMARY KEY, kind TEXT NOT NULL, number TEXT NOT NULL, value TEXT NOT NULL,
    at_ms INTEGER NOT NULL))sql",
    R"sql(
  CREATE TABLE IF NOT EXISTS alipay_codes (
    code TEXT PRIMARY KEY, open_id TEXT NOT NULL, until_ms INTEGER NOT NULL))sql",
    R"sql(CREATE INDEX IF NOT EXISTS alipay_notices_owed
            ON alipay_notices (due_ms) WHERE is_owed = 1)sql",
};

constexpr std::string_view kTradeColumns = R"sql(
  SELECT out_trade_no, trade_no, subject, product_code, buyer_open_id, notify_url, return_url,
         total_fen, expires_ms, sheet_token, status, created_ms, paid_ms, paid_fen, refunded_fen
    FROM alipay_trades )sql";
constexpr std::string_view kNoticeColumns = R"sql(
  SELECT row_id, notify_id, url, fields, due_ms, attempts, is_bad_first FROM alipay_notices
   WHERE is_owed = 1 )sql";

AlipayTrade trade_of(const Row& row) {
  AlipayTrade out;
  out.fields.out_trade_no = row.text(0);
  out.trade_no = row.text(1);
  out.fields.subject = row.text(2);
  out.fields.product_code = row.text(3);
  out.fields.buyer_open_id = row.text(4);
  out.fields.notify_url = row.text(5);
  out.fields.return_url = row.text(6);
  out.fields.total_fen = row.integer(7);
  out.fields.expires_ms = row.integer(8);
  out.sheet_token = row.text(9);
  out.status = row.text(10);
  out.created_ms = row.integer(11);
  out.paid_ms = row.integer(12);
  out.paid_fen = row.integer(13);
  out.refunded_fen = row.integer(14);
  return out;
}

AlipayNotice notice_of(const Row& row) {
  AlipayNotice out;
  out.row_id = row.integer(0);
  out.notify_id = row.text(1);
  out.url = row.text(2);
  out.fields = row.text(3);
  out.due_ms = row.integer(4);
  out.attempts = static_cast<int>(row.integer(5));
  out.is_bad_first = row.integer(6) != 0;
  return out;
}

std::optional<AlipayTrade> one_trade(Reader& reader, const std::string& sql,
                                     std::string_view value) {
  std::optional<AlipayTrade> out;
  reader.query(sql, {value}, [&](const Row& row) { out = trade_of(row); });
  return out;
}

}  // namespace

void create_tables(Tx& tx) {
  for (const auto table : kTables) tx.exec(table, {});
}

void insert_trade(Tx& tx, const AlipayTrade& trade) {
  const AlipayTradeFields& fields = trade.fields;
  tx.exec(R"sql(
    INSERT INTO alipay_trades (out_trade_no, trade_no, subject, product_code, buyer_open_id,
        notify_url, return_url, total_fen, expires_ms, sheet_token, status, created_ms, paid_ms,
        paid_fen, refunded_fen)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, 0, 0))sql",
          {fields.out_trade_no, trade.trade_no, fields.subject, fields.product_code,
           fields.buyer_open_id, fields.notify_url, fields.return_url, fields.total_fen,
           fields.expires_ms, trade.sheet_token, trade.status, trade.created_ms});
}

void save_trade(Tx& tx, const AlipayTrade& trade) {
  tx.exec(
      R"sql(
    UPDATE alipay_trades SET status = $2, paid_ms = $3, paid_fen = $4, refunded_fen = $5
     WHERE out_trade_no = $1)sql",
      {trade.fields.out_trade_no, trade.status, trade.paid_ms, trade.paid_fen, trade.refunded_fen});
}

std::optional<AlipayTrade> find_trade(Reader& reader, std::string_view out_trade_no) {
  return one_trade(reader, std::string(kTradeColumns) + "WHERE out_trade_no = $1", out_trade_no);
}

std::optional<AlipayTrade> find_trade_by_number(Reader& reader, std::string_view trade_no) {
  return one_trade(reader, std::string(kTradeColumns) + "WHERE trade_no = $1", trade_no);
}

void insert_refund(Tx& tx, const AlipayRefund& refund) {
  tx.exec(R"sql(
    INSERT INTO alipay_refunds (out_trade_no, out_request_no, refund_fen, created_ms, done_ms)
      VALUES ($1, $2, $3, $4, $5))sql",
          {refund.out_trade_no, refund.out_request_no, refund.refund_fen, refund.created_ms,
           refund.done_ms});
}

std::optional<AlipayRefund> find_refund(Reader& reader, std::string_view out_trade_no,
                                        std::string_view out_request_no) {
  std::optional<AlipayRefund> out;
  reader.query(R"sql(
    SELECT out_trade_no, out_request_no, refund_fen, created_ms, done_ms FROM alipay_refunds
     WHERE out_trade_no = $1 AND out_request_no = $2)sql",
               {out_trade_no, out_request_no}, [&](const Row& row) {
                 out = AlipayRefund{row.text(0), row.text(1), row.integer(2), row.integer(3),
                                    row.integer(4)};
               });
  return out;
}

std::vector<AlipayTrade> list_paid(Reader& reader, std::int64_t from_ms, std::int64_t until_ms) {
  std::vector<AlipayTrade> out;
  reader.query(std::string(kTradeColumns) +
                   "WHERE paid_ms >= $1 AND paid_ms < $2 AND paid_ms > 0 ORDER BY paid_ms",
               {from_ms, until_ms}, [&](const Row& row) { out.push_back(trade_of(row)); });
  return out;
}

std::vector<AlipayRefund> list_refunds(Reader& reader, std::int64_t from_ms,
                                       std::int64_t until_ms) {
  std::vector<AlipayRefund> out;
  reader.query(
      R"sql(
    SELECT out_trade_no, out_request_no, refund_fen, created_ms, done_ms FROM alipay_refunds
     WHERE done_ms >= $1 AND done_ms < $2 ORDER BY done_ms)sql",
      {from_ms, until_ms}, [&](const Row& row) {
        out.push_back({row.text(0), row.text(1), row.integer(2), row.integer(3), row.integer(4)});
      });
  return out;
}

void insert_plant(Tx& tx, const AlipayBillPlant& plant) {
  tx.exec("INSERT INTO alipay_plants (kind, number, value, at_ms) VALUES ($1, $2, $3, $4)",
          {plant.kind, plant.number, plant.value, plant.at_ms});
}

void drop_plants(Tx& tx) { tx.exec("DELETE FROM alipay_plants", {}); }

std::vector<AlipayBillPlant> list_plants(Reader& reader) {
  std::vector<AlipayBillPlant> out;
  reader.query("SELECT kind, number, value, at_ms FROM alipay_plants ORDER BY plant_id", {},
               [&](const Row& row) {
                 out.push_back({row.text(0), row.text(1), row.text(2), row.integer(3)});
               });
  return out;
}

void insert_code(Tx& tx, std::string_view code, std::string_view open_id, std::int64_t until_ms) {
  tx.exec("INSERT INTO alipay_codes (code, open_id, until_ms) VALUES ($1, $2, $3)",
          {code, open_id, until_ms});
}

std::optional<std::string> take_code(Tx& tx, std::string_view code, std::int64_t now_ms) {
  std::optional<std::string> open_id;
  tx.query("DELETE FROM alipay_codes WHERE code = $1 RETURNING open_id, until_ms", {code},
           [&](const Row& row) {
             if (row.integer(1) > now_ms) open_id = row.text(0);
           });
  return open_id;
}

std::int64_t insert_notice(Tx& tx, const AlipayNotice& notice) {
  std::int64_t row_id = 0;
  tx.query(R"sql(
    INSERT INTO alipay_notices (notify_id, url, fields, due_ms, attempts, is_bad_first, is_owed)
      VALUES ($1, $2, $3, $4, 0, $5, 1) RETURNING row_id)sql",
           {notice.notify_id, notice.url, notice.fields, notice.due_ms,
            std::int64_t{notice.is_bad_first}},
           [&](const Row& row) { row_id = row.integer(0); });
  return row_id;
}

std::optional<AlipayNotice> find_notice(Reader& reader, std::int64_t row_id) {
  std::optional<AlipayNotice> out;
  reader.query(std::string(kNoticeColumns) + "AND row_id = $1", {row_id},
               [&](const Row& row) { out = notice_of(row); });
  return out;
}

std::vector<AlipayNotice> list_notices(Reader& reader) {
  std::vector<AlipayNotice> out;
  reader.query(std::string(kNoticeColumns) + "ORDER BY due_ms", {},
               [&](const Row& row) { out.push_back(notice_of(row)); });
  return out;
}

void save_notice(Tx& tx, const AlipayNotice& notice) {
  tx.exec(R"sql(
    UPDATE alipay_notices SET attempts = $2, due_ms = $3, is_bad_first = $4 WHERE row_id = $1)sql",
          {notice.row_id, std::int64_t{notice.attempts}, notice.due_ms,
           std::int64_t{notice.is_bad_first}});
}

void end_notice(Tx& tx, std::int64_t row_id) {
  tx.exec("UPDATE alipay_notices SET is_owed = 0 WHERE row_id = $1", {row_id});
}

}  // namespace topup::rehearsal::alipay_book
