// What is wrong with a shop on its machine, each with what to do about it. Looks only: it changes
// nothing, and may run beside the shop.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "server/base/clock.h"
#include "server/storage/db.h"

namespace topup::operate {

enum class Health : std::uint8_t { good, note, act };  // act: something must be done

struct Finding {
  Health health = Health::good;
  std::string check;   // a stable word, such as "disk"
  std::string what;    // one sentence
  std::string remedy;  // what to do; empty when good
};

struct NamedFile {
  std::string key;  // "[wechat_pay] private_key_file"
  std::string path;
};
struct NamedOrigin {
  std::string party;  // "[reloadly] origin"
  std::string origin;
};
struct Patient {
  std::string data_dir;
  storage::Db* store = nullptr;  // null when it could not be opened; `store_fault` says why
  std::string store_fault;
  bool is_shared = false;  // PostgreSQL
  std::string backup_folder;
  std::int64_t backup_every_hours = 0;
  std::string address;
  std::uint16_t port = 0;
  std::vector<NamedFile> files;
  std::vector<NamedOrigin> origins;  // empty: nobody outside is asked
};
std::vector<Finding> examine(const Patient& patient, const base::Clock& clock);

}  // namespace topup::operate
