// What the server is held against, in the same run on the same machine: a bare Beast and a bare
// cpp-httplib that say hello, and SQLite with one fsync for each write.
//   topup_bench_server beast | httplib          serves GET / on a free port, prints the port, ends
//   with its input topup_bench_server commits FILE SECONDS     prints durable single-row
//   transactions a second
#include <httplib.h>
#include <sqlite3.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;

constexpr int kBeastThreads = 2;      // as many as the shop's door has
constexpr int kHttplibThreads = 128;  // one a connection: with fewer it leaves the others waiting
constexpr const char* kHello = "{\"status\":\"alive\"}";

void announce(int port) {
  std::printf("%d\n", port);
  std::fflush(stdout);
}

void wait_for_end_of_input() {
  while (std::getchar() != EOF) {
  }
}

class Session : public std::enable_shared_from_this<Session> {
 public:
  explicit Session(tcp::socket socket) : stream_(std::move(socket)) {}
  void read() {
    request_ = {};
    beast::http::async_read(stream_, buffer_, request_,
                            [self = shared_from_this()](beast::error_code failure, std::size_t) {
                              if (!failure) self->write();
                            });
  }

 private:
  void write() {
    response_ = {beast::http::status::ok, request_.version()};
    response_.set(beast::http::field::content_type, "application/json");
    response_.keep_alive(request_.keep_alive());
    response_.body() = kHello;
    response_.prepare_payload();
    beast::http::async_write(stream_, response_,
                             [self = shared_from_this()](beast::error_code failure, std::size_t) {
                               if (!failure) self->read();
                             });
  }
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  beast::http::request<beast::http::string_body> request_;
  beast::http::response<beast::http::string_body> response_;
};

void accept_next(tcp::acceptor& acceptor, asio::io_context& io) {
  acceptor.async_accept(asio::make_strand(io), [&](beast::error_code failure, tcp::socket socket) {
    if (failure) return;
    socket.set_option(tcp::no_delay(true));
    std::make_shared<Session>(std::move(socket))->read();
    accept_next(acceptor, io);
  });
}

int serve_beast() {
  asio::io_context io(kBeastThreads);
  tcp::acceptor acceptor(io, {asio::ip::make_address("127.0.0.1"), 0});
  accept_next(acceptor, io);
  announce(acceptor.local_endpoint().port());
  std::vector<std::thread> threads;
  for (int i = 0; i < kBeastThreads; ++i) threads.emplace_back([&io] { io.run(); });
  wait_for_end_of_input();
  io.stop();
  for (std::thread& thread : threads) thread.join();
  return 0;
}

int serve_httplib() {
  httplib::Server server;
  server.new_task_queue = [] { return new httplib::ThreadPool(kHttplibThreads); };
  server.set_keep_alive_max_count(1'000'000'000);
  server.set_tcp_nodelay(true);
  server.Get("/", [](const httplib::Request&, httplib::Response& response) {
    response.set_content(kHello, "application/json");
  });
  announce(server.bind_to_any_port("127.0.0.1"));
  std::thread listener([&server] { server.listen_after_bind(); });
  wait_for_end_of_input();
  std::fflush(stdout);
  std::_Exit(0);  // its kept-alive connections would hold stop() for seconds
}

bool run_sql(sqlite3* db, const char* sql) {
  char* why = nullptr;
  if (sqlite3_exec(db, sql, nullptr, nullptr, &why) == SQLITE_OK) return true;
  std::fprintf(stderr, "%s: %s\n", sql, why);
  return false;
}

// The row is about as wide as that of a session, which is what the shop writes in the comparison.
int count_commits(const char* path, double seconds) {
  sqlite3* db = nullptr;
  if (sqlite3_open(path, &db) != SQLITE_OK) return 1;
  if (!run_sql(db, "PRAGMA journal_mode=WAL") || !run_sql(db, "PRAGMA synchronous=FULL")) return 1;
  if (!run_sql(db, "CREATE TABLE sessions (token TEXT PRIMARY KEY, user TEXT, at INTEGER)"))
    return 1;
  sqlite3_stmt* insert = nullptr;
  sqlite3_prepare_v2(db,
                     "INSERT INTO sessions VALUES (hex(randomblob(32)), hex(randomblob(13)), 1)",
                     -1, &insert, nullptr);
  const auto began = std::chrono::steady_clock::now();
  const auto elapsed = [&began] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  };
  long commits = 0;
  while (elapsed() < seconds) {
    if (sqlite3_step(insert) != SQLITE_DONE) return 1;
    sqlite3_reset(insert);
    ++commits;
  }
  std::printf("%.0f\n", static_cast<double>(commits) / elapsed());
  sqlite3_finalize(insert);
  sqlite3_close(db);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "beast") return serve_beast();
  if (what == "httplib") return serve_httplib();
  if (what == "commits" && argc == 4) return count_commits(argv[2], std::stod(argv[3]));
  std::fprintf(stderr, "topup_bench_server beast | httplib | commits FILE SECONDS\n");
  return 2;
}
