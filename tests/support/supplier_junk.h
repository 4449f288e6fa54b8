// What a supplier may answer instead of an answer (threat S-05): each must leave the outcome
// unknown, since the order may have been taken on.
#pragma once

#include <string>
#include <vector>

#include "tests/support/scripted_outbound.h"

namespace topup::testing {

struct Junk {
  std::string name;
  int status;  // 0: no answer
  std::string body;
};

inline const std::vector<Junk>& supplier_junk() {
  static const std::vector<Junk> all = {
      {"nothing", 0, ""},
      {"an empty 200", 200, ""},
      {"an empty 204", 204, ""},
      {"truncated JSON", 200, R"({"id":22375,"external_id":"01JD)"},
      {"HTML with 200", 200, "<html><body>Welcome</body></html>"},
      {"HTML with 502", 502, "<html><body>Bad gateway</body></html>"},
      {"a redirect", 302, ""},
      {"an empty object", 200, "{}"},
      {"an empty list", 200, "[]"},
      {"null", 200, "null"},
      {"a bare number", 200, "1"},
      {"NaN", 200, R"({"id":NaN,"ResultCode":NaN,"error_code":NaN})"},
      {"wrong types", 200,
       R"({"id":{},"external_id":[],"status":"COMPLETED","ResultCode":"one","TransferRecord":[],)"
       R"("error_code":{},"result":"ok"})"},
      {"huge numbers", 200,
       R"({"id":99999999999999999999999999999,"ResultCode":1e400,"error_code":-0.5,"result":{}})"},
      {"a deep nest", 200, std::string(200, '[') + std::string(200, ']')},
      {"a key twice", 200, R"({"ResultCode":1,"ResultCode":5,"error_code":0,"error_code":1})"},
      {"bytes after the value", 200, R"({"error_code":0}{"error_code":0})"},
      {"bytes that are no UTF-8", 200, "{\"id\":\"\xFF\xFE\"}"},
      {"300 KiB", 200, "\"" + std::string(300 * 1024, 'a') + "\""},
  };
  return all;
}

inline void play(ScriptedOutbound& outbound, const Junk& junk) {
  if (junk.status == 0) {
    outbound.then_no_answer();
  } else {
    outbound.then_answer(junk.status, junk.body);
  }
}

}  // namespace topup::testing
