#include "server/privacy/pii.h"

#include "server/base/crypto.h"
#include "server/privacy/key_file.h"
#include "shared/check.h"

namespace topup::privacy {
namespace {

constexpr std::string_view kVersion = "v1.";
constexpr char kSeparator = '\x1f';
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kKeyIdBytes = 4;

tl::unexpected<Error> invalid() { return refuse(Code::invalid_argument, "ciphertext_invalid"); }

// With a separator inside a name two different places could have the same text.
void append_part(std::string& place, std::string_view part) {
  check(part.find(kSeparator) == std::string_view::npos, "a name of a sealed place holds 0x1f");
  if (!place.empty()) place += kSeparator;
  place += part;
}

std::string place_of(std::string_view table, std::string_view column, std::string_view row_id,
                     std::string_view key_id) {
  check(!table.empty() && !column.empty() && !row_id.empty(), "a sealed place needs all its names");
  std::string place;
  for (const std::string_view part : {table, column, row_id, key_id}) append_part(place, part);
  return place;
}

}  // namespace

Pii::Pii(std::string_view master_key, base::Random& random) : random_(&random) {
  check(master_key.size() == kMasterKeyBytes, "the master key has 32 bytes");
  index_root_ = base::hmac_sha256(master_key, "topup blind index v1");
  seal_key_ = base::hmac_sha256(master_key, "topup field seal v1");
  key_id_ = base::hex(base::hmac_sha256(master_key, "topup key id v1").substr(0, kKeyIdBytes));
}

Result<Pii> Pii::load_or_create(const std::string& key_file_path, base::Random& random,
                                KeyFile key_file) {
  auto key = load_key(key_file_path);
  if (!key && key.error().reason == "key_file_missing" && key_file == KeyFile::create_if_absent) {
    key = create_key(key_file_path, random.bytes(kMasterKeyBytes));
  }
  if (!key) return tl::unexpected(key.error());
  return Pii(*key, random);
}

std::string Pii::seal(std::string_view table, std::string_view column, std::string_view row_id,
                      std::string_view plain) const {
  const std::string nonce = random_->bytes(kNonceBytes);
  const std::string cipher =
      base::seal_aes_gcm(seal_key_, nonce, place_of(table, column, row_id, key_id_), plain);
  return std::string(kVersion) + key_id_ + "." + base::base64(nonce + cipher);
}

Result<std::string> Pii::open(std::string_view table, std::string_view column,
                              std::string_view row_id, std::string_view sealed) const {
  if (!sealed.starts_with(kVersion)) return invalid();
  const std::string_view rest = sealed.substr(kVersion.size());
  if (rest.size() < key_id_.size() + 1 || rest[key_id_.size()] != '.') return invalid();
  if (rest.substr(0, key_id_.size()) != key_id_) {
    return refuse(Code::unavailable, "key_unknown", {},
                  "The value was sealed with another key file.");
  }
  const auto bytes = base::from_base64(rest.substr(key_id_.size() + 1));
  if (!bytes || bytes->size() < kNonceBytes) return invalid();
  const std::string_view all = *bytes;
  return base::open_aes_gcm(seal_key_, all.substr(0, kNonceBytes),
                            place_of(table, column, row_id, key_id_), all.substr(kNonceBytes));
}

std::string Pii::blind_index(std::string_view purpose, std::string_view value) const {
  return base::hex(base::hmac_sha256(base::hmac_sha256(index_root_, purpose), value));
}

}  // namespace topup::privacy
