#include "server/base/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "server/base/clock.h"

namespace topup::base {
namespace {

struct Block4 {
  std::uint32_t network;
  int bits;
};

// RFC 6890. 198.18.0.0/15 is missing on purpose: transparent proxies answer with it for every
// public name.
constexpr Block4 kNotPublic4[] = {
    {0x00000000, 8},  {0x0A000000, 8},  {0x64400000, 10}, {0x7F000000, 8}, {0xA9FE0000, 16},
    {0xAC100000, 12}, {0xC0000000, 24}, {0xC0A80000, 16}, {0xE0000000, 3},
};

bool is_public4(std::uint32_t address) {
  return std::none_of(std::begin(kNotPublic4), std::end(kNotPublic4), [&](const Block4& block) {
    return (address ^ block.network) >> (32 - block.bits) == 0;
  });
}

bool is_public6(const std::array<unsigned char, 16>& octets) {
  const auto word4 = [&](std::size_t at) {
    return std::uint32_t{octets[at]} << 24 | std::uint32_t{octets[at + 1]} << 16 |
           std::uint32_t{octets[at + 2]} << 8 | octets[at + 3];
  };
  const std::uint32_t first = word4(0);
  if (first == 0 && word4(4) == 0)
    return word4(8) == 0xFFFF && is_public4(word4(12));    // IPv4-mapped
  if (first == 0x0064FF9B) return is_public4(word4(12));   // NAT64, RFC 6052
  if (first >> 16 == 0x2002) return is_public4(word4(2));  // 6to4, RFC 3056
  return first >> 29 == 1;  // 2000::/3 is all that is assigned for global use
}

std::string numeric_text(const addrinfo& info) {
  char text[NI_MAXHOST] = {};
  const int failed =
      getnameinfo(info.ai_addr, info.ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST);
  return failed == 0 ? std::string(text) : std::string();
}

std::vector<std::string> ask_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  std::vector<std::string> found;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0) return found;
  for (const addrinfo* info = list; info != nullptr; info = info->ai_next) {
    std::string text = numeric_text(*info);
    if (!text.empty() && std::find(found.begin(), found.end(), text) == found.end()) {
      found.push_back(std::move(text));
    }
  }
  freeaddrinfo(list);
  return found;
}

tl::unexpected<Error> unavailable(std::string_view reason) {
  return refuse(Code::unavailable, reason);
}

}  // namespace

struct Resolver::State {
  explicit State(Lookup how) : lookup(std::move(how)) {}

  const Lookup lookup;
  std::mutex mutex;
  std::condition_variable changed;
  bool is_asking = false;
  std::uint64_t answers = 0;  // how many lookups have ended
  std::vector<std::string> found;
  std::optional<std::int64_t> found_at_ms;  // empty after a failure or forget()

  bool is_fresh() const {
    return found_at_ms && SystemClock().mono_ms() - *found_at_ms < kAddressesKeptMs;
  }

  void finish(std::vector<std::string> addresses) {
    const std::lock_guard lock(mutex);
    is_asking = false;
    ++answers;
    found = std::move(addresses);
    found_at_ms.reset();
    if (!found.empty()) found_at_ms = SystemClock().mono_ms();
    changed.notify_all();
  }

  // The caller holds the mutex, so the lookup cannot finish before is_asking is set.
  static bool start_lookup(const std::shared_ptr<State>& state, const std::string& host) {
    try {
      std::thread([state, host] { state->finish(state->lookup(host)); }).detach();
    } catch (const std::system_error&) {
      return false;
    }
    state->is_asking = true;
    return true;
  }
};

Resolver::Resolver(std::string host, Allow allow, Lookup lookup)
    : host_(std::move(host)),
      allow_(allow),
      state_(std::make_shared<State>(lookup ? std::move(lookup) : Lookup(ask_system))) {}

void Resolver::forget() {
  const std::lock_guard lock(state_->mutex);
  state_->found_at_ms.reset();
}

Result<std::vector<std::string>> Resolver::find_addresses(std::int64_t deadline_mono_ms) {
  if (is_numeric_address(host_)) {
    const bool is_refused = judges_numbers_ && allow_ == Allow::public_only;
    if (is_refused && !is_public_address(host_)) return unavailable("address_refused");
    return std::vector<std::string>{host_};
  }
  std::unique_lock lock(state_->mutex);
  if (!state_->is_fresh()) {
    const std::uint64_t before = state_->answers;
    if (!state_->is_asking && !State::start_lookup(state_, host_))
      return unavailable("connect_failed");
    const std::int64_t left_ms = deadline_mono_ms - SystemClock().mono_ms();
    const std::chrono::milliseconds left(std::max<std::int64_t>(0, left_ms));
    if (!state_->changed.wait_for(lock, left, [&] { return state_->answers != before; })) {
      return unavailable("deadline");
    }
  }
  std::vector<std::string> usable = state_->found;
  if (usable.empty()) return unavailable("connect_failed");
  if (allow_ == Allow::public_only) {
    std::erase_if(usable, [](const std::string& address) { return !is_public_address(address); });
  }
  if (usable.empty()) return unavailable("address_refused");
  usable.resize(std::min(usable.size(), kMaxAddresses));
  return usable;
}

bool is_numeric_address(std::string_view host) {
  const std::string text(host);
  std::array<unsigned char, 16> octets{};
  return inet_pton(AF_INET, text.c_str(), octets.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), octets.data()) == 1;
}

bool is_public_address(std::string_view numeric) {
  const std::string text(numeric);
  in_addr four{};
  if (inet_pton(AF_INET, text.c_str(), &four) == 1) return is_public4(ntohl(four.s_addr));
  std::array<unsigned char, 16> six{};
  return inet_pton(AF_INET6, text.c_str(), six.data()) == 1 && is_public6(six);
}

}  // namespace topup::base
