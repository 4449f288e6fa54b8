// Durable single-row transactions a second through the store's own port, by as many callers at once
// as are asked for: what its group commit is worth, with no HTTP around it.
//   topup_bench_store FILE CALLERS SECONDS
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "server/base/random.h"
#include "server/storage/db.h"

namespace {

using namespace topup;

constexpr std::size_t kTokenBytes = 32;

// The row of the peer that has one fsync for each (server_peers.cpp).
void add_row(storage::Db& db, base::Random& random) {
  const std::string token = random.bytes(kTokenBytes);
  db.write([&token](storage::Tx& tx) {
    return tx.exec("INSERT INTO sessions VALUES (hex($1), hex(randomblob(13)), 1)",
                   {storage::Blob{token}}) == 1;
  });
}

int count_writes(const std::string& path, int callers, double seconds) {
  const auto db = storage::open_sqlite(path);
  db->write([](storage::Tx& tx) {
    tx.exec("CREATE TABLE sessions (token TEXT PRIMARY KEY, user TEXT, at INTEGER)", {});
    return true;
  });
  std::atomic<long> written{0};
  std::atomic<bool> is_over{false};
  std::vector<std::thread> threads;
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < callers; ++i) {
    threads.emplace_back([&] {
      base::SystemRandom random;
      for (; !is_over; ++written) add_row(*db, random);
    });
  }
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  is_over = true;
  for (std::thread& thread : threads) thread.join();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::printf("%.0f\n", static_cast<double>(written) / took.count());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "topup_bench_store FILE CALLERS SECONDS\n");
    return 2;
  }
  try {
    return count_writes(argv[1], std::atoi(argv[2]), std::strtod(argv[3], nullptr));
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "topup_bench_store: %s\n", failure.what());
    return 1;
  }
}
