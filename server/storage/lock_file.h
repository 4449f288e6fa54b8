// One process for what a file stands for, such as a shop's data: held while the object lives, and
// released by the kernel however the process ends. Throws SqlError when another process holds it.
#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <string>

#include "server/storage/db.h"

namespace topup::storage {

class LockFile {
 public:
  explicit LockFile(const std::string& path) {
    fd_ = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (fd_ < 0) throw SqlError("cannot create " + path, false);
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      ::close(fd_);
      throw SqlError("another process is using this shop's data (" + path + " is locked)", false);
    }
  }
  ~LockFile() { ::close(fd_); }
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;

 private:
  int fd_ = -1;
};

}  // namespace topup::storage
