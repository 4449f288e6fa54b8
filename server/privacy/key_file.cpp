#include "server/privacy/key_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "server/base/crypto.h"
#include "shared/check.h"

namespace topup::privacy {
namespace {

constexpr std::size_t kKeyBytes = 32;
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

Result<bool> put_file(const std::string& path, std::string_view text, bool may_replace) {
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
    if (!write_whole(file, text)) return unwritable();
  }
  if (may_replace) {
    if (rename(draft.c_str(), path.c_str()) != 0) return unwritable();
  } else if (!move_unless_exists(draft, path)) {
    if (errno != EEXIST) return unwritable();
    unlink(draft.c_str());
    return broken_file("key_file_exists", path, "another process has made it");
  }
  if (!sync_folder(folder_of(path)))
    return broken_file("key_file_unwritable", path, system_words());
  return true;
}

}  // namespace

Result<base::Secret> read_private_file(const std::string& path) {
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
  std::string text(kMaxKeyFileBytes + 1, '\0');
  const ssize_t size = read(file.number(), text.data(), text.size());
  if (size < 0) return broken_file("key_file_unreadable", path, system_words());
  if (static_cast<std::size_t>(size) > kMaxKeyFileBytes) {
    return broken_file("key_file_malformed", path, "too long for a key file");
  }
  base::Secret content(text.substr(0, static_cast<std::size_t>(size)));
  base::cleanse(text);
  return content;
}

Result<bool> create_private_file(const std::string& path, std::string_view text) {
  return put_file(path, text, false);
}

Result<bool> replace_private_file(const std::string& path, std::string_view text) {
  return put_file(path, text, true);
}

Result<std::string> load_key(const std::string& path) {
  const auto content = read_private_file(path);
  if (!content) return tl::unexpected(content.error());
  std::string_view text = content->view();
  if (text.ends_with('\n')) text.remove_suffix(1);
  auto key = base::from_hex(text);
  if (!key || key->size() != kKeyBytes) {
    return broken_file("key_file_malformed", path, "expected 64 hex digits");
  }
  return std::move(*key);
}

Result<std::string> create_key(const std::string& path, std::string_view key) {
  check(key.size() == kKeyBytes, "the master key has 32 bytes");
  const auto made = create_private_file(path, base::hex(key) + "\n");
  if (made) return std::string(key);
  if (made.error().reason == "key_file_exists") return load_key(path);
  return tl::unexpected(made.error());
}

}  // namespace topup::privacy
