#include "tests/sim/memory_store.h"

#include <sqlite3.h>

#include <array>
#include <cstdlib>
#include <deque>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "shared/check.h"

namespace topup::sim {
namespace {

constexpr std::size_t kMaxValues = 32;
constexpr int kCachePages = -65'536;  // KiB: nothing is ever spilt

struct Statement {
  sqlite3_stmt* handle = nullptr;
  std::array<int, kMaxValues> index_of{};  // value number → SQLite's, 0 when unused
};

class MemoryRow final : public storage::Row {
 public:
  explicit MemoryRow(sqlite3_stmt* handle) : handle_(handle) {}
  std::int64_t integer(int column) const override { return sqlite3_column_int64(handle_, column); }
  std::string text(int column) const override {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(handle_, column));
    const int size = sqlite3_column_bytes(handle_, column);
    return bytes == nullptr ? std::string() : std::string(bytes, static_cast<std::size_t>(size));
  }
  bool is_null(int column) const override {
    return sqlite3_column_type(handle_, column) == SQLITE_NULL;
  }

 private:
  sqlite3_stmt* handle_;
};

class Memory final : public MemoryStore {
 public:
  Memory() {
    // Nobody asks how much memory is in use, and each answer would cost a lock.
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    check(sqlite3_open_v2(":memory:", &db_, flags, nullptr) == SQLITE_OK, "SQLite opens");
    script("PRAGMA foreign_keys=ON");
    script("PRAGMA recursive_triggers=ON");
    script("PRAGMA temp_store=MEMORY");
    script("PRAGMA cache_size=" + std::to_string(kCachePages));
  }
  ~Memory() override {
    for (auto& [sql, statement] : cache_) sqlite3_finalize(statement.handle);
    sqlite3_close(db_);
  }

  void begin_run() override { run("BEGIN", {}, nullptr); }
  void end_run() override { run("ROLLBACK", {}, nullptr); }

  void read(const std::function<void(storage::Reader&)>& body) override {
    check(!is_writing_, "a look beside the transaction that one is in");
    MemoryReader reader(*this);
    body(reader);
  }

  void write(const std::function<bool(storage::Tx&)>& body) override {
    check(!std::exchange(is_writing_, true), "write() inside a transaction body");
    MemoryTx tx(*this);
    run("SAVEPOINT body", {}, nullptr);
    bool is_kept = false;
    try {
      is_kept = body(tx);
    } catch (...) {
      end(false);
      throw;
    }
    end(is_kept);
    if (!is_kept) return;
    for (const auto& hint : tx.hints) hint();
  }
  std::string engine() const override { return "sqlite"; }
  void on_group(std::function<void(std::size_t)>) override {}

 private:
  class MemoryReader final : public storage::Reader {
   public:
    explicit MemoryReader(Memory& store) : store_(store) {}
    int query(std::string_view sql, std::initializer_list<storage::Value> values,
              const std::function<void(const storage::Row&)>& row) override {
      return store_.run(sql, values, &row);
    }

   private:
    Memory& store_;
  };
  class MemoryTx final : public storage::Tx {
   public:
    explicit MemoryTx(Memory& store) : store_(store) {}
    int query(std::string_view sql, std::initializer_list<storage::Value> values,
              const std::function<void(const storage::Row&)>& row) override {
      return store_.run(sql, values, &row);
    }
    int exec(std::string_view sql, std::initializer_list<storage::Value> values) override {
      return store_.run(sql, values, nullptr);
    }
    void after_commit(std::function<void()> hint) override { hints.push_back(std::move(hint)); }
    void script(std::string_view sql) override { store_.script(std::string(sql)); }
    std::string_view engine() const override { return "sqlite"; }

    std::vector<std::function<void()>> hints;

   private:
    Memory& store_;
  };

  void end(bool is_kept) {
    if (!is_kept) run("ROLLBACK TO body", {}, nullptr);
    run("RELEASE body", {}, nullptr);
    is_writing_ = false;
  }
  storage::SqlError error_of(std::string_view doing) const {
    const int code = sqlite3_extended_errcode(db_) & 0xFF;
    return {std::string(doing.substr(0, 60)) + ": " + sqlite3_errmsg(db_),
            code == SQLITE_CONSTRAINT};
  }
  void script(const std::string& sql) {
    if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) throw error_of(sql);
  }

  int run(std::string_view sql, std::initializer_list<storage::Value> values,
          const std::function<void(const storage::Row&)>* on_row) {
    const Statement& statement = prepared(sql);
    struct Reset {
      sqlite3_stmt* handle;
      ~Reset() { sqlite3_reset(handle); }
    } reset{statement.handle};
    bind(statement, values);
    int rows = 0;
    for (;;) {
      const int step = sqlite3_step(statement.handle);
      if (step == SQLITE_DONE) break;
      if (step != SQLITE_ROW) throw error_of(sql);
      ++rows;
      if (on_row != nullptr) (*on_row)(MemoryRow(statement.handle));
    }
    return on_row != nullptr ? rows : sqlite3_changes(db_);
  }

  const Statement& prepared(std::string_view sql) {
    const auto found = cache_.find(sql);
    if (found != cache_.end()) return found->second;
    Statement statement;
    if (sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                           &statement.handle, nullptr) != SQLITE_OK) {
      throw error_of(sql);
    }
    for (int i = 1; i <= sqlite3_bind_parameter_count(statement.handle); ++i) {
      const char* name = sqlite3_bind_parameter_name(statement.handle, i);
      check(name != nullptr && name[0] == '$', "SQL values are written $1, $2, …");
      const auto number = static_cast<std::size_t>(std::atoi(name + 1));
      check(number >= 1 && number <= kMaxValues, "too many SQL values");
      statement.index_of[number - 1] = i;
    }
    texts_.emplace_back(sql);
    return cache_.emplace(std::string_view(texts_.back()), statement).first->second;
  }

  // Values live until the statement has been stepped: nothing is copied. All are bound anew each
  // time, so that none of an earlier use is left.
  void bind(const Statement& statement, std::initializer_list<storage::Value> values) {
    check(values.size() <= kMaxValues, "too many SQL values");
    std::size_t number = 0;
    for (const storage::Value& value : values) {
      const int index = statement.index_of[number++];
      if (index != 0) bind_one(statement.handle, index, value);
    }
    for (; number < kMaxValues; ++number) {
      if (statement.index_of[number] != 0)
        sqlite3_bind_null(statement.handle, statement.index_of[number]);
    }
  }
  void bind_one(sqlite3_stmt* handle, int index, const storage::Value& value) {
    // Bytes at no address would be bound as NULL.
    const auto bytes_of = [](std::string_view text) {
      return text.data() == nullptr ? "" : text.data();
    };
    int code = SQLITE_OK;
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      code = sqlite3_bind_int64(handle, index, *integer);
    } else if (const auto* text = std::get_if<std::string_view>(&value)) {
      code = sqlite3_bind_text64(handle, index, bytes_of(*text), text->size(), SQLITE_STATIC,
                                 SQLITE_UTF8);
    } else if (const auto* blob = std::get_if<storage::Blob>(&value)) {
      code = sqlite3_bind_blob64(handle, index, bytes_of(blob->bytes), blob->bytes.size(),
                                 SQLITE_STATIC);
    } else {
      code = sqlite3_bind_null(handle, index);
    }
    if (code != SQLITE_OK) throw error_of("bind");
  }

  sqlite3* db_ = nullptr;
  bool is_writing_ = false;
  std::deque<std::string> texts_;
  std::unordered_map<std::string_view, Statement> cache_;
};

}  // namespace

std::unique_ptr<MemoryStore> open_in_memory() { return std::make_unique<Memory>(); }

}  // namespace topup::sim
