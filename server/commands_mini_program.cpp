// mini-program: makes the package that an operator uploads to WeChat out of the built pages. Only
// two files differ from shop to shop, so nothing is compiled again.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

#include "server/base/json.h"
#include "server/commands.h"

namespace topup::commands {
namespace {

namespace fs = std::filesystem;
using base::Json;

constexpr std::size_t kAppidLength = 18;
constexpr const char* kAddressFile = "shop_address.js";
constexpr const char* kProjectFile = "project.config.json";
constexpr const char* kAppFile = "app.json";
constexpr const char* kLocationReason = "用于把离你近的加油站排在前面";
constexpr const char* kInstalledFiles = "/usr/share/topup/mini-program";

struct Options {
  std::string files = kInstalledFiles;
  std::string out, appid, origin, name;
  bool uses_location = false;
};

bool is_appid(const std::string& text) {
  return text.size() == kAppidLength && text.starts_with("wx") &&
         std::all_of(text.begin() + 2, text.end(), [](char letter) {
           return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f');
         });
}

// A host with an optional port. Letters that a script or an address could take for its end are out.
bool is_host(const std::string& text) {
  return !text.empty() && text.size() <= 255 &&
         std::all_of(text.begin(), text.end(), [](char letter) {
           return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') ||
                  letter == '.' || letter == '-' || letter == ':';
         });
}

bool is_origin(const std::string& text) {
  const std::string safe = "https://";
  const std::string here = "http://127.0.0.1:";  // a shop on this machine, in the developer tools
  if (text.starts_with(safe)) return is_host(text.substr(safe.size()));
  return text.starts_with(here) && is_host(text.substr(here.size()));
}

bool complain(const std::string& what) {
  std::fprintf(stderr, "topup mini-program: %s\n", what.c_str());
  return false;
}

bool check(const Options& options) {
  if (!is_appid(options.appid))
    return complain("--appid is wx and sixteen digits or letters a to f, as the platform shows it");
  if (!is_origin(options.origin))
    return complain("--origin is https:// and the host of the shop, with no path");
  if (!fs::exists(fs::path(options.files) / kAddressFile))
    return complain(options.files + " does not hold the built mini-program; name it by --files");
  if (fs::exists(options.out) && !fs::is_empty(options.out))
    return complain(options.out + " is not empty; name a new folder");
  return true;
}

void write_text(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) throw std::runtime_error("could not write " + path.string());
}

Json read_json(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return Json::parse(file);
}

// WeChat refuses a package that declares what its owner was not granted, so it is said only on
// wish.
void declare_location(const fs::path& path) {
  Json app = read_json(path);
  app["requiredPrivateInfos"] = {"getLocation"};
  app["permission"] = {{"scope.userLocation", {{"desc", kLocationReason}}}};
  write_text(path, app.dump(2) + "\n");
}

std::uintmax_t bytes_in(const fs::path& folder) {
  std::uintmax_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) bytes += entry.file_size();
  return bytes;
}

int make_package(const Options& options) {
  if (!check(options)) return kWrongUse;
  const fs::path out = options.out;
  fs::create_directories(out);
  fs::copy(options.files, out, fs::copy_options::recursive);
  write_text(out / kAddressFile,
             "\"use strict\";exports.shopOrigin=" + Json(options.origin).dump() + ";\n");
  Json project = read_json(out / kProjectFile);
  project["appid"] = options.appid;
  if (!options.name.empty()) project["projectname"] = options.name;
  write_text(out / kProjectFile, project.dump(2) + "\n");
  if (options.uses_location) declare_location(out / kAppFile);

  const std::string host = options.origin.substr(options.origin.find("://") + 3);
  std::printf(
      "%s: %llu bytes for app %s\n\n"
      "In the platform's console, under development settings, server domains:\n"
      "  request domain   %s\n"
      "  socket domain    wss://%s\n"
      "Then open the folder in WeChat's developer tools and upload it, or use miniprogram-ci.\n",
      out.c_str(), static_cast<unsigned long long>(bytes_in(out)), options.appid.c_str(),
      options.origin.c_str(), host.c_str());
  return kDone;
}

}  // namespace

void add_mini_program_commands(Commands& commands) {
  const auto options = std::make_shared<Options>();
  CLI::App& made =
      commands.add("mini-program",
                   {"make the mini-program's package for this shop, ready to be uploaded",
                    "topup mini-program --appid wx0123456789abcdef \\\n"
                    "    --origin https://shop.example --out /tmp/mini-program"},
                   [options] { return make_package(*options); });
  made.add_option("--appid", options->appid, "the mini-program's app id")->required();
  made.add_option("--origin", options->origin, "where the shop answers, such as its public_origin")
      ->required();
  made.add_option("--out", options->out, "a new or empty folder for the package")->required();
  made.add_option("--name", options->name, "the project's name in the developer tools");
  made.add_flag("--location", options->uses_location,
                "declare getLocation, which the platform must have granted; without it stations "
                "are found by city");
  made.add_option("--files", options->files, "the built mini-program")->capture_default_str();
}

}  // namespace topup::commands
