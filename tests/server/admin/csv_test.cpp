#include "server/admin/csv.h"

#include <doctest/doctest.h>

namespace topup::admin {

TEST_CASE("X21: whatever a person typed, a spreadsheet only shows it") {
  for (const char* hostile :
       {"=HYPERLINK(\"http://a\")", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1",
        "\xEF\xBC\x9D"
        "1",
        "\xEF\xBC\x8B"
        "1",
        "\xEF\xBC\x8D"
        "1",
        "\xEF\xBC\xA0"
        "1",
        "|calc"}) {
    CAPTURE(hostile);
    CHECK(inert(hostile) == "'" + std::string(hostile));
    CHECK(csv_row({hostile}).starts_with("\"'"));
  }
  for (const char* plain : {"", "138****5678", "a=b", "'=1", "   "}) CHECK(inert(plain) == plain);
}

TEST_CASE("a row is quoted, and a quote cannot end its cell") {
  CHECK(csv_row({"a", "b,c", "say \"no\"", ""}) == "\"a\",\"b,c\",\"say \"\"no\"\"\",\"\"\r\n");
  CHECK(csv_row({"one\r\ntwo"}) == "\"one\r\ntwo\"\r\n");
  CHECK(csv_row({std::string("a\0b", 3)}) == "\"ab\"\r\n");
}

TEST_CASE("an amount below zero comes in brackets, a time in Shanghai's zone") {
  CHECK(csv_amount(fen(9'850)) == "98.50");
  CHECK(csv_amount(fen(-1)) == "(0.01)");
  CHECK(csv_time(1'700'000'000'000) == "2023-11-15 06:13:20");
  CHECK(csv_time(1'700'000'000'000 - 22'400'000) == "2023-11-15 00:00:00");
}

}  // namespace topup::admin
