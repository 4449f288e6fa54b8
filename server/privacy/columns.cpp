#include "server/privacy/columns.h"

#include <algorithm>
#include <array>

namespace topup::privacy {
namespace {

std::string name_of(const Column& column) {
  return std::string(column.table) + "." + std::string(column.column);
}

std::string_view wanted_ending(Class holds) {
  switch (holds) {
    case Class::personal_sealed:
    case Class::secret_sealed:
      return "_sealed";
    case Class::personal_masked:
      return "_masked";
    case Class::blind_index:
      return "_index";
    default:
      return {};
  }
}

std::string ending_mistake(const Column& column) {
  const std::string_view wanted = wanted_ending(column.holds);
  if (!wanted.empty() && !column.column.ends_with(wanted)) {
    return name_of(column) + ": a column of its class is named *" + std::string(wanted);
  }
  for (const std::string_view ending : {"_sealed", "_masked", "_index"}) {
    if (wanted != ending && column.column.ends_with(ending)) {
      return name_of(column) + ": a name on " + std::string(ending) + " belongs to another class";
    }
  }
  const bool is_sealed = wanted == "_sealed";
  if (is_sealed && column.source.empty()) {
    return name_of(column) + ": a sealed column names the row id that seal() was given";
  }
  return {};
}

// Tables that the engine or its port makes for itself.
// Of PostgreSQL only: which tables have months, and the guards of keys that are classified in their
// own tables.
bool is_of_engine(std::string_view name) {
  for (const std::string_view table : {"partitioned_tables.", "order_keys.", "payment_numbers."}) {
    if (name.starts_with(table)) return true;
  }
  return name.starts_with("topup_") || name.starts_with("sqlite_");
}

}  // namespace

const Column* find_column(std::string_view table, std::string_view column) {
  for (const Column& known : columns()) {
    if (known.table == table && known.column == column) return &known;
  }
  return nullptr;
}

std::vector<Column> sealed_columns() {
  std::vector<Column> sealed;
  for (const Column& column : columns()) {
    if (wanted_ending(column.holds) == "_sealed") sealed.push_back(column);
  }
  return sealed;
}

std::string mask_column(std::string_view table, std::string_view column, std::string_view text) {
  const Column* known = find_column(table, column);
  if (known == nullptr) return base::mask(base::Kind::secret, text);
  switch (known->holds) {
    case Class::open:
    case Class::internal:
    case Class::money:
    case Class::personal_masked:
      return std::string(text);
    case Class::pseudonym:
      return base::mask(base::Kind::opaque, text);
    case Class::personal_sealed:
      return base::mask(known->kind, text);
    case Class::blind_index:
    case Class::secret_hash:
    case Class::secret_sealed:
    case Class::secret_wrapped:
      break;
  }
  return base::mask(base::Kind::secret, text);
}

std::vector<std::string> column_mistakes(const std::vector<std::string>& real) {
  std::vector<std::string> mistakes;
  for (const std::string& name : real) {
    const std::size_t dot = name.find('.');
    const std::string table = name.substr(0, dot);
    const std::string column = name.substr(dot + 1);
    if (is_of_engine(name) || find_column(table, column) != nullptr) continue;
    mistakes.push_back(name + R"( has no class: add {")" + table + R"(", ")" + column +
                       R"(", Class::internal, Keep::shop}, (or the class that fits, see columns.h))"
                       " to server/privacy/column_list.cpp");
  }
  for (const Column& column : columns()) {
    if (std::find(real.begin(), real.end(), name_of(column)) == real.end()) {
      mistakes.push_back(name_of(column) +
                         " is gone from the schema: remove its line from"
                         " server/privacy/column_list.cpp");
    }
    const std::string mistake = ending_mistake(column);
    if (!mistake.empty()) mistakes.push_back(mistake);
  }
  return mistakes;
}

}  // namespace topup::privacy
