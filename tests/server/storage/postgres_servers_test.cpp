// A url that names several servers: a primary and those that may take its place.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "server/storage/postgres.h"
#include "server/storage/store_stats.h"
#include "tests/support/postgres_cluster.h"
#include "tests/support/scratch_shop.h"

namespace topup::storage {
namespace {

using testing::PostgresCluster;

const base::SystemClock kClock;

std::unique_ptr<Db> open_at(const std::string& url) {
  PostgresTarget target;
  target.url = url;
  return open_postgres(target, 4, kClock);
}

std::int64_t integer(Db& db, std::string_view sql) {
  std::int64_t found = 0;
  db.read([&](Reader& reader) {
    reader.query(sql, {}, [&found](const Row& row) { found = row.integer(0); });
  });
  return found;
}

std::string refusal(const std::string& url) {
  try {
    open_at(url);
  } catch (const SqlError& error) {
    return error.why;
  }
  return "";
}

bool says(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// Whoever connects to it is never answered.
class SilentServer {
 public:
  SilentServer() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(socket_, 16) == 0);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    port = std::to_string(ntohs(address.sin_port));
  }
  ~SilentServer() { ::close(socket_); }
  std::string port;

 private:
  int socket_;
};

std::string several(const std::vector<std::string>& ports) {
  std::string hosts;
  for (const std::string& port : ports) hosts += (hosts.empty() ? "" : ",") + ("127.0.0.1:" + port);
  return "postgres://topup@" + hosts + "/postgres?target_session_attrs=read-write";
}

TEST_CASE("D-12: of several servers the one that takes writes is found past dead and silent ones") {
  const testing::QuietLog quiet;
  PostgresCluster standby({"wal_level=replica"});
  standby.stop();
  standby.touch_data("standby.signal");
  standby.restart_with({"wal_level=replica", "hot_standby=on"});
  PostgresCluster primary;
  const SilentServer silent;
  const std::string right = std::to_string(primary.port());
  const auto db = open_at(several({"1", silent.port, std::to_string(standby.port()), right}));
  CHECK(integer(*db, "SELECT current_setting('port')::bigint") == primary.port());
  REQUIRE(db->stats() != nullptr);
  CHECK(db->stats()->is_unreplicated);

  const std::string why = refusal(several({"1", std::to_string(standby.port())}));
  CHECK_MESSAGE(says(why, "Connection refused"), why);
  CHECK_MESSAGE(says(why, "read-only"), why);
}

TEST_CASE("D-12: a primary that was left behind by a promotion is not gone back to") {
  const testing::QuietLog quiet;
  PostgresCluster promoted({"wal_level=replica"});
  promoted.stop();
  promoted.touch_data("standby.signal");
  promoted.touch_data("go");
  promoted.restart_with({"wal_level=replica", "hot_standby=on", "promote_trigger_file=go"});
  for (int i = 0; i < 200 && refusal(promoted.url("postgres")) != ""; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  PostgresCluster old;
  const std::string url = several({std::to_string(old.port()), std::to_string(promoted.port())});
  const auto db = open_at(url);
  CHECK(integer(*db, "SELECT current_setting('port')::bigint") == promoted.port());
  promoted.kill_hard();
  std::string why;
  for (int i = 0; i < 2 && why.empty(); ++i) {  // the first finds the connection broken
    try {
      (void)integer(*db, "SELECT 1");
    } catch (const SqlError& error) {
      why = error.why;
    }
  }
  CHECK_MESSAGE(says(why, "left behind"), why);
  promoted.start();
  bool is_back = false;
  for (int i = 0; i < 200 && !is_back; ++i) {
    try {
      is_back = integer(*db, "SELECT current_setting('port')::bigint") == promoted.port();
    } catch (const SqlError&) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
  CHECK(is_back);
}

TEST_CASE("postgres: a url whose hosts and ports do not fit is refused in words") {
  CHECK(says(refusal("postgres://a:1,b:2,c/x?port=1,2"), "3 hosts"));
  std::string many = "postgres://a";
  for (int i = 0; i < 8; ++i) many += ",a";
  CHECK(says(refusal(many + "/shop"), "at most 8 hosts"));
  PostgresTarget target;
  target.url = "postgres://u@%2Frun%2Fa,db.example/shop?port=5433";
  const auto servers = servers_of(target);
  REQUIRE(servers.size() == 2);
  CHECK(place_of(servers[0]) == "shop at /run/a:5433");
  CHECK(place_of(servers[1]) == "shop at db.example:5433");
}

}  // namespace
}  // namespace topup::storage
