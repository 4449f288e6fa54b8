// What a backup says about itself, in its manifest.json: enough to prove on another machine, with
// another program version, that nothing of it is missing or changed.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace topup::operate {

inline constexpr const char* kManifestName = "manifest.json";
inline constexpr const char* kDatabaseName = "topup.sqlite";

struct SavedFile {
  std::string name;
  std::int64_t bytes = 0;
  std::string sha256;  // hexadecimal
};
struct Manifest {
  std::string program;  // the version that made it
  std::int64_t made_at_ms = 0;
  std::string engine;  // of the shop; the saved database is always a SQLite file
  std::int64_t schema = 0;
  std::vector<SavedFile> files;
  std::vector<std::pair<std::string, std::int64_t>> rows;  // of each table
  std::int64_t audit_rows = 0;
  std::string audit_hash;  // of the newest row
  bool has_keys = false;
};

std::string text_of(const Manifest& manifest);
// Throws std::runtime_error in words when the folder is no whole backup or a later program made it.
Manifest read_manifest(const std::string& folder);
std::string utc_text(std::int64_t ms);  // "2026-11-22 04:48:16 UTC"

}  // namespace topup::operate
