#include "server/rehearsal/party.h"

#include <algorithm>
#include <chrono>
#include <exception>

#include "server/base/log.h"
#include "server/rehearsal/desk_page.h"

namespace topup::rehearsal {
namespace {

constexpr std::int64_t kLongestNapMs = 50;  // so that a clock moved by hand is noticed
constexpr std::int64_t kQueueFullRetryMs = 500;
constexpr int kCourierThreads = 6;
constexpr std::int64_t kNotifyDeadlineMs = 5'000;  // WeChat Pay: "answer within 5 s"
constexpr std::string_view kDecimalMark = "\x01";
constexpr std::string_view kDumpedMark = "\"\\u0001";

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 303:
      return "See Other";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 406:
      return "Not Acceptable";
    case 409:
      return "Conflict";
    case 415:
      return "Unsupported Media Type";
    case 503:
      return "Service Unavailable";
    default:
      return "Status";
  }
}

std::string response_bytes(const Answered& answered, bool keep_alive, bool is_head) {
  std::string out = "HTTP/1.1 " + std::to_string(answered.status) + " " +
                    std::string(reason_phrase(answered.status)) + "\r\n";
  if (answered.status != 204) {
    if (!answered.content_type.empty()) out += "Content-Type: " + answered.content_type + "\r\n";
    out += "Content-Length: " + std::to_string(answered.body.size()) + "\r\n";
  }
  for (const auto& [name, value] : answered.headers) out += name + ": " + value + "\r\n";
  out += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  if (!is_head && answered.status != 204) out += answered.body;
  return out;
}

Asked parsed(const http::WireRequest& request) {
  Asked out{request.method, request.target,        {}, {}, request.headers,
            request.body,   request.client_address};
  const std::string_view target = request.target;
  const auto mark = target.find('?');
  out.segments = path_segments(target.substr(0, mark));
  if (mark != std::string_view::npos) out.query = form_fields(target.substr(mark + 1));
  return out;
}

}  // namespace

// Answers exactly once; a job that is dropped closes its connection instead of leaving it open for
// ever.
struct PendingAnswer {
  explicit PendingAnswer(http::Answer answer_in) : answer(std::move(answer_in)) {}
  ~PendingAnswer() {
    if (answer) answer("", false);
  }
  PendingAnswer(const PendingAnswer&) = delete;
  PendingAnswer& operator=(const PendingAnswer&) = delete;
  void send(std::string bytes, bool keep_alive) {
    if (auto once = std::exchange(answer, nullptr)) once(std::move(bytes), keep_alive);
  }
  http::Answer answer;
};

void Crew::start() {
  const auto carefully = [](const std::function<void()>& job) {
    try {
      job();
    } catch (const std::exception& failure) {
      base::log(base::Level::error, "rehearsal", {{"what", "job_failed"}, {"why", failure.what()}});
    }
  };
  const std::lock_guard lock(mutex_);
  if (pool_ != nullptr) return;
  pool_ = std::make_shared<base::Pool<std::function<void()>>>(threads_, kMaxWaitingJobs,
                                                              [carefully] { return carefully; });
}

bool Crew::post(std::function<void()> job) {
  std::shared_ptr<base::Pool<std::function<void()>>> pool;
  {
    const std::lock_guard lock(mutex_);
    pool = pool_;
  }
  return pool != nullptr && pool->push(job);
}

void Crew::stop() {
  std::shared_ptr<base::Pool<std::function<void()>>> pool;
  {
    const std::lock_guard lock(mutex_);
    pool.swap(pool_);
  }
  if (pool != nullptr) pool->drop();
}

void Timers::start() {
  const std::lock_guard lock(mutex_);
  if (is_running_) return;
  is_running_ = true;
  thread_ = std::thread([this] { run(); });
}

bool Timers::after(std::int64_t delay_ms, std::function<void()> work) {
  const std::int64_t due = clock_.mono_ms() + std::max<std::int64_t>(0, delay_ms);
  {
    const std::lock_guard lock(mutex_);
    if (!is_running_ || due_.size() >= kMaxTimers) return false;
    due_.emplace(due, std::move(work));
  }
  wake_.notify_one();
  return true;
}

void Timers::run() {
  std::unique_lock lock(mutex_);
  while (is_running_) {
    if (due_.empty()) {
      wake_.wait(lock);
      continue;
    }
    const std::int64_t wait_ms = due_.begin()->first - clock_.mono_ms();
    if (wait_ms > 0) {
      wake_.wait_for(lock, std::chrono::milliseconds(std::min(wait_ms, kLongestNapMs)));
      continue;
    }
    auto work = std::move(due_.begin()->second);
    due_.erase(due_.begin());
    lock.unlock();
    work();
    work = nullptr;
    lock.lock();
  }
}

void Timers::stop() {
  std::multimap<std::int64_t, std::function<void()>> dropped;
  {
    const std::lock_guard lock(mutex_);
    is_running_ = false;
    dropped.swap(due_);
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::string_view Asked::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return {};
}

std::string Asked::query_value(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return {};
}

bool Asked::is(std::string_view wanted_method,
               std::initializer_list<std::string_view> wanted) const {
  if (method != wanted_method || segments.size() != wanted.size()) return false;
  return std::equal(wanted.begin(), wanted.end(), segments.begin(),
                    [](std::string_view want, const std::string& got) {
                      return want == "*" ? !got.empty() : want == got;
                    });
}

Answered Answered::json(const base::Json& value, int status) {
  return {.status = status, .body = dump_decimals(value)};
}

Answered Answered::see_other(const std::string& location) {
  return {.status = 303,
          .content_type = "",
          .headers = {{"Location", location}, {"Cache-Control", "no-store"}}};
}

base::Json decimal(const std::string& digits) { return std::string(kDecimalMark) + digits; }

std::string dump_decimals(const base::Json& value) {
  const std::string dumped = value.dump();
  std::string out;
  std::size_t at = 0;
  while (true) {
    const auto mark = dumped.find(kDumpedMark, at);
    if (mark == std::string::npos) return out + dumped.substr(at);
    const auto end = dumped.find('"', mark + 1);
    out += dumped.substr(at, mark - at);
    out += dumped.substr(mark + kDumpedMark.size(), end - mark - kDumpedMark.size());
    at = end + 1;
  }
}

bool has_control_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool is_loopback_client(const Asked& asked) {
  return is_loopback_host(asked.client_address) || asked.client_address == "::1" ||
         asked.client_address.substr(0, 11) == "::ffff:127.";
}

Party::Party(Surroundings around, std::string name, int workers)
    : around_(around), name_(std::move(name)), desk_(workers), couriers_(kCourierThreads) {}

std::size_t Party::body_limit(std::string_view method, std::string_view) {
  return method == "POST" ? kMaxPartyBody : 0;
}

void Party::start() {
  desk_.start();
  couriers_.start();
}

void Party::stop() {
  desk_.stop();
  couriers_.stop();
}

void Party::handle(http::WireRequest request, http::Answer answer) {
  auto pending = std::make_shared<PendingAnswer>(std::move(answer));
  auto shared = std::make_shared<http::WireRequest>(std::move(request));
  if (desk_.post([this, shared, pending] { serve(*shared, pending); })) return;
  const Answered busy{.status = 503, .body = "{}", .headers = {{"Retry-After", "1"}}};
  pending->send(response_bytes(busy, false, false), false);
}

void Party::serve(const http::WireRequest& request, const std::shared_ptr<PendingAnswer>& pending) {
  const Asked asked = parsed(request);
  Answered answered;
  try {
    if (asked.is("GET", {"desk"}) && is_loopback_client(asked)) {
      answered = desk_page(name_, neighbours_);
    } else {
      answered = answer(asked);
      seal(asked, answered);
    }
  } catch (const std::exception& failure) {
    base::log(base::Level::error, "rehearsal",
              {{"party", name_}, {"what", "answer_failed"}, {"why", failure.what()}});
    answered = {.status = 500, .body = "{}"};
  }
  base::log(base::Level::debug, "rehearsal",
            {{"party", name_}, {"method", asked.method}, {"status", answered.status}});
  if (answered.is_dropped) {
    pending->send("", false);
    return;
  }
  auto bytes = response_bytes(answered, request.keep_alive, asked.method == "HEAD");
  if (answered.hold_ms <= 0) {
    pending->send(std::move(bytes), request.keep_alive);
    return;
  }
  around_.timers.after(answered.hold_ms, [pending, bytes, keep_alive = request.keep_alive] {
    pending->send(bytes, keep_alive);
  });
}

base::OutboundReply Party::post_out(const std::string& url, Pairs headers, std::string body) {
  const auto address = parse_web_address(url);
  if (!address) return {};
  std::shared_ptr<base::Outbound> outbound;
  {
    const std::lock_guard lock(reached_mutex_);
    if (reached_.size() >= kMaxReachedOrigins) reached_.clear();
    auto& kept = reached_[address->origin];
    if (!kept) kept = base::make_outbound("rehearsed_shop", address->origin);
    outbound = kept;
  }
  const auto reply = outbound->call({.method = "POST",
                                     .target = address->target,
                                     .headers = std::move(headers),
                                     .body = std::move(body),
                                     .deadline_ms = kNotifyDeadlineMs});
  base::log(base::Level::debug, "rehearsal",
            {{"party", name_}, {"what", "posted"}, {"status", reply.status}});
  return reply;
}

void Party::later(std::int64_t delay_ms, std::function<void()> job) {
  around_.timers.after(delay_ms, [this, job = std::move(job)] {
    if (!couriers_.post(job)) later(kQueueFullRetryMs, job);
  });
}

}  // namespace topup::rehearsal
