// A PostgreSQL of the test program's own: made by initdb in a folder that goes away, reached over
// loopback, never the machine's. All its durability settings are on; its folder is in memory where
// the system has one. As root it runs as the user postgres (or nobody), because it refuses root.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace topup::testing {

// TOPUP_TEST_ENGINE=postgres: every ScratchShop stands on PostgreSQL.
bool tests_run_on_postgres();

class PostgresCluster {
 public:
  explicit PostgresCluster(std::vector<std::string> settings = {});
  ~PostgresCluster();
  PostgresCluster(const PostgresCluster&) = delete;
  PostgresCluster& operator=(const PostgresCluster&) = delete;

  void start();
  void kill_hard();  // SIGKILL to the postmaster and all its children, as a power cut
  void stop();
  void restart_with(std::vector<std::string> settings);  // name=value each
  std::uint16_t port() const { return port_; }
  std::string url(const std::string& database, std::uint16_t port = 0,
                  const std::string& user = "topup") const;
  // Runs statements one by one outside a transaction, as the owner, in a database.
  void run(const std::vector<std::string>& statements, const std::string& database = "postgres");
  std::string file(const std::string& name) const { return folder_ + "/" + name; }
  void allow_first(const std::string& hba_line);  // a line at the top of pg_hba.conf
  void touch_data(const std::string& name);       // an empty file in the data folder

 private:
  int call(const std::vector<std::string>& words) const;
  pid_t spawn(const std::vector<std::string>& words) const;
  void wait_until_ready();
  void own(const std::string& path) const;

  std::string folder_;
  std::string programs_;
  std::vector<std::string> settings_;
  std::uint16_t port_ = 0;
  pid_t postmaster_ = -1;
};

// The one that all tests of this program share, started at its first use.
PostgresCluster& shared_cluster();

// A database of its own for one test; gone with it. `with_shop`: every migration applied.
class ScratchDatabase {
 public:
  explicit ScratchDatabase(bool with_shop);
  ~ScratchDatabase();
  ScratchDatabase(const ScratchDatabase&) = delete;
  ScratchDatabase& operator=(const ScratchDatabase&) = delete;
  const std::string& name() const { return name_; }
  std::string url() const { return shared_cluster().url(name_); }

 private:
  std::string name_;
};

}  // namespace topup::testing
