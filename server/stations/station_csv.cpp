#include "server/stations/station_csv.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <optional>
#include <set>

#include "server/base/utf8.h"

namespace topup::stations {
namespace {

enum Column : std::size_t {
  kId,
  kName,
  kBrand,
  kIssuer,
  kCity,
  kAddress,
  kLat,
  kLng,
  kFirstPrice,
  kHours = kFirstPrice + kFuels,
  kFlags,
  kColumns
};
constexpr std::array<std::string_view, kColumns> kNames = {
    "id",  "name",        "brand",       "issuer",      "city",     "address", "lat",
    "lng", "gasoline_92", "gasoline_95", "gasoline_98", "diesel_0", "hours",   "flags"};
constexpr std::string_view kIssuers[] = {"none", "sinopec", "petrochina"};  // as CardIssuer
constexpr std::size_t kShownValue = 40;
constexpr std::string_view kBom = "\xEF\xBB\xBF";

using Cells = std::vector<std::string>;

// One record of RFC 4180 from `at` on; a quoted cell may hold line ends.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool next(Cells* cells) {
    cells->clear();
    if (at_ >= text_.size()) return false;
    record_line_ = line_;
    std::string cell;
    for (;;) {
      if (at_ < text_.size() && text_[at_] == '"' && cell.empty()) {
        read_quoted(&cell);
      } else if (at_ >= text_.size() || text_[at_] == ',' || text_[at_] == '\n') {
        const bool is_end = at_ >= text_.size() || text_[at_] == '\n';
        cells->push_back(trimmed(cell));
        cell.clear();
        ++at_;
        if (!is_end) continue;
        ++line_;
        return true;
      } else {
        cell += text_[at_++];
      }
    }
  }
  std::int64_t line() const { return record_line_; }

 private:
  static std::string trimmed(const std::string& cell) {
    const std::size_t from = cell.find_first_not_of(" \t\r");
    if (from == std::string::npos) return {};
    return cell.substr(from, cell.find_last_not_of(" \t\r") - from + 1);
  }
  void read_quoted(std::string* cell) {
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\n') ++line_;
      if (text_[at_] != '"') {
        *cell += text_[at_];
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        *cell += text_[at_++];
      } else {
        ++at_;
        return;
      }
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1, record_line_ = 1;
};

// "31.2304", "-0.5" in units of 10^-digits; what follows the last digit that counts is cut.
std::optional<std::int64_t> fixed_point(std::string_view text, int digits) {
  const bool is_negative = !text.empty() && text.front() == '-';
  if (is_negative) text.remove_prefix(1);
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  std::string_view part = point == std::string_view::npos ? "" : text.substr(point + 1);
  const auto is_digits = [](std::string_view run) {
    return std::all_of(run.begin(), run.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  if (whole.empty() || whole.size() > 6 || part.size() > 20 || !is_digits(whole) ||
      !is_digits(part) || (point != std::string_view::npos && part.empty())) {
    return std::nullopt;
  }
  std::int64_t value = 0;
  for (const char c : whole) value = value * 10 + (c - '0');
  for (int i = 0; i < digits; ++i) {
    const auto place = static_cast<std::size_t>(i);
    value = value * 10 + (place < part.size() ? part[place] - '0' : 0);
  }
  return is_negative ? -value : value;
}

// "06:30"; 24:00 is the end of the day.
std::optional<int> minute_of(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  for (const std::size_t i : {0U, 1U, 3U, 4U}) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
  }
  const int hour = (text[0] - '0') * 10 + (text[1] - '0');
  const int minute = (text[3] - '0') * 10 + (text[4] - '0');
  if (minute > 59 || hour * 60 + minute > kDayMinutes) return std::nullopt;
  return hour * 60 + minute;
}

class RowReader {
 public:
  RowReader(const std::array<std::size_t, kColumns>& places, std::int64_t line, const Cells& cells,
            ParsedStations* out)
      : places_(places), line_(line), cells_(cells), out_(out) {}

  std::optional<StationRow> read(bool is_gcj02) {
    StationRow row;
    row.id = text(kId, kMaxStationText, true);
    row.name = text(kName, kMaxStationText, true);
    row.brand = text(kBrand, kMaxStationText, true);
    row.city = text(kCity, kMaxStationText, true);
    row.address = text(kAddress, kMaxAddress, false);
    if (!row.id.empty() && !std::all_of(row.id.begin(), row.id.end(), [](char c) {
          return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 c == '-' || c == '_';
        }))
      fault(kId, "malformed");
    read_issuer(&row);
    row.place.lat_e7 = static_cast<std::int32_t>(degrees(kLat, kMaxLatE7));
    row.place.lng_e7 = static_cast<std::int32_t>(degrees(kLng, kMaxLngE7));
    if (is_gcj02) row.place = to_wgs84(row.place);
    for (std::size_t i = 0; i < kFuels; ++i) row.fen_per_litre[i] = price(kFirstPrice + i);
    read_hours(&row);
    read_flags(&row);
    if (!is_good_) return std::nullopt;
    return row;
  }

  void fault(std::size_t column, std::string_view reason) {
    is_good_ = false;
    ++out_->fault_count;
    if (out_->faults.size() >= kMaxFaults) return;
    out_->faults.push_back({line_, std::string(kNames[column]), reason, cut(column)});
  }

 private:
  std::string_view cell(std::size_t column) const {
    const std::size_t place = places_[column];
    return place < cells_.size() ? std::string_view(cells_[place]) : std::string_view();
  }
  std::string cut(std::size_t column) const {
    const std::string_view whole = cell(column);
    std::size_t size = std::min(whole.size(), kShownValue);
    while (size < whole.size() && size > 0 && (whole[size] & 0xC0) == 0x80) --size;
    return std::string(whole.substr(0, size));
  }
  std::string text(std::size_t column, std::size_t most, bool is_wanted) {
    std::string_view value = cell(column);
    // Our own export puts it there, so that a spreadsheet reads no formula.
    if (value.size() > 1 && value[0] == '\'' &&
        std::string_view("=+-@").find(value[1]) != std::string_view::npos)
      value.remove_prefix(1);
    if (value.empty() && is_wanted) fault(column, "missing");
    if (value.size() > most) fault(column, "too_long");
    const bool has_control = std::any_of(value.begin(), value.end(), [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    });
    if (has_control) fault(column, "bad_text");
    return std::string(value);
  }
  std::int64_t degrees(std::size_t column, std::int64_t most) {
    if (cell(column).empty()) {
      fault(column, "missing");
      return 0;
    }
    const auto value = fixed_point(cell(column), 7);
    if (!value) {
      fault(column, "not_a_number");
      return 0;
    }
    if (*value < -most || *value > most) {
      fault(column, "out_of_range");
      return 0;
    }
    return *value;
  }
  std::uint16_t price(std::size_t column) {
    if (cell(column).empty()) return 0;
    const auto value = fixed_point(cell(column), 2);
    if (!value) fault(column, "not_a_number");
    if (value && (*value < 0 || *value > kDearestFen)) fault(column, "out_of_range");
    return value && *value >= 0 && *value <= kDearestFen ? static_cast<std::uint16_t>(*value)
                                                         : std::uint16_t{0};
  }
  void read_issuer(StationRow* row) {
    if (cell(kIssuer).empty()) return;
    const auto* const found = std::find(std::begin(kIssuers), std::end(kIssuers), cell(kIssuer));
    if (found == std::end(kIssuers)) return fault(kIssuer, "unknown_word");
    row->issuer = static_cast<CardIssuer>(found - kIssuers);
  }
  void read_hours(StationRow* row) {
    const std::string_view hours = cell(kHours);
    if (hours.empty()) return;
    const auto from =
        hours.size() == 11 && hours[5] == '-' ? minute_of(hours.substr(0, 5)) : std::nullopt;
    const auto to = from ? minute_of(hours.substr(6)) : std::nullopt;
    if (!from || !to || *from == *to || *from == kDayMinutes) return fault(kHours, "malformed");
    row->open_minute = static_cast<std::uint16_t>(*from);
    row->close_minute = static_cast<std::uint16_t>(*to);
  }
  void read_flags(StationRow* row) {
    std::string_view words = cell(kFlags);
    while (!words.empty()) {
      const std::size_t end = words.find(' ');
      const std::string_view word = words.substr(0, end);
      words = end == std::string_view::npos ? std::string_view() : words.substr(end + 1);
      if (word.empty()) continue;
      const auto* const found =
          std::find(std::begin(kStationFlagWords), std::end(kStationFlagWords), word);
      if (found == std::end(kStationFlagWords)) return fault(kFlags, "unknown_word");
      row->flags = static_cast<std::uint8_t>(row->flags | 1U << (found - kStationFlagWords));
    }
  }

  static constexpr std::int64_t kDearestFen = 5'000;  // 50 yuan a litre is a typing slip
  const std::array<std::size_t, kColumns>& places_;
  const std::int64_t line_;
  const Cells& cells_;
  ParsedStations* out_;
  bool is_good_ = true;
};

Result<std::array<std::size_t, kColumns>> places_of(const Cells& header) {
  std::array<std::size_t, kColumns> places;
  places.fill(SIZE_MAX);
  for (std::size_t i = 0; i < header.size(); ++i) {
    const auto* const found = std::find(kNames.begin(), kNames.end(), header[i]);
    if (found == kNames.end() ||
        places[static_cast<std::size_t>(found - kNames.begin())] != SIZE_MAX)
      return refuse(Code::invalid_argument, "stations_csv_header", "csv", header[i]);
    places[static_cast<std::size_t>(found - kNames.begin())] = i;
  }
  for (const std::size_t wanted : {kId, kName, kBrand, kCity, kLat, kLng}) {
    if (places[wanted] == SIZE_MAX)
      return refuse(Code::invalid_argument, "stations_csv_header", "csv", kNames[wanted]);
  }
  return places;
}

std::string cell_of(std::string_view text) {
  std::string value(text);
  if (!value.empty() && std::string_view("=+-@").find(value.front()) != std::string_view::npos)
    value.insert(0, "'");
  if (value.find_first_of(",\"\n") == std::string::npos) return value;
  std::string quoted = "\"";
  for (const char c : value) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

std::string fixed_text(std::int64_t value, int digits, bool keeps_zeros) {
  const bool is_negative = value < 0;
  std::string text = std::to_string(is_negative ? -value : value);
  const auto places = static_cast<std::size_t>(digits);
  if (text.size() <= places) text.insert(0, places + 1 - text.size(), '0');
  text.insert(text.size() - places, ".");
  while (!keeps_zeros && text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return (is_negative ? "-" : "") + text;
}

std::string clock_text(int minute) {
  const std::string hour = std::to_string(minute / 60);
  const std::string rest = std::to_string(minute % 60);
  return (hour.size() < 2 ? "0" : "") + hour + ":" + (rest.size() < 2 ? "0" : "") + rest;
}

}  // namespace

bool operator==(const StationRow& a, const StationRow& b) {
  return a.id == b.id && a.name == b.name && a.brand == b.brand && a.city == b.city &&
         a.address == b.address && a.issuer == b.issuer && a.place == b.place &&
         std::equal(std::begin(a.fen_per_litre), std::end(a.fen_per_litre),
                    std::begin(b.fen_per_litre)) &&
         a.open_minute == b.open_minute && a.close_minute == b.close_minute && a.flags == b.flags;
}

Station station_of(const StationRow& row) {
  Station station;
  station.id = row.id;
  station.name = row.name;
  station.brand = row.brand;
  station.issuer = row.issuer;
  station.place = row.place;
  std::copy(std::begin(row.fen_per_litre), std::end(row.fen_per_litre), station.fen_per_litre);
  station.open_minute = row.open_minute;
  station.close_minute = row.close_minute;
  station.flags = row.flags;
  return station;
}

Result<ParsedStations> parse_stations(std::string_view csv, bool is_gcj02) {
  if (csv.size() > kMaxCsvBytes)
    return refuse(Code::invalid_argument, "stations_csv_too_large", "csv");
  if (!base::is_utf8(csv))
    return refuse(Code::invalid_argument, "stations_csv_header", "csv", "UTF-8");
  if (csv.starts_with(kBom)) csv.remove_prefix(kBom.size());
  Reader reader(csv);
  Cells cells;
  if (!reader.next(&cells))
    return refuse(Code::invalid_argument, "stations_csv_header", "csv", "id");
  const auto places = places_of(cells);
  if (!places) return tl::unexpected<Error>(places.error());
  const std::size_t columns = cells.size();
  ParsedStations out;
  std::set<std::string> ids;
  std::map<std::string, CardIssuer> issuers;
  while (reader.next(&cells)) {
    if (cells.size() == 1 && cells[0].empty()) continue;
    RowReader row(*places, reader.line(), cells, &out);
    if (cells.size() != columns) {
      row.fault(kId, "cells");
      continue;
    }
    auto read = row.read(is_gcj02);
    if (!read) continue;
    if (!ids.insert(read->id).second) row.fault(kId, "twice");
    const auto [brand, is_new] = issuers.emplace(read->brand, read->issuer);
    if (!is_new && brand->second != read->issuer) row.fault(kIssuer, "issuer_differs");
    out.rows.push_back(*std::move(read));
  }
  return out;
}

std::string write_stations(const std::vector<StationRow>& rows) {
  std::string csv(kCsvHeader);
  csv += '\n';
  for (const StationRow& row : rows) {
    csv += cell_of(row.id) + ',' + cell_of(row.name) + ',' + cell_of(row.brand) + ',' +
           std::string(kIssuers[static_cast<std::size_t>(row.issuer)]) + ',' + cell_of(row.city) +
           ',' + cell_of(row.address) + ',' + fixed_text(row.place.lat_e7, 7, false) + ',' +
           fixed_text(row.place.lng_e7, 7, false);
    for (const std::uint16_t price : row.fen_per_litre)
      csv += ',' + (price == 0 ? std::string() : fixed_text(price, 2, true));
    csv += ',';
    if (row.open_minute != row.close_minute)
      csv += clock_text(row.open_minute) + "-" + clock_text(row.close_minute);
    csv += ',';
    std::string words;
    for (std::size_t i = 0; i < std::size(kStationFlagWords); ++i) {
      if ((row.flags >> i & 1U) != 0)
        words += (words.empty() ? "" : " ") + std::string(kStationFlagWords[i]);
    }
    csv += words + '\n';
  }
  return csv;
}

}  // namespace topup::stations
