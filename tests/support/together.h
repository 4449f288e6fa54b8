// Runs a body in several threads at once. What one throws ends the test case, not the test program.
#pragma once

#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace topup::testing {

template <class Body>
void together(int threads, const Body& body) {  // body(int thread)
  std::mutex mutex;
  std::exception_ptr failure;
  std::vector<std::thread> pool;
  for (int t = 0; t < threads; ++t) {
    pool.emplace_back([&, t] {
      try {
        body(t);
      } catch (...) {
        const std::lock_guard hold(mutex);
        failure = std::current_exception();
      }
    });
  }
  for (std::thread& thread : pool) thread.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace topup::testing
