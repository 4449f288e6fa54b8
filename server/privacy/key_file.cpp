#include "server/privacy/key_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "server/base/crypto.h"
#include "shared/check.h"

namespace topup::privacy {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kKeyDigits = 2 * kKeyBytes;
constexpr mode_t kOwnerOnly = S_IRUSR | S_IWUSR;
constexpr mode_t kOthers = S_IRWXG | S_IRWXO;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  bool is_open() const { return number_ >= 0; }
  int number() const { return number_; }

 private:
  int number_;
};

tl::unexpected<Error> broken_file(std::string_view reason, const std::string& path,
                                  const std::string& why) {
  return refuse(Code::unavailable, reason, "key_file", path + ": " + why);
}

std::string system_words() { return std::strerror(errno); }

std::optional<unsigned> hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<unsigned>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<unsigned>(digit - 'a' + 10);
  if (digit >= 'A' && digit <= 'F') return static_cast<unsigned>(digit - 'A' + 10);
  return std::nullopt;
}

std::optional<std::string> parse_key(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.size() != kKeyDigits) return std::nullopt;
  std::string key;
  for (std::size_t at = 0; at < text.size(); at += 2) {
    const auto high = hex_value(text[at]);
    const auto low = hex_value(text[at + 1]);
    if (!high || !low) return std::nullopt;
    key += static_cast<char>(*high << 4 | *low);
  }
  return key;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool write_whole(const Descriptor& file, std::string_view text) {
  return write(file.number(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
         fsync(file.number()) == 0;
}

// A plain rename would replace the key that another process has made since we looked.
bool move_unless_exists(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno != EINVAL && errno != ENOSYS) return false;
  return link(from.c_str(), to.c_str()) == 0 && unlink(from.c_str()) == 0;  // e.g. on NFS
}

bool sync_folder(const std::string& folder) {
  const Descriptor opened(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return opened.is_open() && fsync(opened.number()) == 0;
}

}  // namespace

Result<std::string> load_key(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open()) {
    const char* reason = errno == ENOENT ? "key_file_missing" : "key_file_unreadable";
    return broken_file(reason, path, system_words());
  }
  struct stat found {};
  if (fstat(file.number(), &found) != 0 || !S_ISREG(found.st_mode)) {
    return broken_file("key_file_unreadable", path, "not a regular file");
  }
  if ((found.st_mode & kOthers) != 0 || found.st_uid != geteuid()) {
    return broken_file("key_file_exposed", path,
                       "must belong to the server's user and have mode 0600");
  }
  std::array<char, kKeyDigits + 2> buffer{};  // one byte more than the longest right content
  const ssize_t size = read(file.number(), buffer.data(), buffer.size());
  if (size < 0) return broken_file("key_file_unreadable", path, system_words());
  auto key = parse_key(std::string_view(buffer.data(), static_cast<std::size_t>(size)));
  if (!key) return broken_file("key_file_malformed", path, "expected 64 hex digits");
  return std::move(*key);
}

Result<std::string> create_key(const std::string& path, std::string_view key) {
  check(key.size() == kKeyBytes, "the master key has 32 bytes");
  const std::string draft = path + ".new." + std::to_string(getpid());
  unlink(draft.c_str());  // left by a process that died with our number
  const auto unwritable = [&] {
    auto refusal = broken_file("key_file_unwritable", path, system_words());
    unlink(draft.c_str());
    return refusal;
  };
  {
    const Descriptor file(
        open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kOwnerOnly));
    if (!file.is_open()) return broken_file("key_file_unwritable", draft, system_words());
    if (!write_whole(file, base::hex(key) + "\n")) return unwritable();
  }
  if (!move_unless_exists(draft, path)) {
    if (errno != EEXIST) return unwritable();
    unlink(draft.c_str());
    return load_key(path);
  }
  if (!sync_folder(folder_of(path)))
    return broken_file("key_file_unwritable", path, system_words());
  return std::string(key);
}

}  // namespace topup::privacy
