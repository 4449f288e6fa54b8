// A host name to addresses, waiting no longer than told: the system's lookup cannot be interrupted,
// so it runs beside the caller, at most one per Resolver. Answers are kept for 30 s. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shared/result.h"

namespace topup::base {

inline constexpr std::size_t kMaxAddresses = 4;  // tried per call
inline constexpr std::int64_t kAddressesKeptMs = 30'000;

class Resolver {
 public:
  enum class Allow : std::uint8_t { any, public_only };
  using Lookup = std::function<std::vector<std::string>(const std::string& host)>;
  // `lookup` stands in for the system's; it runs on a thread that nobody waits for.
  Resolver(std::string host, Allow allow, Lookup lookup = {});

  // A host given as a number is the operator's own choice, unless somebody else gave it.
  void judge_numbers() { judges_numbers_ = true; }
  // Numeric addresses in the system's order of preference. Errors (all unavailable): connect_failed
  // for an unknown name, address_refused if only private addresses were found and public ones are
  // wanted, deadline.
  Result<std::vector<std::string>> find_addresses(std::int64_t deadline_mono_ms);
  void forget();  // the next find_addresses() asks again

 private:
  struct State;
  std::string host_;
  Allow allow_;
  bool judges_numbers_ = false;
  std::shared_ptr<State> state_;  // shared with a lookup that may outlive us
};

// False for loopback, private, link-local, shared (100.64/10), multicast and reserved addresses,
// also when they are wrapped in IPv6, and for text that is not a numeric address.
bool is_public_address(std::string_view numeric);
bool is_numeric_address(std::string_view host);

}  // namespace topup::base
