// The binary form of the stations, schema 1. Integers are LEB128 varints in their shortest form,
// texts are length + UTF-8:
//   "TPS1" schema version as_of_ms
//   brands, as many as their count says: name issuer, ascending
//   stations, as many as their count says: the zigzag difference of lat_e7 and of lng_e7 to the
//     station before, id name brand flags open_minute close_minute and kFuels prices
//   Hash (hash.h) of everything before it, 8 bytes little-endian.
// Stations ascend along the Z-order curve of their places, then by id: neighbours in the file are
// neighbours on the ground, which is what the blocks of the index live on.
#include "shared/hash.h"
#include "shared/station.h"

namespace topup {
namespace {

constexpr std::string_view kMagic = "TPS1";
constexpr std::size_t kChecksumBytes = 8;
constexpr std::uint64_t kMaxNumber = (std::uint64_t{1} << 53) - 1;  // what JavaScript holds
constexpr auto kLastIssuer = static_cast<std::uint64_t>(CardIssuer::petrochina);

std::uint64_t checksum_of(std::string_view bytes) { return Hash().text(bytes).value(); }

// Compares two places along the Z-order curve without interleaving their bits: the axis with the
// higher differing bit decides.
int z_order(LatLng a, LatLng b) {
  const auto shifted = [](std::int32_t value) {
    return static_cast<std::uint32_t>(value) ^ 0x8000'0000U;
  };
  const std::uint32_t lat = shifted(a.lat_e7) ^ shifted(b.lat_e7);
  const std::uint32_t lng = shifted(a.lng_e7) ^ shifted(b.lng_e7);
  if ((lat | lng) == 0) return 0;
  const bool lng_decides = lat < lng && lat < (lat ^ lng);
  const bool less = lng_decides ? a.lng_e7 < b.lng_e7 : a.lat_e7 < b.lat_e7;
  return less ? -1 : 1;
}

bool in_order(const Station& a, const Station& b) {
  const int order = z_order(a.place, b.place);
  return order != 0 ? order < 0 : a.id < b.id;
}

bool is_text(std::string_view text) { return !text.empty() && text.size() <= kMaxStationText; }

bool is_valid(const Station& station) {
  return is_text(station.id) && is_text(station.name) && is_text(station.brand) &&
         is_on_earth(station.place.lat_e7, station.place.lng_e7) &&
         station.open_minute <= kDayMinutes && station.close_minute <= kDayMinutes &&
         (station.flags & ~kAllStationFlags) == 0;
}

void put(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7F) | 0x80);
  out += static_cast<char>(value);
}
void put(std::string& out, std::string_view text) {
  put(out, std::uint64_t{text.size()});
  out += text;
}
void put_step(std::string& out, std::int64_t step) {
  put(out, static_cast<std::uint64_t>(step < 0 ? -step * 2 - 1 : step * 2));
}

// Shell's sort with Tokuda's gaps: short, no worst case that hurts at kMaxStations.
void sort_in_z_order(std::vector<Station>& stations) {
  std::size_t gap = 1;
  while (gap < stations.size() / 2) gap = gap * 9 / 4 + 1;
  for (;; gap = gap * 4 / 9) {
    for (std::size_t i = gap; i < stations.size(); ++i) {
      const Station moving = stations[i];
      std::size_t hole = i;
      for (; hole >= gap && in_order(moving, stations[hole - gap]); hole -= gap) {
        stations[hole] = stations[hole - gap];
      }
      stations[hole] = moving;
    }
    if (gap <= 1) return;
  }
}

struct BrandName {
  std::string_view name;
  CardIssuer issuer;
};

// The ascending list of brands; false when one has two issuers or there are too many.
bool collect_brands(const std::vector<Station>& stations, std::vector<BrandName>& brands) {
  for (const Station& station : stations) {
    std::size_t at = 0;
    while (at < brands.size() && brands[at].name < station.brand) ++at;
    const bool is_known = at < brands.size() && brands[at].name == station.brand;
    if (is_known && brands[at].issuer != station.issuer) return false;
    if (is_known) continue;
    if (brands.size() == kMaxBrands) return false;
    brands.insert(brands.begin() + static_cast<std::ptrdiff_t>(at),
                  {station.brand, station.issuer});
  }
  return true;
}

void put_station(std::string& out, const Station& station, LatLng before,
                 const std::vector<BrandName>& brands) {
  put_step(out, std::int64_t{station.place.lat_e7} - before.lat_e7);
  put_step(out, std::int64_t{station.place.lng_e7} - before.lng_e7);
  put(out, station.id);
  put(out, station.name);
  std::size_t brand = 0;
  while (brands[brand].name != station.brand) ++brand;
  put(out, std::uint64_t{brand});
  put(out, std::uint64_t{station.flags});
  put(out, std::uint64_t{station.open_minute});
  put(out, std::uint64_t{station.close_minute});
  for (const std::uint16_t price : station.fen_per_litre) put(out, std::uint64_t{price});
}

}  // namespace

Result<std::string> encode_stations(const std::vector<Station>& stations, std::uint64_t version,
                                    std::int64_t as_of_ms) {
  if (stations.size() > kMaxStations) return refuse(Code::invalid_argument, "stations_too_large");
  std::vector<BrandName> brands;
  bool ok = version <= kMaxNumber && as_of_ms >= 0 && collect_brands(stations, brands);
  for (const Station& station : stations) ok = ok && is_valid(station);
  if (!ok) return refuse(Code::invalid_argument, "station_invalid");
  std::vector<Station> sorted = stations;
  sort_in_z_order(sorted);
  std::string out(kMagic);
  put(out, std::uint64_t{kStationSchema});
  put(out, version);
  put(out, static_cast<std::uint64_t>(as_of_ms));
  put(out, std::uint64_t{brands.size()});
  for (const BrandName& brand : brands) {
    put(out, brand.name);
    put(out, static_cast<std::uint64_t>(brand.issuer));
  }
  put(out, std::uint64_t{sorted.size()});
  LatLng before;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (i > 0 && !in_order(sorted[i - 1], sorted[i])) {
      return refuse(Code::invalid_argument, "station_invalid", "id");  // the same one twice
    }
    put_station(out, sorted[i], before, brands);
    before = sorted[i].place;
  }
  const std::uint64_t checksum = checksum_of(out);
  for (std::size_t i = 0; i < kChecksumBytes; ++i) {
    out += static_cast<char>((checksum >> (8 * i)) & 0xFF);
  }
  if (out.size() > kMaxStationBytes) return refuse(Code::invalid_argument, "stations_too_large");
  return out;
}

// Reads with every length checked; after the first defect everything reads as zero and ok_ is
// false.
class StationReader {
 public:
  explicit StationReader(StationIndex& index) : index_(index), end_(index.bytes_.size()) {}

  std::string_view read() {  // the reason of a refusal, or ""
    const std::string& bytes = index_.bytes_;
    if (end_ < kMagic.size() + kChecksumBytes || bytes.compare(0, kMagic.size(), kMagic) != 0) {
      return "stations_damaged";
    }
    at_ = kMagic.size();
    end_ -= kChecksumBytes;
    const std::uint64_t schema = number(UINT32_MAX);
    if (schema > kStationSchema) return "stations_newer";
    std::uint64_t checksum = 0;
    for (std::size_t i = 0; i < kChecksumBytes; ++i) {
      checksum |= std::uint64_t{static_cast<unsigned char>(bytes[end_ + i])} << (8 * i);
    }
    if (schema != kStationSchema ||
        checksum != checksum_of(std::string_view(bytes).substr(0, end_))) {
      return "stations_damaged";
    }
    index_.version_ = number(kMaxNumber);
    index_.as_of_ms_ = static_cast<std::int64_t>(number(kMaxNumber));
    read_brands();
    read_stations();
    return ok_ && at_ == end_ ? std::string_view() : "stations_damaged";
  }

 private:
  std::uint64_t number(std::uint64_t most) {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64 && at_ < end_; shift += 7) {
      const auto byte = static_cast<unsigned char>(index_.bytes_[at_++]);
      if ((shift == 63 && byte > 1) || (byte == 0 && shift > 0)) break;  // one form for each number
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if ((byte & 0x80) != 0) continue;
      if (value > most) break;
      return value;
    }
    ok_ = false;
    at_ = end_;
    return 0;
  }
  std::int32_t step_from(std::int32_t before, std::int32_t most) {
    const std::uint64_t zigzag = number(4 * std::uint64_t{kMaxLngE7});
    const auto half = static_cast<std::int64_t>(zigzag / 2);
    const std::int64_t value = before + ((zigzag & 1) != 0 ? -half - 1 : half);
    if (value < -most || value > most) ok_ = false;
    return static_cast<std::int32_t>(value);
  }
  std::uint32_t text() {
    const std::size_t start = at_;
    const auto size = static_cast<std::size_t>(number(kMaxStationText));
    if (size == 0 || size > end_ - at_) {
      ok_ = false;
      at_ = end_;
    } else {
      at_ += size;
    }
    return static_cast<std::uint32_t>(start);
  }

  void read_brands() {
    const auto count = static_cast<std::size_t>(number(kMaxBrands));
    for (std::size_t i = 0; i < count && ok_; ++i) {
      const std::uint32_t name = text();
      index_.brands_.push_back({name, static_cast<CardIssuer>(number(kLastIssuer))});
      ok_ = ok_ && (i == 0 || index_.text_at(index_.brands_[i - 1].name_at) < index_.text_at(name));
    }
  }

  void read_stations() {
    const auto count = static_cast<std::size_t>(number(kMaxStations));
    // The smallest station takes 14 bytes, so a lying count cannot ask for much memory.
    if (count > (end_ - at_) / 14) ok_ = false;
    if (!ok_) return;
    index_.records_.reserve(count);
    index_.points_.reserve(count);
    StationIndex::Record record{};
    for (std::size_t i = 0; i < count && ok_; ++i) {
      record.place.lat_e7 = step_from(record.place.lat_e7, kMaxLatE7);
      record.place.lng_e7 = step_from(record.place.lng_e7, kMaxLngE7);
      record.id_at = text();
      text();
      record.brand = static_cast<std::uint8_t>(number(kMaxBrands));
      record.flags = static_cast<std::uint8_t>(number(kAllStationFlags));
      record.open_minute = static_cast<std::uint16_t>(number(kDayMinutes));
      record.close_minute = static_cast<std::uint16_t>(number(kDayMinutes));
      for (std::uint16_t& price : record.fen_per_litre) {
        price = static_cast<std::uint16_t>(number(UINT16_MAX));
      }
      if (!ok_ || record.brand >= index_.brands_.size() || !follows(record)) {
        ok_ = false;
        return;
      }
      index_.records_.push_back(record);
      index_.points_.push_back(unit_point(record.place));
    }
  }

  bool follows(const StationIndex::Record& record) const {
    if (index_.records_.empty()) return true;
    const StationIndex::Record& before = index_.records_.back();
    const int order = z_order(before.place, record.place);
    return order != 0 ? order < 0 : index_.text_at(before.id_at) < index_.text_at(record.id_at);
  }

  StationIndex& index_;
  std::size_t at_ = 0;
  std::size_t end_;
  bool ok_ = true;
};

std::string_view read_stations(std::string bytes, StationIndex& index) {
  if (bytes.size() > kMaxStationBytes) return "stations_too_large";
  StationIndex fresh;
  fresh.bytes_ = std::move(bytes);
  const std::string_view reason = StationReader(fresh).read();
  if (!reason.empty()) return reason;
  fresh.build_blocks();
  index = std::move(fresh);
  return {};
}

Result<StationIndex> decode_stations(std::string bytes) {
  StationIndex index;
  const std::string_view reason = read_stations(std::move(bytes), index);
  if (!reason.empty()) return refuse(Code::invalid_argument, reason);
  return index;
}

}  // namespace topup
