#include "server/http/front_tls.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstring>
#include <ctime>
#include <stdexcept>
#include <utility>
#include <vector>

#include "server/base/log.h"
#include "shared/check.h"

namespace topup::http {
namespace door {
namespace {

constexpr off_t kMaxPemBytes = 256 * 1024;
constexpr int kMaxChain = 10;
constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kWarnBeforeMs = 14 * kDayMs;

// Forward secrecy and authenticated encryption only. TLS 1.3 has no others.
constexpr const char* kCiphers12 = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr const char* kGroups = "X25519:P-256:P-384";
constexpr int kSecurityLevel = 2;  // 112 bits: no RSA below 2048, no SHA-1

template <auto free>
struct Freed {
  template <class T>
  void operator()(T* what) const {
    free(what);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;

struct Pair {
  std::vector<std::string> mistakes;
  std::shared_ptr<SSL_CTX> context;
  std::int64_t expires_at_ms = 0;
};

// The reason of OpenSSL's oldest error, in its words.
std::string ssl_words() {
  const unsigned long code = ERR_peek_error();
  const char* words = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return words == nullptr ? "it cannot be used" : words;
}

struct File {
  std::string path;
  std::string key;  // of the configuration
  std::string text;
  std::string named() const { return key + " " + path; }
};

// Judges what it has opened, so that nothing can be exchanged in between.
void read_file(File& file, bool is_private, std::vector<std::string>& mistakes) {
  const int handle = ::open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat about {};
  if (handle < 0 || ::fstat(handle, &about) != 0) {
    mistakes.push_back(file.named() + " cannot be read: " + std::strerror(errno));
    if (handle >= 0) ::close(handle);
    return;
  }
  if (!S_ISREG(about.st_mode) || about.st_size == 0 || about.st_size > kMaxPemBytes) {
    mistakes.push_back(file.named() + " is no PEM file");
  } else if (is_private && (about.st_mode & S_IRWXO) != 0) {
    mistakes.push_back(file.named() +
                       " is open to everybody on this machine: chmod 640, or 600, and make the key "
                       "anew if somebody else may have read it");
  } else {
    file.text.resize(static_cast<std::size_t>(about.st_size));
    const ssize_t count = ::read(handle, file.text.data(), file.text.size());
    file.text.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
    if (file.text.empty()) mistakes.push_back(file.named() + " cannot be read");
  }
  ::close(handle);
}

// Without it OpenSSL would ask for a passphrase on the terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

std::int64_t wall_ms_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return 0;
  return static_cast<std::int64_t>(::timegm(&parts)) * 1'000;
}

std::string day_of(std::int64_t wall_ms) {
  const auto seconds = static_cast<std::time_t>(wall_ms / 1'000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &parts)};
}

std::vector<Certificate> certificates_in(const std::string& text) {
  const Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  std::vector<Certificate> chain;
  while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)) {
    chain.emplace_back(next);
    if (chain.size() > kMaxChain) break;
  }
  ERR_clear_error();  // the end of the file is reported as one
  return chain;
}

void judge_dates(const File& file, const std::vector<Certificate>& chain, std::int64_t wall_ms,
                 Pair& pair) {
  pair.expires_at_ms = INT64_MAX;
  for (const Certificate& certificate : chain) {
    const std::int64_t begins = wall_ms_of(X509_get0_notBefore(certificate.get()));
    const std::int64_t ends = wall_ms_of(X509_get0_notAfter(certificate.get()));
    const std::string whose =
        file.named() + (&certificate == &chain.front() ? " " : " has an issuer that ");
    if (ends <= wall_ms) pair.mistakes.push_back(whose + "expired on " + day_of(ends));
    if (begins > wall_ms) pair.mistakes.push_back(whose + "is not valid before " + day_of(begins));
    pair.expires_at_ms = std::min(pair.expires_at_ms, ends);
  }
}

// RFC 7301 §3.2: a client that speaks other protocols only is told so.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in,
                    unsigned in_size, void*) {
  static constexpr unsigned char kOurs[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, size, kOurs, sizeof kOurs - 1, in, in_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

std::shared_ptr<SSL_CTX> new_context() {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  check(context != nullptr, "OpenSSL makes a context");
  SSL_CTX* raw = context.get();
  SSL_CTX_set_security_level(raw, kSecurityLevel);
  bool set = SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION) == 1;
  set = set && SSL_CTX_set_cipher_list(raw, kCiphers12) == 1;
  set = set && SSL_CTX_set1_groups_list(raw, kGroups) == 1;
  static constexpr unsigned char kName[] = "topup";
  set = set && SSL_CTX_set_session_id_context(raw, kName, sizeof kName - 1) == 1;
  check(set, "OpenSSL knows our settings");
  SSL_CTX_set_options(raw, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                               SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                               SSL_OP_SINGLE_ECDH_USE);
  // Sessions live in the client's ticket; a table of them here would grow with the clients.
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(raw, 1);
  SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_default_passwd_cb(raw, no_passphrase);
  SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
  return context;
}

Pair load_pair(const TlsFiles& files, std::int64_t wall_ms) {
  Pair pair;
  File certificate{files.certificate_file, "tls_certificate_file", {}};
  File key{files.key_file, "tls_key_file", {}};
  read_file(certificate, false, pair.mistakes);
  read_file(key, true, pair.mistakes);
  ERR_clear_error();
  std::vector<Certificate> chain;
  if (!certificate.text.empty()) {
    chain = certificates_in(certificate.text);
    if (chain.empty()) pair.mistakes.push_back(certificate.named() + " holds no PEM certificate");
    if (chain.size() > kMaxChain) pair.mistakes.push_back(certificate.named() + " is too long");
    judge_dates(certificate, chain, wall_ms, pair);
  }
  Key private_key;
  if (!key.text.empty()) {
    const Bio bio(BIO_new_mem_buf(key.text.data(), static_cast<int>(key.text.size())));
    private_key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
    if (!private_key) {
      const bool is_locked = key.text.find("ENCRYPTED") != std::string::npos;
      pair.mistakes.push_back(key.named() +
                              (is_locked ? " is encrypted: a key without passphrase is needed"
                                         : " holds no PEM private key"));
    }
    ERR_clear_error();
  }
  std::fill(key.text.begin(), key.text.end(), '\0');
  if (!pair.mistakes.empty()) return pair;
  auto context = new_context();
  bool taken = SSL_CTX_use_certificate(context.get(), chain.front().get()) == 1;
  for (std::size_t i = 1; taken && i < chain.size(); ++i) {
    taken = SSL_CTX_add1_chain_cert(context.get(), chain[i].get()) == 1;
  }
  if (!taken) {
    pair.mistakes.push_back(certificate.named() + " is refused: " + ssl_words());
  } else if (X509_check_private_key(chain.front().get(), private_key.get()) != 1) {
    pair.mistakes.push_back(key.named() + " is not the key of the certificate in " +
                            certificate.path);
  } else if (SSL_CTX_use_PrivateKey(context.get(), private_key.get()) != 1) {
    pair.mistakes.push_back(key.named() + " is refused: " + ssl_words());
  }
  ERR_clear_error();
  if (pair.mistakes.empty()) pair.context = std::move(context);
  return pair;
}

std::string joined(const std::vector<std::string>& mistakes) {
  std::string all;
  for (const std::string& mistake : mistakes) all += (all.empty() ? "" : "; ") + mistake;
  return all;
}

// Changes whenever a file is written or another takes its name, also behind a symbolic link.
std::string look_of(const TlsFiles& files) {
  std::string look;
  for (const std::string& path : {files.certificate_file, files.key_file}) {
    struct stat about {};
    if (::stat(path.c_str(), &about) != 0) {
      look += "absent ";
      continue;
    }
    for (const auto number :
         {static_cast<std::int64_t>(about.st_dev), static_cast<std::int64_t>(about.st_ino),
          static_cast<std::int64_t>(about.st_size), static_cast<std::int64_t>(about.st_mode),
          static_cast<std::int64_t>(about.st_mtim.tv_sec),
          static_cast<std::int64_t>(about.st_mtim.tv_nsec)}) {
      look += std::to_string(number) + " ";
    }
  }
  return look;
}

std::string_view handshake_failure() {
  const unsigned long code = ERR_peek_error();
  if (code == 0) return "client_ended";
  switch (ERR_GET_REASON(code)) {
    case SSL_R_HTTP_REQUEST:
      return TlsSession::kPlainHttp;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
      return "version_refused";
    case SSL_R_NO_SHARED_CIPHER:
      return "no_shared_cipher";
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_UNEXPECTED_MESSAGE:
    case SSL_R_HTTPS_PROXY_REQUEST:
      return "not_tls";
    case SSL_R_NO_APPLICATION_PROTOCOL:
      return "protocol_refused";
    default:
      return "client_refused";
  }
}

}  // namespace

// OpenSSL's own socket methods raise SIGPIPE, and would go on with a number that the system has
// given to another connection meanwhile.
struct SocketBio {
  static TlsSession& session(BIO* bio) { return *static_cast<TlsSession*>(BIO_get_data(bio)); }

  static bool is_early(ssize_t count) {
    return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
  }
  static int read(BIO* bio, char* to, int size) {
    BIO_clear_retry_flags(bio);
    if (session(bio).socket_ < 0) return -1;
    const ssize_t count = ::recv(session(bio).socket_, to, static_cast<std::size_t>(size), 0);
    if (is_early(count)) BIO_set_retry_read(bio);
    return static_cast<int>(count);
  }
  static int write(BIO* bio, const char* from, int size) {
    BIO_clear_retry_flags(bio);
    if (session(bio).socket_ < 0) return -1;
    const ssize_t count =
        ::send(session(bio).socket_, from, static_cast<std::size_t>(size), MSG_NOSIGNAL);
    if (is_early(count)) BIO_set_retry_write(bio);
    return static_cast<int>(count);
  }
  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      BIO_METHOD* fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "door");
      check(fresh != nullptr, "OpenSSL makes a method");
      BIO_meth_set_read(fresh, read);
      BIO_meth_set_write(fresh, write);
      BIO_meth_set_ctrl(fresh, control);
      return fresh;
    }();
    return made;
  }
};

TlsSession::TlsSession(const std::shared_ptr<SSL_CTX>& context, int socket)
    : context_(context), ssl_(SSL_new(context.get())), socket_(socket) {
  BIO* bio = ssl_ == nullptr ? nullptr : BIO_new(SocketBio::method());
  if (bio == nullptr) {
    SSL_free(ssl_);
    throw std::bad_alloc();
  }
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  SSL_set_accept_state(ssl_);
}

TlsSession::~TlsSession() { SSL_free(ssl_); }

TlsSession::Step TlsSession::outcome(int result) {
  if (result > 0) return Step::done;
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
      return Step::want_read;
    case SSL_ERROR_WANT_WRITE:
      return Step::want_write;
    case SSL_ERROR_ZERO_RETURN:
      return Step::ended;
    default:
      return Step::failed;
  }
}

TlsSession::Step TlsSession::handshake() {
  ERR_clear_error();
  const Step step = outcome(SSL_do_handshake(ssl_));
  if (step == Step::failed || step == Step::ended) {
    failure_ = handshake_failure();
    ERR_clear_error();
    is_finished_ = true;
    return Step::failed;
  }
  return step;
}

TlsSession::Step TlsSession::read(void* to, std::size_t size, std::size_t* count) {
  *count = 0;
  if (socket_ < 0) return Step::failed;
  if (is_finished_) {
    const ssize_t raw = ::recv(socket_, to, size, 0);
    if (SocketBio::is_early(raw)) return Step::want_read;
    if (raw <= 0) return Step::ended;
    *count = static_cast<std::size_t>(raw);
    return Step::done;
  }
  ERR_clear_error();
  return outcome(SSL_read_ex(ssl_, to, size, count));
}

TlsSession::Step TlsSession::write(const void* from, std::size_t size, std::size_t* count) {
  *count = 0;
  if (socket_ < 0 || is_finished_) return Step::failed;
  if (size == 0) return Step::done;
  ERR_clear_error();
  return outcome(SSL_write_ex(ssl_, from, size, count));
}

void TlsSession::finish() {
  if (std::exchange(is_finished_, true) || socket_ < 0) return;
  ERR_clear_error();
  if (SSL_is_init_finished(ssl_) == 1) SSL_shutdown(ssl_);
  ERR_clear_error();
}

void TlsSession::forget_socket() { socket_ = -1; }

Certificates::Certificates(TlsFiles files, std::int64_t look_ms,
                           std::function<void(std::int64_t)> loaded)
    : files_(std::move(files)), look_ms_(look_ms), loaded_(std::move(loaded)) {
  seen_ = look_of(files_);
  Pair pair = load_pair(files_, clock_.wall_ms());
  if (!pair.context) throw std::runtime_error(joined(pair.mistakes));
  context_ = std::move(pair.context);
  expires_at_ms_ = pair.expires_at_ms;
  loaded_(expires_at_ms_);
  warn_before_end();
  watcher_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
}

Certificates::~Certificates() {
  watcher_.request_stop();
  if (watcher_.joinable()) watcher_.join();
}

std::unique_ptr<TlsSession> Certificates::session(int socket) const {
  std::shared_ptr<SSL_CTX> context;
  {
    const std::lock_guard lock(mutex_);
    context = context_;
  }
  return std::make_unique<TlsSession>(context, socket);
}

std::int64_t Certificates::expires_at_ms() const {
  const std::lock_guard lock(mutex_);
  return expires_at_ms_;
}

void Certificates::reload() {
  const std::lock_guard reloading(reloading_);
  // Before they are read: what changes while they are read is seen the next time.
  seen_ = look_of(files_);
  Pair pair = load_pair(files_, clock_.wall_ms());
  if (!pair.context) {
    base::log(base::Level::error, "tls_certificate_refused",
              {{"why", joined(pair.mistakes)}, {"in_use_until", day_of(expires_at_ms())}});
    return;
  }
  const std::int64_t expires_at_ms = pair.expires_at_ms;
  {
    const std::lock_guard lock(mutex_);
    context_.swap(pair.context);
    expires_at_ms_ = expires_at_ms;
  }
  warned_at_ms_ = 0;
  base::log(base::Level::info, "tls_certificate_loaded", {{"until", day_of(expires_at_ms)}});
  loaded_(expires_at_ms);
}

void Certificates::warn_before_end() {
  const std::int64_t now = clock_.wall_ms();
  const std::int64_t ends = expires_at_ms();
  if (ends - now > kWarnBeforeMs || now - warned_at_ms_ < kDayMs) return;
  warned_at_ms_ = now;
  base::log(base::Level::warn, "tls_certificate_ends",
            {{"until", day_of(ends)}, {"days", (ends - now) / kDayMs}});
}

void Certificates::watch(const std::stop_token& stop) {
  std::mutex mutex;
  std::unique_lock hold(mutex);
  while (!stopped_.wait_for(hold, stop, std::chrono::milliseconds(look_ms_),
                            [&stop] { return stop.stop_requested(); })) {
    bool is_new = false;
    {
      const std::lock_guard reloading(reloading_);
      is_new = look_of(files_) != seen_;
      if (!is_new) warn_before_end();
    }
    if (is_new) reload();
  }
}

}  // namespace door

std::vector<std::string> tls_mistakes(const TlsFiles& files, std::int64_t wall_ms) {
  return door::load_pair(files, wall_ms).mistakes;
}

}  // namespace topup::http
