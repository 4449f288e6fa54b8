// A TLS client of a few lines for tests, and certificates made on the spot by the openssl command.
#pragma once

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

#include "tests/server/http/wire_client.h"
#include "tests/support/scratch_shop.h"

namespace topup::http {

// A folder with certificates of one day for shop.example, each named by its common name.
class Papers {
 public:
  // Makes NAME.pem and NAME.key; `key` is what `openssl req -newkey` takes.
  void make(const std::string& name, const std::string& key = "ec -pkeyopt ec_paramgen_curve:P-256",
            const std::string& more = "-nodes") {
    run("openssl req -x509 -newkey " + key + " " + more + " -days 30 -subj /CN=" + name +
        " -addext subjectAltName=DNS:shop.example -keyout " + file(name + ".key") + " -out " +
        file(name + ".pem"));
  }
  std::string file(const std::string& name) const { return folder_.file(name); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(file(name), std::ios::binary | std::ios::trunc) << text;
  }
  std::string read(const std::string& name) const {
    std::ifstream in(file(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  // As certbot does it: the new file takes the old one's name.
  void replace(const std::string& name, const std::string& by) const {
    write(name + ".new", read(by));
    ::chmod(file(name + ".new").c_str(), 0600);
    std::filesystem::rename(file(name + ".new"), file(name));
  }

 private:
  static void run(const std::string& command) {
    if (std::system((command + " 2>/dev/null").c_str()) != 0) {
      throw std::runtime_error("failed: " + command);
    }
  }
  testing::ScratchFolder folder_;
};

struct TlsWish {
  int min_version = TLS1_2_VERSION;
  int max_version = TLS1_3_VERSION;
  const char* ciphers12 = nullptr;
  std::string protocol;  // for ALPN; "" for none
  SSL_SESSION* session = nullptr;
};

class TlsClient {
 public:
  explicit TlsClient(std::uint16_t port, const TlsWish& wish = {})
      : wire_(port), context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
    const timeval patience{kPatienceMs / 1'000, 0};
    ::setsockopt(wire_.handle(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    SSL_CTX_set_security_level(context_.get(), 0);
    SSL_CTX_set_min_proto_version(context_.get(), wish.min_version);
    SSL_CTX_set_max_proto_version(context_.get(), wish.max_version);
    if (wish.ciphers12 != nullptr) SSL_CTX_set_cipher_list(context_.get(), wish.ciphers12);
    ssl_.reset(SSL_new(context_.get()));
    if (!wish.protocol.empty()) {
      const std::string list = static_cast<char>(wish.protocol.size()) + wish.protocol;
      SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(list.data()),
                          static_cast<unsigned>(list.size()));
    }
    if (wish.session != nullptr) SSL_set_session(ssl_.get(), wish.session);
    SSL_set_fd(ssl_.get(), wire_.handle());
    is_open_ = SSL_connect(ssl_.get()) == 1;
  }

  bool is_open() const { return is_open_; }
  std::string version() const { return SSL_get_version(ssl_.get()); }
  std::string cipher() const { return SSL_get_cipher(ssl_.get()); }
  SSL* raw() const { return ssl_.get(); }
  std::string common_name() const {
    const std::unique_ptr<X509, decltype(&X509_free)> peer(SSL_get1_peer_certificate(ssl_.get()),
                                                           X509_free);
    char name[64] = {};
    if (!peer) return {};
    X509_NAME_get_text_by_NID(X509_get_subject_name(peer.get()), NID_commonName, name, sizeof name);
    return name;
  }
  std::string chosen_protocol() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }

  bool send(const std::string& bytes) {
    return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) ==
           static_cast<int>(bytes.size());
  }
  // As WireClient::answer().
  std::string answer() {
    std::size_t end = 0;
    while ((end = in_.find("\r\n\r\n")) == std::string::npos) {
      if (!receive()) return {};
    }
    const std::size_t at = in_.substr(0, end).find("Content-Length: ");
    const std::size_t length =
        at == std::string::npos ? 0 : std::strtoul(in_.c_str() + at + 16, nullptr, 10);
    return take(end + 4 + length);
  }
  std::string take(std::size_t count) {
    while (in_.size() < count && receive()) {
    }
    std::string bytes = in_.substr(0, count);
    in_.erase(0, bytes.size());
    return bytes;
  }
  // Nothing more comes, and the other side has said so by a close_notify.
  bool is_closed_in_order() {
    while (receive()) {
    }
    return in_.empty() && (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
  }

 private:
  bool receive() {
    char bytes[16'384];
    const int count = SSL_read(ssl_.get(), bytes, sizeof bytes);
    if (count <= 0) return false;
    in_.append(bytes, static_cast<std::size_t>(count));
    return true;
  }

  WireClient wire_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, SSL_free};
  std::string in_;
  bool is_open_ = false;
};

}  // namespace topup::http
