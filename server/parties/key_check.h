// Whether what was typed for a party can be right, before anybody is asked: is it a key, which kind
// of key, do the halves belong together, whose certificate is it, and how long does it last. Every
// fault is told at once, each with its field. Pure; thread-safe; nothing of a secret is ever part
// of a fault.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "server/parties/party_table.h"

namespace topup::parties {

using Values = std::map<std::string, std::string, std::less<>>;  // by field; absent: not given

struct Fault {
  std::string field;
  // missing_field, unknown_field, out_of_range; form_wrong, pem_wanted, pem_other_kind,
  // key_encrypted, key_not_rsa, key_malformed, certificate_malformed, certificate_expired,
  // certificate_not_yet, key_not_of_certificate, serial_not_of_certificate,
  // certificate_of_another, public_key_is_own, one_of_two, origin_malformed, origin_not_public,
  // currency_unknown.
  std::string_view reason;
  std::string detail;  // what was found, or what would be right; a date is ISO 8601
};

struct KeyFacts {  // of the merchant's own certificate, for the console
  std::string serial, subject;
  std::int64_t begin_ms = 0, end_ms = 0;  // 0: there is none
};

struct CheckRules {
  std::int64_t now_ms = 0;
  // A rehearsal may name parties on this machine; elsewhere an origin is public and https.
  bool allows_this_machine = false;
};

// Presets stand in for what is absent, and `values` becomes what is kept: trimmed, the serial
// number filled in from the certificate.
std::vector<Fault> check_keys(const Party& party, Values& values, const CheckRules& rules,
                              KeyFacts* facts);

// http://127.0.0.1:9000 and its like: a party that runs on this machine.
bool is_this_machine(std::string_view origin);

}  // namespace topup::parties
