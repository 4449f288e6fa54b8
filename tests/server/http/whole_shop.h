// A whole shop in memory: every route with its real sessions, limits and store, asked through its
// site without a socket. The payment channel is never reached; there is no supplier.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <future>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/app.h"
#include "server/auth/staff_session_store.h"
#include "server/auth/staff_store.h"
#include "server/base/crypto.h"
#include "server/http/front.h"
#include "tests/support/scratch_shop.h"

namespace topup::http {

struct Reply {
  int status = 0;
  std::string head, body;
  base::Json json() const { return base::Json::parse(body, nullptr, /*allow_exceptions=*/false); }
  std::string reason() const {
    const base::Json found = json();
    return found.is_object() ? found.value("reason", "") : "";
  }
};

using Headers = std::vector<std::pair<std::string, std::string>>;

inline constexpr std::string_view kStaffCookie = "__Host-topup_staff=";  // of an https shop

class WholeShop {
 public:
  explicit WholeShop(std::int64_t limits_percent = 0) {
    config.server.data_dir = folder_.file("data");
    config.server.public_origin = "https://shop.example";
    config.limits.percent = limits_percent;
    config.staff.totp_required = false;  // a test of its own
    if (testing::tests_run_on_postgres()) {
      database_.emplace(false);
      config.store.url = database_->url();
    }
    config.wechat_pay = nobody_at_home();
    app = App::open(config, *front_, clock_, random_, {});
  }
  ~WholeShop() {
    app->stop();
    app.reset();  // before what it stands on
  }
  WholeShop(const WholeShop&) = delete;
  WholeShop& operator=(const WholeShop&) = delete;

  Reply ask(std::string_view method, const std::string& target, Headers headers = {},
            std::string body = {}, const std::string& address = "203.0.113.7") {
    headers.emplace_back("host", "shop.example");
    headers.emplace_back("origin", "https://shop.example");
    std::promise<std::string> bytes;
    app->site().handle(
        {std::string(method), target, std::move(headers), std::move(body), address, true},
        [&bytes](std::string answer, bool) { bytes.set_value(std::move(answer)); });
    const std::string answer = bytes.get_future().get();
    const std::size_t end = answer.find("\r\n\r\n");
    return {std::atoi(answer.c_str() + 9), answer.substr(0, end), answer.substr(end + 4)};
  }

  struct Person {
    std::string id;
    Headers headers;
  };
  Person new_buyer() {
    const Reply made = ask("POST", "/api/v1/sessions");
    if (made.status != 201) throw std::runtime_error("no session: " + made.body);
    return {made.json().at("user_id").get<std::string>(),
            {{"authorization", "Bearer " + made.json().at("token").get<std::string>()}}};
  }
  // Signed in with this role, as the sign-in would leave it; ended at once when `is_over`.
  Person new_staff(const std::string& role, bool is_over = false) {
    const std::int64_t now = clock_.wall_ms();
    const std::string token = base::new_token(random_);
    auth::staff_store::Staff row;
    row.id = StaffId(base::new_id(random_, now));
    row.name = role + "-" + row.id.text;
    row.password = "none";
    row.created_at_ms = now;
    if (!role.empty()) row.roles = {role};
    auth::staff_session_store::Session session;
    session.token_hash = base::hex(base::sha256(token));
    session.session_id = session.token_hash.substr(0, 26);
    session.staff = row.id;
    session.created_at_ms = session.seen_at_ms = session.stepped_up_at_ms = now;
    session.expires_at_ms = now + (is_over ? 0 : 3'600'000);
    app->store().write([&](storage::Tx& tx) {
      auth::staff_store::insert(tx, row);
      auth::staff_session_store::insert(tx, session);
      return true;
    });
    return {row.id.text, {{"cookie", std::string(kStaffCookie) + token}}};
  }

  // One hash over every row of every table of the shop, whatever their order. What an engine notes
  // of its own commits does not count.
  std::string rows(std::initializer_list<std::string_view> but_not_of = {}) {
    if (queries_.empty()) list_tables();
    std::string all;
    app->store().read([&](storage::Reader& reader) {
      for (const auto& [table, query] : queries_) {
        const bool is_left_out =
            std::find(but_not_of.begin(), but_not_of.end(), table) != but_not_of.end();
        if (is_left_out || table.starts_with("topup_")) continue;
        std::map<std::string, int> lines;
        reader.query(query.text, {}, [&](const storage::Row& row) {
          std::string line;
          for (int i = 0; i < query.columns; ++i) line += row.text(i) + "\x1f";
          ++lines[line];
        });
        for (const auto& [line, count] : lines) all += table + line + std::to_string(count);
      }
    });
    return base::hex(base::sha256(all));
  }

  Config config;
  std::unique_ptr<App> app;

 private:
  struct Query {
    std::string text;
    int columns = 0;
  };
  // A channel that is there and never answers.
  static WechatSection nobody_at_home() {
    static const base::RsaKey key = base::RsaKey::generate();
    WechatSection section;
    section.origin = "http://127.0.0.1:1";
    section.mchid = "1900000001";
    section.appid = "wx0000000000000001";
    section.serial_no = "0123456789";
    section.private_key_pem = key.private_pem();
    section.apiv3_key = std::string(32, 'k');
    section.verify_keys = {{"PUB_KEY_ID_1", key.public_pem()}};
    return section;
  }
  void list_tables() {
    const bool pg = testing::tests_run_on_postgres();
    std::vector<std::string> tables;
    app->store().read([&](storage::Reader& reader) {
      const auto keep = [&tables](const storage::Row& row) { tables.push_back(row.text(0)); };
      reader.query(pg ? "SELECT table_name FROM information_schema.tables"
                        " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
                      : "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE "
                        "'sqlite%'",
                   {}, keep);
      for (const std::string& table : tables) {
        Query query;
        reader.query(pg ? "SELECT column_name FROM information_schema.columns WHERE "
                          "table_schema = 'public' AND table_name = $1"
                        : "SELECT name FROM pragma_table_info($1)",
                     {std::string_view(table)}, [&query](const storage::Row& row) {
                       query.text += (query.columns++ == 0 ? "SELECT " : ", ") + row.text(0);
                     });
        query.text += " FROM " + table;
        queries_[table] = query;
      }
    });
  }

  testing::QuietLog quiet_;
  testing::ScratchFolder folder_;
  std::optional<testing::ScratchDatabase> database_;
  base::SystemClock clock_;
  base::SystemRandom random_;
  std::unique_ptr<Front> front_ = make_front(1);
  std::map<std::string, Query> queries_;
};

}  // namespace topup::http
