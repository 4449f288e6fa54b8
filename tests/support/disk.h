// The disk, where this program's system calls meet it: a test hears of each write, truncation, sync
// and removal below a folder, in order, and may let it fail or end short. Everything else goes
// through untouched. One DiskEar at a time.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace topup::testing {

enum class DiskDeed { write, truncate, sync, remove };

struct DiskCall {
  DiskDeed deed = DiskDeed::write;
  std::string file;         // its name within the folder
  std::int64_t offset = 0;  // of a write; the new length of a truncation
  std::string_view bytes;   // of a write
};

// What becomes of a call.
struct DiskFate {
  int error = 0;              // errno; the call does nothing
  std::int64_t at_most = -1;  // a write takes only so many bytes, as a disk may
};

class DiskEar {
 public:
  using Hear = std::function<DiskFate(const DiskCall&)>;
  // Calls on files of `folder` whose names begin with `name`, in any thread; SQLite's shared-memory
  // and lock files are none of them.
  DiskEar(std::string folder, std::string name, Hear hear);
  ~DiskEar();
  DiskEar(const DiskEar&) = delete;
  DiskEar& operator=(const DiskEar&) = delete;

  struct State;

 private:
  State* state_;
};

// ---- What the disk holds after a power cut: a history of calls, replayed.

struct DiskStep {
  DiskDeed deed = DiskDeed::write;
  std::string file;
  std::int64_t offset = 0;
  std::string bytes;
  int mark = -1;  // no call: something was acknowledged or sent here
};

// Files by name. Each holds what is durable, and what was written since in the order of the calls.
class Disk {
 public:
  static constexpr std::size_t kSector = 512;

  void put(const std::string& file, std::string bytes) { files_[file].durable = std::move(bytes); }
  void apply(const DiskStep& step);
  // The system lives on after the program: everything that was written is there.
  std::map<std::string, std::string> after_kill() const;
  // The power fails: of what was not synced each sector is kept, lost or torn, as `draw` says
  // (0, 1 or 2 for each).
  std::map<std::string, std::string> after_power_loss(const std::function<int()>& draw) const;
  // A disk that says "synced" and keeps it in memory: the control, which must lose something.
  void believe_no_sync() { syncs_lie_ = true; }

 private:
  struct File {
    std::string durable;
    std::vector<DiskStep> since;
    bool is_there = true;
  };
  static void write(std::string* to, std::int64_t offset, std::string_view bytes);
  std::map<std::string, File> files_;
  bool syncs_lie_ = false;
};

void lay_out_one(const std::string& bytes, const std::string& path);
// Writes the files of an image into a folder, and takes away those that the image has not.
void lay_out(const std::map<std::string, std::string>& image, const std::string& folder);

}  // namespace topup::testing
