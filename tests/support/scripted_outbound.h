// An outside party played from a script: replies are given in the order they were added, requests
// are kept. A call beyond the script ends no_answer/script_ended, so that a test notices it.
// Thread-safe.
#pragma once

#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "server/base/http_client.h"
#include "tests/support/source_dir.h"

namespace topup::testing {

// The text of tests/fixtures/<name>, found beside this file or below the current directory.
inline std::string read_fixture(const std::string& name) {
  const auto here = std::filesystem::path(source_dir()) / "tests";
  for (const auto& root : {here, std::filesystem::path("tests")}) {
    std::ifstream file(root / "fixtures" / name, std::ios::binary);
    if (file) return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  throw std::runtime_error("no fixture " + name);
}

class ScriptedOutbound final : public base::Outbound {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;
  using Step = std::function<base::OutboundReply(const base::OutboundRequest&)>;

  void then(Step step) {
    const std::lock_guard lock(mutex_);
    script_.push_back(std::move(step));
  }
  void then_answer(int status, std::string body, Headers headers = {}) {
    base::OutboundReply reply;
    reply.kind = base::OutboundReply::Kind::answered;
    reply.status = status;
    reply.headers = std::move(headers);
    reply.body = std::move(body);
    then([reply](const base::OutboundRequest&) { return reply; });
  }
  void then_not_sent() { then_fail(base::OutboundReply::Kind::not_sent, "connect_failed"); }
  void then_no_answer(std::string failure = "deadline") {
    then_fail(base::OutboundReply::Kind::no_answer, std::move(failure));
  }

  base::OutboundReply call(const base::OutboundRequest& request) override {
    Step step;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
      if (script_.empty()) return failed(base::OutboundReply::Kind::no_answer, "script_ended");
      step = std::move(script_.front());
      script_.pop_front();
    }
    return step(request);
  }

  std::vector<base::OutboundRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  std::size_t calls() const { return requests().size(); }
  bool is_played_out() const {
    const std::lock_guard lock(mutex_);
    return script_.empty();
  }

  // The value of a header of a recorded request; "" when absent.
  static std::string header(const base::OutboundRequest& request, std::string_view name) {
    for (const auto& [key, value] : request.headers) {
      if (key == name) return value;
    }
    return "";
  }

 private:
  static base::OutboundReply failed(base::OutboundReply::Kind kind, std::string failure) {
    base::OutboundReply reply;
    reply.kind = kind;
    reply.failure = std::move(failure);
    return reply;
  }
  void then_fail(base::OutboundReply::Kind kind, std::string failure) {
    then(
        [reply = failed(kind, std::move(failure))](const base::OutboundRequest&) { return reply; });
  }

  mutable std::mutex mutex_;
  std::deque<Step> script_;
  std::vector<base::OutboundRequest> requests_;
};

}  // namespace topup::testing
