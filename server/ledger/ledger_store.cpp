#include "server/ledger/ledger_store.h"

#include "server/ledger/chart.h"
#include "server/storage/ahead.h"
#include "shared/check.h"

namespace topup::ledger {
namespace {

constexpr std::string_view kInsertPosting = R"sql(
  INSERT INTO postings (journal_id, line, account, amount_minor, amount_currency)
  VALUES ($1, $2, $3, $4, $5))sql";
constexpr std::string_view kInsertTwo = R"sql(
  INSERT INTO postings (journal_id, line, account, amount_minor, amount_currency)
  VALUES ($1, $2, $3, $4, $5), ($1, $2 + 1, $6, $7, $8))sql";
constexpr std::string_view kMoveTwo = R"sql(
  INSERT INTO account_balances (account, currency, balance_minor) VALUES ($1, $2, $3), ($4, $5, $6)
  ON CONFLICT (account, currency) DO UPDATE
    SET balance_minor = account_balances.balance_minor + excluded.balance_minor)sql";
constexpr std::string_view kMoveBalance = R"sql(
  INSERT INTO account_balances (account, currency, balance_minor) VALUES ($1, $2, $3)
  ON CONFLICT (account, currency) DO UPDATE
    SET balance_minor = account_balances.balance_minor + excluded.balance_minor)sql";
// The head is taken first: of two transactions that post at once the second waits for the first.
constexpr std::string_view kNextPlace = "UPDATE ledger_head SET seq = seq + 1 WHERE id = 1";
constexpr std::string_view kSealJournal = R"sql(
  INSERT INTO journals (journal_id, template, subject, order_id, trace_id, at_ms, seq)
  VALUES ($1, $2, $3, $4, $5, $6, (SELECT seq FROM ledger_head WHERE id = 1)))sql";
constexpr std::string_view kOneJournal = R"sql(
  SELECT j.journal_id, j.template, j.subject, j.at_ms, p.account, p.amount_minor, p.amount_currency, j.seq
    FROM journals j JOIN postings p ON p.journal_id = j.journal_id
   WHERE j.journal_id = $1 ORDER BY p.line)sql";
constexpr std::string_view kOfTemplate = R"sql(
  SELECT j.journal_id, j.template, j.subject, j.at_ms, p.account, p.amount_minor, p.amount_currency, j.seq
    FROM (SELECT * FROM journals WHERE order_id = '' AND ($1 = 0 OR seq < $1) ORDER BY seq DESC LIMIT $2) j
    JOIN postings p ON p.journal_id = j.journal_id ORDER BY j.seq DESC, p.line)sql";
constexpr std::string_view kJournalsOf = R"sql(
  SELECT j.journal_id, j.template, j.subject, j.at_ms, p.account, p.amount_minor, p.amount_currency, j.seq
    FROM journals j JOIN postings p ON p.journal_id = j.journal_id
   WHERE j.order_id = $1 ORDER BY j.seq, p.line)sql";
constexpr std::string_view kBalances =
    "SELECT account, balance_minor, currency FROM account_balances ORDER BY account, currency";
constexpr std::string_view kUnbalanced = R"sql(
  SELECT journal_id FROM postings GROUP BY journal_id, amount_currency HAVING SUM(amount_minor) <> 0)sql";
constexpr std::string_view kEmptyJournals = R"sql(
  SELECT j.journal_id FROM journals j
   WHERE (SELECT COUNT(*) FROM postings p WHERE p.journal_id = j.journal_id) < 2)sql";
// Numbered 1, 2, 3 … up to the head: a gap is a journal that somebody removed.
constexpr std::string_view kOutOfOrder = R"sql(
  SELECT after_seq FROM (
    SELECT seq, LAG(seq, 1, 0) OVER (ORDER BY seq) AS after_seq FROM journals) placed
   WHERE seq <> after_seq + 1 ORDER BY after_seq)sql";
constexpr std::string_view kHeadDiffers = R"sql(
  SELECT h.seq FROM ledger_head h
   WHERE h.seq <> (SELECT COALESCE(MAX(seq), 0) FROM journals))sql";
constexpr std::string_view kAccountNames = "SELECT DISTINCT account FROM postings ORDER BY account";
constexpr std::string_view kTwiceTakenBack = R"sql(
  SELECT j.journal_id FROM journals j LEFT JOIN journals o ON o.journal_id = j.subject
   WHERE j.template = 'taken_back' AND o.journal_id IS NULL)sql";
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

PostedJournal& journal_at(std::vector<PostedJournal>& journals, const storage::Row& row) {
  if (journals.empty() || journals.back().journal_id != row.text(0)) {
    journals.push_back({row.text(0), row.text(1), row.text(2), row.integer(3), row.integer(7), {}});
  }
  return journals.back();
}
void take(std::vector<PostedJournal>& journals, const storage::Row& row) {
  journal_at(journals, row)
      .postings.push_back({row.text(4), money_of(row.integer(5), row.text(6))});
}

}  // namespace

void post(storage::Tx& tx, const Journal& journal, const OrderId& order, const TraceId& trace,
          std::int64_t now_ms) {
  const std::string journal_id = journal.id();
  storage::put(tx, kNextPlace, {});
  const auto& postings = journal.postings();
  for (std::size_t i = 0; i < postings.size(); ++i) {
    const Posting& one = postings[i];
    const auto line = static_cast<std::int64_t>(i) + 1;
    const std::string_view currency = to_word(one.amount.currency);
    // Most journals are of two lines; one statement cannot move the same balance twice.
    if (i + 1 < postings.size() && postings[i + 1].account != one.account) {
      const Posting& two = postings[++i];
      const std::string_view other = to_word(two.amount.currency);
      storage::put(tx, kInsertTwo,
                   {journal_id, line, one.account, one.amount.minor, currency, two.account,
                    two.amount.minor, other});
      storage::put(tx, kMoveTwo,
                   {one.account, currency, one.amount.minor, two.account, other, two.amount.minor});
      continue;
    }
    tx.exec(kInsertPosting, {journal_id, line, one.account, one.amount.minor, currency});
    tx.exec(kMoveBalance, {one.account, currency, one.amount.minor});
  }
  tx.exec(kSealJournal,
          {journal_id, journal.name(), journal.subject(), order.text, trace.text, now_ms});
}

std::vector<PostedJournal> list_of(storage::Reader& reader, const OrderId& order) {
  std::vector<PostedJournal> journals;
  reader.query(kJournalsOf, {order.text},
               [&journals](const storage::Row& row) { take(journals, row); });
  return journals;
}

std::optional<PostedJournal> find(storage::Reader& reader, std::string_view journal_id) {
  std::vector<PostedJournal> journals;
  reader.query(kOneJournal, {journal_id},
               [&journals](const storage::Row& row) { take(journals, row); });
  if (journals.empty()) return std::nullopt;
  return std::move(journals.front());
}

std::vector<PostedJournal> list_by_hand(storage::Reader& reader, std::int64_t before_seq,
                                        std::int64_t limit) {
  std::vector<PostedJournal> journals;
  reader.query(kOfTemplate, {before_seq, limit},
               [&journals](const storage::Row& row) { take(journals, row); });
  return journals;
}

Result<bool> take_back(storage::Tx& tx, std::string_view journal_id, const TraceId& trace,
                       std::int64_t now_ms) {
  const auto posted = find(tx, journal_id);
  if (!posted) return refuse(Code::not_found, "journal_not_found", "journal_id");
  if (posted->name == journal::kTakenBack)
    return refuse(Code::rejected, "journal_not_reversible", "journal_id");
  const Journal original(posted->name, posted->subject, posted->postings);
  const Journal back = taken_back(original);
  if (find(tx, back.id())) return refuse(Code::conflict, "journal_taken_back", "journal_id");
  post(tx, back, OrderId(), trace, now_ms);
  return true;
}

Money balance_of(storage::Reader& reader, std::string_view account, Currency currency) {
  Money balance{0, currency};
  reader.query("SELECT balance_minor FROM account_balances WHERE account = $1 AND currency = $2",
               {account, to_word(currency)},
               [&balance](const storage::Row& row) { balance.minor = row.integer(0); });
  return balance;
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
  note("journal without its lines", kEmptyJournals);
  note("a journal is missing after number", kOutOfOrder);
  note("the head of the journals does not fit them: it says", kHeadDiffers);
  note("balance differs from its postings", kWrongBalances);
  note("a journal takes back one that is not there:", kTwiceTakenBack);
  reader.query(kAccountNames, {}, [&wrong](const storage::Row& row) {
    if (family_of(row.text(0)) == nullptr)
      wrong.push_back("account that the chart does not have: " + row.text(0));
  });
  return wrong;
}

}  // namespace topup::ledger
