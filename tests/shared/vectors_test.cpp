// The golden vectors of tests/vectors: the same files run through the WebAssembly build in
// tests/wasm. With TOPUP_WRITE_VECTORS=1 the outputs are written anew; a changed vector is a
// reviewed decision.
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "shared/phone.h"
#include "shared/price_book.h"
#include "shared/pricing.h"

using namespace topup;
using Json = nlohmann::ordered_json;

namespace {

std::string path_of(const std::string& name) {
  return std::string(TOPUP_SOURCE_DIR) + "/tests/vectors/" + name + ".json";
}

Json read_vectors(const std::string& name) {
  std::ifstream in(path_of(name));
  REQUIRE_MESSAGE(in.good(), path_of(name));
  return Json::parse(in);
}

bool writing() { return std::getenv("TOPUP_WRITE_VECTORS") != nullptr; }

void write_vectors(const std::string& name, const Json& vectors) {
  std::ofstream(path_of(name)) << vectors.dump(1) << "\n";
}

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

std::string wasm_error_text(const Error& error) {
  Json out = {{"ok", false},
              {"error",
               {{"code", "rejected"},
                {"reason", error.reason},
                {"field", error.field},
                {"detail", error.detail}}}};
  REQUIRE(error.code == Code::rejected);
  return out.dump();
}

}  // namespace

TEST_CASE("golden vectors: phone verdicts") {
  Json vectors = read_vectors("phone");
  CHECK(vectors.size() >= 20);
  for (Json& row : vectors) {
    const std::string typed = row.at("in");
    CAPTURE(typed);
    const PhoneCheck got = check_mainland_phone(typed);
    const Json out = {{"verdict", to_word(got.verdict)},
                      {"operator_hint", to_word(got.operator_hint)},
                      {"national", got.national},
                      {"bad_at", got.bad_at},
                      {"reason", got.reason}};
    if (writing()) {
      row["out"] = out;
    } else {
      CHECK(out == row.at("out"));
    }
  }
  if (writing()) write_vectors("phone", vectors);
}

TEST_CASE("golden vectors: quotes, byte for byte") {
  Json vectors = read_vectors("pricing");
  const auto book = decode(from_hex(vectors.at("book_hex")));
  REQUIRE(book);
  CHECK(vectors.at("cases").size() >= 8);
  for (Json& row : vectors.at("cases")) {
    const auto got = quote(
        *book, {ProductId(row.at("product_id").get<std::string>()), row.at("account_number")});
    const std::string text =
        got ? R"({"ok":true,"value":)" + quote_text(*got) + "}" : wasm_error_text(got.error());
    CAPTURE(text);
    if (writing()) {
      row["text"] = text;
    } else {
      CHECK(text == row.at("text").get<std::string>());
    }
  }
  if (writing()) write_vectors("pricing", vectors);
}
