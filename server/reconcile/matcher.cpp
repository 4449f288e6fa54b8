#include "server/reconcile/matcher.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace topup::reconcile {
namespace {

constexpr std::string_view kKindWords[] = {
    "missing_ours",         "missing_theirs", "amount_differs", "duplicate_theirs",
    "refund_state_differs", "refund_missing", "day_edge",       "fee_differs",
    "wrong_payee",          "state_differs",  "balance_differs"};
constexpr std::string_view kSideWords[] = {"payment", "refund", "charge", "withdrawal", "movement"};
static_assert(std::size(kKindWords) == kKinds);

using Key = std::pair<Side, std::string>;

bool is_nothing(Stand stand) { return stand == Stand::failed; }

// What the line moved their account by, fees apart.
Money effect(const Theirs& line) {
  return is_nothing(line.stand) ? Money{0, line.amount.currency} : line.amount;
}

Money with(Money money, std::int64_t minor) { return {money.minor + minor, money.currency}; }

Difference difference(Kind kind, const Theirs* line, const Ours* own) {
  Difference out;
  out.kind = kind;
  if (line != nullptr) {
    out.side = line->side;
    out.number = line->number.empty() ? line->their_number : line->number;
    out.payee = line->payee;
    out.theirs = line->amount;
    out.theirs_word = line->word;
    out.theirs_at_ms = line->at_ms;
    out.move = {0, line->amount.currency};
  }
  if (own != nullptr) {
    out.side = own->side;
    out.number = own->number;
    out.order_id = own->order_id;
    if (line == nullptr) out.payee = own->payee;
    out.ours = own->amount;
    out.ours_word = own->word;
    out.ours_at_ms = own->at_ms;
    if (line == nullptr) out.move = {0, own->booked.currency};
  }
  return out;
}

class Matcher {
 public:
  Matcher(const std::vector<Ours>& ours, const std::vector<Neighbour>& neighbours,
          const Terms& terms)
      : terms_(terms) {
    for (const Ours& own : ours) ours_[{own.side, own.number}] = &own;
    for (const Neighbour& one : neighbours) neighbours_.insert({one.side, one.number});
  }

  Matched match(const std::vector<Theirs>& theirs) {
    std::map<Key, std::int64_t> seen;
    for (const Theirs& line : theirs) {
      ++result_.lines;
      const std::string& number = line.number.empty() ? line.their_number : line.number;
      const std::int64_t before = seen[{line.side, number}]++;
      if (before > 0) {
        Difference again = difference(Kind::duplicate_theirs, &line, known(line));
        again.copy = before;
        again.move = moved_by(line);
        add(std::move(again));
      } else {
        compare(line);
      }
    }
    for (const auto& [key, own] : ours_) {
      if (seen.count(key) == 0) look_for(*own);
    }
    std::sort(result_.differences.begin(), result_.differences.end(),
              [](const auto& a, const auto& b) {
                return std::tie(a.side, a.number, a.copy, a.kind) <
                       std::tie(b.side, b.number, b.copy, b.kind);
              });
    return std::move(result_);
  }

 private:
  const Ours* known(const Theirs& line) const {
    const auto found = ours_.find({line.side, line.number});
    return found == ours_.end() ? nullptr : found->second;
  }
  void add(Difference found) { result_.differences.push_back(std::move(found)); }

  // Amounts of different currencies cannot be taken from each other: then the whole line moves.
  static Money less(Money a, Money b) {
    const auto rest = subtract(a, b);
    return rest ? *rest : a;
  }

  Money moved_by(const Theirs& line) const {
    return with(effect(line), terms_.moves_fees ? line.fee.minor : 0);
  }
  Money booked_of(const Ours& own) const {
    return with(own.booked, terms_.moves_fees && own.fee ? own.fee->minor : 0);
  }

  void compare(const Theirs& line) {
    const Ours* own = known(line);
    if (own == nullptr) {
      Difference alien = difference(Kind::missing_ours, &line, nullptr);
      alien.move = moved_by(line);
      if (alien.move.minor != 0 || line.stand == Stand::pending) add(std::move(alien));
      return;
    }
    Difference found = difference(Kind::amount_differs, &line, own);
    if (line.says_amount) found.move = less(moved_by(line), booked_of(*own));
    if (!is_same_payee(line, *own)) {
      // What leaves is what we booked, from where we booked it.
      found.kind = Kind::wrong_payee;
      found.payee = own->payee;
      found.theirs_word = line.payee;
      found.move = {-own->booked.minor, own->booked.currency};
    } else if (is_state_different(line, *own, &found)) {
      found.kind = line.side == Side::refund ? Kind::refund_state_differs : Kind::state_differs;
    } else if (own->stand != Stand::done || is_same_amount(line, *own)) {
      return agree(line, *own);
    }
    add(std::move(found));
  }

  bool is_same_amount(const Theirs& line, const Ours& own) const {
    if (!line.says_amount) return true;
    const auto is_near = [this](Money said, Money ours) {
      const auto rest = subtract(said, ours);
      return rest && is_small(*rest);
    };
    if (own.waived_minor != 0 && is_near(effect(line), with(own.booked, own.waived_minor)))
      return true;
    return is_near(line.amount, own.amount) && is_near(effect(line), own.booked);
  }
  bool is_small(Money rest) const {
    return rest.minor <= terms_.slack_minor && rest.minor >= -terms_.slack_minor;
  }

  static bool is_same_payee(const Theirs& line, const Ours& own) { return line.payee == own.payee; }

  // A refund that was not final when the bill was made says nothing; a payment or a charge that is
  // listed as not done does.
  static bool is_state_different(const Theirs& line, const Ours& own, Difference* found) {
    const bool is_ours_done = own.stand == Stand::done;
    if (line.side == Side::refund && line.stand == Stand::pending) return false;
    if (line.stand == Stand::pending) {
      if (is_ours_done) found->move = {-own.booked.minor, own.booked.currency};
      if (!is_ours_done) found->move = {0, line.amount.currency};
      return is_ours_done;
    }
    if (line.stand == Stand::stuck) {
      found->move = {0, line.amount.currency};
      return is_ours_done;
    }
    return (line.stand == Stand::done) != is_ours_done &&
           !(line.stand == Stand::failed && own.booked.minor == 0);
  }

  void agree(const Theirs& line, const Ours& own) {
    if (is_fee_different(line, own)) {
      Difference fee = difference(Kind::fee_differs, &line, &own);
      const std::int64_t due = due_fee(line, own);
      fee.ours = Money{due, line.fee.currency};
      fee.theirs = line.fee;
      fee.move = {line.fee.minor - due, line.fee.currency};
      return add(std::move(fee));
    }
    ++result_.agreed;
    const bool is_other_day = own.at_ms < terms_.from_ms || own.at_ms >= terms_.until_ms;
    if (own.stand != Stand::done || !is_other_day) return;
    Difference edge = difference(Kind::day_edge, &line, &own);
    edge.is_over = true;
    add(std::move(edge));
  }

  std::int64_t due_fee(const Theirs& line, const Ours& own) const {
    return own.fee ? own.fee->minor : contract_fee(line.amount, terms_.fee_bp);
  }
  bool is_fee_different(const Theirs& line, const Ours& own) const {
    if (own.fee)
      return line.fee.minor != own.fee->minor &&
             line.fee.minor != own.fee->minor + own.waived_fee_minor;
    return terms_.fee_bp >= 0 && line.stand == Stand::done && line.side != Side::charge &&
           line.fee.minor != contract_fee(line.amount, terms_.fee_bp);
  }

  // What of it would have needed a line. Where they said before that there was nothing, and a
  // person took that back, none repeats it.
  Money unheard_of(const Ours& own) const {
    const bool is_repeated = own.waived_minor != 0 && own.booked.minor + own.waived_minor == 0;
    return with(booked_of(own), is_repeated ? own.waived_minor : 0);
  }

  // Ours, without a line.
  void look_for(const Ours& own) {
    const bool is_of_day = own.at_ms >= terms_.from_ms && own.at_ms < terms_.until_ms;
    if (unheard_of(own).minor == 0 || !is_of_day) return;
    Difference missing = difference(
        own.side == Side::refund ? Kind::refund_missing : Kind::missing_theirs, nullptr, &own);
    missing.move = {-unheard_of(own).minor, own.booked.currency};
    const bool is_elsewhere = neighbours_.count({own.side, own.number}) > 0;
    const bool may_follow = !terms_.has_after && own.at_ms >= terms_.until_ms - terms_.edge_ms;
    const bool may_precede = !terms_.has_before && own.at_ms < terms_.from_ms + terms_.edge_ms;
    if (is_elsewhere || may_follow || may_precede) {
      missing.kind = Kind::day_edge;
      missing.move.minor = 0;
      missing.is_over = is_elsewhere;
      if (is_elsewhere) ++result_.agreed;
    }
    add(std::move(missing));
  }

  const Terms& terms_;
  std::map<Key, const Ours*> ours_;
  std::set<Key> neighbours_;
  Matched result_;
};

template <class Enum, std::size_t kCount>
std::optional<Enum> of_word(const std::string_view (&words)[kCount], std::string_view word) {
  const auto found = std::find(std::begin(words), std::end(words), word);
  if (found == std::end(words)) return std::nullopt;
  return static_cast<Enum>(found - std::begin(words));
}

}  // namespace

std::string_view to_word(Kind kind) { return kKindWords[static_cast<std::size_t>(kind)]; }
std::string_view to_word(Side side) { return kSideWords[static_cast<std::size_t>(side)]; }
std::optional<Kind> kind_of(std::string_view word) { return of_word<Kind>(kKindWords, word); }
std::optional<Side> side_of(std::string_view word) { return of_word<Side>(kSideWords, word); }

std::int64_t contract_fee(Money amount, std::int64_t fee_bp) {
  const auto fee = scale_bp(amount, fee_bp, Round::half_up);
  return fee ? -fee->minor : 0;
}

Matched match(const std::vector<Theirs>& theirs, const std::vector<Ours>& ours,
              const std::vector<Neighbour>& neighbours, const Terms& terms) {
  return Matcher(ours, neighbours, terms).match(theirs);
}

}  // namespace topup::reconcile
