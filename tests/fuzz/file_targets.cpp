// Files that people hand in and take away: certificates and keys, imports, exports.
#include <array>

#include "server/admin/csv.h"
#include "server/base/certificate.h"
#include "server/base/crypto.h"
#include "server/base/csv.h"
#include "server/payments/alipay.h"
#include "server/payments/wechat_keys.h"
#include "server/stations/station_csv.h"
#include "tests/fuzz/fuzz.h"

namespace topup::fuzz {
namespace {

void run_pem(std::string_view input) {
  if (const auto all = base::certificates_in(input)) holds(!all->empty(), "at least one");
  (void)payments::read_platform_certificate(input);
  (void)base::certificate_end_ms(input);
  (void)base::RsaKey::from_public_pem(input);
  (void)base::RsaKey::from_private_pem(input);
  (void)payments::alipay_public_key(input);
}

std::vector<std::string> pem_made() {
  static const base::RsaKey key = base::RsaKey::generate();
  return {key.public_pem(), key.private_pem()};
}

void run_stations(std::string_view input) {
  for (const bool is_gcj02 : {false, true}) {
    const auto read = stations::parse_stations(input, is_gcj02);
    if (!read) continue;
    holds(read->faults.size() <= stations::kMaxFaults, "faults have a bound");
    if (read->fault_count != 0 || is_gcj02) continue;
    const std::string text = stations::write_stations(read->rows);
    const auto again = stations::parse_stations(text, false);
    holds(again && again->fault_count == 0, "what was written reads without a fault");
    holds(stations::write_stations(again->rows) == text, "and is written as it was");
  }
}

bool is_formula(std::string_view cell) {
  const std::size_t first = cell.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos &&
         std::string_view("=+-@").find(cell[first]) != std::string_view::npos;
}

void run_csv(std::string_view input) {
  const auto rows = base::csv_rows(input, 1'000);
  if (rows) {
    for (const base::CsvRow& row : *rows) {
      holds(row.cells.size() <= base::kMaxCsvCells, "cells have a bound");
      // A mark at the very beginning of a file is no text, so another row stands before it.
      const auto again = base::csv_rows("x\r\n" + base::csv_line(row.cells), 3);
      const bool is_blank = row.cells.size() == 1 && row.cells[0].empty();
      holds(again && (is_blank || (again->size() == 2 && again->back().cells == row.cells)),
            "a row that is written reads as it was");
    }
  }
  holds(!is_formula(admin::inert(input)), "no cell of ours is a formula");
  const std::string row = admin::csv_row({std::string(input), "x"});
  holds(row.ends_with("\r\n"), "a row ends");
  std::size_t quotes = 0;
  for (const char c : row) quotes += c == '"' ? 1U : 0U;
  holds(quotes % 2 == 0, "every quote is closed");
}

}  // namespace

std::span<const Target> file_targets() {
  static const std::array kAll = {
      Target{"pem",
             2,
             run_pem,
             pem_made,
             {"-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n",
              "-----BEGIN PUBLIC KEY-----\n", "-----END PUBLIC KEY-----\n", "\n", "MII",
              "==", "Proc-Type: 4,ENCRYPTED\n"}},
      Target{
          "stations",
          10,
          run_stations,
          nullptr,
          {",", "\"", "\n", "00:00-24:00", "sinopec", "-90", "180.0000001", "7.80", "shop", "'="}},
      Target{"csv",
             40,
             run_csv,
             nullptr,
             {",", "\"", "\"\"", "\r\n", "=", "+", "-", "@", "'", "\t", "\xEF\xBC\x9D"}},
  };
  return kAll;
}

}  // namespace topup::fuzz
