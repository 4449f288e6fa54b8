#include "tests/support/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <stdexcept>

namespace topup::testing {

struct DiskEar::State {
  std::string folder;
  std::string name;
  DiskEar::Hear hear;
  State* earlier = nullptr;
  std::mutex mutex;
};

namespace {

std::atomic<DiskEar::State*> listening{nullptr};
// All that ever listened: another thread may still be telling one of them something.
DiskEar::State* last_ear = nullptr;

// The name within the folder that is listened to; "" for any other file.
std::string name_of(const DiskEar::State& state, std::string_view path) {
  if (!path.starts_with(state.folder) || path.size() <= state.folder.size()) return "";
  std::string name(path.substr(state.folder.size() + 1));
  const bool is_meant =
      name.starts_with(state.name) && !name.ends_with("-shm") && !name.ends_with(".lock");
  return is_meant ? name : "";
}

std::string name_of(const DiskEar::State& state, int fd) {
  std::array<char, 512> target{};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = ::readlink(link.c_str(), target.data(), target.size());
  return size <= 0 ? "" : name_of(state, {target.data(), static_cast<std::size_t>(size)});
}

// Asks who listens. `call` has all but its file.
DiskFate fate_of(DiskCall call, int fd, const char* path) {
  DiskEar::State* const state = listening.load();
  if (state == nullptr) return {};
  const int before = errno;
  call.file = path != nullptr ? name_of(*state, std::string_view(path)) : name_of(*state, fd);
  DiskFate fate;
  if (!call.file.empty()) {
    const std::lock_guard hold(state->mutex);
    fate = state->hear(call);
  }
  errno = before;
  return fate;
}

int synced(int fd, long number) {
  if (const DiskFate fate = fate_of({DiskDeed::sync, "", 0, {}}, fd, nullptr); fate.error != 0) {
    errno = fate.error;
    return -1;
  }
  return static_cast<int>(::syscall(number, fd));
}

}  // namespace

DiskEar::DiskEar(std::string folder, std::string name, Hear hear)
    : state_(new State{std::move(folder), std::move(name), std::move(hear), last_ear, {}}) {
  last_ear = state_;
  if (listening.exchange(state_) != nullptr) throw std::logic_error("two ears at one disk");
}

DiskEar::~DiskEar() {
  listening = nullptr;
  const std::lock_guard hold(state_->mutex);
  state_->hear = [](const DiskCall&) { return DiskFate{}; };
}

void Disk::write(std::string* to, std::int64_t offset, std::string_view bytes) {
  const auto at = static_cast<std::size_t>(offset);
  if (to->size() < at + bytes.size()) to->resize(at + bytes.size(), '\0');
  std::copy(bytes.begin(), bytes.end(), to->begin() + static_cast<std::ptrdiff_t>(at));
}

void Disk::apply(const DiskStep& step) {
  if (step.mark >= 0) return;
  File& file = files_[step.file];
  file.is_there = step.deed != DiskDeed::remove;
  if (step.deed != DiskDeed::sync) {
    file.since.push_back(step);
    return;
  }
  if (syncs_lie_) return;
  for (const DiskStep& done : file.since) {
    if (done.deed == DiskDeed::write) write(&file.durable, done.offset, done.bytes);
    if (done.deed == DiskDeed::truncate) file.durable.resize(static_cast<std::size_t>(done.offset));
    if (done.deed == DiskDeed::remove) file.durable.clear();
  }
  file.since.clear();
}

std::map<std::string, std::string> Disk::after_kill() const {
  std::map<std::string, std::string> image;
  for (const auto& [name, file] : files_) {
    if (!file.is_there) continue;
    std::string& bytes = image[name] = file.durable;
    for (const DiskStep& step : file.since) {
      if (step.deed == DiskDeed::write) write(&bytes, step.offset, step.bytes);
      if (step.deed == DiskDeed::truncate) bytes.resize(static_cast<std::size_t>(step.offset));
      if (step.deed == DiskDeed::remove) bytes.clear();
    }
  }
  return image;
}

std::map<std::string, std::string> Disk::after_power_loss(const std::function<int()>& draw) const {
  std::map<std::string, std::string> image;
  for (const auto& [name, file] : files_) {
    std::string bytes = file.durable;
    bool is_there = true;
    for (const DiskStep& step : file.since) {
      if (step.deed == DiskDeed::remove) {
        is_there = draw() != 0;
      } else if (step.deed == DiskDeed::truncate) {
        if (draw() == 0) bytes.resize(static_cast<std::size_t>(step.offset));
      } else {
        is_there = true;
        for (std::size_t at = 0; at < step.bytes.size(); at += kSector) {
          const std::string_view sector = std::string_view(step.bytes).substr(at, kSector);
          const int fate = draw();
          if (fate == 1) continue;
          std::string kept(sector);
          if (fate == 2) {  // half of it is what the head wrote while the power went
            for (std::size_t i = kept.size() / 2; i < kept.size(); ++i)
              kept[i] = static_cast<char>(kept[i] ^ (i * 37 + 11));
          }
          write(&bytes, step.offset + static_cast<std::int64_t>(at), kept);
        }
      }
    }
    if (is_there) image[name] = std::move(bytes);
  }
  return image;
}

void lay_out(const std::map<std::string, std::string>& image, const std::string& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (!image.contains(entry.path().filename().string())) std::filesystem::remove(entry.path());
  }
  for (const auto& [name, bytes] : image) lay_out_one(bytes, folder + "/" + name);
}

void lay_out_one(const std::string& bytes, const std::string& path) {
  const int fd = ::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  std::size_t done = 0;
  while (fd >= 0 && done < bytes.size()) {
    const ssize_t now = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (now <= 0) break;
    done += static_cast<std::size_t>(now);
  }
  if (fd >= 0) ::close(fd);
  if (done != bytes.size()) throw std::runtime_error("cannot write " + path);
}

}  // namespace topup::testing

// ---- The calls themselves: the program's own come first for SQLite's library too.

using topup::testing::DiskCall;
using topup::testing::DiskDeed;
using topup::testing::DiskFate;

extern "C" ssize_t pwrite64(int fd, const void* data, size_t count, off64_t offset) {
  const DiskFate fate = topup::testing::fate_of(
      {DiskDeed::write, "", offset, {static_cast<const char*>(data), count}}, fd, nullptr);
  if (fate.error != 0) {
    errno = fate.error;
    return -1;
  }
  if (fate.at_most >= 0) count = std::min(count, static_cast<size_t>(fate.at_most));
  return ::syscall(SYS_pwrite64, fd, data, count, offset);
}

extern "C" int fdatasync(int fd) { return topup::testing::synced(fd, SYS_fdatasync); }

extern "C" int fsync(int fd) { return topup::testing::synced(fd, SYS_fsync); }

extern "C" int ftruncate64(int fd, off64_t length) noexcept {
  const DiskFate fate = topup::testing::fate_of({DiskDeed::truncate, "", length, {}}, fd, nullptr);
  if (fate.error != 0) {
    errno = fate.error;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_ftruncate, fd, length));
}

extern "C" int unlink(const char* path) noexcept {
  const DiskFate fate = topup::testing::fate_of({DiskDeed::remove, "", 0, {}}, -1, path);
  if (fate.error != 0) {
    errno = fate.error;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_unlink, path));
}
