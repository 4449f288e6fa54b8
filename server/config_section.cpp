#include "server/config_section.h"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <utility>

namespace topup {
namespace {

constexpr std::size_t kMaxSecretFile = 64 * 1024;

std::string environment_name(const std::string& section, const std::string& key) {
  std::string name = "TOPUP_" + section + "_" + key;
  for (char& c : name) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return name;
}

}  // namespace

std::vector<ConfigSection>*& described_sections() {
  thread_local std::vector<ConfigSection>* described = nullptr;
  return described;
}

std::vector<ConfigValue>*& noted_config_texts() {
  thread_local std::vector<ConfigValue>* noted = nullptr;
  return noted;
}

Section::Section(const toml::table& root, std::string name, std::vector<std::string>* mistakes,
                 const char* meaning)
    : table_(root[name].as_table()), name_(std::move(name)), mistakes_(mistakes) {
  if (described_sections() != nullptr) described_sections()->push_back({name_, meaning, false, {}});
  if (root.contains(name_) && table_ == nullptr)
    mistakes_->push_back("[" + name_ + "] must be a section: [" + name_ + "] and keys below it");
}

bool Section::present() const {
  if (described_sections() != nullptr) return described_sections()->back().is_optional = true;
  return table_ != nullptr;
}

void Section::text(const char* key, std::string* out, bool required, const char* meaning) {
  if (is_described(key, "text", required ? "" : "\"" + *out + "\"", "", required, meaning)) return;
  if (const auto value = override_of(key)) {
    *out = *value;
  } else if (const toml::node* node = find(key)) {
    if (const auto found = node->value_exact<std::string>()) {
      *out = *found;
    } else {
      mistake(key, "must be a text in quotes");
    }
  }
  if (required && out->empty()) mistake(key, "is needed");
  if (noted_config_texts() != nullptr) noted_config_texts()->push_back({name_, key, *out});
}

void Section::integer(const char* key, std::int64_t min, std::int64_t max, std::int64_t* out,
                      const char* meaning) {
  if (is_described(key, "whole number", std::to_string(*out),
                   std::to_string(min) + " … " + std::to_string(max), false, meaning))
    return;
  std::optional<std::int64_t> value;
  if (const auto text = override_of(key)) {
    char* end = nullptr;
    const long long parsed = std::strtoll(text->c_str(), &end, 10);
    if (end != text->c_str() && *end == '\0') value = parsed;
    if (!value) return mistake(key, "must be a whole number");
  } else if (const toml::node* node = find(key)) {
    value = node->value_exact<std::int64_t>();
    if (!value) return mistake(key, "must be a whole number");
  }
  if (!value) return;
  if (*value < min || *value > max) {
    return mistake(key, "must lie between " + std::to_string(min) + " and " + std::to_string(max));
  }
  *out = *value;
}

void Section::texts(const char* key, std::vector<std::string>* out, const char* meaning) {
  std::string shown;
  for (const std::string& text : *out) shown += (shown.empty() ? "\"" : ", \"") + text + "\"";
  if (is_described(key, "list of texts", "[" + shown + "]", "", false, meaning)) return;
  if (const auto value = override_of(key)) {
    out->clear();
    std::stringstream parts(*value);
    for (std::string part; std::getline(parts, part, ',');) {
      while (part.starts_with(' ')) part.erase(0, 1);
      while (part.ends_with(' ')) part.pop_back();
      if (!part.empty()) out->push_back(part);
    }
    return;
  }
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const toml::array* list = node->as_array();
  if (list == nullptr) return mistake(key, "must be a list of texts in quotes");
  out->clear();
  for (const toml::node& element : *list) {
    const auto found = element.value_exact<std::string>();
    if (!found) return mistake(key, "must be a list of texts in quotes");
    out->push_back(*found);
  }
}

void Section::boolean(const char* key, bool* out, const char* meaning) {
  if (is_described(key, "true or false", *out ? "true" : "false", "", false, meaning)) return;
  if (const auto text = override_of(key)) {
    if (*text != "true" && *text != "false") return mistake(key, "must be true or false");
    *out = *text == "true";
  } else if (const toml::node* node = find(key)) {
    const auto value = node->value_exact<bool>();
    if (!value) return mistake(key, "must be true or false");
    *out = *value;
  }
}

void Section::file(const char* key, std::string* out, bool required, const char* meaning) {
  if (is_described(key, "file", "", "", required, meaning)) return;
  std::string path;
  text(key, &path, required);
  if (path.empty()) return;
  std::ifstream in(path, std::ios::binary);
  std::stringstream content;
  content << in.rdbuf();
  *out = content.str();
  while (!out->empty() && (out->back() == '\n' || out->back() == '\r' || out->back() == ' '))
    out->pop_back();
  if (!in || out->empty() || out->size() > kMaxSecretFile)
    mistake(key, "names a file that cannot be read: " + path);
}

void Section::authorities(const char* key, std::string* out, const char* meaning) {
  text(key, out, meaning);
  if (out->empty()) return;
  std::ifstream in(*out, std::ios::binary);
  std::stringstream content;
  content << in.rdbuf();
  if (!in || content.str().find("-----BEGIN CERTIFICATE-----") == std::string::npos)
    mistake(key, "names a file without certificates (PEM): " + *out);
}

void Section::tls(TlsSection* out) {
  authorities("ca_file", &out->ca_file, "PEM file of authorities trusted in place of the system's");
  authorities("client_certificate_file", &out->client_certificate_file,
              "PEM file of the certificate shown to a party that asks for one");
  text("client_key_file", &out->client_key_file, "PEM file of its private key");
  if (out->client_certificate_file.empty() != out->client_key_file.empty())
    mistake("client_key_file", "goes together with client_certificate_file");
}

void Section::reject_unknown() {
  for (const std::string& key : known_) {  // one whose reader said nothing must show as such
    if (described_sections() != nullptr && !has_described(key))
      describe({name_, key, "", "", "", false, "", ""});
  }
  if (table_ == nullptr) return;
  for (const auto& [key, node] : *table_) {
    if (known_.count(std::string(key.str())) == 0)
      mistake(std::string(key.str()).c_str(), "is not a key of this section");
  }
}

bool Section::is_described(const char* key, const char* kind, std::string default_value,
                           std::string range, bool is_needed, const char* meaning) {
  known_.insert(key);
  if (described_sections() == nullptr) return false;
  describe({name_, key, kind, std::move(default_value), std::move(range), is_needed, "", meaning});
  return true;
}

bool Section::has_described(const std::string& key) {
  for (const ConfigKey& known : described_sections()->back().keys) {
    if (known.key == key) return true;
  }
  return false;
}

void Section::describe(ConfigKey key) {
  key.environment = environment_name(key.section, key.key);
  described_sections()->back().keys.push_back(std::move(key));
}

std::optional<std::string> Section::override_of(const char* key) const {
  const char* value = std::getenv(environment_name(name_, key).c_str());
  if (value == nullptr || described_sections() != nullptr) return std::nullopt;
  return std::string(value);
}

}  // namespace topup
