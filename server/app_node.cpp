#include "server/app_node.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace topup {
namespace {

std::string kept_name(const std::string& path, base::Random& random) {
  std::string name;
  std::ifstream(path) >> name;
  if (!name.empty()) return name;
  name = base::new_token(random).substr(0, 20);
  std::ofstream out(path, std::ios::trunc);
  out << name << "\n";
  if (!out.flush()) throw std::runtime_error("cannot write " + path);
  return name;
}

}  // namespace

std::string make_data_dir(const std::string& path) {
  std::error_code failure;
  std::filesystem::create_directories(path, failure);
  if (failure)
    throw std::runtime_error("cannot make the data folder " + path + ": " + failure.message());
  ::chmod(path.c_str(), 0700);
  return path;
}

NodeName::NodeName(const std::string& data_dir, base::Random& random)
    : lock_(data_dir + "/node.lock"), name_(kept_name(data_dir + "/node.id", random)) {}

}  // namespace topup
