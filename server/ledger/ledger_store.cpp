#include "server/ledger/ledger_store.h"

#include "shared/check.h"

namespace topup::ledger {
namespace {

constexpr std::string_view kInsertPosting = R"sql(
  INSERT INTO postings (journal_id, line, account, amount_minor, amount_currency)
  VALUES ($1, $2, $3, $4, $5))sql";
constexpr std::string_view kMoveBalance = R"sql(
  INSERT INTO account_balances (account, currency, balance_minor) VALUES ($1, $2, $3)
  ON CONFLICT (account, currency) DO UPDATE
    SET balance_minor = account_balances.balance_minor + excluded.balance_minor)sql";
constexpr std::string_view kSealJournal = R"sql(
  INSERT INTO journals (journal_id, template, subject, order_id, trace_id, at_ms)
  VALUES ($1, $2, $3, $4, $5, $6))sql";
constexpr std::string_view kJournalsOf = R"sql(
  SELECT j.journal_id, j.template, j.subject, j.at_ms, p.account, p.amount_minor, p.amount_currency
    FROM journals j JOIN postings p ON p.journal_id = j.journal_id
   WHERE j.order_id = $1 ORDER BY j.at_ms, j.journal_id, p.line)sql";
constexpr std::string_view kBalances =
    "SELECT account, balance_minor, currency FROM account_balances ORDER BY account, currency";
constexpr std::string_view kUnbalanced = R"sql(
  SELECT journal_id FROM postings GROUP BY journal_id, amount_currency HAVING SUM(amount_minor) <> 0)sql";
constexpr std::string_view kUnsealed = R"sql(
  SELECT DISTINCT p.journal_id FROM postings p
    LEFT JOIN journals j ON j.journal_id = p.journal_id WHERE j.journal_id IS NULL)sql";
constexpr std::string_view kWrongBalances = R"sql(
  SELECT s.account || ' ' || s.currency FROM (
    SELECT account, amount_currency AS currency, SUM(amount_minor) AS total FROM postings GROUP BY account, amount_currency
    UNION ALL
    SELECT account, currency, -balance_minor FROM account_balances) s
   GROUP BY s.account, s.currency HAVING SUM(s.total) <> 0)sql";

Money money_of(std::int64_t minor, const std::string& currency) {
  const auto parsed = parse_currency(currency);
  check(parsed.has_value(), "a stored currency is one we know");
  return {minor, *parsed};
}

}  // namespace

void post(storage::Tx& tx, const Journal& journal, const OrderId& order, const TraceId& trace,
          std::int64_t now_ms) {
  const std::string journal_id = journal.name() + ":" + journal.subject();
  std::int64_t line = 0;
  for (const Posting& posting : journal.postings()) {
    const std::string_view currency = to_word(posting.amount.currency);
    tx.exec(kInsertPosting, {journal_id, ++line, posting.account, posting.amount.minor, currency});
    tx.exec(kMoveBalance, {posting.account, currency, posting.amount.minor});
  }
  tx.exec(kSealJournal,
          {journal_id, journal.name(), journal.subject(), order.text, trace.text, now_ms});
}

std::vector<PostedJournal> list_of(storage::Reader& reader, const OrderId& order) {
  std::vector<PostedJournal> journals;
  reader.query(kJournalsOf, {order.text}, [&journals](const storage::Row& row) {
    if (journals.empty() || journals.back().journal_id != row.text(0)) {
      journals.push_back({row.text(0), row.text(1), row.text(2), row.integer(3), {}});
    }
    journals.back().postings.push_back({row.text(4), money_of(row.integer(5), row.text(6))});
  });
  return journals;
}

std::vector<Balance> trial_balance(storage::Reader& reader) {
  std::vector<Balance> balances;
  reader.query(kBalances, {}, [&balances](const storage::Row& row) {
    balances.push_back({row.text(0), money_of(row.integer(1), row.text(2))});
  });
  return balances;
}

std::vector<std::string> verify(storage::Reader& reader) {
  std::vector<std::string> wrong;
  const auto note = [&](std::string_view what, std::string_view sql) {
    reader.query(sql, {}, [&](const storage::Row& row) {
      wrong.push_back(std::string(what) + " " + row.text(0));
    });
  };
  note("unbalanced journal", kUnbalanced);
  note("unsealed journal", kUnsealed);
  note("balance differs from its postings", kWrongBalances);
  return wrong;
}

}  // namespace topup::ledger
