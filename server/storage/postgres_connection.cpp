#include "server/storage/postgres_connection.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "server/storage/one_row.h"
#include "server/storage/postgres_bound.h"
#include "server/storage/postgres_texts.h"
#include "server/storage/recent_ids.h"
#include "shared/check.h"

namespace topup::storage {
namespace {

constexpr std::int64_t kGraceMs = 2'000;  // beyond the server's own time-out before we hang up
constexpr std::int64_t kScriptMs = 3'600'000;
constexpr std::size_t kDoingLength = 60;
constexpr std::size_t kMostName = 63;   // of a statement; the server would cut it
constexpr std::size_t kMostAhead = 64;  // commands sent before an answer is waited for

// Keepalive finds a peer that is gone within about 30 s even when nothing is sent.
constexpr std::array<std::pair<const char*, const char*>, 7> kDefaults = {{
    {"application_name", "topup"},
    {"keepalives", "1"},
    {"keepalives_idle", "15"},
    {"keepalives_interval", "5"},
    {"keepalives_count", "3"},
    {"tcp_user_timeout", "10000"},
    {"sslmode", "prefer"},
}};

constexpr const char* kSettings = R"sql(
  SELECT pg_is_in_recovery()::text, current_setting('transaction_read_only'),
         coalesce(current_setting('fsync', true), 'on'),
         coalesce(current_setting('full_page_writes', true), 'on'),
         coalesce(current_setting('synchronous_commit', true), 'on'),
         current_setting('server_encoding'),
         (SELECT datcollate FROM pg_database WHERE datname = current_database()),
         coalesce(current_setting('synchronous_standby_names', true), ''))sql";
constexpr std::string_view kTimeline =
    "SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)";  // in hexadecimal

class PostgresRow final : public Row {
 public:
  PostgresRow(const PGresult* result, int row) : result_(result), row_(row) {}
  std::int64_t integer(int column) const override {
    const char* text = PQgetvalue(result_, row_, column);
    std::int64_t value = 0;
    std::from_chars(text, text + PQgetlength(result_, row_, column), value);
    return value;
  }
  std::string text(int column) const override {
    const char* bytes = PQgetvalue(result_, row_, column);
    const auto size = static_cast<std::size_t>(PQgetlength(result_, row_, column));
    if (PQftype(result_, column) != Bound::kBytea) return {bytes, size};
    return bytes_of_hex({bytes, size});
  }
  bool is_null(int column) const override { return PQgetisnull(result_, row_, column) == 1; }

 private:
  const PGresult* result_;
  int row_;
};

}  // namespace

void PostgresConnection::Free::operator()(pg_result* result) const { PQclear(result); }

std::string place_of(const PostgresTarget& target) {
  PQconninfoOption* options = PQconninfoParse(target.url.c_str(), nullptr);
  if (options == nullptr) return "the database";
  std::string host = "localhost", port = "5432", name;
  for (const PQconninfoOption* option = options; option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    const std::string_view keyword = option->keyword;
    if (keyword == "host" || keyword == "hostaddr") host = option->val;
    if (keyword == "port") port = option->val;
    if (keyword == "dbname") name = option->val;
  }
  PQconninfoFree(options);
  if (target.is_one_of_several()) {
    host = target.host.empty() ? target.hostaddr : target.host;
    port = target.port.empty() ? "5432" : target.port;
  }
  return name + " at " + host + ":" + port;
}

std::vector<PostgresTarget> servers_of(const PostgresTarget& target) {
  PQconninfoOption* options = PQconninfoParse(target.url.c_str(), nullptr);
  if (options == nullptr) return {target};  // connecting to it says what is wrong
  std::vector<std::string> hosts, addresses, ports;
  for (const PQconninfoOption* option = options; option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    const std::string_view keyword = option->keyword;
    if (keyword == "host") hosts = parts_of(option->val);
    if (keyword == "hostaddr") addresses = parts_of(option->val);
    if (keyword == "port") ports = parts_of(option->val);
  }
  PQconninfoFree(options);
  const std::size_t count = std::max(hosts.size(), addresses.size());
  if (count < 2) return {target};
  const auto fits = [count](const std::vector<std::string>& list) {
    return list.empty() || list.size() == count;
  };
  if (count > kMaxServers || !fits(hosts) || !fits(addresses) ||
      (!fits(ports) && ports.size() != 1)) {
    throw PostgresError(Trouble::refused,
                        "the database's url names " + std::to_string(count) + " hosts and " +
                            std::to_string(ports.size()) +
                            " ports: name at most 8 hosts, and one port for all or one for each, "
                            "such as postgres://topup@a:5432,b:5433/shop");
  }
  std::vector<PostgresTarget> servers(count, target);
  for (std::size_t i = 0; i < count; ++i) {
    if (!hosts.empty()) servers[i].host = hosts[i];
    if (!addresses.empty()) servers[i].hostaddr = addresses[i];
    if (!ports.empty()) servers[i].port = ports[ports.size() == 1 ? 0 : i];
    if (!servers[i].is_one_of_several())
      throw PostgresError(Trouble::refused, "the database's url names a host without a name");
  }
  return servers;
}

PostgresConnection::PostgresConnection(const PostgresTarget& target, const base::Clock& clock,
                                       std::int64_t deadline_mono_ms)
    : clock_(clock), place_(place_of(target)), patience_ms_(target.statement_ms + kGraceMs) {
  try {
    connect(target, deadline_mono_ms);
    prepare_session(target.statement_ms);
    refuse_unsafe_server();
    if (target.is_one_of_several()) learn_timeline();
  } catch (...) {
    PQfinish(connection_);
    throw;
  }
}

PostgresConnection::~PostgresConnection() { PQfinish(connection_); }

void PostgresConnection::connect(const PostgresTarget& target, std::int64_t deadline_mono_ms) {
  std::vector<const char*> keywords, values;
  for (const auto& [keyword, value] : kDefaults) {
    keywords.push_back(keyword);
    values.push_back(value);
  }
  keywords.push_back("dbname");  // the url is unfolded here and overrides what stands before it
  values.push_back(target.url.c_str());
  if (!target.password.empty()) {
    keywords.push_back("password");
    values.push_back(target.password.c_str());
  }
  // Which of several is asked when, for how long, and whether it will do, the pool decides: libpq
  // alone would wait for the first one until its time is over for all.
  if (target.is_one_of_several()) {
    const std::array<std::pair<const char*, const char*>, 4> one = {{
        {"host", target.host.c_str()},
        {"hostaddr", target.hostaddr.c_str()},
        {"port", target.port.c_str()},
        {"target_session_attrs", "any"},
    }};
    for (const auto& [keyword, value] : one) {
      keywords.push_back(keyword);
      values.push_back(value);
    }
  }
  keywords.push_back("client_encoding");
  values.push_back("UTF8");
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  connection_ = PQconnectStartParams(keywords.data(), values.data(), 1);
  const std::string doing = "cannot reach the database " + place_;
  if (connection_ == nullptr || PQstatus(connection_) == CONNECTION_BAD) lose(doing);
  for (PostgresPollingStatusType next = PGRES_POLLING_WRITING; next != PGRES_POLLING_OK;) {
    wait_for_socket(next == PGRES_POLLING_WRITING, doing, deadline_mono_ms);
    next = PQconnectPoll(connection_);
    if (next == PGRES_POLLING_FAILED) lose(doing);
  }
  PQsetnonblocking(connection_, 1);
  PQsetNoticeProcessor(
      connection_, [](void*, const char*) {}, nullptr);
  PQenterPipelineMode(connection_);
}

void PostgresConnection::prepare_session(std::int64_t statement_ms) {
  const std::string limit = std::to_string(statement_ms);
  script("SET statement_timeout = " + limit +
         "; SET lock_timeout = 5000; SET idle_in_transaction_session_timeout = 60000;"
         " SET TimeZone = 'UTC'; SET bytea_output = 'hex'; SET standard_conforming_strings = on;"
         // Small tables would be scanned, and a scanned table meets every writer of it. Plans that
         // must scan after all then look dear, and would be compiled for nothing.
         " SET enable_seqscan = off; SET jit = off");
}

void PostgresConnection::refuse_unsafe_server() {
  std::array<std::string, 8> found;
  const std::function<void(const Row&)> keep = [&found](const Row& row) {
    for (std::size_t i = 0; i < found.size(); ++i) found[i] = row.text(static_cast<int>(i));
  };
  run(kSettings, {}, &keep);
  const auto refuse_it = [this](const std::string& why) {
    throw PostgresError(Trouble::refused, "the database " + place_ + " " + why);
  };
  if (found[0] == "true" || found[1] == "on") {
    throw PostgresError(Trouble::lost, "the database " + place_ +
                                           " is read-only (a standby?): give the address of the "
                                           "primary, or several with "
                                           "target_session_attrs=read-write");
  }
  if (found[2] != "on") refuse_it("has fsync off: a power loss would lose money. Set fsync = on");
  if (found[3] != "on") {
    refuse_it("has full_page_writes off: a power loss would damage it. Set full_page_writes = on");
  }
  if (found[4] != "on" && found[4] != "remote_apply") {
    refuse_it("has synchronous_commit = " + found[4] +
              ": an acknowledged payment could be lost. Set synchronous_commit = on");
  }
  const bool by_bytes = found[6] == "C" || found[6] == "POSIX" || found[6].empty() ||
                        found[6] == "C.UTF-8" || found[6] == "C.utf8";
  if (found[5] != "UTF8" || !by_bytes) {
    refuse_it("is " + found[5] + " sorted by " + found[6] +
              ": make one with CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8' "
              "LC_COLLATE 'C' LC_CTYPE 'C'");
  }
  is_replicated_ = !found[7].empty();
}

// A service that only speaks the protocol may not know its own timeline.
void PostgresConnection::learn_timeline() {
  std::string hex;
  const std::function<void(const Row&)> keep = [&hex](const Row& row) { hex = row.text(0); };
  try {
    run(kTimeline, {}, &keep);
  } catch (const PostgresError& refused) {
    if (is_broken_) throw;
    failure_.reset();
    return;
  }
  std::from_chars(hex.data(), hex.data() + hex.size(), timeline_, 16);
}

std::int64_t PostgresConnection::deadline() const { return clock_.mono_ms() + patience_ms_; }

void PostgresConnection::lose(std::string_view doing) {
  is_broken_ = true;
  const char* said = connection_ == nullptr ? "out of memory" : PQerrorMessage(connection_);
  std::string why = trimmed(said);
  if (why.empty()) why = "the connection is gone";
  failure_ = PostgresError(Trouble::lost, std::string(doing.substr(0, 120)) + ": " + why);
  throw PostgresError(*failure_);
}

void PostgresConnection::fail(const pg_result* result, std::string_view doing) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const Trouble trouble = trouble_of(state == nullptr ? "" : state);
  if (trouble == Trouble::lost || PQstatus(connection_) == CONNECTION_BAD) {
    is_broken_ = true;
  }
  const char* said = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  std::string why = trimmed(said == nullptr ? PQresultErrorMessage(result) : said);
  failure_ = PostgresError(is_broken_ ? Trouble::lost : trouble,
                           std::string(doing.substr(0, kDoingLength)) + ": " + why);
  throw PostgresError(*failure_);
}

void PostgresConnection::need(int sent, std::string_view doing) {
  if (sent != 1) lose(doing);
}

void PostgresConnection::wait_for_socket(bool wants_write, std::string_view doing,
                                         std::int64_t deadline_mono_ms) {
  pollfd socket{PQsocket(connection_), static_cast<short>(POLLIN | (wants_write ? POLLOUT : 0)), 0};
  for (;;) {
    const std::int64_t left = deadline_mono_ms - clock_.mono_ms();
    if (left <= 0) {
      is_broken_ = true;
      failure_ =
          PostgresError(Trouble::lost, std::string(doing.substr(0, 120)) + ": no answer in time");
      throw PostgresError(*failure_);
    }
    const int ready = ::poll(&socket, 1, static_cast<int>(std::min<std::int64_t>(left, 60'000)));
    if (ready > 0) return;
    if (ready < 0 && errno != EINTR) lose(doing);
  }
}

PostgresConnection::Answer PostgresConnection::next_answer(std::string_view doing,
                                                           std::int64_t deadline_mono_ms) {
  for (;;) {
    // A failed flush is no failure yet: what the server said before it hung up is still to be read.
    const bool unsent = PQflush(connection_) == 1;
    if (PQisBusy(connection_) == 0) return Answer(PQgetResult(connection_));
    wait_for_socket(unsent, doing, deadline_mono_ms);
    if (PQconsumeInput(connection_) == 0) {
      if (PQisBusy(connection_) == 0) return Answer(PQgetResult(connection_));
      lose(doing);
    }
  }
}

// One answer for each command, then that of the synchronisation point. Throws what the first
// refused command was refused for, after everything has been read.
std::vector<PostgresConnection::Answer> PostgresConnection::answers(std::size_t count,
                                                                    std::string_view doing) {
  const std::int64_t until = deadline();
  std::vector<Answer> out;
  for (std::size_t i = 0; i < count; ++i) {
    Answer answer = next_answer(doing, until);
    if (!answer || PQresultStatus(answer.get()) == PGRES_PIPELINE_SYNC) lose(doing);
    if (PQstatus(connection_) == CONNECTION_BAD) fail(answer.get(), doing);
    out.push_back(std::move(answer));
    if (next_answer(doing, until)) lose(doing);
  }
  const Answer sync = next_answer(doing, until);
  if (!sync || PQresultStatus(sync.get()) != PGRES_PIPELINE_SYNC) lose(doing);
  return out;
}

void PostgresConnection::settle_unread() {
  if (unread_ == 0) return;
  const std::size_t count = std::exchange(unread_, 0);
  is_amid_ = true;
  answers(count, "the end of a transaction");
  is_amid_ = false;
}

// Prepared as well: to read even "COMMIT" costs the server more than to run it from memory.
void PostgresConnection::send_command(const char* command) {
  static const Bound none({});
  send_statement(prepare(command, none), none);
}

void PostgresConnection::send_queued() {
  has_begun_ = has_begun_ || !queued_.empty();
  for (const char* command : queued_) send_command(command);
  queued_.clear();
}

const PostgresConnection::Prepared& PostgresConnection::prepare(std::string_view sql,
                                                                const Bound& bound,
                                                                std::string beginning) {
  const auto found = prepared_.find(Key{sql, beginning, bound.signature});
  if (found != prepared_.end()) return *found->second;
  check(prepared_.size() < kMaxPrepared, "statements come from the program text");
  // A command is seen on the wire under its own name.
  const bool is_short = bound.count == 0 && sql.size() < kMostName;
  auto made = std::make_unique<Prepared>(
      Prepared{is_short ? std::string(sql) : "s" + std::to_string(names_++), std::string(sql),
               std::move(beginning), bound.signature, adds_one_row(sql)});
  is_amid_ = true;
  const bool is_narrow = !made->beginning.empty();
  const std::string text = is_narrow ? within(sql, made->beginning) : made->sql;
  need(
      PQsendPrepare(connection_, made->name.c_str(), text.c_str(), bound.count, bound.types.data()),
      sql);
  sent_.push_back({made.get(), true});
  const Key key{made->sql, made->beginning, made->types};
  return *(prepared_[key] = std::move(made));
}

void PostgresConnection::forget(const Prepared& prepared) {
  prepared_.erase(Key{prepared.sql, prepared.beginning, prepared.types});
}

void PostgresConnection::send_statement(const Prepared& prepared, const Bound& bound) {
  is_amid_ = true;
  need(PQsendQueryPrepared(connection_, prepared.name.c_str(), bound.count, bound.bytes.data(),
                           bound.lengths.data(), bound.formats.data(), 0),
       prepared.sql);
  sent_.push_back({&prepared, false});
}

// Waits for the answers to all that was sent. What follows a refused command was not run.
std::vector<PostgresConnection::Answer> PostgresConnection::hear_all(std::string_view doing) {
  is_amid_ = true;
  need(PQpipelineSync(connection_), doing);
  const std::vector<Sent> sent = std::exchange(sent_, {});
  std::vector<Answer> heard = answers(sent.size(), doing);
  is_amid_ = false;
  for (std::size_t i = 0; i < heard.size(); ++i) {
    const ExecStatusType status = PQresultStatus(heard[i].get());
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) continue;
    const std::string refused = sent[i].statement->sql;
    for (std::size_t lost = i; lost < sent.size(); ++lost) {
      if (sent[lost].prepares) forget(*sent[lost].statement);
    }
    fail(heard[i].get(), refused);
  }
  return heard;
}
PostgresConnection::Answer PostgresConnection::hear(std::string_view doing) {
  return std::move(hear_all(doing).back());
}

int PostgresConnection::run(std::string_view sql, std::initializer_list<Value> values,
                            const std::function<void(const Row&)>* on_row) {
  settle_unread();
  if (failure_) throw PostgresError(*failure_);
  send_question(sql, values);
  const Answer answer = hear(sql);
  if (has_begun_ && fits_any_value(sql)) queued_.push_back(kPlanFreely);
  if (on_row == nullptr) return std::atoi(PQcmdTuples(answer.get()));
  const int rows = PQntuples(answer.get());
  for (int row = 0; row < rows; ++row) (*on_row)(PostgresRow(answer.get(), row));
  return rows;
}

void PostgresConnection::send_question(std::string_view sql, std::initializer_list<Value> values) {
  const Bound bound(values);
  if (!is_question(sql)) ++changes_;
  if (fits_any_value(sql) && (has_begun_ || !queued_.empty())) plan_once();
  send_queued();
  send_statement(prepare(sql, bound, beginning_of_ids(sql, values, clock_.wall_ms())), bound);
}

// Between two of them the planner stays as it is; what else is asked is planned for its values.
void PostgresConnection::ask(std::initializer_list<Question> questions) {
  settle_unread();
  if (failure_) throw PostgresError(*failure_);
  std::vector<std::size_t> places;
  bool is_planned_once = false;
  for (const Question& one : questions) {
    if (is_planned_once) queued_.push_back(kPlanFreely);
    send_question(one.sql, one.values);
    is_planned_once = has_begun_ && fits_any_value(one.sql);
    places.push_back(sent_.size() - 1);
  }
  const std::vector<Answer> heard = hear_all("questions");
  if (is_planned_once) queued_.push_back(kPlanFreely);
  std::size_t at = 0;
  for (const Question& one : questions) {
    const pg_result* answer = heard[places[at++]].get();
    for (int row = 0; row < PQntuples(answer); ++row) one.row(PostgresRow(answer, row));
  }
}

void PostgresConnection::plan_once() {
  if (!queued_.empty() && queued_.back() == kPlanFreely) {
    queued_.pop_back();
  } else {
    queued_.push_back(kPlanOnce);
  }
}

int PostgresConnection::change(std::string_view sql, std::initializer_list<Value> values,
                               bool is_counted) {
  settle_unread();
  if (failure_) throw PostgresError(*failure_);
  const Bound bound(values);
  ++changes_;
  send_queued();
  const Prepared& prepared = prepare(sql, bound, beginning_of_ids(sql, values, clock_.wall_ms()));
  send_statement(prepared, bound);
  is_amid_ = false;
  const bool may_wait = prepared.adds_one_row || !is_counted;
  if (may_wait && sent_.size() < kMostAhead) return 1;
  return std::atoi(PQcmdTuples(hear(sql).get()));
}

void PostgresConnection::settle() {
  if (!sent_.empty()) hear("a change");
}

void PostgresConnection::script(std::string_view sql) {
  settle_unread();
  if (failure_) throw PostgresError(*failure_);
  ++changes_;
  send_queued();
  settle();
  if (PQexitPipelineMode(connection_) != 1) lose(sql);
  need(PQsendQuery(connection_, std::string(sql).c_str()), sql);
  const std::int64_t until = clock_.mono_ms() + kScriptMs;
  Answer refused;
  for (Answer answer = next_answer(sql, until); answer; answer = next_answer(sql, until)) {
    const ExecStatusType status = PQresultStatus(answer.get());
    const bool is_fine =
        status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
    if (!is_fine) refused = std::move(answer);
  }
  if (PQenterPipelineMode(connection_) != 1) lose(sql);
  if (refused) fail(refused.get(), sql);
}

void PostgresConnection::begin(Kind kind) {
  check(queued_.empty() && !has_begun_, "one transaction at a time");
  failure_.reset();
  if (kind == Kind::read) {
    queued_ = {"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"};
    return;
  }
  queued_ = {"BEGIN ISOLATION LEVEL SERIALIZABLE", kEndsWhenIdle};
  // A lock on a table is taken before the transaction's snapshot, so that it sees all that the one
  // before it wrote.
  if (kind == Kind::write_alone) queued_.push_back("LOCK TABLE topup_lane IN EXCLUSIVE MODE");
}

void PostgresConnection::start() {
  settle_unread();
  send_queued();
  settle();
}

void PostgresConnection::begin_part() { queued_.push_back(kBeginPart); }

void PostgresConnection::end_part(bool keep) {
  if (!queued_.empty() && queued_.back() == kBeginPart) {  // it has sent nothing
    queued_.pop_back();
    return;
  }
  failure_.reset();
  if (!keep) queued_.push_back("ROLLBACK TO SAVEPOINT body");
  queued_.push_back("RELEASE SAVEPOINT body");
}

PostgresConnection::Ended PostgresConnection::commit(std::string_view mark,
                                                     std::initializer_list<Value> values) {
  if (failure_) throw PostgresError(*failure_);
  check(has_begun_, "only what has begun is committed");
  const std::string_view doing = "COMMIT";
  try {
    const Bound bound(values);
    send_queued();
    send_statement(prepare(mark, bound), bound);
    send_command("COMMIT");
    const Answer ended = hear(doing);
    has_begun_ = false;
    if (std::string_view(PQcmdStatus(ended.get())) != "COMMIT") {
      throw PostgresError(Trouble::refused, "the transaction was rolled back by the engine");
    }
  } catch (const PostgresError& error) {
    if (error.trouble == Trouble::lost) return Ended::in_doubt;
    throw;
  } catch (const std::bad_alloc&) {  // COMMIT may be on its way
    is_broken_ = true;
    return Ended::in_doubt;
  }
  return Ended::committed;
}

// The end is sent, and its answer read when the connection is used next: a failure then shows that
// the connection is gone, which costs that user one more look into the pool.
void PostgresConnection::end_read() {
  if (failure_) return rollback();
  queued_.clear();
  if (!std::exchange(has_begun_, false)) return;
  send_command("COMMIT");
  need(PQpipelineSync(connection_), "COMMIT");
  PQflush(connection_);
  unread_ = std::exchange(sent_, {}).size();
  is_amid_ = false;
}

// Sent behind a refused change, a ROLLBACK would be passed over as well.
void PostgresConnection::hear_out() noexcept {
  try {
    settle();
  } catch (const std::exception&) {
    sent_.clear();
  }
}

void PostgresConnection::rollback() noexcept {
  queued_.clear();
  is_broken_ = is_broken_ || is_amid_;
  if (!is_broken_) hear_out();
  failure_.reset();
  if (!has_begun_ || is_broken_) return;
  has_begun_ = false;
  const int sent =
      PQsendQueryParams(connection_, "ROLLBACK", 0, nullptr, nullptr, nullptr, nullptr, 0);
  if (sent != 1 || PQpipelineSync(connection_) != 1) {
    is_broken_ = true;
    return;
  }
  PQflush(connection_);
  unread_ = 1;
}

bool PostgresConnection::is_quiet() {
  if (is_broken_) return false;
  try {
    settle_unread();
  } catch (const std::exception&) {
    return false;
  }
  pollfd socket{PQsocket(connection_), POLLIN, 0};
  if (::poll(&socket, 1, 0) == 0) return true;
  // A notice, a changed setting, or the end: only reading tells.
  if (PQconsumeInput(connection_) == 0 || PQstatus(connection_) == CONNECTION_BAD) return false;
  socket.revents = 0;
  return ::poll(&socket, 1, 0) == 0;
}

}  // namespace topup::storage
