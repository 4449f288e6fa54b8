#include "server/audit/audit_log.h"

#include <algorithm>
#include <cstdint>
#include <initializer_list>

#include "server/audit/audit_store.h"
#include "server/base/crypto.h"
#include "server/base/mask.h"
#include "server/base/utf8.h"

namespace topup::audit {
namespace {

constexpr std::int64_t kFirstVersion = 1;  // covers no origin and no change
constexpr std::int64_t kVersion = 2;
constexpr std::int64_t kWhole = INT64_MIN;

// Each field is preceded by its length, so that no two different rows hash the same bytes.
std::string hash_of(const Row& row) {
  std::string bytes;
  const auto add = [&bytes](std::initializer_list<const std::string*> fields) {
    for (const std::string* field : fields) {
      bytes += std::to_string(field->size());
      bytes += ':';
      bytes += *field;
    }
  };
  const std::string seq = std::to_string(row.seq);
  const std::string at = std::to_string(row.at_ms);
  add({&row.previous_hash, &seq, &at, &row.actor, &row.action, &row.subject, &row.detail,
       &row.trace_id});
  if (row.chain_version != kFirstVersion) {
    const std::string version = std::to_string(row.chain_version);
    add({&version, &row.before, &row.after, &row.address_masked, &row.device, &row.session_prefix});
  }
  return base::hex(base::sha256(bytes));
}

// A row of the first version cannot say anything in columns that its hash does not cover.
bool is_sound(const Row& row) {
  if (row.chain_version < kFirstVersion || row.chain_version > kVersion) return false;
  const bool has_origin = !row.before.empty() || !row.after.empty() ||
                          !row.address_masked.empty() || !row.device.empty() ||
                          !row.session_prefix.empty();
  return row.chain_version != kFirstVersion || !has_origin;
}

std::string bounded(std::string_view text) {
  if (text.size() <= kMaxChangeBytes) return std::string(text);
  std::size_t end = 0;
  for (std::size_t length = 0; end < text.size(); end += length) {
    length = std::max<std::size_t>(base::utf8_length_at(text, end), 1);
    if (end + length + 3 > kMaxChangeBytes) break;
  }
  return std::string(text.substr(0, end)) + "...";
}

std::string words_of(const Row& row) {
  return "row " + std::to_string(row.seq) + " (" + row.action + " of " + row.subject + " by " +
         row.actor + ")";
}

// The first row that breaks the chain, and how.
class Walk {
 public:
  Walk(std::int64_t after_seq, const std::vector<Head>& heads)
      : is_whole_(after_seq == kWhole), expected_(is_whole_ ? 1 : after_seq + 1), heads_(heads) {
    std::sort(heads_.begin(), heads_.end(),
              [](const Head& a, const Head& b) { return a.seq < b.seq; });
  }

  void step(const Row& row) {
    const bool first_of_tail = verdict_.rows++ == 0 && !is_whole_;
    if (!verdict_.holds) return;
    const std::string number = std::to_string(expected_);
    if (row.seq > expected_) {
      found(expected_, "row " + number + " is missing: the next one is " + words_of(row));
    } else if (row.seq < expected_) {
      found(row.seq, words_of(row) + " was put in before the first one");
    } else if (!is_sound(row) || hash_of(row) != row.hash) {
      found(row.seq, words_of(row) + " was changed: its hash does not fit what it says");
    } else if (!first_of_tail && row.previous_hash != previous_) {
      found(row.seq, words_of(row) +
                         " does not follow the row before it: one of the two was "
                         "exchanged");
    } else {
      compare_with_heads(row);
    }
    previous_ = row.hash;
    ++expected_;
  }

  std::int64_t rows() const { return verdict_.rows; }

  ChainVerdict end(const audit_store::Head& head) {
    if (verdict_.holds && head.seq > expected_ - 1) {
      found(expected_, "the tail after row " + std::to_string(expected_ - 1) +
                           " was cut: the head in the database says " + std::to_string(head.seq));
    } else if (verdict_.holds && (head.seq != expected_ - 1 || head.hash != previous_)) {
      found(std::min(expected_, head.seq + 1),
            "the newest rows do not fit the head in the database");
    }
    if (verdict_.holds && next_head_ < heads_.size()) {
      found(expected_, "the tail after row " + std::to_string(expected_ - 1) + " was cut: row " +
                           std::to_string(heads_.back().seq) + " was signed once");
    }
    return verdict_;
  }

 private:
  void compare_with_heads(const Row& row) {
    for (; next_head_ < heads_.size() && heads_[next_head_].seq <= row.seq; ++next_head_) {
      const Head& head = heads_[next_head_];
      if (head.seq < row.seq || head.hash == row.hash) continue;
      const std::string since = std::to_string(agreed_ + 1);
      found(agreed_ + 1, "the chain was written anew somewhere from row " + since + " to row " +
                             std::to_string(head.seq) +
                             ": the latter has another hash than the "
                             "one that was signed");
      return;
    }
    if (next_head_ > 0 && heads_[next_head_ - 1].seq == row.seq) agreed_ = row.seq;
  }
  void found(std::int64_t seq, std::string why) {
    verdict_.holds = false;
    verdict_.first_bad_seq = seq;
    verdict_.why = std::move(why);
  }

  const bool is_whole_;
  std::int64_t expected_;
  std::vector<Head> heads_;
  std::size_t next_head_ = 0;
  std::int64_t agreed_ = 0;  // the newest row that a signed head confirms
  std::string previous_;
  ChainVerdict verdict_;
};

// The chain from the row after `after_seq` on; the first row's link to what lies before is taken as
// it is. The whole chain starts at row 1, and a row numbered below that was smuggled in.
ChainVerdict walk(storage::Reader& reader, std::int64_t after_seq, const std::vector<Head>& heads) {
  Walk walk(after_seq, heads);
  audit_store::each(reader, after_seq, [&walk](const Row& row) { walk.step(row); });
  const audit_store::Head head = audit_store::load_head(reader);
  ChainVerdict verdict = walk.end(head);
  verdict.head_hash = head.hash;
  return verdict;
}

}  // namespace

void append(storage::Tx& tx, const Entry& entry, const TraceId& trace, std::int64_t now_ms) {
  const audit_store::Head head = audit_store::head_to_follow(tx);
  Row row;
  row.seq = head.seq + 1;
  row.at_ms = now_ms;
  row.actor = entry.actor;
  row.action = entry.action;
  row.subject = entry.subject;
  row.detail = base::scrub(entry.detail);
  row.trace_id = trace.text;
  row.before = bounded(base::scrub(entry.before));
  row.after = bounded(base::scrub(entry.after));
  if (const Origin* origin = OriginScope::current()) {
    row.address_masked = base::mask(base::Kind::address, origin->address);
    row.device = base::scrub(origin->device);
    row.session_prefix = origin->session;
  }
  row.chain_version = kVersion;
  row.previous_hash = head.hash;
  row.hash = hash_of(row);
  audit_store::insert(tx, row);
}

Change change_between(const base::Json& before, const base::Json& after) {
  base::Json was = base::Json::object();
  base::Json is = base::Json::object();
  for (const auto& [name, value] : before.items()) {
    if (!after.contains(name) || after[name] != value) was[name] = value;
  }
  for (const auto& [name, value] : after.items()) {
    if (!before.contains(name) || before[name] != value) is[name] = value;
  }
  // A name in one of the two only is shown by its absence in the other.
  return {was.empty() ? "" : was.dump(), is.empty() ? "" : is.dump()};
}

std::vector<Row> list_of(storage::Reader& reader, std::string_view subject) {
  return audit_store::list_of(reader, subject, kMaxListed);
}

Head head_of(storage::Reader& reader) {
  const audit_store::Head head = audit_store::load_head(reader);
  return {head.seq, head.hash, 0};
}

ChainVerdict verify(storage::Reader& reader, const std::vector<Head>& signed_heads) {
  return walk(reader, kWhole, signed_heads);
}

struct ChainWalk::State {
  explicit State(const std::vector<Head>& heads) : walk(kWhole, heads) {}
  Walk walk;
  std::int64_t last_seq = kWhole;
  ChainVerdict verdict;
};

ChainWalk::ChainWalk(const std::vector<Head>& signed_heads)
    : state_(std::make_unique<State>(signed_heads)) {}
ChainWalk::~ChainWalk() = default;

// The last slice and the head are of one snapshot: rows that are added meanwhile are no cut.
bool ChainWalk::step(storage::Reader& reader) {
  const int rows = audit_store::slice(reader, state_->last_seq, kSliceRows, [this](const Row& row) {
    state_->last_seq = row.seq;
    state_->walk.step(row);
  });
  if (rows == kSliceRows) return true;
  const audit_store::Head head = audit_store::load_head(reader);
  state_->verdict = state_->walk.end(head);
  state_->verdict.head_hash = head.hash;
  return false;
}

std::int64_t ChainWalk::rows() const { return state_->walk.rows(); }
std::int64_t ChainWalk::last_seq() const {
  return state_->last_seq == kWhole ? 0 : state_->last_seq;
}
const ChainVerdict& ChainWalk::verdict() const { return state_->verdict; }

bool tail_holds(storage::Reader& reader) {
  const std::int64_t newest = audit_store::load_head(reader).seq;
  return walk(reader, newest > kTailRows ? newest - kTailRows : kWhole, {}).holds;
}

}  // namespace topup::audit
