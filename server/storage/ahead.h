// What an engine may do beyond its port (db.h) to save the wait for an answer: each free function
// below works with any Reader or Tx, and is quicker where the engine can. Not thread-safe, like
// what they are given.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

#include "server/storage/db.h"

namespace topup::storage {

struct Question {
  std::string_view sql;
  std::initializer_list<Value> values;
  std::function<void(const Row&)> row;
};

// Implemented beside Reader or Tx by an engine that is asked over a network.
class Ahead {
 public:
  virtual ~Ahead() = default;
  virtual void put(std::string_view sql, std::initializer_list<Value> values) = 0;
  virtual void ask(std::initializer_list<Question> questions) = 0;
};

// What the bodies of one transaction tell those after them; a body that is taken back takes back
// what it noted.
using TxNotes = std::map<std::string, std::string, std::less<>>;
class Noting {
 public:
  virtual ~Noting() = default;
  virtual std::string& note(std::string_view name) = 0;
};

// As tx.exec() where nobody counts the rows. It may still be on its way when this returns: what
// refuses it is thrown by a later call, or ends the body.
inline void put(Tx& tx, std::string_view sql, std::initializer_list<Value> values) {
  if (auto* ahead = dynamic_cast<Ahead*>(&tx)) return ahead->put(sql, values);
  tx.exec(sql, values);
}

// As reader.query() of each in turn, where none needs the answer to another: all are asked at once.
inline void ask(Reader& reader, std::initializer_list<Question> questions) {
  if (auto* ahead = dynamic_cast<Ahead*>(&reader)) return ahead->ask(questions);
  for (const Question& one : questions) reader.query(one.sql, one.values, one.row);
}

// "" until somebody writes to it; nullptr where nothing can be noted. For what only the transaction
// changes, so that it is read once.
inline std::string* note_of(Tx& tx, std::string_view name) {
  auto* noting = dynamic_cast<Noting*>(&tx);
  return noting == nullptr ? nullptr : &noting->note(name);
}

}  // namespace topup::storage
