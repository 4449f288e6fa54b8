// A database whose process dies at a chosen step: between two statements, before a commit or right
// after it. From then on nothing gets through, as after kill -9; the real database behind it stays.
#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>

#include "server/storage/db.h"

namespace topup::testing {

struct Killed : std::runtime_error {
  Killed() : std::runtime_error("killed") {}
};

class MortalDb final : public storage::Db {
 public:
  explicit MortalDb(storage::Db& real, std::int64_t steps = INT64_MAX)
      : real_(real), left_(steps) {}
  std::int64_t steps() const { return made_; }

  void read(const std::function<void(storage::Reader&)>& body) override {
    step();
    real_.read(body);
    step();
  }
  void write(const std::function<bool(storage::Tx&)>& body) override {
    step();
    real_.write([&](storage::Tx& tx) {
      MortalTx mortal(*this, tx);
      const bool kept = body(mortal);
      step();
      return kept;
    });
    step();
  }
  std::string engine() const override { return real_.engine(); }
  void on_group(std::function<void(std::size_t)>) override {}

 private:
  class MortalTx final : public storage::Tx {
   public:
    MortalTx(MortalDb& db, storage::Tx& real) : db_(db), real_(real) {}
    int query(std::string_view sql, std::initializer_list<storage::Value> values,
              const std::function<void(const storage::Row&)>& row) override {
      return real_.query(sql, values, row);
    }
    int exec(std::string_view sql, std::initializer_list<storage::Value> values) override {
      db_.step();
      return real_.exec(sql, values);
    }
    void after_commit(std::function<void()> hint) override { real_.after_commit(std::move(hint)); }
    void script(std::string_view sql) override { real_.script(sql); }
    std::string_view engine() const override { return real_.engine(); }

   private:
    MortalDb& db_;
    storage::Tx& real_;
  };

  void step() {
    ++made_;
    if (left_ <= 0) throw Killed();
    --left_;
  }

  storage::Db& real_;
  std::int64_t left_;
  std::int64_t made_ = 0;
};

}  // namespace topup::testing
