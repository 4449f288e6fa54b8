#include "server/suppliers/pin_stock.h"

#include <string>
#include <utility>
#include <vector>

#include "server/suppliers/pin_store.h"

namespace topup::suppliers {
namespace {

constexpr std::size_t kOrderIdLength = 26;

class PinStock final : public Supplier {
 public:
  PinStock(storage::Db& db, const base::Clock& clock) : db_(db), clock_(clock) {}

  std::string_view name() const override { return kStock; }

  Result<std::vector<ListedProduct>> products(const std::string& country) override {
    std::vector<ListedProduct> listed;
    db_.read([&](storage::Reader& reader) {
      for (PinProduct& product : pin_store::products(reader, country)) {
        ListedProduct one;
        one.supplier_operator_id = kStock;
        one.operator_name = std::move(product.operator_name);
        one.country = std::move(product.country);
        one.face = product.face;
        one.kind = ProductKind::pin;
        one.sku = std::move(product.sku);
        one.cost = product.cost;
        one.validity_days = product.validity_days;
        one.name = std::move(product.name);
        listed.push_back(std::move(one));
      }
    });
    return listed;
  }

  SupplyOutcome submit(const SubmitRequest& request) override {
    if (request.may_leave && !request.may_leave()) return said(SupplyState::held, "too_late");
    bool is_taken = false;
    std::optional<PinProduct> product;
    db_.write([&](storage::Tx& tx) {
      product = pin_store::find_product(tx, request.sku);
      is_taken = product && pin_store::take(tx, request.sku, order_of(request.attempt_id),
                                            request.attempt_id, clock_.wall_ms());
      return is_taken;
    });
    return is_taken ? delivered(*product) : said(SupplyState::rejected, "OUT_OF_STOCK");
  }

  SupplyOutcome query(const AttemptId& attempt, const std::string&) override {
    std::optional<PinProduct> product;
    db_.read(
        [&](storage::Reader& reader) { product = pin_store::product_taken_by(reader, attempt); });
    return product ? delivered(*product) : said(SupplyState::not_found, "");
  }

  Result<Money> balance() override { return refuse(Code::rejected, "not_offered"); }

  Result<AttemptId> parse_callback(const CallbackRequest&) const override {
    return refuse(Code::forbidden, "signature_invalid");
  }

 private:
  // "S", the order's id and the number of the attempt.
  static OrderId order_of(const AttemptId& attempt) {
    return OrderId(attempt.text.size() > kOrderIdLength ? attempt.text.substr(1, kOrderIdLength)
                                                        : attempt.text);
  }

  static SupplyOutcome delivered(const PinProduct& product) {
    SupplyOutcome outcome = said(SupplyState::succeeded, "DELIVERED");
    if (product.cost.minor > 0) outcome.cost = product.cost;
    return outcome;
  }

  static SupplyOutcome said(SupplyState state, std::string code) {
    SupplyOutcome outcome;
    outcome.state = state;
    outcome.code = std::move(code);
    return outcome;
  }

  storage::Db& db_;
  const base::Clock& clock_;
};

}  // namespace

std::unique_ptr<Supplier> make_pin_stock(storage::Db& db, const base::Clock& clock) {
  return std::make_unique<PinStock>(db, clock);
}

}  // namespace topup::suppliers
