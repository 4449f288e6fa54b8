// The golden vectors of tests/vectors: the same files run through the WebAssembly build in
// tests/wasm. With TOPUP_WRITE_VECTORS=1 the outputs are written anew; a changed vector is a
// reviewed decision.
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "shared/border.h"
#include "shared/border_state.h"
#include "shared/phone.h"
#include "tests/support/source_dir.h"

using namespace topup;
using Json = nlohmann::ordered_json;

namespace {

std::string path_of(const std::string& name) {
  return testing::source_dir() + "/tests/vectors/" + name + ".json";
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

TEST_CASE("golden vectors: every call of the border") {
  const char* files[] = {"phone_world", "account", "draft",   "intent",
                         "order",       "policy",  "pricing", "station"};
  for (const char* file : files) {
    CAPTURE(file);
    Json vectors = read_vectors(file);
    CHECK(vectors.size() >= 25);
    Border border;  // one a file: calls that set something come before those that use it
    for (Json& row : vectors) {
      const std::string call = row.at("call");
      CAPTURE(row.at("name").get<std::string>());
      const std::string text = border_call(border, call, row.at("in").dump());
      if (writing()) {
        row["out"] = Json::parse(text);
      } else {
        CHECK(text == row.at("out").dump());
      }
    }
    if (writing()) write_vectors(file, vectors);
  }
}
