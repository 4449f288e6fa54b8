#include "server/rehearsal/reloadly_book.h"

namespace topup::rehearsal::reloadly_book {
namespace {

using storage::Reader;
using storage::Row;
using storage::Tx;

constexpr std::string_view kTables[] = {
    R"sql(
  CREATE TABLE IF NOT EXISTS reloadly_wallet (
    wallet_id INTEGER PRIMARY KEY, balance_e5 INTEGER NOT NULL))sql",
    R"sql(
  CREATE TABLE IF NOT EXISTS reloadly_tokens (
    token TEXT PRIMARY KEY, expires_ms INTEGER NOT NULL))sql",
    R"sql(
  CREATE TABLE IF NOT EXISTS reloadly_topups (
    transaction_id INTEGER PRIMARY KEY, custom_identifier TEXT UNIQUE,
    operator_id INTEGER NOT NULL, recipient TEXT NOT NULL, requested_e5 INTEGER NOT NULL,
    discount_e5 INTEGER NOT NULL, delivered_e5 INTEGER NOT NULL, status TEXT NOT NULL,
    final_status TEXT NOT NULL, old_balance_e5 INTEGER NOT NULL,
    new_balance_e5 INTEGER NOT NULL, created_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL,
    webhooks INTEGER NOT NULL, is_bad_signature_first INTEGER NOT NULL))sql",
    R"sql(
  CREATE TABLE IF NOT EXISTS reloadly_webhooks (
    row_id INTEGER PRIMARY KEY, body TEXT NOT NULL, due_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL, is_bad_first INTEGER NOT NULL, is_owed INTEGER NOT NULL))sql",
    R"sql(CREATE INDEX IF NOT EXISTS reloadly_webhooks_owed
            ON reloadly_webhooks (due_ms) WHERE is_owed = 1)sql",
};

constexpr std::string_view kTopupColumns = R"sql(
  SELECT transaction_id, custom_identifier, operator_id, recipient, requested_e5, discount_e5,
         delivered_e5, status, final_status, old_balance_e5, new_balance_e5, created_ms, due_ms,
         webhooks, is_bad_signature_first
    FROM reloadly_topups )sql";

ReloadlyTopup topup_of(const Row& row) {
  ReloadlyTopup out;
  int column = 0;
  out.transaction_id = row.integer(column++);
  out.custom_identifier = row.text(column++);
  out.operator_id = row.integer(column++);
  out.recipient = row.text(column++);
  out.requested_e5 = row.integer(column++);
  out.discount_e5 = row.integer(column++);
  out.delivered_e5 = row.integer(column++);
  out.status = row.text(column++);
  out.final_status = row.text(column++);
  out.old_balance_e5 = row.integer(column++);
  out.new_balance_e5 = row.integer(column++);
  out.created_ms = row.integer(column++);
  out.due_ms = row.integer(column++);
  out.webhooks = static_cast<int>(row.integer(column++));
  out.is_bad_signature_first = row.integer(column++) != 0;
  return out;
}

std::vector<ReloadlyTopup> topups(Reader& reader, std::string_view rest,
                                  std::initializer_list<storage::Value> values) {
  std::vector<ReloadlyTopup> out;
  reader.query(std::string(kTopupColumns) + std::string(rest), values,
               [&](const Row& row) { out.push_back(topup_of(row)); });
  return out;
}

std::optional<ReloadlyTopup> first_of(std::vector<ReloadlyTopup> found) {
  if (found.empty()) return {};
  return std::move(found.front());
}

constexpr std::string_view kWebhookColumns = R"sql(
  SELECT row_id, body, due_ms, attempts, is_bad_first
    FROM reloadly_webhooks WHERE is_owed = 1 )sql";

ReloadlyWebhook webhook_of(const Row& row) {
  return {.row_id = row.integer(0),
          .body = row.text(1),
          .due_ms = row.integer(2),
          .attempts = static_cast<int>(row.integer(3)),
          .is_bad_first = row.integer(4) != 0};
}

std::int64_t one_integer(Reader& reader, std::string_view sql) {
  std::int64_t out = 0;
  reader.query(sql, {}, [&](const Row& row) { out = row.integer(0); });
  return out;
}

}  // namespace

void create_tables(Tx& tx, std::int64_t first_balance_e5) {
  for (const auto sql : kTables) tx.exec(sql, {});
  tx.exec(R"sql(
    INSERT INTO reloadly_wallet (wallet_id, balance_e5) VALUES (1, $1)
      ON CONFLICT (wallet_id) DO NOTHING)sql",
          {first_balance_e5});
}

std::int64_t balance(Reader& reader) {
  return one_integer(reader, "SELECT balance_e5 FROM reloadly_wallet WHERE wallet_id = 1");
}

void set_balance(Tx& tx, std::int64_t balance_e5) {
  tx.exec("UPDATE reloadly_wallet SET balance_e5 = $1 WHERE wallet_id = 1", {balance_e5});
}

void insert_token(Tx& tx, std::string_view token, std::int64_t expires_ms, std::int64_t now_ms) {
  tx.exec("DELETE FROM reloadly_tokens WHERE expires_ms < $1", {now_ms});
  tx.exec("INSERT INTO reloadly_tokens (token, expires_ms) VALUES ($1, $2)", {token, expires_ms});
}

std::optional<std::int64_t> find_token_end(Reader& reader, std::string_view token) {
  std::optional<std::int64_t> out;
  reader.query("SELECT expires_ms FROM reloadly_tokens WHERE token = $1", {token},
               [&](const Row& row) { out = row.integer(0); });
  return out;
}

void expire_token(Tx& tx, std::string_view token) {
  tx.exec("UPDATE reloadly_tokens SET expires_ms = 0 WHERE token = $1", {token});
}

std::int64_t insert_topup(Tx& tx, const ReloadlyTopup& topup) {
  storage::Value identifier = nullptr;
  if (!topup.custom_identifier.empty()) identifier = std::string_view(topup.custom_identifier);
  std::int64_t transaction_id = 0;
  tx.query(R"sql(
    INSERT INTO reloadly_topups (transaction_id, custom_identifier, operator_id, recipient,
        requested_e5, discount_e5, delivered_e5, status, final_status, old_balance_e5,
        new_balance_e5, created_ms, due_ms, webhooks, is_bad_signature_first)
      VALUES ((SELECT COALESCE(MAX(transaction_id), 4602842) + 1 FROM reloadly_topups),
              $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
      RETURNING transaction_id)sql",
           {identifier, topup.operator_id, topup.recipient, topup.requested_e5, topup.discount_e5,
            topup.delivered_e5, topup.status, topup.final_status, topup.old_balance_e5,
            topup.new_balance_e5, topup.created_ms, topup.due_ms, std::int64_t{topup.webhooks},
            std::int64_t{topup.is_bad_signature_first}},
           [&](const Row& row) { transaction_id = row.integer(0); });
  return transaction_id;
}

void save_status(Tx& tx, std::int64_t transaction_id, std::string_view status) {
  tx.exec("UPDATE reloadly_topups SET status = $2 WHERE transaction_id = $1",
          {transaction_id, status});
}

std::optional<ReloadlyTopup> find_topup(Reader& reader, std::int64_t transaction_id) {
  return first_of(topups(reader, "WHERE transaction_id = $1", {transaction_id}));
}

std::optional<ReloadlyTopup> find_by_custom_identifier(Reader& reader,
                                                       std::string_view custom_identifier) {
  return first_of(topups(reader, "WHERE custom_identifier = $1", {custom_identifier}));
}

std::vector<ReloadlyTopup> list_processing(Reader& reader) {
  return topups(reader, "WHERE status = 'PROCESSING' ORDER BY due_ms", {});
}

std::vector<ReloadlyTopup> list_newest(Reader& reader, std::int64_t offset, std::int64_t limit) {
  return topups(reader, "ORDER BY transaction_id DESC LIMIT $1 OFFSET $2", {limit, offset});
}

std::vector<ReloadlyTopup> list_between(Reader& reader, std::int64_t from_ms, std::int64_t until_ms,
                                        std::int64_t limit) {
  return topups(reader,
                "WHERE created_ms >= $1 AND created_ms < $2 ORDER BY transaction_id DESC LIMIT $3",
                {from_ms, until_ms, limit});
}

std::int64_t count_topups(Reader& reader) {
  return one_integer(reader, "SELECT COUNT(*) FROM reloadly_topups");
}

std::int64_t insert_webhook(Tx& tx, const ReloadlyWebhook& webhook) {
  std::int64_t row_id = 0;
  tx.query(R"sql(
    INSERT INTO reloadly_webhooks (body, due_ms, attempts, is_bad_first, is_owed)
      VALUES ($1, $2, 0, $3, 1) RETURNING row_id)sql",
           {webhook.body, webhook.due_ms, std::int64_t{webhook.is_bad_first}},
           [&](const Row& row) { row_id = row.integer(0); });
  return row_id;
}

std::optional<ReloadlyWebhook> find_webhook(Reader& reader, std::int64_t row_id) {
  std::optional<ReloadlyWebhook> out;
  reader.query(std::string(kWebhookColumns) + "AND row_id = $1", {row_id},
               [&](const Row& row) { out = webhook_of(row); });
  return out;
}

std::vector<ReloadlyWebhook> list_webhooks(Reader& reader) {
  std::vector<ReloadlyWebhook> out;
  reader.query(std::string(kWebhookColumns) + "ORDER BY due_ms", {},
               [&](const Row& row) { out.push_back(webhook_of(row)); });
  return out;
}

void postpone_webhook(Tx& tx, std::int64_t row_id, int attempts, std::int64_t due_ms) {
  tx.exec("UPDATE reloadly_webhooks SET attempts = $2, due_ms = $3 WHERE row_id = $1",
          {row_id, std::int64_t{attempts}, due_ms});
}

void end_webhook(Tx& tx, std::int64_t row_id) {
  tx.exec("UPDATE reloadly_webhooks SET is_owed = 0 WHERE row_id = $1", {row_id});
}

}  // namespace topup::rehearsal::reloadly_book
