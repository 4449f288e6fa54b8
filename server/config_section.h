// Reads typed keys of one section of the configuration and remembers what was wrong and which keys
// were known. The last argument of each reader says what the key means. Not thread-safe.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "server/config.h"

namespace topup {

// While it points somewhere nothing is read: each section and key describes itself there instead,
// with the default that stands in the structure. So what is documented is what is read.
std::vector<ConfigSection>*& described_sections();
// While it points somewhere each text that is read is noted there: see config_texts().
std::vector<ConfigValue>*& noted_config_texts();

class Section {
 public:
  Section(const toml::table& root, std::string name, std::vector<std::string>* mistakes,
          const char* meaning = "");

  bool present() const;
  void text(const char* key, std::string* out, const char* meaning) {
    text(key, out, false, meaning);
  }
  void text(const char* key, std::string* out, bool required = false, const char* meaning = "");
  void integer(const char* key, std::int64_t min, std::int64_t max, std::int64_t* out,
               const char* meaning = "");
  // ["a", "b"]; in the environment a,b.
  void texts(const char* key, std::vector<std::string>* out, const char* meaning = "");
  void boolean(const char* key, bool* out, const char* meaning = "");
  // The key names a file; its content, without blanks at the end, is the value.
  void file(const char* key, std::string* out, bool required = true, const char* meaning = "");
  // The key names a PEM file of authorities, which is read when a connection is made.
  void authorities(const char* key, std::string* out, const char* meaning = "");
  // ca_file, and client_certificate_file with client_key_file: both or neither.
  void tls(TlsSection* out);
  void reject_unknown();

 private:
  const toml::node* find(const char* key) const {
    return table_ == nullptr ? nullptr : table_->get(key);
  }
  // Notes the key as known. True when it was only to be described.
  bool is_described(const char* key, const char* kind, std::string default_value, std::string range,
                    bool is_needed, const char* meaning);
  static bool has_described(const std::string& key);
  static void describe(ConfigKey key);
  std::optional<std::string> override_of(const char* key) const;
  void mistake(const char* key, const std::string& what) {
    mistakes_->push_back("[" + name_ + "] " + key + " " + what);
  }

  const toml::table* table_;
  std::string name_;
  std::vector<std::string>* mistakes_;
  std::set<std::string> known_;
};

// Readers that stand in files of their own (config_payments.cpp).
void read_alipay(const toml::table& root, std::optional<AlipaySection>* out,
                 std::vector<std::string>* mistakes);
void read_payments(const toml::table& root, PaymentsSection* out,
                   std::vector<std::string>* mistakes);

}  // namespace topup
