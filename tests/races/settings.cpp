// Live settings and the keys of a channel that change under requests to the whole shop.
#include <string>

#include "server/audit/audit_log.h"
#include "tests/races/race.h"
#include "tests/server/http/whole_shop.h"

namespace topup::races {

namespace {

constexpr std::int64_t kLeastWithin = 100'000;
constexpr const char* kReads[] = {
    "/api/v1/shop",    "/api/v1/payment-channels", "/healthz", "/readyz",
    "/api/v1/content", "/api/v1/product-notes",    "/metrics", "/api/v1/orders"};

struct Settled {
  http::WholeShop shop;
  http::WholeShop::Person owner = shop.new_staff("owner");
  http::WholeShop::Person buyer = shop.new_buyer();
  std::atomic<std::int64_t> asked{0}, changed{0}, odd{0}, torn{0}, backwards{0};

  // The two settings always tell the same number.
  void change(std::int64_t number) {
    const auto now = settings();
    if (!now.is_object()) return;
    const base::Json body = {{"version", now.at("version")},
                             {"changes",
                              {{"orders.pay_within_ms", kLeastWithin + number},
                               {"service.notice_en", std::to_string(kLeastWithin + number)},
                               {"log.level", number % 2 == 0 ? "error" : "warn"}}}};
    http::Headers headers = owner.headers;
    headers.emplace_back("idempotency-key", "settings-key-" + std::to_string(10'000 + ++asked));
    const http::Reply reply =
        shop.ask("PUT", "/api/admin/settings", std::move(headers), body.dump());
    if (reply.status == 200) {
      ++changed;
    } else if (reply.reason() != "settings_changed") {
      fprintf(stderr, "%s\n", reply.body.c_str());
      ++odd;
    }
  }
  base::Json settings() {
    const http::Reply reply = shop.ask("GET", "/api/admin/settings", owner.headers);
    if (reply.status != 200) ++odd;
    return reply.status == 200 ? reply.json() : base::Json();
  }
  void look(std::int64_t* newest) {
    const base::Json now = settings();
    if (!now.is_object()) return;
    const auto version = now.at("version").get<std::int64_t>();
    if (version < *newest) ++backwards;
    *newest = version;
    std::string within, notice;
    for (const base::Json& row : now.at("settings")) {
      if (row.at("key") == "orders.pay_within_ms") within = row.at("value").dump();
      if (row.at("key") == "service.notice_en") notice = row.at("value").get<std::string>();
    }
    if (version > 0 && within != notice) ++torn;
  }
  void ask(const char* target) {
    const http::Reply reply = shop.ask("GET", target, buyer.headers);
    // Without a supplier it is not ready; that is an answer, too.
    if (reply.status >= 500 && std::string_view(target) != "/readyz") ++odd;
  }
};

// What an operator's SIGHUP does: other keys for the payment channel, back and forth.
void adopt_keys(Settled& settled, Config* other, int times) {
  const Config& first = settled.shop.config;
  for (int i = 0; i < times; ++i) settled.shop.app->adopt(i % 2 == 0 ? *other : first);
}

}  // namespace

void settings_beside_requests(const Effort& effort, Tally& tally) {
  constexpr int kEach = 6;
  Settled settled;
  settled.shop.app->start();
  Config other = settled.shop.config;
  const base::RsaKey key = base::RsaKey::generate();
  other.wechat_pay->private_key_pem = key.private_pem();
  other.wechat_pay->serial_no = "9876543210";
  other.wechat_pay->verify_keys = {{"PUB_KEY_ID_2", key.public_pem()}};
  for (; tally.time_left(); ++tally.rounds) {
    crowd(effort.threads, [&](int t) {
      std::int64_t newest = 0;
      if (t == 0) return adopt_keys(settled, &other, kEach);
      for (int i = 0; i < kEach; ++i, ++tally.acts) {
        if (t % 8 == 1) {
          settled.change(tally.rounds * 10'000 % 1'000'000 + t * kEach + i);
        } else if (t % 8 < 4) {
          settled.look(&newest);
        } else if (t % 8 == 4) {
          if (settled.shop.ask("POST", "/api/v1/sessions").status != 201) ++settled.odd;
        } else {
          settled.ask(kReads[static_cast<std::size_t>(t + i) % std::size(kReads)]);
        }
      }
    });
    tally.same(settled.odd.load(), 0, "odd answers");
    tally.same(settled.torn.load(), 0, "settings of two versions in one answer");
    tally.same(settled.backwards.load(), 0, "versions that went back");
    const base::Json now = settled.settings();
    tally.same(now.at("version").get<std::int64_t>(), settled.changed.load(),
               "versions for the changes that were acknowledged");
    tally.expect(settled.changed > tally.rounds, "nothing was changed");
  }
  bool holds = false;
  settled.shop.app->store().read(
      [&](storage::Reader& reader) { holds = audit::verify(reader).holds; });
  tally.expect(holds, "the audit chain is broken");
}

}  // namespace topup::races
