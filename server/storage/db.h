// The whole SQL port. One text per statement with $1…$n, prepared once per connection and cached;
// bound by name. Db::write() runs a body inside a transaction, as if no other ran beside it, and
// returns only when it is durable (fsync done). On SQLite one writer thread owns the only write
// connection and commits many bodies with one fsync, each in its own savepoint. On PostgreSQL
// bodies run side by side, serializable, and one that met another is run again. So a body must be
// repeatable and quick: what it leaves outside the transaction is what its last run assigned; no
// network, no sleeping, no waiting for another write() (that would deadlock and is checked). It
// rolls back alone when it returns an error or throws; the exception reaches the caller of write().
// After a SqlError a body ends: the engine may have ended its transaction. Db::read() gives a
// consistent snapshot on a pooled reader connection. Both are thread-safe.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "shared/result.h"

namespace topup::storage {

struct StoreStats;  // store_stats.h

struct Blob {
  std::string_view bytes;
};
// Views are borrowed for the call only. Text is UTF-8 without NUL; any other bytes are a Blob.
using Value = std::variant<std::nullptr_t, std::int64_t, std::string_view, Blob>;

class Row {  // valid inside the row callback only
 public:
  virtual ~Row() = default;
  virtual std::int64_t integer(int column) const = 0;
  virtual std::string text(int column) const = 0;  // text or blob bytes; "" for NULL
  virtual bool is_null(int column) const = 0;
};

struct SqlError : std::exception {  // the engine refused: busy, full, constraint, corrupt …
  SqlError(std::string why_text, bool constraint, bool unavailable = false)
      : why(std::move(why_text)), is_constraint(constraint), is_unavailable(unavailable) {}
  const char* what() const noexcept override { return why.c_str(); }
  std::string why;
  bool is_constraint;   // a UNIQUE, CHECK, FOREIGN KEY or trigger refused the row
  bool is_unavailable;  // busy, full or away: the same call may succeed in a moment
};

class Reader {
 public:
  virtual ~Reader() = default;
  // Calls `row` for each result row; returns how many there were.
  virtual int query(std::string_view sql, std::initializer_list<Value> values,
                    const std::function<void(const Row&)>& row) = 0;
};

class Tx : public Reader {
 public:
  // Returns how many rows changed.
  virtual int exec(std::string_view sql, std::initializer_list<Value> values) = 0;
  // Runs after this body is durable, on the writer thread (PostgreSQL: the caller's): wake-ups
  // only (its loss must be harmless), and it must be quick.
  virtual void after_commit(std::function<void()> hint) = 0;
  // Several statements without values, for migrations only.
  virtual void script(std::string_view sql) = 0;
  // As Db::engine(), for the few statements whose text differs.
  virtual std::string_view engine() const = 0;
};

class Db {
 public:
  virtual ~Db() = default;
  virtual void read(const std::function<void(Reader&)>& body) = 0;
  // True from the body commits; false rolls it back alone.
  virtual void write(const std::function<bool(Tx&)>& body) = 0;
  virtual std::string engine() const = 0;  // "sqlite" or "postgres"
  // Hears of each durable commit: how many bodies shared it. Set once, before the first write();
  // called from several threads on PostgreSQL.
  virtual void on_group(std::function<void(std::size_t bodies)> observer) = 0;
  virtual const StoreStats* stats() const { return nullptr; }  // lives as long as the store
};

// Throws SqlError with a plain reason when the file cannot be opened, is held by another process,
// or does not keep the durability settings it was given (WAL, synchronous=FULL, read back at open).
std::unique_ptr<Db> open_sqlite(const std::string& path);

// A body that returns Result<T>: an error rolls back and comes back as it is.
template <class Body>
auto with_tx(Db& db, Body&& body) -> decltype(body(std::declval<Tx&>())) {
  using R = decltype(body(std::declval<Tx&>()));
  R result = refuse(Code::unavailable, "not_run");
  db.write([&](Tx& tx) {
    result = body(tx);
    return result.has_value();
  });
  return result;
}

}  // namespace topup::storage
