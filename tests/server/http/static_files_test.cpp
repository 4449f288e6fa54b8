#include "server/http/static_files.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "tests/server/http/wire_client.h"

namespace topup::http {
namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "topup_static_XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  void write(const std::string& name, const std::string& bytes) const {
    fs::create_directories((path / name).parent_path());
    std::ofstream(path / name, std::ios::binary) << bytes;
  }
};

std::string ask(const StaticFiles& files, const std::string& target,
                std::vector<std::pair<std::string, std::string>> headers = {},
                const char* method = "GET") {
  WireRequest request;
  request.method = method;
  request.target = target;
  request.headers = std::move(headers);
  return files.answer(request).value_or("");
}

std::string tag_in(const std::string& answer) {
  const std::size_t at = answer.find("ETag: ") + 6;
  return answer.substr(at, answer.find("\r\n", at) - at);
}

TEST_CASE("static files: each kind has its type, its caching and the safety headers") {
  const Folder folder;
  folder.write("index.html", "<p>client");
  folder.write("assets/app-1a2b3c4d.js", "js");
  folder.write("static/topup.wasm", "wasm");
  folder.write("manifest.webmanifest", "{}");
  folder.write("\xE4\xB8\xAD.txt", "zh");
  StaticFiles files;
  files.mount("/", folder.path, false, "default-src 'self'");
  struct Row {
    const char* target;
    const char* type;
    const char* caching;
  };
  constexpr Row rows[] = {
      {"/", "text/html; charset=utf-8", "no-cache"},
      {"/index.html", "text/html; charset=utf-8", "no-cache"},
      {"/index.html?from=menu", "text/html; charset=utf-8", "no-cache"},
      {"/assets/app-1a2b3c4d.js", "text/javascript; charset=utf-8",
       "public, max-age=31536000, immutable"},
      {"/static/topup.wasm", "application/wasm", "no-cache"},
      {"/manifest.webmanifest", "application/manifest+json", "no-cache"},
      {"/%E4%B8%AD.txt", "text/plain; charset=utf-8", "no-cache"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.target);
    const std::string answer = ask(files, row.target);
    CHECK(status_of_answer(answer) == 200);
    CHECK(has(answer, std::string("Content-Type: ") + row.type + "\r\n"));
    CHECK(has(answer, std::string("Cache-Control: ") + row.caching + "\r\n"));
    CHECK(has(answer, "X-Content-Type-Options: nosniff\r\n"));
    CHECK(has(answer, "Content-Security-Policy") ==
          (std::string_view(row.type).starts_with("text/html")));
  }
  CHECK(body_of(ask(files, "/")) == "<p>client");
  const std::string head = ask(files, "/", {}, "HEAD");
  CHECK(has(head, "Content-Length: 9\r\n"));
  CHECK(body_of(head).empty());
}

TEST_CASE(
    "static files: nothing outside the folder is served, nor what is hidden or linked in it") {
  const Folder folder;
  const Folder outside;
  outside.write("secret.txt", "secret");
  folder.write("a.txt", "a");
  folder.write(".hidden", "hidden");
  folder.write(".git/config", "hidden");
  fs::create_symlink(outside.path / "secret.txt", folder.path / "link.txt");
  fs::create_directory_symlink(outside.path, folder.path / "linked");
  StaticFiles files;
  files.mount("/", folder.path, false, "");
  CHECK(files.count() == 1);
  CHECK(status_of_answer(ask(files, "/a.txt")) == 200);
  for (const char* target : {"/link.txt",
                             "/linked/secret.txt",
                             "/.hidden",
                             "/.git/config",
                             "/../a.txt",
                             "/x/../a.txt",
                             "/%2e%2e/a.txt",
                             "/%252e%252e/a.txt",
                             "/..%2fa.txt",
                             "/..\\a.txt",
                             "//a.txt",
                             "/./a.txt",
                             "/a.txt/",
                             "/a.txt%00.html",
                             "/a.txt;x",
                             "/A.TXT",
                             "/%c0%ae%c0%ae/a.txt",
                             "/",
                             "/a",
                             "/etc/passwd",
                             "/dev/null"}) {
    CAPTURE(target);
    CHECK(ask(files, target).empty());
  }
}

TEST_CASE("static files: a known tag is answered by 304") {
  const Folder folder;
  folder.write("a.txt", "a");
  StaticFiles files;
  files.mount("/", folder.path, false, "");
  const std::string tag = tag_in(ask(files, "/a.txt"));
  for (const std::string& asked : {tag, "W/" + tag, "\"x\", " + tag, std::string("*")}) {
    CAPTURE(asked);
    const std::string answer = ask(files, "/a.txt", {{"if-none-match", asked}});
    CHECK(status_of_answer(answer) == 304);
    CHECK(tag_in(answer) == tag);
    CHECK(body_of(answer).empty());
    CHECK_FALSE(has(answer, "Content-Length"));
  }
  CHECK(status_of_answer(ask(files, "/a.txt", {{"if-none-match", "\"other\""}})) == 200);
}

TEST_CASE("static files: the Brotli form goes to those who read it") {
  const Folder folder;
  folder.write("app.js", "plain text");
  folder.write("app.js.br", "packed");
  folder.write("alone.br", "alone");
  StaticFiles files;
  files.mount("/", folder.path, false, "");
  const std::string plain = ask(files, "/app.js");
  CHECK(body_of(plain) == "plain text");
  CHECK(has(plain, "Vary: Accept-Encoding"));
  CHECK_FALSE(has(plain, "Content-Encoding"));
  for (const char* accepted : {"br", "gzip, deflate, br", "gzip;q=1.0, br;q=0.5"}) {
    CAPTURE(accepted);
    const std::string packed = ask(files, "/app.js", {{"accept-encoding", accepted}});
    CHECK(body_of(packed) == "packed");
    CHECK(has(packed, "Content-Encoding: br"));
    CHECK(has(packed, "Content-Type: text/javascript"));
    CHECK(has(packed, "Vary: Accept-Encoding"));
    CHECK(tag_in(packed) != tag_in(plain));
  }
  for (const char* accepted : {"gzip", "br;q=0", "brotli", "*"}) {
    CAPTURE(accepted);
    CHECK(body_of(ask(files, "/app.js", {{"accept-encoding", accepted}})) == "plain text");
  }
  CHECK(ask(files, "/app.js.br").empty());
  CHECK(body_of(ask(files, "/alone.br")) == "alone");
}

TEST_CASE("static files: the console's deep links get its first page, the client's do not") {
  const Folder client;
  const Folder console;
  client.write("index.html", "client");
  console.write("index.html", "console");
  console.write("assets/a.js", "js");
  StaticFiles files;
  files.mount("/", client.path, false, "client-policy");
  files.mount("/admin/", console.path, true, "console-policy");
  for (const char* target : {"/admin", "/admin/", "/admin/orders", "/admin/orders/42",
                             "/admin/index.html", "/admin/reconcile/wechat.2026-11-22"}) {
    CAPTURE(target);
    CHECK(body_of(ask(files, target)) == "console");
    CHECK(has(ask(files, target), "Content-Security-Policy: console-policy"));
  }
  CHECK(body_of(ask(files, "/")) == "client");
  CHECK(has(ask(files, "/"), "Content-Security-Policy: client-policy"));
  CHECK(body_of(ask(files, "/admin/assets/a.js")) == "js");
  for (const char* target :
       {"/administrator", "/admin/nothing.js", "/admin/a.", "/orders", "/admin//", "/Admin"}) {
    CAPTURE(target);
    CHECK(ask(files, target).empty());
  }
}

TEST_CASE("F081: one page may be framed by this server's own pages, at its own path alone") {
  const Folder folder;
  folder.write("index.html", "<p>client");
  folder.write("index.html.br", "packed");
  StaticFiles files;
  files.mount("/", folder.path, false, "default-src 'self'; frame-ancestors 'none'");
  files.add_framed("/preview", "/index.html");
  files.add_framed("/elsewhere", "/nothing.html");
  for (const char* target : {"/", "/index.html"}) {
    const std::string answer = ask(files, target);
    CHECK(answer.find("X-Frame-Options: DENY\r\n") != std::string::npos);
    CHECK(answer.find("frame-ancestors 'none'") != std::string::npos);
  }
  for (const char* coding : {"", "br"}) {
    const std::string answer = ask(files, "/preview?x=1", {{"accept-encoding", coding}});
    CHECK(answer.find("X-Frame-Options: SAMEORIGIN\r\n") != std::string::npos);
    CHECK(answer.find("default-src 'self'; frame-ancestors 'self'\r\n") != std::string::npos);
    CHECK(answer.ends_with(*coding == '\0' ? "<p>client" : "packed"));
  }
  CHECK(ask(files, "/elsewhere").empty());
  CHECK(ask(files, "/preview/").empty());
}

TEST_CASE("F082: the first page is that of the theme, where the build has one") {
  const Folder folder;
  folder.write("index.html", "plain");
  folder.write("index.plum.html", "plum");
  StaticFiles files;
  files.mount("/", folder.path, false, "frame-ancestors 'none'");
  WireRequest request;
  request.method = "GET";
  request.target = "/?from=link";
  CHECK(files.answer(request)->ends_with("plain"));
  CHECK(files.answer(request, "plum")->ends_with("plum"));
  CHECK(files.answer(request, "neon")->ends_with("plain"));
  CHECK(tag_in(*files.answer(request, "plum")) != tag_in(*files.answer(request)));
  request.target = "/index.html";
  CHECK(files.answer(request, "plum")->ends_with("plain"));
}

TEST_CASE("static files: a missing folder or too many bytes are refused at start") {
  const Folder folder;
  StaticFiles files;
  CHECK_THROWS_AS(files.mount("/", (folder.path / "none").string(), false, ""), std::runtime_error);
  folder.write("big", "");
  fs::resize_file(folder.path / "big", kMaxStaticBytes + 1);
  CHECK_THROWS_AS(files.mount("/", folder.path, false, ""), std::runtime_error);
}

TEST_CASE("static files: a build hash in a name is told from a word") {
  struct Row {
    const char* path;
    bool hashed;
  };
  constexpr Row rows[] = {
      {"/assets/index-1a2b3c4d.js", true},
      {"/assets/index.1a2b3c4d.css", true},
      {"/assets/index-DiwrgTda.js", true},
      {"/assets/index-B_x-9aZq.js", true},
      {"/a.0123456789abcdef.wasm", true},
      {"/index.html", false},
      {"/service-worker.js", false},
      {"/price-validation.js", false},
      {"/assets/app-1a2b3c.js", false},
      {"/1a2b3c4d/app.js", false},
      {"/topup.wasm", false},
      {"/index-1a2b3c4d", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.path);
    CHECK(has_hash(row.path) == row.hashed);
  }
}

}  // namespace
}  // namespace topup::http
