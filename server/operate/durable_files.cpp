#include "server/operate/durable_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "server/base/crypto.h"

namespace topup::operate {
namespace {

constexpr std::size_t kBytesAtOnce = 1U << 20;

[[noreturn]] void fail(const std::string& doing, const std::string& path) {
  throw std::runtime_error("cannot " + doing + " " + path + ": " + std::strerror(errno));
}

class File {
 public:
  File(const std::string& path, int flags) : path_(path) {
    fd_ = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
    if (fd_ < 0) fail((flags & O_CREAT) != 0 ? "make" : "open", path);
  }
  ~File() { ::close(fd_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  std::size_t read(char* into, std::size_t most) {
    const ssize_t got = ::read(fd_, into, most);
    if (got < 0) fail("read", path_);
    return static_cast<std::size_t>(got);
  }
  void write(const char* from, std::size_t size) {
    while (size > 0) {
      const ssize_t put = ::write(fd_, from, size);
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) fail("write", path_);
      from += put;
      size -= static_cast<std::size_t>(put);
    }
  }
  void sync() {
    if (::fsync(fd_) != 0) fail("sync", path_);
  }
  std::int64_t size() {
    struct stat found {};
    if (::fstat(fd_, &found) != 0) fail("read", path_);
    return found.st_size;
  }

 private:
  std::string path_;
  int fd_;
};

std::string pass_on(File& from, File* to, const FileTold& told) {
  base::Sha256 hash;
  std::string piece(kBytesAtOnce, '\0');
  const std::int64_t all = from.size();
  std::int64_t done = 0;
  while (const std::size_t got = from.read(piece.data(), piece.size())) {
    hash.add({piece.data(), got});
    if (to != nullptr) to->write(piece.data(), got);
    done += static_cast<std::int64_t>(got);
    told(done, all);
  }
  return base::hex(hash.digest());
}

}  // namespace

void sync_path(const std::string& path) { File(path, O_RDONLY).sync(); }

void write_durably(const std::string& path, const std::string& content) {
  File file(path, O_WRONLY | O_CREAT | O_EXCL);
  file.write(content.data(), content.size());
  file.sync();
}

std::string hash_of_file(const std::string& path, const FileTold& told) {
  File file(path, O_RDONLY);
  return pass_on(file, nullptr, told);
}

std::string copy_durably(const std::string& from, const std::string& to, const FileTold& told) {
  File source(from, O_RDONLY);
  File target(to, O_WRONLY | O_CREAT | O_EXCL);
  std::string hash = pass_on(source, &target, told);
  target.sync();
  return hash;
}

std::int64_t free_bytes(const std::string& folder) {
  struct statvfs found {};
  if (::statvfs(folder.c_str(), &found) != 0) fail("look at the disk of", folder);
  return static_cast<std::int64_t>(found.f_bavail) * static_cast<std::int64_t>(found.f_frsize);
}

void give_to_owner_of(const std::string& folder, const std::string& path) {
  struct stat owner {};
  if (::geteuid() != 0) return;
  if (::stat(folder.c_str(), &owner) != 0) fail("read", folder);
  if (::lchown(path.c_str(), owner.st_uid, owner.st_gid) != 0) fail("give away", path);
}

}  // namespace topup::operate
