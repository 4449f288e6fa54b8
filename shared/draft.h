// A draft is an order that is still being filled in, kept on the buyer's devices and on the server
// (sync_merge.h): the texts as they were typed, so that an unfinished one survives. Here each field
// gets a verdict, and the draft a state that never says more than is known: whatever the server has
// not confirmed is "only here". A draft is not an order: it reserves and promises nothing. Pure;
// thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shared/price_book.h"
#include "shared/sync_merge.h"

namespace topup {

// In the order in which a buyer is led through them; the words are the names of the item's fields.
enum class DraftField : std::uint8_t {
  kind,            // a word of ProductKind
  country,         // ISO 3166 alpha-2; a fuel card's may be left out
  operator_id,     // of the price book; may be left out once a product is chosen
  account_number,  // of the phone or card, in any spelling; none for a PIN
  account_again,   // the same card typed once more; none for anything but a fuel card
  product_id,
  amount,  // decimal text in the face's currency; of a range only
  coupon,  // "": the best, "none": no coupon, else the id of one
  note,    // the buyer's own words
};
inline constexpr std::size_t kDraftFields = 9;
inline constexpr std::size_t kMaxNoteCharacters = 200;
std::string_view to_word(DraftField field);

enum class DraftVerdict : std::uint8_t {
  not_needed,
  missing,
  incomplete,  // a valid beginning
  ok,
  doubtful,  // may be ordered after the buyer has looked again; `reason` says what is doubted
  wrong,     // `reason` says why
  conflict,  // two devices say different things: choose
  unchecked  // there is no price book to check it against
};
std::string_view to_word(DraftVerdict verdict);

struct DraftFieldCheck {
  DraftVerdict verdict = DraftVerdict::not_needed;
  std::string_view reason;  // of phone.h or card.h, or: draft_kind_unknown, country_not_served,
                            // phone_uncertain, card_province_doubtful, card_prefix_doubtful,
                            // operator_not_served, operator_elsewhere, account_blocked,
                            // card_numbers_differ, product_not_found, product_kind_differs,
                            // product_elsewhere, amount_malformed, amount_out_of_range,
                            // amount_off_step, note_too_long, draft_conflict, price_book_missing
  int bad_at = -1;          // index into the digits kept, where phone.h or card.h gives one
};

struct DraftCheck {
  std::array<DraftFieldCheck, kDraftFields> fields;
  std::optional<DraftField> next;  // the first that needs the buyer
  bool may_save = false;           // may be sent to the server as a draft
  bool may_order = false;          // every field is ok, doubtful or not needed; no conflict at all
  std::string account;             // canonical, once account_number is ok or doubtful
  std::optional<Money> amount;     // the face or the amount of a range
  const DraftFieldCheck& operator[](DraftField field) const {
    return fields[static_cast<std::size_t>(field)];
  }
};

// `book` may be null: without one no draft may be ordered, but each may be filled and saved.
DraftCheck check_draft(std::string_view id, const Fields& fields, const PriceBook* book);

// --- its honest state ---

enum class DraftState : std::uint8_t {  // sent as words
  only_here,                            // the server has not said that it has this
  sending,                              // a request with exactly this is under way
  sent,                                 // the server has this
  confirmed,                            // and has priced it as the buyer saw it
  changed,                              // and has priced it differently: look again
  conflict                              // two devices say different things: choose
};
std::string_view to_word(DraftState state);
std::optional<DraftState> parse_draft_state(std::string_view word);

enum class DraftEvent : std::uint8_t {
  edit,         // also choosing the last value that was in conflict
  push,         // a request was started
  lost,         // no answer, or a refusal
  acknowledge,  // the server has exactly this
  clash,        // a merge found two values
  price_same,   // the server priced it as it was shown
  price_moved,
  accept  // the buyer accepts the moved price
};
std::string_view to_word(DraftEvent event);
std::optional<DraftEvent> parse_draft_event(std::string_view word);

struct DraftStep {
  DraftState from;
  DraftEvent on;
  DraftState to;
};
inline constexpr std::array kDraftSteps = {
    DraftStep{DraftState::only_here, DraftEvent::edit, DraftState::only_here},
    DraftStep{DraftState::only_here, DraftEvent::push, DraftState::sending},
    DraftStep{DraftState::only_here, DraftEvent::lost, DraftState::only_here},
    DraftStep{DraftState::only_here, DraftEvent::clash, DraftState::conflict},
    DraftStep{DraftState::sending, DraftEvent::edit, DraftState::only_here},
    DraftStep{DraftState::sending, DraftEvent::lost, DraftState::only_here},
    DraftStep{DraftState::sending, DraftEvent::acknowledge, DraftState::sent},
    DraftStep{DraftState::sending, DraftEvent::clash, DraftState::conflict},
    DraftStep{DraftState::sent, DraftEvent::edit, DraftState::only_here},
    DraftStep{DraftState::sent, DraftEvent::acknowledge, DraftState::sent},
    DraftStep{DraftState::sent, DraftEvent::clash, DraftState::conflict},
    DraftStep{DraftState::sent, DraftEvent::price_same, DraftState::confirmed},
    DraftStep{DraftState::sent, DraftEvent::price_moved, DraftState::changed},
    DraftStep{DraftState::confirmed, DraftEvent::edit, DraftState::only_here},
    DraftStep{DraftState::confirmed, DraftEvent::acknowledge, DraftState::sent},
    DraftStep{DraftState::confirmed, DraftEvent::clash, DraftState::conflict},
    DraftStep{DraftState::confirmed, DraftEvent::price_same, DraftState::confirmed},
    DraftStep{DraftState::confirmed, DraftEvent::price_moved, DraftState::changed},
    DraftStep{DraftState::changed, DraftEvent::edit, DraftState::only_here},
    DraftStep{DraftState::changed, DraftEvent::acknowledge, DraftState::sent},
    DraftStep{DraftState::changed, DraftEvent::clash, DraftState::conflict},
    DraftStep{DraftState::changed, DraftEvent::price_same, DraftState::confirmed},
    DraftStep{DraftState::changed, DraftEvent::price_moved, DraftState::changed},
    DraftStep{DraftState::changed, DraftEvent::accept, DraftState::confirmed},
    DraftStep{DraftState::conflict, DraftEvent::edit, DraftState::only_here},
    DraftStep{DraftState::conflict, DraftEvent::clash, DraftState::conflict},
    DraftStep{DraftState::conflict, DraftEvent::acknowledge, DraftState::sent},
};
constexpr std::optional<DraftState> next(DraftState from, DraftEvent on) {
  for (const DraftStep& step : kDraftSteps) {
    if (step.from == from && step.on == on) return step.to;
  }
  return std::nullopt;
}
static_assert(!next(DraftState::only_here, DraftEvent::acknowledge),
              "what was edited while a request was under way is not what the server has");
static_assert(!next(DraftState::only_here, DraftEvent::price_same), "only what is sent is priced");
static_assert(!next(DraftState::conflict, DraftEvent::push) &&
                  !next(DraftState::conflict, DraftEvent::price_same),
              "a draft with two values is settled first");

// The state as the facts say it: is_waiting, a request is under way; `seen` and `priced`, what the
// buyer was shown and what the server last priced this very content at.
struct DraftFacts {
  bool is_waiting = false;
  std::optional<Money> seen;
  std::optional<Money> priced;
};
DraftState state_of(const DeviceItem& item, const DraftFacts& facts);

}  // namespace topup
