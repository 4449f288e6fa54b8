// Outbound https against a far side of the `openssl` program, with certificates made on the spot.

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "server/base/http_client.h"

using namespace topup::base;
using Kind = OutboundReply::Kind;

namespace {

using Words = std::vector<std::string>;

// Starts `openssl <words>`, its standard output being `output`, or nothing if that is negative.
pid_t start_openssl(const Words& words, int output = -1) {
  std::vector<char*> arguments = {const_cast<char*>("openssl")};
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  REQUIRE(nothing >= 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(nothing, STDIN_FILENO);
    dup2(output >= 0 ? output : nothing, STDOUT_FILENO);
    dup2(nothing, STDERR_FILENO);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  close(nothing);
  REQUIRE(child > 0);
  return child;
}

class Certificate {  // self-signed for one host name, in a folder of its own
 public:
  explicit Certificate(const std::string& host) {
    char name[] = "/tmp/topup_tls_test.XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    folder_ = name;
    int status = -1;
    const pid_t child = start_openssl({"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
                                       "2", "-keyout", key(), "-out", file(), "-subj",
                                       "/CN=" + host, "-addext", "subjectAltName=DNS:" + host});
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(status == 0);
  }
  ~Certificate() { std::filesystem::remove_all(folder_); }
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;
  std::string key() const { return folder_ + "/key.pem"; }
  std::string file() const { return folder_ + "/cert.pem"; }

 private:
  std::string folder_;
};

class TlsFarSide {  // answers every request with a page about the connection
 public:
  explicit TlsFarSide(const Certificate& certificate, const Words& more = {}) {
    int ends[2] = {};
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    Words words = {"s_server",        "-accept", "127.0.0.1:0",      "-key",
                   certificate.key(), "-cert",   certificate.file(), "-www"};
    words.insert(words.end(), more.begin(), more.end());
    child_ = start_openssl(words, ends[1]);
    close(ends[1]);
    read_port(ends[0]);
    output_ = ends[0];
  }
  ~TlsFarSide() {
    kill(child_, SIGTERM);
    waitpid(child_, nullptr, 0);
    close(output_);
  }
  TlsFarSide(const TlsFarSide&) = delete;
  TlsFarSide& operator=(const TlsFarSide&) = delete;
  std::string origin() const { return "https://localhost:" + port_; }

 private:
  void read_port(int output) {  // from its line "ACCEPT 127.0.0.1:43210"
    std::string said;
    char byte = 0;
    while (said.find("ACCEPT ") == std::string::npos || said.back() != '\n') {
      REQUIRE(read(output, &byte, 1) == 1);
      said += byte;
    }
    port_ = said.substr(said.rfind(':') + 1);
    port_.pop_back();
  }

  pid_t child_ = -1;
  int output_ = -1;
  std::string port_;
};

class TrustedFile {  // what OpenSSL takes for the system's authorities, while it lives
 public:
  explicit TrustedFile(const std::string& path) { setenv("SSL_CERT_FILE", path.c_str(), 1); }
  ~TrustedFile() { unsetenv("SSL_CERT_FILE"); }
  TrustedFile(const TrustedFile&) = delete;
  TrustedFile& operator=(const TrustedFile&) = delete;
};

OutboundReply fetch(const std::string& origin) {
  OutboundRequest request;
  request.method = "GET";
  request.target = "/";
  return make_outbound("test", origin)->call(request);
}

void check_refused(const OutboundReply& reply) {
  CHECK(reply.kind == Kind::not_sent);
  CHECK(reply.failure == "tls_failed");
}

}  // namespace

TEST_CASE("https reaches a host whose certificate is trusted and names it") {
  const Certificate certificate("localhost");
  const TlsFarSide far(certificate);
  const TrustedFile trusted(certificate.file());
  const OutboundReply reply = fetch(far.origin());
  CHECK(reply.kind == Kind::answered);
  CHECK(reply.status == 200);
  CHECK(reply.body.find("TLSv1.3") != std::string::npos);
}

TEST_CASE("https refuses a certificate that nobody trusted has signed") {
  const Certificate certificate("localhost");
  const TlsFarSide far(certificate);
  check_refused(fetch(far.origin()));
}

TEST_CASE("https refuses a trusted certificate of another host") {
  const Certificate certificate("elsewhere.example");
  const TlsFarSide far(certificate);
  const TrustedFile trusted(certificate.file());
  check_refused(fetch(far.origin()));
}

TEST_CASE("https refuses a protocol older than TLS 1.2") {
  const Certificate certificate("localhost");
  const TrustedFile trusted(certificate.file());
  const Words weak = {"-cipher", "ALL:@SECLEVEL=0"};
  for (const char* version : {"-tls1", "-tls1_1"}) {
    CAPTURE(version);
    Words more = weak;
    more.push_back(version);
    const TlsFarSide far(certificate, more);
    check_refused(fetch(far.origin()));
  }
  const TlsFarSide newer(certificate, {"-tls1_2"});
  CHECK(fetch(newer.origin()).kind == Kind::answered);
}
