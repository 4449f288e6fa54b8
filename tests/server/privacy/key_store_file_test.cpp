#include "server/privacy/key_store_file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "server/base/crypto.h"
#include "tests/support/seeded_random.h"

using namespace topup;
using namespace topup::privacy;

namespace {

class Folder {  // a folder of its own, removed afterwards
 public:
  Folder() {
    char name[] = "/tmp/topup_keys_test.XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string file(const char* name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }
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
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  REQUIRE(chmod(path.c_str(), mode) == 0);
}

base::SystemRandom& chance() {
  static base::SystemRandom random;
  return random;
}

Result<std::unique_ptr<KeyProvider>> open_in(const Folder& folder, KeyFile key_file,
                                             const std::string& passphrase_file = "") {
  return open_key_file({folder.path(), passphrase_file}, chance(), key_file, 7);
}

std::string_view reason(const Folder& folder, KeyFile key_file,
                        const std::string& passphrase_file = "") {
  const auto keys = open_in(folder, key_file, passphrase_file);
  return keys ? std::string_view("") : keys.error().reason;
}

const std::string kPassphrase = "correct horse battery staple";

}  // namespace

TEST_CASE("a new key file is private, complete and used again") {
  const Folder folder;
  const auto first = open_in(folder, KeyFile::create_if_absent);
  REQUIRE(first);
  struct stat found {};
  REQUIRE(stat(folder.file("topup.keys").c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0600);
  CHECK(folder.count() == 1);
  const std::string wrapped = (*first)->wrap("place", "a data key");
  const auto second = open_in(folder, KeyFile::must_exist);
  REQUIRE(second);
  CHECK((*second)->active_id() == (*first)->active_id());
  const auto key = (*second)->unwrap((*first)->active_id(), "place", wrapped);
  REQUIRE(key);
  CHECK(key->view() == "a data key");
  CHECK_FALSE((*second)->unwrap((*first)->active_id(), "other place", wrapped));
  CHECK((*second)->unwrap("00000000", "place", wrapped).error().reason == "key_unknown");
}

TEST_CASE("the key file of before, 64 digits, keeps working and is never rewritten") {
  const Folder folder;
  const std::string digits(64, 'a');
  put(folder.file("topup.key"), digits + "\n");
  const auto keys = open_in(folder, KeyFile::must_exist);
  REQUIRE(keys);
  const auto first = (*keys)->first_keys();
  REQUIRE(first);
  const std::string master = *base::from_hex(digits);
  CHECK(first->id == base::hex(base::hmac_sha256(master, "topup key id v1").substr(0, 4)));
  CHECK(first->seal.view() == base::hmac_sha256(master, "topup field seal v1"));
  CHECK(first->index.view() == base::hmac_sha256(master, "topup blind index v1"));
  CHECK(content(folder.file("topup.key")) == digits + "\n");
  CHECK(folder.count() == 1);

  const std::string wrapped = (*keys)->wrap("place", "data");
  const auto added = (*keys)->add(9);
  REQUIRE(added);
  CHECK((*keys)->active_id() == *added);
  CHECK(content(folder.file("topup.key.old")) == digits + "\n");
  const auto again = open_in(folder, KeyFile::must_exist);
  REQUIRE(again);
  CHECK((*again)->list().size() == 2);
  CHECK((*again)->unwrap(first->id, "place", wrapped)->view() == "data");
  REQUIRE((*again)->drop(first->id));
  CHECK((*again)->unwrap(first->id, "place", wrapped).error().reason == "key_unknown");
  CHECK(content(folder.file(("topup.keys." + first->id + ".old").c_str())).find(first->id) !=
        std::string::npos);
}

TEST_CASE("K-04: a lost key of an existing shop is an error and not a new key") {
  const Folder folder;
  const auto lost = open_in(folder, KeyFile::must_exist);
  REQUIRE_FALSE(lost);
  CHECK(lost.error().reason == "key_file_missing");
  CHECK(lost.error().detail.view().find(folder.path()) != std::string::npos);
  CHECK(folder.count() == 0);
}

TEST_CASE("K-04, A-14: a key file that others can read is refused") {
  for (const char* name : {"topup.keys", "topup.key"}) {
    const Folder folder;
    const std::string path = folder.file(name);
    for (const mode_t mode : {0644U, 0640U, 0660U, 0604U, 0601U}) {
      CAPTURE(mode);
      put(path, std::string(64, 'a'), mode);
      CHECK(reason(folder, KeyFile::create_if_absent) == "key_file_exposed");
    }
  }
}

TEST_CASE("K-04: a broken key file is refused and left as it is") {
  const std::string good(64, 'a');
  for (const std::string& text : {std::string(), std::string("\n"), good.substr(1), good + "a",
                                  good + "\n\n", std::string(64, 'g'), std::string(64, '\0'),
                                  " " + good, good + " ", std::string(1 << 20, 'a')}) {
    for (const char* name : {"topup.keys", "topup.key"}) {
      const Folder folder;
      CAPTURE(text.size());
      put(folder.file(name), text);
      CHECK(reason(folder, KeyFile::create_if_absent) == "key_file_malformed");
      CHECK(content(folder.file(name)) == text);
      CHECK(folder.count() == 1);
    }
  }
}

TEST_CASE("K-04: any changed byte of a key file is refused, or changes no key") {
  const Folder folder;
  const auto made = open_in(folder, KeyFile::create_if_absent);
  REQUIRE(made);
  const std::string wrapped = (*made)->wrap("place", "data");
  const std::string id = (*made)->active_id();
  const std::string text = content(folder.file("topup.keys"));
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string changed = text;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    put(folder.file("topup.keys"), changed);
    const auto keys = open_in(folder, KeyFile::create_if_absent);
    CAPTURE(at);
    if (!keys) {
      CHECK(keys.error().reason == "key_file_malformed");
      CHECK(content(folder.file("topup.keys")) == changed);
    } else {
      CHECK((*keys)->unwrap(id, "place", wrapped)->view() == "data");
    }
  }
}

TEST_CASE("A-14: a key path that is a link, a folder or nowhere is refused") {
  const Folder elsewhere;
  put(elsewhere.file("target"), std::string(64, 'a'));
  for (const char* name : {"topup.keys", "topup.key"}) {
    const Folder linked;
    REQUIRE(symlink(elsewhere.file("target").c_str(), linked.file(name).c_str()) == 0);
    CHECK(reason(linked, KeyFile::create_if_absent) == "key_file_unreadable");
    const Folder folder;
    REQUIRE(mkdir(folder.file(name).c_str(), 0700) == 0);
    CHECK(reason(folder, KeyFile::create_if_absent) == "key_file_unreadable");
  }
  const auto nowhere =
      open_key_file({elsewhere.file("absent"), ""}, chance(), KeyFile::create_if_absent, 1);
  CHECK(nowhere.error().reason == "key_file_unwritable");
}

TEST_CASE("K-04: a key file sealed by a passphrase opens with that passphrase alone") {
  const Folder folder;
  const std::string good = folder.file("passphrase");
  put(good, kPassphrase + "\n");
  const auto made = open_in(folder, KeyFile::create_if_absent, good);
  REQUIRE(made);
  const std::string id = (*made)->active_id();
  const std::string text = content(folder.file("topup.keys"));
  CHECK(text.find(id) == std::string::npos);
  CHECK(text.find("\"key\"") == std::string::npos);

  const auto again = open_in(folder, KeyFile::must_exist, good);
  REQUIRE(again);
  CHECK((*again)->active_id() == id);
  CHECK((*again)->words().find("passphrase") != std::string::npos);

  const std::string wrong = folder.file("wrong");
  put(wrong, "incorrect horse battery");
  CHECK(reason(folder, KeyFile::create_if_absent, wrong) == "key_passphrase_wrong");
  CHECK(reason(folder, KeyFile::create_if_absent) == "key_passphrase_missing");
  CHECK(reason(folder, KeyFile::create_if_absent, folder.file("absent")) ==
        "key_passphrase_missing");
  put(wrong, "short");
  CHECK(reason(folder, KeyFile::create_if_absent, wrong) == "key_passphrase_missing");
  put(wrong, kPassphrase, 0644);
  CHECK(reason(folder, KeyFile::create_if_absent, wrong) == "key_passphrase_missing");
  CHECK(content(folder.file("topup.keys")) == text);
}

TEST_CASE("K-04: without a readable passphrase a new shop gets no key at all, not a plain one") {
  const Folder folder;
  CHECK(reason(folder, KeyFile::create_if_absent, folder.file("absent")) ==
        "key_passphrase_missing");
  CHECK(folder.count() == 0);
}

TEST_CASE("a plain key file is sealed when its master key is rotated with a passphrase set") {
  const Folder folder;
  REQUIRE(open_in(folder, KeyFile::create_if_absent));
  put(folder.file("passphrase"), kPassphrase);
  const auto keys = open_in(folder, KeyFile::must_exist, folder.file("passphrase"));
  REQUIRE(keys);
  const std::string before = (*keys)->wrap("place", "data");
  const std::string old = (*keys)->active_id();
  REQUIRE((*keys)->add(8));
  CHECK(content(folder.file("topup.keys")).find("\"key\"") == std::string::npos);
  const auto sealed = open_in(folder, KeyFile::must_exist, folder.file("passphrase"));
  REQUIRE(sealed);
  CHECK((*sealed)->unwrap(old, "place", before)->view() == "data");
}
