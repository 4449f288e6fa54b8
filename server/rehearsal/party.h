// What every rehearsed party stands on: a few workers behind a bounded queue, so that the door's
// I/O threads never wait for a party; one thread for work that is due later; parsed requests and
// simple answers. All classes are thread-safe. Order of ending: the door stops first, then Timers,
// then the parties; only then may the door be destroyed.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "server/base/clock.h"
#include "server/base/http_client.h"
#include "server/base/json.h"
#include "server/base/pool.h"
#include "server/base/random.h"
#include "server/http/front.h"
#include "server/rehearsal/wire_text.h"
#include "server/storage/db.h"

namespace topup::rehearsal {

inline constexpr std::size_t kMaxWaitingJobs = 1'024;  // per crew; above it a request gets 503
inline constexpr std::size_t kMaxTimers =
    100'000;  // above it after() refuses; durable work then waits for a restart
inline constexpr std::size_t kMaxPartyBody = 64 * 1024;
inline constexpr std::size_t kMaxReachedOrigins = 16;  // different shops one party posts to

// Workers behind a bounded queue.
class Crew {
 public:
  explicit Crew(int threads) : threads_(threads) {}
  ~Crew() { stop(); }
  void start();
  bool post(std::function<void()> job);  // false: full or stopped, and the job is dropped
  void stop();                           // ends running jobs, drops waiting ones; safe to repeat

 private:
  const int threads_;
  std::mutex mutex_;
  std::shared_ptr<base::Pool<std::function<void()>>> pool_;
};

// Runs work when it is due by Clock::mono_ms, on one thread. The work must be quick: it hands over
// to a Crew.
class Timers {
 public:
  explicit Timers(const base::Clock& clock) : clock_(clock) {}
  ~Timers() { stop(); }
  void start();
  bool after(std::int64_t delay_ms, std::function<void()> work);  // false: full or stopped
  void stop();  // drops what is not due; safe to repeat

 private:
  void run();
  const base::Clock& clock_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::multimap<std::int64_t, std::function<void()>> due_;
  std::thread thread_;
  bool is_running_ = false;
};

struct Asked {
  std::string method;
  std::string target;                 // as sent: signatures cover it
  std::vector<std::string> segments;  // of the path, decoded
  Pairs query;                        // decoded
  Pairs headers;                      // names lower case
  std::string body;
  std::string client_address;
  std::string_view header(std::string_view lower_case_name) const;  // "" when absent
  std::string query_value(std::string_view name) const;             // "" when absent
  bool is(std::string_view wanted_method,
          std::initializer_list<std::string_view> wanted) const;  // "*": any segment
};

struct Answered {
  int status = 200;
  std::string content_type = "application/json";
  std::string body = {};
  Pairs headers = {};
  std::int64_t hold_ms = 0;  // keep the answer back this long
  bool is_dropped = false;   // close the connection without a byte
  std::int64_t number = 0;   // the party's internal code of a refusal, for seal()
  static Answered json(const base::Json& value, int status = 200);
  static Answered see_other(const std::string& location);  // 303
};

// Numbers with decimals inside a Json: decimal() marks the text, dump_decimals() writes it as a
// bare number. Text that holds U+0001 must have been refused before, since that is the mark.
base::Json decimal(const std::string& digits);
std::string dump_decimals(const base::Json& value);
bool has_control_characters(std::string_view text);

// What the parties share; all outlive them.
struct Surroundings {
  storage::Db& db;
  const base::Clock& clock;
  base::Random& random;
  Timers& timers;
  int speed_percent = 100;
  std::int64_t scaled(std::int64_t ms) const { return ms * speed_percent / 100; }
};

struct Neighbour {  // another party, and where its pages are
  std::string name, origin;
};

class Party : public http::Site {
 public:
  Party(Surroundings around, std::string name, int workers);
  ~Party() override { stop(); }
  std::size_t body_limit(std::string_view method, std::string_view path) override;
  void handle(http::WireRequest request, http::Answer answer) final;
  virtual void start();
  virtual void stop();
  const std::string& name() const { return name_; }
  // Where its desk leads; set once, before the first request.
  void set_neighbours(std::vector<Neighbour> all) { neighbours_ = std::move(all); }

 protected:
  virtual Answered answer(const Asked& asked) = 0;  // on a worker; may block
  virtual void seal(const Asked&, Answered&) {}     // last touch on every answer: signatures
  const Surroundings& around() const { return around_; }
  Crew& couriers() {
    return couriers_;
  }  // for what is posted to the shop: they wait for its answers
  base::OutboundReply post_out(const std::string& url, Pairs headers, std::string body);
  // Runs `job` on the couriers in delay_ms (already scaled); tries again shortly when their queue
  // is full.
  void later(std::int64_t delay_ms, std::function<void()> job);

 private:
  void serve(const http::WireRequest& request,
             const std::shared_ptr<struct PendingAnswer>& pending);
  const Surroundings around_;
  const std::string name_;
  std::vector<Neighbour> neighbours_;
  Crew desk_;
  Crew couriers_;
  std::mutex reached_mutex_;
  std::map<std::string, std::shared_ptr<base::Outbound>> reached_;
};

bool is_loopback_client(const Asked& asked);  // the control pages answer nobody else

}  // namespace topup::rehearsal
