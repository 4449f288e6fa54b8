#include "server/privacy/key_store_file.h"

#include <stdio.h>
#include <unistd.h>

#include <mutex>
#include <utility>

#include "server/base/crypto.h"
#include "server/base/json.h"
#include "server/privacy/key_file.h"
#include "shared/check.h"

namespace topup::privacy {
namespace {

constexpr std::string_view kFormat = "topup.keys/1";
constexpr std::size_t kIdBytes = 4;
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kMinPassphrase = 12;
constexpr std::size_t kMaxPassphrase = 1'024;
constexpr std::size_t kMaxMasterKeys = 64;

std::string id_of(std::string_view key) {
  return base::hex(base::hmac_sha256(key, "topup key id v1").substr(0, kIdBytes));
}

tl::unexpected<Error> broken(std::string_view reason, const std::string& path,
                             const std::string& why) {
  return refuse(Code::unavailable, reason, "key_file", path + ": " + why);
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

struct Held {
  std::string id;
  std::int64_t created_at_ms = 0;
  base::Secret key;
};

struct Content {
  std::string active;
  std::vector<Held> keys;
  std::string salt;       // of the passphrase; "" for a plain file
  base::Secret file_key;  // made of the passphrase
  bool is_first_form = false;
};

base::Json keys_json(const Content& content) {
  base::Json keys = base::Json::array();
  for (const Held& held : content.keys) {
    keys.push_back({{"id", held.id},
                    {"created_at_ms", held.created_at_ms},
                    {"key", base::hex(held.key.view())}});
  }
  return {{"active", content.active}, {"keys", std::move(keys)}};
}

std::string sealed_place(const std::string& salt) { return std::string(kFormat) + "\x1f" + salt; }

Result<base::Secret> passphrase_in(const std::string& path) {
  auto content = read_private_file(path);
  if (!content) {
    return broken("key_passphrase_missing", path,
                  std::string(content.error().detail.view()) + " (the passphrase of the keys)");
  }
  std::string_view text = content->view();
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  if (text.size() < kMinPassphrase || text.size() > kMaxPassphrase) {
    return broken("key_passphrase_missing", path, "a passphrase has 12 to 1024 characters");
  }
  return base::Secret(std::string(text));
}

Result<bool> read_keys(const base::Json& object, const std::string& path, Content* content) {
  const auto malformed = [&] { return broken("key_file_malformed", path, "not a list of keys"); };
  const auto active = base::text_in(object, "active", 16);
  if (!active || !object.contains("keys") || !object["keys"].is_array()) return malformed();
  if (object["keys"].size() > kMaxMasterKeys) return malformed();
  bool has_active = false;
  for (const base::Json& item : object["keys"]) {
    if (!item.is_object()) return malformed();
    const auto id = base::text_in(item, "id", 16);
    const auto created = base::integer_in(item, "created_at_ms", 0, INT64_MAX);
    const auto digits = base::text_in(item, "key", 2 * kMasterKeyBytes);
    if (!id || !created || !digits) return malformed();
    auto key = base::from_hex(*digits);
    // The id is made of the key: a digit that changed on disk is found here.
    if (!key || key->size() != kMasterKeyBytes || id_of(*key) != *id) {
      return broken("key_file_malformed", path, "key " + *id + " is damaged");
    }
    has_active = has_active || *id == *active;
    content->keys.push_back({*id, *created, base::Secret(std::move(*key))});
  }
  content->active = *active;
  if (!has_active) return malformed();
  return true;
}

class FileKeys final : public KeyProvider {
 public:
  FileKeys(KeyFilePlaces places, base::Random& random)
      : places_(std::move(places)), random_(random) {}

  Result<bool> load(KeyFile key_file, std::int64_t now_ms) {
    if (exists(path())) return load_file();
    if (exists(first_path())) return load_first();
    if (key_file == KeyFile::must_exist) {
      return broken("key_file_missing", path(),
                    "this shop has data, and only its own key file opens it; put the file back");
    }
    return make(now_ms);
  }

  std::string words() const override {
    const std::lock_guard hold(mutex_);
    if (content_.is_first_form) return "file " + first_path() + ", plain";
    return "file " + path() + (content_.salt.empty() ? ", plain" : ", sealed by a passphrase");
  }
  std::vector<MasterKey> list() const override {
    const std::lock_guard hold(mutex_);
    std::vector<MasterKey> keys;
    for (const Held& held : content_.keys) {
      keys.push_back({held.id, held.created_at_ms, held.id == content_.active});
    }
    return keys;
  }
  std::string active_id() const override {
    const std::lock_guard hold(mutex_);
    return content_.active;
  }

  std::string wrap(std::string_view place, std::string_view key) const override {
    const std::lock_guard hold(mutex_);
    const Held* held = find(content_.active);
    check(held != nullptr, "the active master key is held");
    const std::string nonce = random_.bytes(kNonceBytes);
    return base::base64(nonce + base::seal_aes_gcm(wrapping_key(*held).view(), nonce, place, key));
  }

  Result<base::Secret> unwrap(const std::string& master_id, std::string_view place,
                              std::string_view wrapped) const override {
    const std::lock_guard hold(mutex_);
    const Held* held = find(master_id);
    if (held == nullptr) {
      return broken("key_unknown", path(), "master key " + master_id + " is not in this file");
    }
    const auto bytes = base::from_base64(wrapped);
    if (!bytes || bytes->size() < kNonceBytes) {
      return refuse(Code::invalid_argument, "ciphertext_invalid");
    }
    const std::string_view all = *bytes;
    auto key = base::open_aes_gcm(wrapping_key(*held).view(), all.substr(0, kNonceBytes), place,
                                  all.substr(kNonceBytes));
    if (!key) return tl::unexpected(key.error());
    return base::Secret(std::move(*key));
  }

  Result<std::string> add(std::int64_t now_ms) override {
    const std::lock_guard hold(mutex_);
    if (content_.keys.size() == kMaxMasterKeys) {
      return broken("key_file_unwritable", path(), "too many master keys; drop old ones first");
    }
    auto next = changed_copy();
    if (!next) return tl::unexpected(next.error());
    base::Secret key(random_.bytes(kMasterKeyBytes));
    next->active = id_of(key.view());
    next->keys.push_back({next->active, now_ms, std::move(key)});
    auto saved = save(std::move(*next));
    if (!saved) return tl::unexpected(saved.error());
    return content_.active;
  }

  Result<bool> drop(const std::string& id) override {
    const std::lock_guard hold(mutex_);
    check(id != content_.active, "the active master key stays");
    auto next = changed_copy();
    if (!next) return tl::unexpected(next.error());
    const auto removed =
        std::erase_if(next->keys, [&id](const Held& held) { return held.id == id; });
    if (removed == 0) return false;
    // Backups made before need the key: the operator keeps this copy with them, or removes it.
    const base::Secret before = text_of(content_);
    const auto kept = create_private_file(path() + "." + id + ".old", before.view());
    if (!kept && kept.error().reason != "key_file_exists") return kept;
    return save(std::move(*next));
  }

  Result<bool> reload() override {
    const std::lock_guard hold(mutex_);
    if (!exists(path())) return false;
    return load_file();
  }

  std::optional<FirstKeys> first_keys() const override {
    const std::lock_guard hold(mutex_);
    if (!content_.is_first_form) return std::nullopt;
    const std::string_view key = content_.keys.front().key.view();
    return FirstKeys{content_.keys.front().id,
                     base::Secret(base::hmac_sha256(key, "topup field seal v1")),
                     base::Secret(base::hmac_sha256(key, "topup blind index v1"))};
  }

 private:
  std::string path() const { return places_.data_dir + "/topup.keys"; }
  std::string first_path() const { return places_.data_dir + "/topup.key"; }

  const Held* find(const std::string& id) const {
    for (const Held& held : content_.keys) {
      if (held.id == id) return &held;
    }
    return nullptr;
  }
  static base::Secret wrapping_key(const Held& held) {
    return base::Secret(base::hmac_sha256(held.key.view(), "topup key wrap v1"));
  }

  Result<bool> load_first() {
    auto key = load_key(first_path());
    if (!key) return tl::unexpected(key.error());
    Content content;
    content.active = id_of(*key);
    content.is_first_form = true;
    content.keys.push_back({content.active, 0, base::Secret(std::move(*key))});
    content_ = std::move(content);
    return true;
  }

  Result<bool> load_file() {
    const auto text = read_private_file(path());
    if (!text) return tl::unexpected(text.error());
    const auto object = base::json_in(text->view(), kMaxKeyFileBytes);
    if (!object || !object->is_object() || !object->contains("format") ||
        (*object)["format"] != std::string(kFormat)) {
      return broken("key_file_malformed", path(), "not a key file of this program");
    }
    Content content;
    const auto read = object->contains("sealed") ? read_sealed(*object, &content)
                                                 : read_keys(*object, path(), &content);
    if (!read) return tl::unexpected(read.error());
    content_ = std::move(content);
    return true;
  }

  Result<bool> read_sealed(const base::Json& object, Content* content) const {
    const auto salt_text = base::text_in(object, "salt", 64);
    const auto sealed_text = base::text_in(object, "sealed", kMaxKeyFileBytes);
    const auto salt = base::from_base64(salt_text.value_or(""));
    const auto sealed = base::from_base64(sealed_text.value_or(""));
    if (!salt || salt->size() != kSaltBytes || !sealed || sealed->size() < kNonceBytes) {
      return broken("key_file_malformed", path(), "the sealed part is damaged");
    }
    if (places_.passphrase_file.empty()) {
      return broken("key_passphrase_missing", path(),
                    "sealed by a passphrase; name its file in [keys] passphrase_file");
    }
    const auto passphrase = passphrase_in(places_.passphrase_file);
    if (!passphrase) return tl::unexpected(passphrase.error());
    content->salt = *salt;
    content->file_key = base::Secret(base::scrypt_key(passphrase->view(), *salt));
    const std::string_view all = *sealed;
    auto opened = base::open_aes_gcm(content->file_key.view(), all.substr(0, kNonceBytes),
                                     sealed_place(*salt), all.substr(kNonceBytes));
    if (!opened) {
      return broken("key_passphrase_wrong", path(), "does not open with this passphrase");
    }
    const base::Secret plain(std::move(*opened));
    const auto keys = base::json_in(plain.view(), kMaxKeyFileBytes);
    if (!keys || !keys->is_object()) {
      return broken("key_file_malformed", path(), "the sealed part is damaged");
    }
    return read_keys(*keys, path(), content);
  }

  Result<bool> make(std::int64_t now_ms) {
    Content content;
    auto protection = protect(&content);
    if (!protection) return protection;
    base::Secret key(random_.bytes(kMasterKeyBytes));
    content.active = id_of(key.view());
    content.keys.push_back({content.active, now_ms, std::move(key)});
    const base::Secret text = text_of(content);
    const auto made = create_private_file(path(), text.view());
    if (made) {
      content_ = std::move(content);
      return true;
    }
    if (made.error().reason == "key_file_exists") return load_file();
    return tl::unexpected(made.error());
  }

  Result<bool> protect(Content* content) const {
    if (places_.passphrase_file.empty()) return true;
    const auto passphrase = passphrase_in(places_.passphrase_file);
    if (!passphrase) return tl::unexpected(passphrase.error());
    content->salt = random_.bytes(kSaltBytes);
    content->file_key = base::Secret(base::scrypt_key(passphrase->view(), content->salt));
    return true;
  }

  // What is held, to be changed and saved. A plain file becomes a sealed one here when a passphrase
  // was set since.
  Result<Content> changed_copy() const {
    Content next;
    next.active = content_.active;
    for (const Held& held : content_.keys) {
      next.keys.push_back({held.id, held.created_at_ms, held.key.copy()});
    }
    if (content_.salt.empty()) {
      auto protection = protect(&next);
      if (!protection) return tl::unexpected(protection.error());
    } else {
      next.salt = content_.salt;
      next.file_key = content_.file_key.copy();
    }
    return next;
  }

  base::Secret text_of(const Content& content) const {
    base::Json object = keys_json(content);
    if (!content.salt.empty()) {
      const base::Secret plain(object.dump());
      const std::string nonce = random_.bytes(kNonceBytes);
      const std::string cipher = base::seal_aes_gcm(content.file_key.view(), nonce,
                                                    sealed_place(content.salt), plain.view());
      object = {{"salt", base::base64(content.salt)}, {"sealed", base::base64(nonce + cipher)}};
    }
    object["format"] = std::string(kFormat);
    return base::Secret(object.dump(2) + "\n");
  }

  Result<bool> save(Content next) {
    const base::Secret text = text_of(next);
    const auto saved = replace_private_file(path(), text.view());
    if (!saved) return saved;
    // Backups made before need this file; the new one holds the same key until it is changed.
    if (content_.is_first_form) ::rename(first_path().c_str(), (first_path() + ".old").c_str());
    content_ = std::move(next);
    return true;
  }

  const KeyFilePlaces places_;
  base::Random& random_;
  mutable std::mutex mutex_;
  Content content_;
};

}  // namespace

std::vector<std::string> key_files_of(const std::string& data_dir) {
  std::vector<std::string> files;
  for (const char* name : {"/topup.keys", "/topup.key", "/topup.key.old", "/audit.head"}) {
    if (exists(data_dir + name)) files.push_back(data_dir + name);
  }
  return files;
}

Result<std::unique_ptr<KeyProvider>> open_key_file(const KeyFilePlaces& places,
                                                   base::Random& random, KeyFile key_file,
                                                   std::int64_t now_ms) {
  auto keys = std::make_unique<FileKeys>(places, random);
  const auto loaded = keys->load(key_file, now_ms);
  if (!loaded) return tl::unexpected(loaded.error());
  return std::unique_ptr<KeyProvider>(std::move(keys));
}

}  // namespace topup::privacy
