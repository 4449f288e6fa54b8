// The whole shop behind its real door, stopped while everybody talks to it: plain HTTP, TLS and
// WebSockets.
#include <chrono>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "server/app.h"
#include "server/doorway.h"
#include "server/entrance.h"
#include "tests/races/race.h"
#include "tests/server/http/tls_client.h"
#include "tests/server/http/wire_client.h"

namespace topup::races {

namespace {

constexpr std::int64_t kDrainMs = 7'000;
constexpr std::int64_t kMostStopMs = 60'000;  // with sanitizers; ten seconds are promised without
constexpr int kBeforeStop =
    200;  // answers, one over TLS, one who follows; then the shop is told to stop
constexpr int kMostAsks = 10'000;
constexpr std::string_view kLength = "Content-Length: ";

struct Door {
  explicit Door(const testing::ScratchFolder& folder, const http::Papers& papers) {
    config.server.data_dir = folder.file("data");
    config.limits.percent = 0;
    config.staff.totp_required = false;
    front = http::make_front(2, door_limits(config.server));
    port = front->listen("127.0.0.1", 0, entrance);
    tls_port = front->listen_tls("127.0.0.1", 0, entrance,
                                 {papers.file("one.pem"), papers.file("one.key")});
    host = "127.0.0.1:" + std::to_string(port);
    config.server.public_origin = "http://" + host;
    entrance.set_origin(host);
    app = App::open(config, *front, clock, random, {});
    entrance.set_site(&app->site());
    front->start();
    app->start();
  }
  void stop() {
    front->stop(kDrainMs);
    app->stop();
  }

  Config config;
  base::SystemClock clock;
  base::SystemRandom random;
  Entrance entrance;
  std::unique_ptr<http::Front> front;
  std::unique_ptr<App> app;
  std::uint16_t port = 0, tls_port = 0;
  std::string host;
};

struct Heard {
  std::atomic<int> answers{0}, over_tls{0}, followed{0}, cut{0}, odd{0}, refused{0};
  std::mutex mutex;
  std::set<std::string> users;  // that were acknowledged
};

std::string request_text(std::string_view method, std::string_view target,
                         const std::string& host) {
  std::string text = std::string(method) + " " + std::string(target) +
                     " HTTP/1.1\r\nHost: " + host + "\r\nOrigin: http://" + host + "\r\n";
  if (method == "POST") text += "Content-Length: 0\r\n";
  return text + "\r\n";
}

bool is_whole(const std::string& answer) {
  const std::size_t end = answer.find("\r\n\r\n"), at = answer.find(kLength);
  if (end == std::string::npos || at == std::string::npos || at > end) return false;
  return answer.size() == end + 4 + std::strtoul(answer.c_str() + at + kLength.size(), nullptr, 10);
}

void note(const std::string& answer, Heard* heard) {
  if (!is_whole(answer)) {
    ++heard->cut;
    return;
  }
  const int status = http::status_of_answer(answer);
  if (status == 201) {
    const auto body = base::Json::parse(http::body_of(answer));
    const std::lock_guard hold(heard->mutex);
    heard->users.insert(body.at("user_id").get<std::string>());
  } else if (status == 503) {
    ++heard->refused;
  } else if (status != 200) {
    ++heard->odd;
  }
}

// Asks on one connection until it ends. An exchange without any answer is nobody's promise.
template <class Client>
void talk(Client& client, const std::string& host, int t, Heard* heard, std::atomic<int>* answers) {
  for (int i = 0; i < kMostAsks; ++i) {
    const bool writes = (t + i) % 2 == 0;
    const std::string text =
        writes ? request_text("POST", "/api/v1/sessions", host)
               : request_text("GET", (t + i) % 3 == 0 ? "/api/v1/shop" : "/healthz", host);
    if (!client.send(text)) return;
    const std::string answer = client.answer();
    if (answer.empty()) return;
    note(answer, heard);
    ++*answers;
  }
}

void follow(http::WireClient& client, const std::string& host, Heard* heard) {
  client.send("GET /api/v1/live HTTP/1.1\r\nHost: " + host + "\r\nOrigin: http://" + host +
              "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  const std::string opened = client.answer();
  if (opened.empty()) return;
  if (http::status_of_answer(opened) != 101) return note(opened, heard);
  ++heard->followed;
  const std::string message = R"({"type":"subscribe","session":"nobody","after":0})";
  std::string frame = {'\x81', static_cast<char>(0x80 | message.size())};
  client.send(frame + std::string(4, '\0') + message);
  client.rest();
}

// One who comes; when the shop has ended a connection, nobody is let in any more.
void visit(const Door& door, int t, Heard* heard) {
  try {
    if (t % 8 == 7) {
      http::WireClient client(door.port);
      follow(client, door.host, heard);
    } else if (t % 8 == 6) {
      http::TlsClient client(door.tls_port);
      if (client.is_open()) talk(client, door.host, t, heard, &heard->over_tls);
    } else {
      http::WireClient client(door.port);
      talk(client, door.host, t, heard, &heard->answers);
    }
  } catch (const std::runtime_error&) {  // the door is shut already
  }
}

std::int64_t stop_in_the_middle(Door& door, Heard* heard) {
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while ((heard->answers < kBeforeStop || heard->over_tls == 0 || heard->followed == 0) &&
         std::chrono::steady_clock::now() < patience)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const auto began = std::chrono::steady_clock::now();
  door.stop();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               began)
      .count();
}

std::int64_t users_missing(const testing::ScratchFolder& folder,
                           const std::set<std::string>& users) {
  const auto db = storage::open_sqlite(folder.file("data/topup.sqlite"));
  std::set<std::string> stored;
  db->read([&](storage::Reader& reader) {
    stored.clear();
    reader.query("SELECT user_id FROM users", {},
                 [&](const storage::Row& row) { stored.insert(row.text(0)); });
  });
  std::int64_t missing = 0;
  for (const std::string& user : users) missing += stored.contains(user) ? 0 : 1;
  return missing;
}

}  // namespace

void shutdown_under_load(const Effort& effort, Tally& tally) {
  const testing::ScratchFolder folder;
  http::Papers papers;
  papers.make("one");
  for (; tally.time_left(); ++tally.rounds) {
    Heard heard;
    std::int64_t took_ms = 0;
    {
      Door door(folder, papers);
      crowd(effort.threads + 1, [&](int t) {
        if (t == effort.threads) {
          took_ms = stop_in_the_middle(door, &heard);
        } else {
          visit(door, t, &heard);
        }
      });
    }
    tally.acts += heard.answers + heard.over_tls;
    tally.expect(heard.answers >= kBeforeStop, "the shop answered nobody");
    tally.expect(heard.over_tls > 0 && heard.followed > 0, "nobody came by TLS or followed");
    tally.same(heard.cut.load(), 0, "answers that were cut");
    tally.same(heard.odd.load(), 0, "odd answers");
    tally.expect(took_ms < kMostStopMs, "the stop took too long");
    tally.expect(!heard.users.empty(), "nobody was acknowledged");
    tally.same(users_missing(folder, heard.users), 0, "acknowledged and not stored");
  }
}

}  // namespace topup::races
