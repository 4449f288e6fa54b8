#include "server/base/log.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "server/base/json.h"
#include "tests/support/scratch_shop.h"

using namespace topup;
using namespace topup::base;

namespace {

constexpr std::string_view kTrace = "0af7651916cd43dd8448eb211c80319c";

// Sends the log to a file of its own for as long as it lives.
class LogFile {
 public:
  LogFile() : path_("/tmp/topup_log_test." + std::to_string(getpid())) {
    std::remove(path_.c_str());
    set_log_file(path_);
    set_log_level(Level::debug);
  }
  ~LogFile() {
    set_log_level(Level::info);
    set_log_file("/dev/null");
    std::remove(path_.c_str());
  }
  std::vector<std::string> lines() const {
    std::ifstream file(path_);
    std::vector<std::string> all;
    for (std::string line; std::getline(file, line);) all.push_back(line);
    return all;
  }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("an event is one JSON line with time, level, name and typed fields") {
  const LogFile file;
  log(Level::warn, "order_late",
      {{"order_id", "A1"}, {"ms", std::int64_t{1234}}, {"n", 7}, {"is_paid", true}});
  REQUIRE(file.lines().size() == 1);
  const Json line = Json::parse(file.lines()[0]);
  CHECK(line.at("level") == "warn");
  CHECK(line.at("event") == "order_late");
  CHECK(line.at("order_id") == "A1");
  CHECK(line.at("ms") == 1234);
  CHECK(line.at("n") == 7);
  CHECK(line.at("is_paid") == true);
  CHECK_FALSE(line.contains("trace_id"));
  const std::string ts = line.at("ts");
  CHECK(ts.size() == 24);
  CHECK((ts[4] == '-' && ts[10] == 'T' && ts[19] == '.' && ts[23] == 'Z'));
}

TEST_CASE("no value can forge a line, move the terminal or break the JSON") {
  struct Row {
    std::string value;
    std::string read_back;
  };
  const std::string replaced = "\xEF\xBF\xBD";
  const std::vector<Row> rows = {
      {"a\r\n{\"event\":\"forged\"}", "a\r\n{\"event\":\"forged\"}"},
      {"say \"no\" \\", "say \"no\" \\"},
      {"\x1b[31mred\x1b[0m\x07\x7f", "\x1b[31mred\x1b[0m\x07\x7f"},
      {"\xc2\x9b"
       "31m",
       "\xc2\x9b"
       "31m"},
      {"line\xe2\x80\xa8separator", "line\xe2\x80\xa8separator"},
      {std::string("nul\0byte", 8), std::string("nul\0byte", 8)},
      {"bad \xff\xfe utf-8", "bad " + replaced + replaced + " utf-8"},
      {"cut \xe4\xb8", "cut " + replaced + replaced},
      {"充值", "充值"},
      {"", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.value);
    const LogFile file;
    log(Level::info, "tried", {{"value", row.value}});
    const auto lines = file.lines();
    REQUIRE(lines.size() == 1);
    for (const char byte : lines[0])
      CHECK((static_cast<unsigned char>(byte) >= 0x20 && byte != '\x7f'));
    CHECK(lines[0].find("\xc2\x9b") == std::string::npos);
    CHECK(lines[0].find("\xe2\x80\xa8") == std::string::npos);
    CHECK(Json::parse(lines[0]).at("value") == row.read_back);
  }
}

TEST_CASE("a very long value is cut and still parses") {
  const LogFile file;
  log(Level::info, "long", {{"value", std::string(100'000, 'x')}});
  REQUIRE(file.lines().size() == 1);
  const std::string value = Json::parse(file.lines()[0]).at("value");
  CHECK(value.size() == 4099);
  CHECK(value.ends_with("x..."));
}

TEST_CASE("a trace id is on every line of its scope and thread, and scopes nest") {
  const LogFile file;
  {
    const TraceScope outer{TraceId(std::string(kTrace))};
    log(Level::info, "outer");
    {
      const TraceScope inner{TraceId("11111111111111111111111111111111")};
      log(Level::info, "inner");
      CHECK(TraceScope::current().text == "11111111111111111111111111111111");
    }
    log(Level::info, "outer_again");
    std::thread([] { log(Level::info, "other_thread"); }).join();
  }
  log(Level::info, "outside");
  const auto lines = file.lines();
  REQUIRE(lines.size() == 5);
  CHECK(Json::parse(lines[0]).at("trace_id") == kTrace);
  CHECK(Json::parse(lines[1]).at("trace_id") == "11111111111111111111111111111111");
  CHECK(Json::parse(lines[2]).at("trace_id") == kTrace);
  CHECK_FALSE(Json::parse(lines[3]).contains("trace_id"));
  CHECK_FALSE(Json::parse(lines[4]).contains("trace_id"));
}

TEST_CASE("lines below the level are not written") {
  const LogFile file;
  set_log_level(Level::warn);
  log(Level::info, "quiet");
  log(Level::error, "loud");
  REQUIRE(file.lines().size() == 1);
  CHECK(Json::parse(file.lines()[0]).at("event") == "loud");
}

TEST_CASE("threads do not mix their lines") {
  const LogFile file;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 200; ++i) log(Level::info, "busy", {{"value", std::string(300, 'y')}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto lines = file.lines();
  CHECK(lines.size() == 800);
  for (const std::string& line : lines) CHECK(Json::accept(line));
}

TEST_CASE("a log file that cannot be opened is reported at once, and says why") {
  CHECK_THROWS_WITH(set_log_file("/dev/null/topup.log"),
                    "cannot write the log /dev/null/topup.log: there is no folder /dev/null");
  CHECK_THROWS_WITH(set_log_file("/no/such/folder/topup.log"),
                    "cannot write the log /no/such/folder/topup.log: there is no folder "
                    "/no/such/folder");
  CHECK_THROWS(set_log_file("/dev"));
  const LogFile file;
  CHECK_THROWS(set_log_file("/no/such/folder/topup.log"));
  log(Level::info, "still_here");  // what was refused has changed nothing
  CHECK(file.lines().size() == 1);
}

TEST_CASE("a full log file is put aside, and only so many are kept") {
  const testing::ScratchFolder folder;
  const LogFile restores;
  set_log_file(folder.file("topup.log"), 2'000, 2);
  for (int i = 0; i < 100; ++i) log(Level::info, "event", {{"n", i}});
  std::size_t lines = 0;
  int last = -1;
  for (const char* name : {"topup.2.log", "topup.1.log", "topup.log"}) {
    CAPTURE(name);
    std::ifstream file(folder.file(name));
    REQUIRE(file);
    std::size_t bytes = 0;
    for (std::string line; std::getline(file, line); ++lines) {
      bytes += line.size() + 1;
      const int number = Json::parse(line).at("n");
      CHECK((last < 0 || number == last + 1));
      last = number;
    }
    CHECK(bytes <= 2'000);
  }
  CHECK(last == 99);
  CHECK(lines > 40);
  CHECK_FALSE(std::filesystem::exists(folder.file("topup.3.log")));
}

TEST_CASE("a log file that was moved away is made anew when told, and no line is lost") {
  const testing::ScratchFolder folder;
  const LogFile restores;
  const auto count = [&](const char* name) {
    std::ifstream file(folder.file(name));
    std::size_t lines = 0;
    for (std::string line; std::getline(file, line);) ++lines;
    return lines;
  };
  set_log_file(folder.file("topup.log"));
  log(Level::info, "before");
  std::filesystem::rename(folder.file("topup.log"), folder.file("topup.log.1"));
  log(Level::info, "between");
  CHECK(count("topup.log.1") == 2);
  reopen_log_file();  // and it says so
  log(Level::info, "after");
  CHECK(count("topup.log.1") == 2);
  CHECK(count("topup.log") == 2);
  std::filesystem::rename(folder.file("topup.log"), folder.file("topup.log.2"));
  std::filesystem::create_directory(folder.file("topup.log"));  // in the way
  reopen_log_file();
  log(Level::info, "goes on");
  CHECK(count("topup.log.2") == 4);
}

TEST_CASE("A-18: whatever is logged, one event is one line of JSON without a control character") {
  const LogFile file;
  const std::vector<std::string> forged = {"a\nb",
                                           "a\r\nb",
                                           "\r",
                                           "\n{\"level\":\"error\",\"event\":\"forged\"}",
                                           "\x1b[31mred\x1b[0m",
                                           "\x1b]0;title\x07",
                                           "quote \" and \\ back",
                                           "\",\"level\":\"error\",\"x\":\"",
                                           "\\",
                                           "\\\"",
                                           "\x08\x7f",
                                           "\t\v\f",
                                           std::string("nul\0nul", 7),
                                           "\xC2\x9B[31m",
                                           "\xE2\x80\xA8",
                                           "\xE2\x80\xA9",
                                           "\xFF\xFE",
                                           "\xC3",
                                           "\xED\xA0\x80",
                                           "\xF4\x90\x80\x80",
                                           "%0d%0a",
                                           "%s%n%x",
                                           "{}",
                                           "${jndi:ldap://x}",
                                           "</script>",
                                           "\xEF\xBB\xBF",
                                           std::string(9'000, '\n'),
                                           std::string(4'095, 'x') + "\xE4\xBD\xA0"};
  std::size_t events = 0;
  for (const std::string& text : forged) {
    log(Level::info, "forged_value", {{"value", text}});
    log(Level::info, text, {{"value", "x"}});
    {
      const TraceScope scope{TraceId(text)};
      log(Level::warn, "forged_trace", {{"a", text}, {"b", text}});
    }
    events += 3;
  }
  const std::vector<std::string> lines = file.lines();
  CHECK(lines.size() == events);
  for (const std::string& line : lines) {
    for (const char byte : line) CHECK(static_cast<unsigned char>(byte) >= 0x20);
    CHECK(line.find("\xC2\x9B") == std::string::npos);
    CHECK(line.find("\xE2\x80\xA8") == std::string::npos);
    const Json parsed = Json::parse(line, nullptr, false);
    REQUIRE(parsed.is_object());
    CHECK((parsed.at("level") == "info" || parsed.at("level") == "warn"));
  }
}

TEST_CASE("P-01: a number that reaches the log unmasked is masked there") {
  const LogFile file;
  log(Level::info, "told",
      {{"why", "cannot deliver to 13800138000 today"}, {"ms", std::int64_t{13800138000}}});
  REQUIRE(file.lines().size() == 1);
  CHECK(Json::parse(file.lines()[0]).at("why") == "cannot deliver to 138****8000 today");
}
