#include "shared/draft.h"

#include "shared/card.h"
#include "shared/phone.h"
#include "shared/utf8_text.h"
#include "shared/word_list.h"

namespace topup {
namespace {

constexpr std::string_view kFieldWords[kDraftFields] = {
    "kind",   "country", "operator_id", "account_number", "account_again", "product_id",
    "amount", "coupon",  "note"};
constexpr std::string_view kVerdictWords[] = {"not_needed", "missing", "incomplete", "ok",
                                              "doubtful",   "wrong",   "conflict",   "unchecked"};
constexpr std::string_view kStateWords[] = {"only_here", "sending", "sent",
                                            "confirmed", "changed", "conflict"};
constexpr std::string_view kEventWords[] = {"edit",  "push",       "lost",        "acknowledge",
                                            "clash", "price_same", "price_moved", "accept"};

using Check = DraftFieldCheck;
Check plain(DraftVerdict verdict) { return {verdict, {}, -1}; }
Check wrong(std::string_view reason, int bad_at = -1) {
  return {DraftVerdict::wrong, reason, bad_at};
}
Check unchecked() { return {DraftVerdict::unchecked, "price_book_missing", -1}; }

// One pass over a draft: later fields are judged by what the earlier ones turned out to be.
class DraftReading {
 public:
  DraftReading(const Fields& fields, const PriceBook* book, DraftCheck& out)
      : fields_(fields), book_(book), out_(out) {}

  void read() {
    const std::string_view product_id = text(DraftField::product_id);
    if (book_ != nullptr && !product_id.empty()) {
      product_ = book_->find(ProductId(std::string(product_id)));
    }
    put(DraftField::kind, kind());
    put(DraftField::country, country());
    put(DraftField::operator_id, operator_id());
    put(DraftField::account_number, account_number());
    put(DraftField::account_again, account_again());
    put(DraftField::product_id, product());
    put(DraftField::amount, amount());
    put(DraftField::note, note());
    if (!text(DraftField::coupon).empty()) put(DraftField::coupon, plain(DraftVerdict::ok));
  }

 private:
  std::string_view text(DraftField field) const { return value_of(fields_, to_word(field)); }
  void put(DraftField field, Check check) {
    if (is_in_conflict(fields_, to_word(field))) {
      check = {DraftVerdict::conflict, "draft_conflict", -1};
    }
    out_.fields[static_cast<std::size_t>(field)] = check;
  }
  bool is_fuel_card() const { return kind_ == ProductKind::fuel_card; }
  const Operator* product_operator() const {
    return product_ == nullptr ? nullptr : &book_->operators[product_->operator_index];
  }

  Check kind() {
    const std::string_view word = text(DraftField::kind);
    if (word.empty()) return plain(DraftVerdict::missing);
    kind_ = parse_product_kind(word);
    return kind_ ? plain(DraftVerdict::ok) : wrong("draft_kind_unknown");
  }

  Check country() {
    country_ = text(DraftField::country);
    if (country_.empty()) {
      return plain(is_fuel_card() ? DraftVerdict::not_needed : DraftVerdict::missing);
    }
    if (!is_country(country_)) return wrong("country_not_served");
    if (book_ == nullptr) return plain(DraftVerdict::ok);
    for (const Operator& one : book_->operators) {
      if (one.country == country_) return plain(DraftVerdict::ok);
    }
    return wrong("country_not_served");
  }

  Check operator_id() {
    const std::string_view id = text(DraftField::operator_id);
    operator_ = product_operator();
    if (id.empty()) {
      return plain(text(DraftField::product_id).empty() ? DraftVerdict::missing
                                                        : DraftVerdict::not_needed);
    }
    if (book_ == nullptr) return unchecked();
    const Operator* chosen = nullptr;
    for (const Operator& one : book_->operators) {
      if (one.id == id) chosen = &one;
    }
    if (chosen == nullptr) return wrong("operator_not_served");
    operator_ = chosen;
    const bool is_elsewhere = !country_.empty() && chosen->country != country_;
    return is_elsewhere ? wrong("operator_elsewhere") : plain(DraftVerdict::ok);
  }

  Check account_number() {
    const std::string_view typed = text(DraftField::account_number);
    if (kind_ == ProductKind::pin) return plain(DraftVerdict::not_needed);
    if (typed.empty()) return plain(DraftVerdict::missing);
    Check check = is_fuel_card() ? fuel_card(typed) : phone(typed);
    if (!out_.account.empty() && book_ != nullptr && book_->is_blocked(out_.account)) {
      check = wrong("account_blocked");
    }
    return check;
  }

  Check phone(std::string_view typed) {
    const PhoneCheck check = check_phone(typed, country_);
    if (check.verdict == PhoneVerdict::empty) return plain(DraftVerdict::missing);
    if (check.verdict == PhoneVerdict::incomplete) return plain(DraftVerdict::incomplete);
    if (check.verdict == PhoneVerdict::impossible) return wrong(check.reason, check.bad_at);
    if (auto number = normalise_phone(typed, country_)) out_.account = *std::move(number);
    if (check.verdict == PhoneVerdict::valid) return plain(DraftVerdict::ok);
    return {DraftVerdict::doubtful, "phone_uncertain", -1};
  }

  Check fuel_card(std::string_view typed) {
    const CardCheck check =
        check_fuel_card(typed, operator_ == nullptr ? CardIssuer::none : operator_->issuer);
    if (check.verdict == CardVerdict::empty) return plain(DraftVerdict::missing);
    if (check.verdict == CardVerdict::incomplete) return plain(DraftVerdict::incomplete);
    if (check.verdict == CardVerdict::impossible) return wrong(check.reason, check.bad_at);
    out_.account = check.digits;
    if (check.province_doubtful) return {DraftVerdict::doubtful, "card_province_doubtful", -1};
    if (check.prefix_doubtful) return {DraftVerdict::doubtful, "card_prefix_doubtful", -1};
    return plain(DraftVerdict::ok);
  }

  Check account_again() const {
    if (!is_fuel_card()) return plain(DraftVerdict::not_needed);
    const std::string_view second = text(DraftField::account_again);
    if (second.empty()) return plain(DraftVerdict::missing);
    const CardComparison compared = same_card(text(DraftField::account_number), second);
    if (compared.verdict == SameCard::incomplete) return plain(DraftVerdict::incomplete);
    if (compared.verdict == SameCard::match) return plain(DraftVerdict::ok);
    return wrong("card_numbers_differ", compared.differs_at);
  }

  Check product() {
    if (text(DraftField::product_id).empty()) return plain(DraftVerdict::missing);
    if (book_ == nullptr) return unchecked();
    if (product_ == nullptr) return wrong("product_not_found");
    if (kind_ && product_->kind != *kind_) return wrong("product_kind_differs");
    const Operator* mine = product_operator();
    if (operator_ != mine || (!country_.empty() && mine->country != country_)) {
      return wrong("product_elsewhere");
    }
    if (!product_->is_range()) out_.amount = product_->face;
    return plain(DraftVerdict::ok);
  }

  Check amount() {
    const std::string_view typed = text(DraftField::amount);
    if (product_ == nullptr || !product_->is_range()) return plain(DraftVerdict::not_needed);
    if (typed.empty()) return plain(DraftVerdict::missing);
    const auto amount = parse_decimal(typed, product_->face.currency);
    if (!amount) return wrong("amount_malformed");
    const std::int64_t above = amount->minor - product_->face.minor;
    if (above < 0 || amount->minor > product_->most_minor) return wrong("amount_out_of_range");
    if (above % product_->step_minor != 0) return wrong("amount_off_step");
    out_.amount = *amount;
    return plain(DraftVerdict::ok);
  }

  Check note() const {
    const std::string_view words = text(DraftField::note);
    if (words.empty()) return plain(DraftVerdict::not_needed);
    std::size_t characters = 0;
    for (std::size_t at = 0; at < words.size(); at += utf8_at(words, at).bytes) ++characters;
    return characters > kMaxNoteCharacters ? wrong("note_too_long") : plain(DraftVerdict::ok);
  }

  const Fields& fields_;
  const PriceBook* book_;
  DraftCheck& out_;
  std::optional<ProductKind> kind_;
  std::string_view country_;
  const Operator* operator_ = nullptr;
  const Product* product_ = nullptr;
};

bool may_be_ordered(DraftVerdict verdict) {
  return verdict == DraftVerdict::not_needed || verdict == DraftVerdict::ok ||
         verdict == DraftVerdict::doubtful;
}

}  // namespace

std::string_view to_word(DraftField field) { return kFieldWords[static_cast<std::size_t>(field)]; }
std::string_view to_word(DraftVerdict verdict) {
  return kVerdictWords[static_cast<std::size_t>(verdict)];
}
std::string_view to_word(DraftState state) { return kStateWords[static_cast<std::size_t>(state)]; }
std::string_view to_word(DraftEvent event) { return kEventWords[static_cast<std::size_t>(event)]; }
std::optional<DraftState> parse_draft_state(std::string_view word) {
  return parse_word<DraftState>(kStateWords, word);
}
std::optional<DraftEvent> parse_draft_event(std::string_view word) {
  return parse_word<DraftEvent>(kEventWords, word);
}

DraftCheck check_draft(std::string_view id, const Fields& fields, const PriceBook* book) {
  DraftCheck check;
  DraftReading(fields, book, check).read();
  check.may_save = is_valid_item(id, fields);
  check.may_order = check.may_save && book != nullptr && !has_conflict(fields);
  for (std::size_t i = 0; i < kDraftFields; ++i) {
    if (may_be_ordered(check.fields[i].verdict)) continue;
    check.may_order = false;
    const bool is_for_the_buyer = check.fields[i].verdict != DraftVerdict::unchecked;
    if (is_for_the_buyer && !check.next) check.next = static_cast<DraftField>(i);
  }
  return check;
}

DraftState state_of(const DeviceItem& item, const DraftFacts& facts) {
  if (has_conflict(item.mine)) return DraftState::conflict;
  if (item.is_pending || item.revision == 0 || !(item.mine == item.base)) {
    const bool is_under_way = item.is_pending && facts.is_waiting && item.mine == item.pending;
    return is_under_way ? DraftState::sending : DraftState::only_here;
  }
  if (!facts.priced) return DraftState::sent;
  return facts.seen == facts.priced ? DraftState::confirmed : DraftState::changed;
}

}  // namespace topup
