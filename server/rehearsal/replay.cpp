#include "server/rehearsal/replay.h"

#include <algorithm>
#include <utility>

namespace topup::rehearsal {
namespace {

using base::Json;

constexpr std::int64_t kMaxTimeMs = 4'102'444'800'000;
constexpr std::int64_t kMaxLatencyMs = 3'600'000;
constexpr std::size_t kMaxCode = 64;

struct Said {  // one request and its answer
  bool is_submit = false;
  std::string outcome, code;
  std::int64_t latency_ms = 0;
  std::int64_t at_ms = 0;  // of the answer
  std::int64_t began_ms() const { return at_ms - latency_ms; }
};

tl::unexpected<Error> malformed(std::string_view field) {
  return refuse(Code::invalid_argument, "replay_malformed", field);
}

Result<Said> said_in(const Json& row) {
  constexpr std::string_view kOutcomes[] = {"accepted", "succeeded", "rejected",
                                            "held",     "unknown",   "not_found"};
  if (!row.is_object()) return malformed("exchanges");
  const auto operation = base::text_in(row, "operation");
  if (!operation || (*operation != "submit" && *operation != "query"))
    return malformed("operation");
  const auto outcome = base::text_in(row, "outcome");
  if (!outcome ||
      std::find(std::begin(kOutcomes), std::end(kOutcomes), *outcome) == std::end(kOutcomes))
    return malformed("outcome");
  const auto code = base::text_in(row, "code", kMaxCode);
  if (!code) return malformed("code");
  const auto latency = base::integer_in(row, "latency_ms", 0, kMaxLatencyMs);
  if (!latency) return malformed("latency_ms");
  const auto at = base::integer_in(row, "at_ms", 0, kMaxTimeMs);
  if (!at) return malformed("at_ms");
  return Said{*operation == "submit", *outcome, *code, *latency, *at};
}

// The shop's own words begin with a small letter; a supplier's are numbers or begin with a capital.
bool is_theirs(std::string_view code) {
  return !code.empty() && (code.front() < 'a' || code.front() > 'z');
}

// A supplier that refuses may give no reason; the shop always gives one.
bool is_without_word(const Said& said) { return said.outcome == "rejected" && said.code.empty(); }

// Told by the shop before it asked anybody.
bool stayed_there(const Said& said) {
  return (said.outcome == "held" || said.outcome == "rejected") && !is_theirs(said.code) &&
         !is_without_word(said);
}

bool is_end(const Said& said) { return said.outcome == "succeeded" || said.outcome == "rejected"; }
bool is_known(const Said& said) { return is_end(said) || said.outcome == "accepted"; }

// Of the request that may have had an effect, from all that was heard of it later.
Course course_of(const std::vector<Said>& log, std::size_t sent) {
  const Said& submit = log[sent];
  Course course;
  const auto from = log.begin() + static_cast<std::ptrdiff_t>(sent);
  const auto end = std::find_if(from, log.end(), is_end);
  const bool was_taken = std::any_of(from, log.end(), is_known);
  if (!was_taken) {
    course.is_lost = !is_theirs(submit.code);
    if (!course.is_lost) course.refusal = submit.code;
    return course;
  }
  course.is_dropped = submit.outcome == "unknown";
  if (!course.is_dropped) course.holds_ms = submit.latency_ms;
  course.takes_ms = kStuckMs;
  if (end == log.end()) return course;
  if (end == from) {
    course.takes_ms = 0;  // told in the answer itself
  } else {
    // Between the look before and this one: each sees again what it saw.
    course.takes_ms =
        std::max<std::int64_t>(0, ((end - 1)->at_ms + end->began_ms()) / 2 - submit.began_ms());
  }
  if (end->outcome == "rejected") {
    course.end = "failed";
    course.code = end->code;
  }
  const auto back = std::find_if(
      end, log.end(), [](const Said& said) { return said.code.starts_with("REVERSED"); });
  if (back != log.end()) {
    course.end = "succeeded";
    course.code.clear();
    course.reversed_after_ms = std::max<std::int64_t>(1, (back->began_ms() - end->at_ms) / 2);
  }
  return course;
}

Result<std::vector<Said>> log_in(const Json& log, std::string_view party) {
  const auto supplier = base::text_in(log, "supplier");
  if (!supplier) return malformed("supplier");
  if (*supplier != party)
    return refuse(Code::invalid_argument, "replay_of_another_party", "supplier", *supplier);
  const auto rows = log.find("exchanges");
  if (rows == log.end() || !rows->is_array() || rows->size() > kMaxReplayed)
    return malformed("exchanges");
  std::vector<Said> out;
  for (const Json& row : *rows) {
    auto said = said_in(row);
    if (!said) return tl::unexpected<Error>(said.error());
    out.push_back(std::move(*said));
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Said& a, const Said& b) { return a.at_ms < b.at_ms; });
  return out;
}

Course scaled(Course course, int speed_percent) {
  for (std::int64_t* ms : {&course.takes_ms, &course.holds_ms, &course.reversed_after_ms}) {
    if (*ms != kStuckMs) *ms = *ms * speed_percent / 100;
  }
  return course;
}

Json json_of(const Course& course) {
  return {{"refusal", course.refusal},
          {"end", course.end},
          {"code", course.code},
          {"takes_ms", course.takes_ms},
          {"holds_ms", course.holds_ms},
          {"reversed_after_ms", course.reversed_after_ms},
          {"is_away", course.is_away},
          {"is_lost", course.is_lost},
          {"is_dropped", course.is_dropped}};
}

Course course_from(const Json& stored) {
  Course course;
  stored.at("refusal").get_to(course.refusal);
  stored.at("end").get_to(course.end);
  stored.at("code").get_to(course.code);
  stored.at("takes_ms").get_to(course.takes_ms);
  stored.at("holds_ms").get_to(course.holds_ms);
  stored.at("reversed_after_ms").get_to(course.reversed_after_ms);
  stored.at("is_away").get_to(course.is_away);
  stored.at("is_lost").get_to(course.is_lost);
  stored.at("is_dropped").get_to(course.is_dropped);
  return course;
}

}  // namespace

Result<std::vector<Course>> courses_in(const Json& log, std::string_view party, int speed_percent) {
  if (!log.is_object()) return malformed("");
  const auto said = log_in(log, party);
  if (!said) return tl::unexpected<Error>(said.error());
  std::vector<Course> courses;
  for (std::size_t i = 0; i < said->size(); ++i) {
    const Said& one = (*said)[i];
    if (!one.is_submit) continue;
    if (stayed_there(one)) {
      // Where the line was down nothing arrived here; what the shop itself refused asked nobody.
      if (one.outcome == "rejected") continue;
      Course away;
      away.is_away = true;
      courses.push_back(away);
    } else if (one.outcome == "held" || one.outcome == "rejected") {
      Course refused;
      refused.refusal = one.code;
      if (is_without_word(one)) refused.end = "failed";  // at once, as its answer to the request
      refused.holds_ms = one.latency_ms;
      courses.push_back(scaled(std::move(refused), speed_percent));
    } else {
      courses.push_back(scaled(course_of(*said, i), speed_percent));
      break;
    }
  }
  if (courses.empty()) return refuse(Code::invalid_argument, "replay_empty", "exchanges");
  return courses;
}

Answered not_replayed(const Error& why) {
  return Answered::json(
      {{"reason", why.reason}, {"field", why.field}, {"detail", why.detail.view()}}, 400);
}

Replays::Replays(storage::Db& db, std::string party) : db_(db), party_(std::move(party)) {
  db_.write([](storage::Tx& tx) {
    tx.exec(R"sql(
      CREATE TABLE IF NOT EXISTS replays (
        row_id INTEGER PRIMARY KEY, party TEXT NOT NULL, course TEXT NOT NULL))sql",
            {});
    return true;
  });
  db_.read([this](storage::Reader& reader) {
    reader.query("SELECT row_id, course FROM replays WHERE party = $1 ORDER BY row_id", {party_},
                 [this](const storage::Row& row) {
                   waiting_.emplace_back(row.integer(0), course_from(Json::parse(row.text(1))));
                 });
  });
}

Result<bool> Replays::add(const Json& log, int speed_percent) {
  const auto courses = courses_in(log, party_, speed_percent);
  if (!courses) return tl::unexpected<Error>(courses.error());
  const std::lock_guard lock(mutex_);
  if (waiting_.size() + courses->size() > kMaxReplays)
    return refuse(Code::rejected, "too_many_replays");
  std::vector<std::pair<std::int64_t, Course>> added;
  db_.write([&](storage::Tx& tx) {
    added.clear();
    for (const Course& course : *courses) {
      tx.query("INSERT INTO replays (party, course) VALUES ($1, $2) RETURNING row_id",
               {party_, json_of(course).dump()},
               [&](const storage::Row& row) { added.emplace_back(row.integer(0), course); });
    }
    return true;
  });
  waiting_.insert(waiting_.end(), added.begin(), added.end());
  return true;
}

void Replays::clear() {
  const std::lock_guard lock(mutex_);
  waiting_.clear();
  db_.write([&](storage::Tx& tx) {
    tx.exec("DELETE FROM replays WHERE party = $1", {party_});
    return true;
  });
}

std::optional<Course> Replays::take() {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) return std::nullopt;
  auto [row_id, course] = std::move(waiting_.front());
  waiting_.pop_front();
  db_.write([&, id = row_id](storage::Tx& tx) {
    tx.exec("DELETE FROM replays WHERE row_id = $1", {id});
    return true;
  });
  return course;
}

std::size_t Replays::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

}  // namespace topup::rehearsal
