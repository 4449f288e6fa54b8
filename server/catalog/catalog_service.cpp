#include "server/catalog/catalog_service.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "server/audit/audit_log.h"
#include "server/base/log.h"

namespace topup::catalog {
namespace {

struct KnownOperator {
  std::string_view supplier_name;
  std::string_view id, name_zh, name_en;
  MainlandOperator hint;
};
// One operator has a name of its own at each supplier: ours on the right, theirs on the left.
constexpr std::array kMainland = {
    KnownOperator{"China Mobile", "cn-mobile", "中国移动", "China Mobile",
                  MainlandOperator::mobile},
    KnownOperator{"China Unicom", "cn-unicom", "中国联通", "China Unicom",
                  MainlandOperator::unicom},
    KnownOperator{"China Telecom", "cn-telecom", "中国电信", "China Telecom",
                  MainlandOperator::telecom},
    KnownOperator{"China Broadnet", "cn-broadnet", "中国广电", "China Broadnet",
                  MainlandOperator::broadnet},
};

const KnownOperator* known(const Listed& listed) {
  if (listed.country != "CN") return nullptr;
  for (const KnownOperator& candidate : kMainland) {
    if (listed.operator_name.starts_with(candidate.supplier_name)) return &candidate;
  }
  return nullptr;
}

std::uint32_t index_of(std::vector<Operator>& operators, const KnownOperator& wanted,
                       const std::string& country) {
  for (std::size_t i = 0; i < operators.size(); ++i) {
    if (operators[i].id == wanted.id) return static_cast<std::uint32_t>(i);
  }
  operators.push_back({std::string(wanted.id), std::string(wanted.name_zh),
                       std::string(wanted.name_en), country, wanted.hint});
  return static_cast<std::uint32_t>(operators.size() - 1);
}

bool same_assortment(const PriceBook& a, const PriceBook& b) {
  PriceBook copy = a;
  copy.version = b.version;
  copy.published_at_ms = b.published_at_ms;
  return encode(copy) == encode(b);
}

}  // namespace

Assortment product_changes(std::string_view supplier, const std::vector<Listed>& listed) {
  Assortment out;
  std::set<std::string> seen;
  std::vector<Listed> sorted = listed;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Listed& a, const Listed& b) { return a.face.minor < b.face.minor; });
  for (const Listed& item : sorted) {
    const KnownOperator* op = known(item);
    if (op == nullptr) {
      out.skipped.push_back(item.operator_name);
      continue;
    }
    const ProductId id(std::string(op->id) + "-" + std::to_string(item.face.minor));
    if (!seen.insert(id.text).second) continue;
    const std::uint32_t index = index_of(out.operators, *op, item.country);
    out.products.push_back({id, index, ProductKind::airtime, item.face, item.face});
    out.supplier_products.push_back(
        {id.text, std::string(supplier), item.supplier_operator_id, item.country});
  }
  return out;
}

Catalog::Catalog(storage::Db& db, const base::Clock& clock) : db_(db), clock_(clock) { load(); }

void Catalog::load() {
  std::optional<catalog_store::StoredBook> stored;
  db_.read([&stored](storage::Reader& reader) { stored = catalog_store::newest_book(reader); });
  if (!stored) return;
  Result<PriceBook> book = decode(stored->bytes);
  if (!book) {
    base::log(base::Level::error, "price_book_unreadable",
              {{"version", stored->version}, {"reason", book.error().reason}});
    return;
  }
  auto current = std::make_shared<const CurrentBook>(
      CurrentBook{std::move(*book), std::move(stored->bytes), std::move(stored->fingerprint)});
  const std::lock_guard hold(mutex_);
  current_ = std::move(current);
}

Result<std::shared_ptr<const CurrentBook>> Catalog::current() const {
  const std::lock_guard hold(mutex_);
  if (!current_) return refuse(Code::unavailable, "price_book_not_ready");
  return current_;
}

bool Catalog::publish(std::string_view supplier, const Assortment& assortment,
                      const PriceRule& rule, std::string_view actor) {
  const auto before = current();
  PriceBook book;
  book.version = before ? (*before)->book.version + 1 : 1;
  book.published_at_ms = clock_.wall_ms();
  book.rule = rule;
  book.operators = assortment.operators;
  book.products = assortment.products;
  if (before && same_assortment(book, (*before)->book)) return false;

  catalog_store::StoredBook stored{static_cast<std::int64_t>(book.version), encode(book), {}};
  stored.fingerprint = fingerprint(stored.bytes);
  db_.write([&](storage::Tx& tx) {
    catalog_store::insert_book(tx, stored, book.published_at_ms);
    catalog_store::replace_supplier_products(tx, supplier, assortment.supplier_products);
    audit::append(tx,
                  {actor, "catalog.published", "price_book:" + std::to_string(stored.version),
                   stored.fingerprint},
                  base::TraceScope::current(), book.published_at_ms);
    return true;
  });
  load();
  return true;
}

}  // namespace topup::catalog
