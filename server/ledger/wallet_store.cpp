#include "server/ledger/wallet_store.h"

#include "shared/check.h"

namespace topup::ledger::wallet_store {
namespace {

constexpr std::string_view kWallet = R"sql(
  SELECT available_minor, held_minor, version FROM wallets WHERE user_id = $1 AND currency = $2)sql";
constexpr std::string_view kWalletLocked = R"sql(
  SELECT available_minor, held_minor, version FROM wallets WHERE user_id = $1 AND currency = $2
     FOR UPDATE)sql";
constexpr std::string_view kNotItsEntries = R"sql(
  SELECT w.user_id || ' ' || w.currency FROM wallets w
    LEFT JOIN (SELECT user_id, currency, SUM(available_minor) AS available, SUM(held_minor) AS held,
                      MAX(version) AS version
                 FROM wallet_entries GROUP BY user_id, currency) e
      ON e.user_id = w.user_id AND e.currency = w.currency
   WHERE w.available_minor <> COALESCE(e.available, 0) OR w.held_minor <> COALESCE(e.held, 0)
      OR w.version <> COALESCE(e.version, 0) ORDER BY 1)sql";
constexpr std::string_view kEntriesOfNobody = R"sql(
  SELECT DISTINCT e.user_id || ' ' || e.currency FROM wallet_entries e
    LEFT JOIN wallets w ON w.user_id = e.user_id AND w.currency = e.currency
   WHERE w.user_id IS NULL ORDER BY 1)sql";
constexpr std::string_view kNotItsHolds = R"sql(
  SELECT s.user_id || ' ' || s.currency FROM (
    SELECT user_id, currency, held_minor AS minor FROM wallets
    UNION ALL
    SELECT user_id, amount_currency, -amount_minor FROM wallet_holds WHERE state = 'held') s
   GROUP BY s.user_id, s.currency HAVING SUM(s.minor) <> 0 ORDER BY 1)sql";
constexpr std::string_view kNotTheBooks = R"sql(
  SELECT s.account || ' ' || s.currency FROM (
    SELECT account, currency, balance_minor AS minor FROM account_balances
     WHERE account IN ('liability.wallet_available', 'liability.wallet_held')
    UNION ALL
    SELECT 'liability.wallet_available', currency, available_minor FROM wallets
    UNION ALL
    SELECT 'liability.wallet_held', currency, held_minor FROM wallets) s
   GROUP BY s.account, s.currency HAVING SUM(s.minor) <> 0 ORDER BY 1)sql";

Currency currency_at(const storage::Row& row, int column) {
  const auto currency = parse_currency(row.text(column));
  check(currency.has_value(), "a stored currency is one we know");
  return *currency;
}

Wallet read(storage::Reader& reader, std::string_view sql, const UserId& user, Currency currency) {
  Wallet wallet{user, {0, currency}, {0, currency}, 0};
  reader.query(sql, {user.text, to_word(currency)}, [&wallet](const storage::Row& row) {
    wallet.available.minor = row.integer(0);
    wallet.held.minor = row.integer(1);
    wallet.version = row.integer(2);
  });
  return wallet;
}

}  // namespace

bool knows_user(storage::Reader& reader, const UserId& user) {
  return reader.query("SELECT 1 FROM users WHERE user_id = $1", {user.text},
                      [](const storage::Row&) {}) == 1;
}

Wallet lock(storage::Tx& tx, const UserId& user, Currency currency, std::int64_t now_ms) {
  tx.exec(R"sql(
    INSERT INTO wallets (user_id, currency, updated_at_ms) VALUES ($1, $2, $3)
    ON CONFLICT (user_id, currency) DO NOTHING)sql",
          {user.text, to_word(currency), now_ms});
  return read(tx, tx.engine() == "postgres" ? kWalletLocked : kWallet, user, currency);
}

Wallet find(storage::Reader& reader, const UserId& user, Currency currency) {
  return read(reader, kWallet, user, currency);
}

bool save(storage::Tx& tx, const Wallet& wallet, std::int64_t now_ms) {
  return tx.exec(R"sql(
    UPDATE wallets SET available_minor = $3, held_minor = $4, version = version + 1, updated_at_ms = $5
     WHERE user_id = $1 AND currency = $2 AND version = $6)sql",
                 {wallet.user.text, to_word(wallet.available.currency), wallet.available.minor,
                  wallet.held.minor, now_ms, wallet.version}) == 1;
}

std::optional<StoredEntry> find_entry(storage::Reader& reader, std::string_view kind,
                                      std::string_view subject) {
  std::optional<StoredEntry> found;
  reader.query(R"sql(
    SELECT user_id, currency, kind, subject, available_minor, held_minor, version, at_ms
      FROM wallet_entries WHERE kind = $1 AND subject = $2)sql",
               {kind, subject}, [&found](const storage::Row& row) {
                 const Currency currency = currency_at(row, 1);
                 found = StoredEntry{UserId(row.text(0)),
                                     {row.text(2),
                                      row.text(3),
                                      {row.integer(4), currency},
                                      {row.integer(5), currency},
                                      row.integer(6),
                                      row.integer(7)}};
               });
  return found;
}

void insert_entry(storage::Tx& tx, const UserId& user, const WalletEntry& entry) {
  tx.exec(R"sql(
    INSERT INTO wallet_entries (user_id, currency, version, kind, subject, available_minor, held_minor, at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8))sql",
          {user.text, to_word(entry.available.currency), entry.version, entry.kind, entry.subject,
           entry.available.minor, entry.held.minor, entry.at_ms});
}

std::vector<WalletEntry> entries(storage::Reader& reader, const UserId& user, Currency currency,
                                 std::int64_t limit) {
  std::vector<WalletEntry> found;
  reader.query(R"sql(
    SELECT kind, subject, available_minor, held_minor, version, at_ms FROM wallet_entries
     WHERE user_id = $1 AND currency = $2 ORDER BY version DESC LIMIT $3)sql",
               {user.text, to_word(currency), limit}, [&](const storage::Row& row) {
                 found.push_back({row.text(0),
                                  row.text(1),
                                  {row.integer(2), currency},
                                  {row.integer(3), currency},
                                  row.integer(4),
                                  row.integer(5)});
               });
  return found;
}

void insert_hold(storage::Tx& tx, const WalletHold& hold, std::int64_t now_ms) {
  tx.exec(R"sql(
    INSERT INTO wallet_holds (hold_id, user_id, amount_minor, amount_currency, state, created_at_ms, updated_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $6))sql",
          {hold.id, hold.user.text, hold.amount.minor, to_word(hold.amount.currency), hold.state,
           now_ms});
}

std::optional<WalletHold> find_hold(storage::Reader& reader, std::string_view hold_id) {
  std::optional<WalletHold> found;
  reader.query(R"sql(
    SELECT hold_id, user_id, amount_minor, amount_currency, captured_minor, refunded_minor, state
      FROM wallet_holds WHERE hold_id = $1)sql",
               {hold_id}, [&found](const storage::Row& row) {
                 const Currency currency = currency_at(row, 3);
                 found = WalletHold{row.text(0),
                                    UserId(row.text(1)),
                                    {row.integer(2), currency},
                                    {row.integer(4), currency},
                                    {row.integer(5), currency},
                                    row.text(6)};
               });
  return found;
}

void save_hold(storage::Tx& tx, const WalletHold& hold, std::int64_t now_ms) {
  tx.exec(R"sql(
    UPDATE wallet_holds SET captured_minor = $2, refunded_minor = $3, state = $4, updated_at_ms = $5
     WHERE hold_id = $1)sql",
          {hold.id, hold.captured.minor, hold.refunded.minor, hold.state, now_ms});
}

std::vector<std::string> verify(storage::Reader& reader) {
  std::vector<std::string> wrong;
  const auto note = [&](std::string_view what, std::string_view sql) {
    reader.query(sql, {}, [&](const storage::Row& row) {
      wrong.push_back(std::string(what) + " " + row.text(0));
    });
  };
  note("a wallet differs from its entries:", kNotItsEntries);
  note("entries of a wallet that is not there:", kEntriesOfNobody);
  note("a wallet holds another amount than its holds:", kNotItsHolds);
  note("the wallets together differ from", kNotTheBooks);
  return wrong;
}

}  // namespace topup::ledger::wallet_store
