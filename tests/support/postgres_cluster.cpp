#include "tests/support/postgres_cluster.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

#include "server/base/clock.h"
#include "server/storage/migrate.h"
#include "server/storage/postgres.h"

namespace topup::testing {
namespace {

namespace fs = std::filesystem;

const base::SystemClock& real_clock() {
  static const base::SystemClock clock;
  return clock;
}

const passwd* unprivileged_user() {
  if (::geteuid() != 0) return nullptr;
  const passwd* user = ::getpwnam("postgres");
  return user != nullptr ? user : ::getpwnam("nobody");
}

std::string find_programs() {
  std::string newest;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", none)) {
    const std::string programs = entry.path().string() + "/bin";
    if (fs::exists(programs + "/initdb")) newest = std::max(newest, programs);
  }
  if (newest.empty()) throw std::runtime_error("no PostgreSQL: install the package postgresql-15");
  return newest;
}

std::uint16_t free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool got = ::bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                   ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(socket);
  if (!got) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// What follows the name in /proc/PID/stat: "S 1234 …", the state and the parent. "" when it is
// gone.
std::string state_of(const std::string& pid) {
  std::ifstream in("/proc/" + pid + "/stat");
  std::string line;
  std::getline(in, line);
  const auto after_name = line.rfind(')');
  return after_name == std::string::npos ? "" : line.substr(after_name + 2);
}

bool is_running(pid_t pid) {  // a dead one that nobody has waited for is not
  const std::string state = state_of(std::to_string(pid));
  return !state.empty() && state[0] != 'Z';
}

// The postmaster's children, from /proc: a killed postmaster cannot end them any more.
std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> found;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator("/proc", none)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string state = state_of(name);
    if (state.size() > 2 && std::atoi(state.c_str() + 2) == parent)
      found.push_back(std::atoi(name.c_str()));
  }
  return found;
}

}  // namespace

bool tests_run_on_postgres() {
  const char* engine = std::getenv("TOPUP_TEST_ENGINE");
  return engine != nullptr && std::string(engine) == "postgres";
}

PostgresCluster::PostgresCluster(std::vector<std::string> settings)
    : programs_(find_programs()), settings_(std::move(settings)) {
  // A short path: the name of a unix socket has about 100 characters.
  std::string path =
      fs::is_directory("/dev/shm") ? "/dev/shm/topup-pg-XXXXXX" : "/tmp/topup-pg-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("cannot create " + path);
  folder_ = path;
  ::chmod(folder_.c_str(), 0755);
  own(folder_);
  const int made = call({programs_ + "/initdb", "-D", file("data"), "-U", "topup", "-A", "trust",
                         "--locale=C", "--encoding=UTF8", "--no-sync"});
  if (made != 0) throw std::runtime_error("initdb did not succeed: see " + file("log"));
  start();
}

PostgresCluster::~PostgresCluster() {
  kill_hard();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void PostgresCluster::own(const std::string& path) const {
  const passwd* user = unprivileged_user();
  if (user != nullptr && ::chown(path.c_str(), user->pw_uid, user->pw_gid) != 0) {
    throw std::runtime_error("cannot give " + path + " away");
  }
}

pid_t PostgresCluster::spawn(const std::vector<std::string>& words) const {
  const passwd* user = unprivileged_user();
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const std::string log = file("log");
  const pid_t child = ::fork();
  if (child != 0) return child;
  const bool dropped =
      user == nullptr ||
      (::setgroups(0, nullptr) == 0 && ::setgid(user->pw_gid) == 0 && ::setuid(user->pw_uid) == 0);
  ::prctl(PR_SET_PDEATHSIG, SIGQUIT);  // the tests may crash
  const int out = ::open(log.c_str(), O_CREAT | O_APPEND | O_WRONLY, 0644);
  ::dup2(out, 1);
  ::dup2(out, 2);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (dropped && ::chdir("/") == 0) ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

int PostgresCluster::call(const std::vector<std::string>& words) const {
  return wait_for(spawn(words));
}

void PostgresCluster::start() {
  if (port_ == 0) port_ = free_port();
  std::vector<std::string> words = {programs_ + "/postgres", "-D", file("data"), "-k", folder_};
  std::vector<std::string> settings = {"listen_addresses=127.0.0.1",
                                       "port=" + std::to_string(port_),
                                       "max_connections=200",
                                       "shared_buffers=32MB",
                                       "wal_level=minimal",
                                       "max_wal_senders=0",
                                       "autovacuum=off",
                                       "log_min_messages=fatal"};
  settings.insert(settings.end(), settings_.begin(), settings_.end());
  for (const std::string& setting : settings) {
    words.push_back("-c");
    words.push_back(setting);
  }
  postmaster_ = spawn(words);
  wait_until_ready();
}

void PostgresCluster::wait_until_ready() {
  const std::vector<std::string> ask = {programs_ + "/pg_isready", "-q", "-h", "127.0.0.1", "-p",
                                        std::to_string(port_)};
  for (int tried = 0; tried < 600; ++tried) {
    if (call(ask) == 0) return;
    if (::waitpid(postmaster_, nullptr, WNOHANG) == postmaster_) {
      postmaster_ = -1;
      throw std::runtime_error("PostgreSQL did not start: see " + file("log"));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  throw std::runtime_error("PostgreSQL does not answer: see " + file("log"));
}

void PostgresCluster::kill_hard() {
  if (postmaster_ <= 0) return;
  ::kill(postmaster_, SIGSTOP);  // so that no new child appears meanwhile
  const std::vector<pid_t> children = children_of(postmaster_);
  ::kill(postmaster_, SIGKILL);
  for (const pid_t child : children) ::kill(child, SIGKILL);
  wait_for(postmaster_);
  postmaster_ = -1;
  for (const pid_t child : children) {
    for (int tried = 0; tried < 500 && is_running(child); ++tried) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  std::error_code ignored;
  fs::remove(file("data/postmaster.pid"), ignored);
}

void PostgresCluster::stop() {
  if (postmaster_ <= 0) return;
  ::kill(postmaster_, SIGINT);
  wait_for(postmaster_);
  postmaster_ = -1;
}

void PostgresCluster::restart_with(std::vector<std::string> settings) {
  stop();
  settings_ = std::move(settings);
  start();
}

std::string PostgresCluster::url(const std::string& database, std::uint16_t port,
                                 const std::string& user) const {
  return "postgres://" + user + "@127.0.0.1:" + std::to_string(port == 0 ? port_ : port) + "/" +
         database;
}

void PostgresCluster::run(const std::vector<std::string>& statements, const std::string& database) {
  storage::PostgresTarget target;
  target.url = url(database);
  storage::PostgresConnection connection(target, real_clock(), real_clock().mono_ms() + 10'000);
  for (const std::string& statement : statements) connection.script(statement);
}

void PostgresCluster::allow_first(const std::string& hba_line) {
  const std::string path = file("data/pg_hba.conf");
  std::ifstream in(path);
  const std::string rest((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  in.close();
  std::ofstream(path) << hba_line << "\n" << rest;
  run({"SELECT pg_reload_conf()"});
}

void PostgresCluster::touch_data(const std::string& name) {
  std::ofstream(file("data/" + name)) << "";
  own(file("data/" + name));
}

PostgresCluster& shared_cluster() {
  static PostgresCluster cluster;
  return cluster;
}

namespace {

const std::string& shop_template() {
  static const std::string name = [] {
    shared_cluster().run({"CREATE DATABASE shop"});
    storage::PostgresTarget target;
    target.url = shared_cluster().url("shop");
    const auto db = storage::open_postgres(target, 2, real_clock());
    storage::migrate(*db, 1);
    return std::string("shop");
  }();
  return name;
}

}  // namespace

ScratchDatabase::ScratchDatabase(bool with_shop) {
  static std::atomic<int> made{0};
  // A child of the test program may make its own.
  name_ = "test_" + std::to_string(::getpid()) + "_" + std::to_string(++made);
  const std::string from = with_shop ? shop_template() : "template0";
  // Copying files takes half as long as writing every page to the log, and there are hundreds.
  shared_cluster().run({"CREATE DATABASE " + name_ + " TEMPLATE " + from + " STRATEGY file_copy"});
}

ScratchDatabase::~ScratchDatabase() {
  try {
    shared_cluster().run({"DROP DATABASE " + name_ + " WITH (FORCE)"});
  } catch (const std::exception&) {
    return;  // it goes away with the cluster
  }
}

}  // namespace topup::testing
