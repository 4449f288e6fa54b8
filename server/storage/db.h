// The whole SQL port. One text per statement with $1…$n, prepared once per connection and cached;
// bound by name. Db::write() runs a body inside a transaction and returns only when it is durable
// (fsync done). On SQLite one writer thread owns the only write connection and commits many bodies
// with one fsync, each in its own savepoint. A body must be repeatable and quick: no network, no
// sleeping, no waiting for another write() (that would deadlock and is checked). It rolls back
// alone when it returns an error or throws; the exception reaches the caller of write(). Db::read()
// gives a consistent snapshot on a pooled reader connection. Both are thread-safe.
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

struct Blob {
  std::string_view bytes;
};
// Views are borrowed for the call only.
using Value = std::variant<std::nullptr_t, std::int64_t, std::string_view, Blob>;

class Row {  // valid inside the row callback only
 public:
  virtual ~Row() = default;
  virtual std::int64_t integer(int column) const = 0;
  virtual std::string text(int column) const = 0;  // text or blob bytes; "" for NULL
  virtual bool is_null(int column) const = 0;
};

struct SqlError : std::exception {  // the engine refused: busy, full, constraint, corrupt …
  SqlError(std::string why_text, bool constraint)
      : why(std::move(why_text)), is_constraint(constraint) {}
  const char* what() const noexcept override { return why.c_str(); }
  std::string why;
  bool is_constraint;  // a UNIQUE, CHECK, FOREIGN KEY or trigger refused the row
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
  // Runs after this body is durable, on the writer thread: wake-ups only (its loss must be
  // harmless), and it must be quick.
  virtual void after_commit(std::function<void()> hint) = 0;
  // Several statements without values, for migrations only.
  virtual void script(std::string_view sql) = 0;
};

class Db {
 public:
  virtual ~Db() = default;
  virtual void read(const std::function<void(Reader&)>& body) = 0;
  // True from the body commits; false rolls it back alone.
  virtual void write(const std::function<bool(Tx&)>& body) = 0;
  virtual std::string engine() const = 0;  // "sqlite"
  // Hears of each durable commit: how many bodies shared it. Set once, before the first write().
  virtual void on_group(std::function<void(std::size_t bodies)> observer) = 0;
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
