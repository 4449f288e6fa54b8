#include "shared/station.h"

#include <algorithm>

namespace topup {
namespace {

constexpr std::string_view kOpennessWords[] = {"unknown",     "all_day", "open",
                                               "closes_soon", "closed",  "suspended"};
// The words of StationReason for each openness; in the order of the enumeration.
constexpr std::string_view kOpennessReasons[] = {"hours_unknown", "open_all_day", "open_now",
                                                 "closes_soon",   "closed_now",   "suspended"};
constexpr std::int64_t kOpennessMetres[] = {
    kHoursUnknownMetres, 0, 0, kClosesSoonMetres, kClosedMetres, kClosedMetres};

Openness openness_at(int open, int close, bool is_suspended, int minute) {
  if (is_suspended) return Openness::suspended;
  if (minute < 0 || minute >= kDayMinutes || open == close) return Openness::unknown;
  if (open == 0 && close == kDayMinutes) return Openness::all_day;
  const bool is_open =
      open < close ? minute >= open && minute < close : minute >= open || minute < close;
  if (!is_open) return Openness::closed;
  const int left = (close - minute + kDayMinutes) % kDayMinutes;
  return left <= kClosesSoonMinutes ? Openness::closes_soon : Openness::open;
}

bool is_shut(Openness openness) {
  return openness == Openness::closed || openness == Openness::suspended;
}

}  // namespace

std::string_view to_word(Openness openness) {
  return kOpennessWords[static_cast<std::size_t>(openness)];
}
OpenState open_state(const Station& station, int minute) {
  OpenState state;
  state.openness = openness_at(station.open_minute, station.close_minute,
                               (station.flags & kIsSuspended) != 0, minute);
  const int turn = state.openness == Openness::closed ? station.open_minute : station.close_minute;
  if (state.openness != Openness::unknown && state.openness != Openness::all_day &&
      state.openness != Openness::suspended) {
    state.minutes = (turn - minute + kDayMinutes) % kDayMinutes;
  }
  return state;
}

std::string_view StationIndex::text_at(std::size_t at) const {
  // A length is at most kMaxStationText, so it is one byte.
  return std::string_view(bytes_).substr(at + 1, static_cast<unsigned char>(bytes_[at]));
}

Station StationIndex::at(std::size_t index) const {
  const Record& record = records_[index];
  Station station;
  station.id = text_at(record.id_at);
  station.name = text_at(record.id_at + 1 + station.id.size());
  station.brand = text_at(brands_[record.brand].name_at);
  station.issuer = brands_[record.brand].issuer;
  station.place = record.place;
  for (std::size_t i = 0; i < kFuels; ++i) station.fen_per_litre[i] = record.fen_per_litre[i];
  station.open_minute = record.open_minute;
  station.close_minute = record.close_minute;
  station.flags = record.flags;
  return station;
}

bool StationIndex::passes(const Record& record, const StationFilter& filter) const {
  if ((record.flags & filter.flags) != filter.flags) return false;
  const Brand& brand = brands_[record.brand];
  if (filter.issuer != CardIssuer::none && brand.issuer != filter.issuer) return false;
  if (!filter.brand.empty() && text_at(brand.name_at) != filter.brand) return false;
  return filter.open_at < 0 ||
         !is_shut(openness_at(record.open_minute, record.close_minute,
                              (record.flags & kIsSuspended) != 0, filter.open_at));
}

void StationIndex::build_blocks() {
  std::size_t below = points_.size();
  while (below > 1 || levels_ == 0) {
    const std::size_t start = blocks_.size();
    for (std::size_t first = 0; first < below; first += kFanOut) {
      Block block{{INT32_MAX, INT32_MAX, INT32_MAX}, {INT32_MIN, INT32_MIN, INT32_MIN}};
      for (std::size_t i = first; i < std::min(first + kFanOut, below); ++i) {
        const Block* inner = levels_ == 0 ? nullptr : &blocks_[level_start_[levels_ - 1] + i];
        for (int axis = 0; axis < 3; ++axis) {
          const std::int32_t low = inner == nullptr ? points_[i].axis[axis] : inner->low[axis];
          const std::int32_t high = inner == nullptr ? low : inner->high[axis];
          block.low[axis] = std::min(block.low[axis], low);
          block.high[axis] = std::max(block.high[axis], high);
        }
      }
      blocks_.push_back(block);
    }
    level_start_[levels_++] = start;
    below = blocks_.size() - start;
  }
}

// Walks down the blocks, nearest first, and skips those that lie behind the worst of a full list.
class StationSearch {
 public:
  StationSearch(const StationIndex& index, LatLng from, std::size_t limit,
                const StationFilter& filter)
      : index_(index), from_(unit_point(from)), limit_(limit), filter_(filter) {
    if (filter.within_m >= 0) reach_ = chord_of_metres(filter.within_m);
  }

  void visit(int level, std::size_t block) {
    const std::size_t first = block * StationIndex::kFanOut;
    const std::size_t start = level == 0 ? 0 : index_.level_start_[level - 1];
    const std::size_t all = level == 0 ? index_.points_.size() : index_.level_start_[level] - start;
    const std::size_t count = std::min(StationIndex::kFanOut, all - first);
    if (level == 0) {
      for (std::size_t i = first; i < first + count; ++i) meet(i);
      return;
    }
    std::int64_t gaps[StationIndex::kFanOut];
    for (std::size_t i = 0; i < count; ++i) gaps[i] = gap(index_.blocks_[start + first + i]);
    for (std::size_t round = 0; round < count; ++round) {
      const auto nearest = static_cast<std::size_t>(std::min_element(gaps, gaps + count) - gaps);
      if (gaps[nearest] > reach_) return;
      gaps[nearest] = INT64_MAX;
      visit(level - 1, first + nearest);
    }
  }

  std::vector<NearStation> take() { return std::move(found_); }

 private:
  std::int64_t gap(const StationIndex::Block& block) const {
    std::int64_t sum = 0;
    for (int i = 0; i < 3; ++i) {
      const std::int64_t at = from_.axis[i];
      const std::int64_t apart = at < block.low[i]    ? block.low[i] - at
                                 : at > block.high[i] ? at - block.high[i]
                                                      : 0;
      sum += apart * apart;
    }
    return sum;
  }

  bool is_nearer(const NearStation& a, const NearStation& b) const {
    if (a.chord_squared != b.chord_squared) return a.chord_squared < b.chord_squared;
    return index_.text_at(index_.records_[a.index].id_at) <
           index_.text_at(index_.records_[b.index].id_at);
  }

  void meet(std::size_t i) {
    const NearStation met{static_cast<std::uint32_t>(i), chord_squared(from_, index_.points_[i])};
    if (met.chord_squared > reach_ || !index_.passes(index_.records_[i], filter_)) return;
    if (found_.size() == limit_) {
      if (!is_nearer(met, found_.back())) return;
      found_.pop_back();
    }
    std::size_t at = found_.size();
    found_.push_back(met);
    for (; at > 0 && is_nearer(met, found_[at - 1]); --at) found_[at] = found_[at - 1];
    found_[at] = met;
    if (found_.size() == limit_) reach_ = found_.back().chord_squared;
  }

  const StationIndex& index_;
  const UnitPoint from_;
  const std::size_t limit_;
  const StationFilter& filter_;
  std::int64_t reach_ = INT64_MAX - 1;  // gaps that were visited are INT64_MAX
  std::vector<NearStation> found_;
};

std::vector<NearStation> StationIndex::nearest(LatLng from, std::size_t limit,
                                               const StationFilter& filter) const {
  limit = std::min(limit, kMaxNear);
  if (limit == 0 || records_.empty()) return {};
  StationSearch search(*this, from, limit, filter);
  search.visit(levels_ - 1, 0);
  return search.take();
}

namespace {

// What the nearest `count` candidates have in common.
struct Surroundings {
  std::size_t count = 0;
  std::int64_t cheapest = 0;  // 0: no price is known
  std::int64_t dearest = 0;
  std::size_t priced = 0;
  std::size_t not_shut = 0;
};

std::int64_t price_of(const RankedStation& ranked, Fuel fuel) {
  return ranked.station.fen_per_litre[static_cast<std::size_t>(fuel)];
}

Surroundings survey(const std::vector<RankedStation>& ranked, std::size_t count, Fuel fuel) {
  Surroundings around;
  around.count = count;
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_shut(ranked[i].open.openness)) ++around.not_shut;
    const std::int64_t price = price_of(ranked[i], fuel);
    if (price == 0) continue;
    around.cheapest = around.priced == 0 ? price : std::min(around.cheapest, price);
    around.dearest = std::max(around.dearest, price);
    ++around.priced;
  }
  return around;
}

// How far "the only one" and "the cheapest" may reach: every station this near that passes the
// filter is a candidate.
std::int64_t known_km(const std::vector<RankedStation>& ranked, const StationWish& wish) {
  if (ranked.empty()) return 0;
  std::int64_t km = ranked.back().distance_m / 1000;
  if (ranked.size() < kMaxNear) ++km;  // there are no others
  if (wish.filter.within_m >= 0) km = std::min(km, wish.filter.within_m / 1000);
  return std::min(km, kMaxReasonKm);
}

bool is_only_one_of_brand(const std::vector<RankedStation>& ranked, std::size_t count,
                          std::size_t at) {
  for (std::size_t i = 0; i < count; ++i) {
    if (i != at && ranked[i].station.brand == ranked[at].station.brand) return false;
  }
  return count > 2;  // of one or two it would say nothing
}

void explain(std::vector<RankedStation>& ranked, std::size_t at, const Surroundings& around,
             std::int64_t km, const StationWish& wish) {
  RankedStation& one = ranked[at];
  const auto because = [&one](std::string_view word, std::int64_t value) {
    one.why[one.reasons++] = {word, value};
  };
  const bool is_in_reach = at < around.count;
  const std::int64_t price = price_of(one, wish.fuel);
  const std::int64_t nearest_price = price_of(ranked[0], wish.fuel);
  const Openness openness = one.open.openness;
  if (at == 0) because("nearest", one.distance_m);
  if (is_in_reach && around.priced > 1 && price == around.cheapest && price < around.dearest) {
    because("cheapest_within_km", km);
  }
  if (price > 0 && price < nearest_price) because("cheaper_than_nearest", nearest_price - price);
  if (is_in_reach && wish.filter.brand.empty() && is_only_one_of_brand(ranked, around.count, at)) {
    because("only_brand_within_km", km);
  }
  if (wish.now_minute >= 0) {
    if (is_in_reach && around.not_shut == 1 && around.count > 1 && !is_shut(openness) &&
        openness != Openness::unknown) {
      because("only_open_within_km", km);
    }
    because(kOpennessReasons[static_cast<std::size_t>(openness)], one.open.minutes);
  }
  if (price == 0) because("price_unknown", 0);
}

std::int64_t key_of(const RankedStation& ranked, const StationWish& wish) {
  if (wish.order == StationOrder::best) {
    return ranked.distance_m + ranked.price_m + ranked.hours_m;
  }
  if (wish.order == StationOrder::nearest) return 0;  // as they come
  const std::int64_t price = price_of(ranked, wish.fuel);
  return price == 0 ? INT64_MAX : price;
}

}  // namespace

std::vector<RankedStation> rank_stations(const StationIndex& index, const StationWish& wish) {
  std::vector<RankedStation> ranked;
  for (const NearStation& near : index.nearest(wish.from, kMaxNear, wish.filter)) {
    RankedStation one;
    one.station = index.at(near.index);
    one.distance_m = metres_of_chord(near.chord_squared);
    one.open = open_state(one.station, wish.now_minute);
    if (wish.now_minute >= 0) {
      one.hours_m = kOpennessMetres[static_cast<std::size_t>(one.open.openness)];
    }
    ranked.push_back(std::move(one));
  }
  const std::int64_t km = known_km(ranked, wish);
  std::size_t in_reach = 0;
  while (in_reach < ranked.size() && ranked[in_reach].distance_m <= km * 1000) ++in_reach;
  const Surroundings all = survey(ranked, ranked.size(), wish.fuel);
  const Surroundings around = survey(ranked, km > 0 ? in_reach : 0, wish.fuel);
  for (std::size_t i = 0; i < ranked.size(); ++i) {
    const std::int64_t price = price_of(ranked[i], wish.fuel);
    ranked[i].price_m = ((price == 0 ? all.dearest : price) - all.cheapest) * kMetresPerFen;
    explain(ranked, i, around, km, wish);
  }
  // Insertion keeps equals in the order of their distance, then id.
  for (std::size_t i = 1; i < ranked.size(); ++i) {
    RankedStation moving = std::move(ranked[i]);
    const std::int64_t key = key_of(moving, wish);
    std::size_t hole = i;
    for (; hole > 0 && key < key_of(ranked[hole - 1], wish); --hole) {
      ranked[hole] = std::move(ranked[hole - 1]);
    }
    ranked[hole] = std::move(moving);
  }
  while (ranked.size() > wish.limit) ranked.pop_back();
  return ranked;
}

}  // namespace topup
