#include "server/reconcile/funds.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <tuple>

#include "shared/time_point.h"

namespace topup::reconcile {
namespace {

using payments::FundKind;
using payments::FundLine;

Theirs line_of(const FundLine& moved) {
  Theirs out;
  out.amount = moved.amount;
  out.fee = {0, moved.amount.currency};
  out.word = moved.word;
  out.at_ms = moved.at_ms;
  out.their_number = moved.business_no;
  switch (moved.kind) {
    case FundKind::payment:
      out.side = Side::payment;
      break;
    case FundKind::refund:
      out.side = Side::refund;
      break;
    default:
      out.side = moved.kind == FundKind::withdrawal ? Side::withdrawal : Side::movement;
      out.their_number = moved.flow_no;
      return out;
  }
  out.number = moved.number;
  return out;
}

// Lines that fees of a reference may belong to, and how many of them have theirs.
struct Owners {
  std::vector<std::size_t> lines;
  std::size_t used = 0;
};
const std::string& name_of(const FundLine& moved) {
  return moved.number.empty() ? moved.business_no : moved.number;
}

class FeeOwners {
 public:
  void add(const FundLine& moved, std::size_t line) {
    owners_[{moved.kind, name_of(moved)}].lines.push_back(line);
  }
  std::optional<std::size_t> next(const FundLine& fee) {
    const bool is_back = fee.amount.minor > 0;
    for (const bool is_refund : {is_back, !is_back}) {
      const auto owner =
          owners_.find({is_refund ? FundKind::refund : FundKind::payment, name_of(fee)});
      if (owner == owners_.end()) continue;
      Owners& of = owner->second;
      return of.lines[std::min(of.used++, of.lines.size() - 1)];
    }
    return std::nullopt;
  }

 private:
  std::map<std::pair<FundKind, std::string>, Owners> owners_;
};

using Named = std::pair<Side, std::string>;

// Whether the refund may be this line, which names its payment: by the trade bill's line, or, where
// that has none, by our record.
bool may_be(const Theirs& line, const TradeSaid& refund) {
  const bool is_theirs = !refund.their_number.empty() && refund.their_number == line.their_number;
  return is_theirs || (!refund.payment.empty() && refund.payment == line.number);
}

// One way to name a line.
struct Naming {
  bool is_of_other_amount = false;
  std::int64_t apart_ms = 0;
  std::size_t line = 0;
  const std::string* number = nullptr;
};

// Every refund that such a line may be, the likeliest first.
std::vector<Naming> namings_of(const std::vector<Theirs>& lines, const Trade& trade) {
  std::multimap<std::string, const Trade::value_type*> by_payment;
  for (const auto& one : trade) {
    if (one.first.first != Side::refund) continue;
    for (const std::string& name : {one.second.their_number, one.second.payment}) {
      if (!name.empty()) by_payment.emplace(name, &one);
    }
  }
  std::vector<Naming> all;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Theirs& line = lines[i];
    if (line.side != Side::refund || trade.count({line.side, line.number}) != 0) continue;
    for (const std::string& name : {line.their_number, line.number}) {
      const auto [first, last] = by_payment.equal_range(name);
      for (auto one = first; one != last; ++one) {
        const auto& [key, refund] = *one->second;
        if (!may_be(line, refund)) continue;
        all.push_back({refund.amount_minor != line.amount.minor,
                       std::abs(refund.at_ms - line.at_ms), i, &key.second});
      }
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const Naming& a, const Naming& b) {
    return std::tie(a.is_of_other_amount, a.apart_ms) < std::tie(b.is_of_other_amount, b.apart_ms);
  });
  return all;
}

// Refunds that carry their payment's number get their own; one for which no refund is left repeats
// another of its amount.
void name_refunds(std::vector<Theirs>& lines, const Trade& trade) {
  std::set<std::string> taken;
  for (const Theirs& line : lines) {
    if (line.side == Side::refund) taken.insert(line.number);
  }
  const std::vector<Naming> all = namings_of(lines, trade);
  std::set<std::size_t> named;
  for (const bool may_repeat : {false, true}) {
    for (const Naming& one : all) {
      if (may_repeat ? one.is_of_other_amount : taken.count(*one.number) != 0) continue;
      if (!named.insert(one.line).second) continue;
      taken.insert(*one.number);
      lines[one.line].number = *one.number;
    }
  }
}

}  // namespace

std::vector<Theirs> fold_funds(const std::vector<FundLine>& lines) {
  std::vector<Theirs> out;
  FeeOwners owners;
  for (const FundLine& moved : lines) {
    if (moved.kind == FundKind::fee) continue;
    if (moved.kind == FundKind::payment || moved.kind == FundKind::refund)
      owners.add(moved, out.size());
    out.push_back(line_of(moved));
  }
  for (const FundLine& moved : lines) {
    if (moved.kind != FundKind::fee) continue;
    if (const auto owner = owners.next(moved)) {
      out[*owner].fee.minor += moved.amount.minor;
    } else {
      out.push_back(line_of(moved));
    }
  }
  return out;
}

// Each balance but the last is the one before another movement: what is left over is the two ends.
std::optional<Ends> ends_of(const std::vector<FundLine>& lines) {
  if (lines.empty()) return std::nullopt;
  std::map<std::int64_t, int> left;  // +: before a movement, -: after one
  for (const FundLine& moved : lines) {
    ++left[moved.balance.minor - moved.amount.minor];
    --left[moved.balance.minor];
  }
  const Currency currency = lines.front().balance.currency;
  Ends ends{{lines.front().balance.minor - lines.front().amount.minor, currency},
            {lines.back().balance.minor, currency}};
  std::erase_if(left, [](const auto& one) { return one.second == 0; });
  const bool is_chain = left.size() == 2 && left.begin()->second * left.rbegin()->second == -1;
  if (!is_chain) return ends;
  const bool is_first_opening = left.begin()->second == 1;
  ends.opening.minor = is_first_opening ? left.begin()->first : left.rbegin()->first;
  ends.closing.minor = is_first_opening ? left.rbegin()->first : left.begin()->first;
  return ends;
}

std::vector<Theirs> as_traded(const std::vector<Theirs>& lines, const Trade& trade) {
  std::map<Named, std::string> by_theirs;
  for (const auto& [key, said] : trade) {
    if (!said.their_number.empty())
      by_theirs.try_emplace({key.first, said.their_number}, key.second);
  }
  std::vector<Theirs> named = lines;
  name_refunds(named, trade);
  std::vector<Theirs> out;
  std::map<Named, std::pair<std::size_t, std::int64_t>> seen;
  for (Theirs& line : named) {
    const bool is_named = line.side == Side::payment || line.side == Side::refund;
    if (is_named && trade.count({line.side, line.number}) == 0) {
      const auto known = by_theirs.find({line.side, line.their_number});
      // A refund's is that of its payment, which may have several: those have their names by now.
      if (known != by_theirs.end() && line.side == Side::payment) line.number = known->second;
    }
    const auto said = trade.find({line.side, line.number});
    if (!is_named || said == trade.end()) {
      out.push_back(std::move(line));
      continue;
    }
    const Stand stand = said->second.stand;
    if (stand == Stand::pending || stand == Stand::stuck) line.stand = Stand::pending;
    const auto [first, is_first] = seen.try_emplace({line.side, line.number}, out.size(), 0);
    if (is_first || first->second.second++ >= said->second.lines - 1) {
      out.push_back(std::move(line));
      continue;
    }
    Theirs& whole = out[first->second.first];
    whole.amount.minor += line.amount.minor;
    whole.fee.minor += line.fee.minor;
  }
  return out;
}

Ours as_accounted(Ours record, const TradeSaid& said) {
  record.booked.minor += said.carried_minor;
  record.amount = record.booked;
  record.waived_minor = said.waived_minor;
  record.waived_fee_minor = said.waived_fee_minor;
  record.fee = Money{said.fee_minor - said.waived_fee_minor, record.booked.currency};
  // What was taken back was done in their eyes.
  if (record.booked.minor != 0 || record.waived_minor != 0) record.stand = Stand::done;
  return record;
}

Ours only_traded(Side side, const std::string& number, const TradeSaid& said) {
  Ours out;
  out.side = side;
  out.number = number;
  out.order_id = said.order_id;
  out.booked = out.amount = {0, said.currency};
  out.stand = Stand::done;
  out.at_ms = said.at_ms;
  return as_accounted(std::move(out), said);
}

std::map<std::string, std::string> pair_unnamed(std::vector<Unnamed> moved,
                                                std::vector<Unnamed> booked) {
  const auto by_time = [](const Unnamed& a, const Unnamed& b) {
    return std::tie(a.at_ms, a.number) < std::tie(b.at_ms, b.number);
  };
  std::sort(moved.begin(), moved.end(), by_time);
  std::sort(booked.begin(), booked.end(), by_time);
  std::map<std::string, std::string> pairs;
  std::set<std::string> taken;
  for (const Unnamed& one : moved) {
    const std::int64_t from = start_of_day_ms(one.at_ms, kShanghaiOffsetMs);
    for (const Unnamed& entry : booked) {
      const bool fits = entry.side == one.side && entry.amount == one.amount &&
                        entry.at_ms >= from && entry.at_ms < from + (kEntryDays + 1) * kDayMs;
      if (!fits || !taken.insert(entry.number).second) continue;
      pairs[one.number] = entry.number;
      break;
    }
  }
  return pairs;
}

std::optional<Difference> balance_difference(const std::vector<Theirs>& lines, Money before,
                                             Money closing) {
  std::int64_t expected = before.minor, at_ms = 0;
  for (const Theirs& line : lines) {
    expected += line.amount.minor + line.fee.minor;
    at_ms = std::max(at_ms, line.at_ms);
  }
  if (expected == closing.minor) return std::nullopt;
  Difference out;
  out.kind = Kind::balance_differs;
  out.side = Side::movement;
  out.number = "balance";
  out.ours = Money{expected, closing.currency};
  out.theirs = closing;
  out.ours_at_ms = out.theirs_at_ms = at_ms;
  out.move = {closing.minor - expected, closing.currency};
  return out;
}

}  // namespace topup::reconcile
