#include "server/audit/head_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "server/base/crypto.h"

namespace topup::audit {
namespace {

constexpr std::size_t kHashDigits = 64;
constexpr std::size_t kMaxLine = 256;

std::string signed_text(const Head& head) {
  return std::to_string(head.seq) + " " + head.hash + " " + std::to_string(head.at_ms);
}

std::string mac_of(const std::string& text, std::string_view key) {
  return base::hex(base::hmac_sha256(key, "topup audit head v1\n" + text));
}

bool parse(const std::string& line, std::string_view key, Head* head) {
  std::istringstream words(line);
  std::string mac, rest;
  if (!(words >> head->seq >> head->hash >> head->at_ms >> mac) || (words >> rest)) return false;
  return head->seq > 0 && head->hash.size() == kHashDigits &&
         line == signed_text(*head) + " " + mac &&
         base::constant_time_equal(mac, mac_of(signed_text(*head), key));
}

bool write_lines(int file, const std::string& text) {
  return ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
         ::fsync(file) == 0;
}

// Every second line of the older half goes; the gaps grow with age.
bool thin_out(const std::string& path, std::string_view key) {
  const SignedHeads kept = read_heads(path, key);
  if (kept.heads.size() < kMaxHeads || !kept.wrong.empty()) return true;
  const std::string draft = path + ".new";
  ::unlink(draft.c_str());
  const int file = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return false;
  std::string text;
  for (std::size_t i = 0; i < kept.heads.size(); ++i) {
    if (i < kept.heads.size() / 2 && i % 2 == 1) continue;
    const std::string line = signed_text(kept.heads[i]);
    text += line + " " + mac_of(line, key) + "\n";
  }
  const bool written = write_lines(file, text);
  ::close(file);
  return written && ::rename(draft.c_str(), path.c_str()) == 0;
}

}  // namespace

SignedHeads read_heads(const std::string& path, std::string_view key) {
  SignedHeads found;
  std::ifstream file(path, std::ios::binary);
  if (!file) return found;
  found.is_there = true;
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    if (file.eof() && !line.empty()) break;  // cut off while it was written: never said to be kept
    Head head;
    if (line.size() <= kMaxLine && parse(line, key, &head)) {
      found.heads.push_back(std::move(head));
    } else {
      found.wrong.push_back(path + " line " + std::to_string(number) +
                            " was changed: its signature does not hold");
    }
  }
  return found;
}

bool append_head(const std::string& path, const Head& head, std::string_view key) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) return false;
  struct stat state {};
  bool is_done = ::fstat(file, &state) == 0;
  off_t end = state.st_size;
  // A line that a power cut left half written is written over.
  for (char last = 0; is_done && end > 0 && ::pread(file, &last, 1, end - 1) == 1 && last != '\n';)
    --end;
  const std::string text = signed_text(head);
  is_done = is_done && (end == state.st_size || ::ftruncate(file, end) == 0) &&
            ::lseek(file, end, SEEK_SET) == end &&
            write_lines(file, text + " " + mac_of(text, key) + "\n");
  ::close(file);
  const auto lines = static_cast<std::size_t>(end) / (kHashDigits * 2);
  return is_done && (lines < kMaxHeads || thin_out(path, key));
}

}  // namespace topup::audit
