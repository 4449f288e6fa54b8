#include "server/privacy/pii.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "server/base/crypto.h"
#include "shared/check.h"

using namespace topup;
using namespace topup::privacy;

namespace {

constexpr std::string_view kPhone = "+8613800138000";

class Folder {  // a folder of its own, removed afterwards
 public:
  Folder() {
    char name[] = "/tmp/topup_pii_test.XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string file(const char* name) const { return path_ + "/" + name; }
  std::size_t count() const {
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path_))
      files += entry.exists() ? 1 : 0;
    return files;
  }

 private:
  std::string path_;
};

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void put(const std::string& path, std::string_view text, mode_t mode = 0600) {
  std::ofstream(path, std::ios::binary) << text;
  REQUIRE(chmod(path.c_str(), mode) == 0);
}

Pii test_pii(char byte = 'k') {
  static base::SystemRandom random;
  return Pii(std::string(kMasterKeyBytes, byte), random);
}

std::string flipped(std::string text, std::size_t at) {
  text[at] = static_cast<char>(text[at] ^ 1);
  return text;
}

}  // namespace

TEST_CASE("a sealed value opens at its own place and nowhere else") {
  const Pii pii = test_pii();
  const std::string sealed = pii.seal("orders", "phone", "A1", kPhone);
  CHECK(sealed.starts_with("v1." + pii.key_id() + "."));
  CHECK(sealed.find("13800138000") == std::string::npos);
  REQUIRE(pii.open("orders", "phone", "A1", sealed));
  CHECK(*pii.open("orders", "phone", "A1", sealed) == kPhone);
  CHECK(pii.open("orders", "phone", "A2", sealed).error().reason == "ciphertext_invalid");
  CHECK(pii.open("orders", "email", "A1", sealed).error().reason == "ciphertext_invalid");
  CHECK(pii.open("users", "phone", "A1", sealed).error().reason == "ciphertext_invalid");
  CHECK(pii.open("order", "sphone", "A1", sealed).error().reason == "ciphertext_invalid");
  CHECK(*pii.open("t", "c", "r", pii.seal("t", "c", "r", "")) == "");
}

TEST_CASE("a value sealed with another key is told apart from a damaged one") {
  const std::string sealed = test_pii('a').seal("orders", "phone", "A1", kPhone);
  CHECK(test_pii('b').open("orders", "phone", "A1", sealed).error().reason == "key_unknown");
  // The key id is bound too: renaming the key does not help.
  const std::string renamed = "v1." + test_pii('b').key_id() + sealed.substr(sealed.rfind('.'));
  CHECK(test_pii('b').open("orders", "phone", "A1", renamed).error().reason ==
        "ciphertext_invalid");
}

TEST_CASE("any changed byte of a sealed value keeps it shut") {
  const Pii pii = test_pii();
  const std::string sealed = pii.seal("orders", "phone", "A1", kPhone);
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    CAPTURE(at);
    CHECK_FALSE(pii.open("orders", "phone", "A1", flipped(sealed, at)));
    CHECK_FALSE(pii.open("orders", "phone", "A1", sealed.substr(0, at)));
  }
  CHECK_FALSE(pii.open("orders", "phone", "A1", sealed + "A"));
  CHECK_FALSE(pii.open("orders", "phone", "A1", std::string(kPhone)));
}

TEST_CASE("sealing the same text twice gives two values, and no nonce repeats") {
  const Pii pii = test_pii();
  std::set<std::string> nonces;
  for (int i = 0; i < 5000; ++i) {
    const std::string sealed = pii.seal("orders", "phone", "A1", kPhone);
    CHECK(nonces.insert(sealed.substr(12, 16)).second);
  }
}

TEST_CASE("a place needs all its names and none may hold the separator") {
  const Pii pii = test_pii();
  CHECK_THROWS_AS(pii.seal("orders", "phone", "", "x"), InvariantBroken);
  CHECK_THROWS_AS(pii.seal("orders\x1fphone", "A", "1", "x"), InvariantBroken);
}

TEST_CASE("a blind index is the same for the same purpose and value only") {
  const Pii pii = test_pii();
  const std::string index = pii.blind_index("user.phone", kPhone);
  CHECK(index.size() == 64);
  CHECK(index == pii.blind_index("user.phone", kPhone));
  CHECK(index == test_pii().blind_index("user.phone", kPhone));
  CHECK(index != pii.blind_index("order.phone", kPhone));
  CHECK(index != pii.blind_index("user.phone", "+8613800138001"));
  CHECK(index != test_pii('x').blind_index("user.phone", kPhone));
  CHECK(index != base::hex(base::sha256(kPhone)));
}

TEST_CASE("a new key file is private, complete and used again") {
  const Folder folder;
  base::SystemRandom random;
  const std::string path = folder.file("master.key");
  const auto first = Pii::load_or_create(path, random, KeyFile::create_if_absent);
  REQUIRE(first);
  struct stat found {};
  REQUIRE(stat(path.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0600);
  CHECK(content(path).size() == 65);
  CHECK(folder.count() == 1);
  const auto second = Pii::load_or_create(path, random, KeyFile::must_exist);
  REQUIRE(second);
  CHECK(second->key_id() == first->key_id());
  CHECK(*second->open("t", "c", "r", first->seal("t", "c", "r", "x")) == "x");
}

TEST_CASE("a lost key of an existing shop is an error and not a new key") {
  const Folder folder;
  base::SystemRandom random;
  const std::string path = folder.file("master.key");
  const auto lost = Pii::load_or_create(path, random, KeyFile::must_exist);
  REQUIRE_FALSE(lost);
  CHECK(lost.error().reason == "key_file_missing");
  CHECK(lost.error().detail.find(path) != std::string::npos);
  CHECK(folder.count() == 0);
}

TEST_CASE("a key file that others can read is refused") {
  const Folder folder;
  base::SystemRandom random;
  const std::string path = folder.file("master.key");
  for (const mode_t mode : {0644U, 0640U, 0660U, 0604U, 0601U}) {
    CAPTURE(mode);
    put(path, std::string(64, 'a'), mode);
    const auto refused = Pii::load_or_create(path, random, KeyFile::create_if_absent);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().reason == "key_file_exposed");
    CHECK(refused.error().detail.find(path) != std::string::npos);
  }
  put(path, std::string(64, 'a'), 0400);
  CHECK(Pii::load_or_create(path, random, KeyFile::create_if_absent));
}

TEST_CASE("a broken key file is refused and left as it is") {
  const Folder folder;
  base::SystemRandom random;
  const std::string path = folder.file("master.key");
  const std::string good(64, 'a');
  for (const std::string& text : {std::string(), std::string("\n"), good.substr(1), good + "a",
                                  good + "\n\n", std::string(64, 'g'), std::string(64, '\0'),
                                  " " + good, good + " ", std::string(1 << 20, 'a')}) {
    CAPTURE(text.size());
    put(path, text);
    const auto refused = Pii::load_or_create(path, random, KeyFile::create_if_absent);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().reason == "key_file_malformed");
    CHECK(refused.error().detail.find(path) != std::string::npos);
    CHECK(content(path) == text);
  }
  CHECK(folder.count() == 1);
}

TEST_CASE("a key path that is a link, a folder or nowhere is refused") {
  const Folder folder;
  base::SystemRandom random;
  put(folder.file("target"), std::string(64, 'a'));
  REQUIRE(symlink(folder.file("target").c_str(), folder.file("link").c_str()) == 0);
  REQUIRE(symlink("/nonexistent", folder.file("dangling").c_str()) == 0);
  REQUIRE(mkdir(folder.file("folder").c_str(), 0700) == 0);
  const auto reason = [&](const std::string& path) {
    const auto pii = Pii::load_or_create(path, random, KeyFile::create_if_absent);
    return pii ? std::string_view("") : pii.error().reason;
  };
  CHECK(reason(folder.file("link")) == "key_file_unreadable");
  CHECK(reason(folder.file("dangling")) == "key_file_unreadable");
  CHECK(reason(folder.file("folder")) == "key_file_unreadable");
  CHECK(reason(folder.file("absent/master.key")) == "key_file_unwritable");
}
