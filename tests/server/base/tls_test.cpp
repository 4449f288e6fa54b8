// Outbound https against a far side of the `openssl` program, with certificates made on the spot.

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "server/base/client_certificate.h"
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

void run_openssl(const Words& words) {
  int status = -1;
  const pid_t child = start_openssl(words);
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
}

class Folder {
 public:
  Folder() {
    char name[] = "/tmp/topup_tls_test.XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

class Certificate {  // self-signed for one host name, in a folder of its own
 public:
  explicit Certificate(const std::string& host, const std::string& key_kind = "rsa:2048") {
    run_openssl({"req", "-x509", "-newkey", key_kind, "-nodes", "-days", "2", "-keyout", key(),
                 "-out", file(), "-subj", "/CN=" + host, "-addext", "subjectAltName=DNS:" + host});
  }
  std::string key() const { return folder_.file("key.pem"); }
  std::string file() const { return folder_.file("cert.pem"); }

 private:
  Folder folder_;
};

// An authority and what it has signed.
class Authority {
 public:
  explicit Authority(const std::string& name) {
    run_openssl({"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout",
                 folder_.file("ca.key"), "-out", file(), "-subj", "/CN=" + name});
  }
  std::string file() const { return folder_.file("ca.pem"); }
  std::string key() const { return folder_.file("leaf.key"); }

  // A certificate for localhost that ended yesterday.
  std::string expired() {
    return signed_for_localhost("expired", "20200101000000Z", "20200102000000Z");
  }
  std::string client() {  // for a key of its own
    return signed_for_localhost("client", "20200101000000Z", "20991231000000Z");
  }
  std::string good() { return signed_for_localhost("good", "20200101000000Z", "20991231000000Z"); }

 private:
  // `openssl ca` is the one command that takes both dates.
  std::string signed_for_localhost(const std::string& name, const char* from, const char* until) {
    std::filesystem::create_directory(folder_.file(name));
    std::ofstream(folder_.file(name + "/index.txt"));
    std::ofstream(folder_.file(name + "/serial")) << "01\n";
    std::ofstream(folder_.file(name + ".cnf"))
        << "[ca]\ndefault_ca=one\n[one]\ndatabase=" << folder_.file(name + "/index.txt")
        << "\nserial=" << folder_.file(name + "/serial") << "\nnew_certs_dir=" << folder_.file(name)
        << "\ndefault_md=sha256\npolicy=any\nx509_extensions=leaf\n"
        << "[any]\ncommonName=supplied\n[leaf]\nsubjectAltName=DNS:localhost\n";
    run_openssl({"req", "-newkey", "rsa:2048", "-nodes", "-keyout", key(), "-out",
                 folder_.file(name + ".csr"), "-subj", "/CN=localhost"});
    run_openssl({"ca", "-batch", "-config", folder_.file(name + ".cnf"), "-cert", file(),
                 "-keyfile", folder_.file("ca.key"), "-in", folder_.file(name + ".csr"), "-out",
                 folder_.file(name + ".pem"), "-startdate", from, "-enddate", until, "-notext"});
    return folder_.file(name + ".pem");
  }

  Folder folder_;
};

class TlsFarSide {  // answers every request with a page about the connection
 public:
  explicit TlsFarSide(const Certificate& certificate, const Words& more = {})
      : TlsFarSide(certificate.key(), certificate.file(), more) {}
  TlsFarSide(const std::string& key, const std::string& certificate, const Words& more = {}) {
    int ends[2] = {};
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    Words words = {"s_server", "-accept", "127.0.0.1:0", "-key", key, "-cert", certificate, "-www"};
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

OutboundReply fetch(const std::string& origin, const std::string& ca_file = "") {
  OutboundRequest request;
  request.method = "GET";
  request.target = "/";
  OutboundOptions options;
  options.ca_file = ca_file;
  return make_outbound("test", origin, options)->call(request);
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

TEST_CASE("S-02: with a pinned authority its certificates pass and no others, in eight forms") {
  Authority pinned("pinned authority");
  Authority other("another authority");
  const std::string good = pinned.good();
  const TlsFarSide far(pinned.key(), good);
  CHECK(fetch(far.origin(), pinned.file()).kind == Kind::answered);
  // 1: an authority nobody has heard of, neither pinned nor the system's.
  check_refused(fetch(far.origin()));
  check_refused(fetch(far.origin(), other.file()));
  {  // 2: the system trusts it, the pin does not: the pin stands instead, not besides.
    const TrustedFile trusted(pinned.file());
    CHECK(fetch(far.origin()).kind == Kind::answered);
    check_refused(fetch(far.origin(), other.file()));
  }
  // 3: a pin that is no file, and one that holds no certificate.
  check_refused(fetch(far.origin(), "/no/such/ca.pem"));
  check_refused(fetch(far.origin(), "/dev/null"));
  {  // 4: expired, by the right authority.
    const std::string expired = pinned.expired();
    const TlsFarSide late(pinned.key(), expired);
    check_refused(fetch(late.origin(), pinned.file()));
  }
  {  // 5: self-signed for the right name.
    const Certificate own("localhost");
    const TlsFarSide self(own);
    check_refused(fetch(self.origin(), pinned.file()));
    CHECK(fetch(self.origin(), own.file()).kind == Kind::answered);
  }
  {  // 6: pinned, but of another host.
    const Certificate elsewhere("elsewhere.example");
    const TlsFarSide stranger(elsewhere);
    check_refused(fetch(stranger.origin(), elsewhere.file()));
  }
  {  // 7: the right certificate over TLS 1.0 and 1.1.
    const Certificate own("localhost");
    for (const char* version : {"-tls1", "-tls1_1"}) {
      CAPTURE(version);
      const TlsFarSide old(own, {"-cipher", "ALL:@SECLEVEL=0", version});
      check_refused(fetch(old.origin(), own.file()));
    }
  }
  {  // 8: a key too short to trust, and a suite without encryption.
    const Certificate weak("localhost", "rsa:1024");
    const TlsFarSide far_weak(weak, {"-cipher", "ALL:@SECLEVEL=0"});
    check_refused(fetch(far_weak.origin(), weak.file()));
    const Certificate own("localhost");
    const TlsFarSide open(own, {"-tls1_2", "-cipher", "NULL-SHA256:@SECLEVEL=0"});
    check_refused(fetch(open.origin(), own.file()));
  }
}

TEST_CASE(
    "S-02, F032: a party that wants a certificate of ours is shown the right one or nothing") {
  Authority theirs("their authority"), ours("an authority they trust for us"), other("another");
  const std::string server = theirs.good(), client = ours.client(), foreign = other.client();
  // -Verify: without a certificate that this authority signed there is no conversation.
  const TlsFarSide far(theirs.key(), server,
                       {"-Verify", "2", "-verify_return_error", "-CAfile", ours.file()});
  const auto ask = [&](const ClientCertificate& certificate) {
    OutboundRequest request;
    request.method = "GET";
    request.target = "/";
    OutboundOptions options;
    options.ca_file = theirs.file();
    return make_outbound("test", far.origin(), options, certificate)->call(request);
  };
  const OutboundReply shown = ask({client, ours.key()});
  CHECK(shown.kind == Kind::answered);
  CHECK(shown.body.find("an authority they trust for us") != std::string::npos);
  CHECK(ask({}).kind != Kind::answered);
  CHECK(ask({foreign, other.key()}).kind != Kind::answered);
  // A pair that cannot be used sends nothing at all, with or without a certificate.
  for (const ClientCertificate& unusable :
       {ClientCertificate{client, other.key()}, ClientCertificate{client, "/no/such/key.pem"},
        ClientCertificate{"/no/such/certificate.pem", ours.key()}, ClientCertificate{client, ""},
        ClientCertificate{"", ours.key()}}) {
    const OutboundReply reply = ask(unusable);
    CHECK(reply.kind == Kind::not_sent);
    CHECK(reply.failure == "client_certificate_unusable");
  }
  CHECK(ask({client, ours.key()}).kind == Kind::answered);
}
