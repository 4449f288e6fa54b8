#include "server/app_keys.h"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "server/audit/audit_log.h"
#include "server/audit/head_file.h"
#include "server/base/log.h"

namespace topup {
namespace {

constexpr std::int64_t kSignEveryMs = 30'000;
constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kPauseMs = 20;  // between two batches beside the traffic
constexpr const char* kCredential = "/topup-passphrase";

std::string head_path(const Config& config, const std::string& data_dir) {
  return config.keys.audit_head_file.empty() ? data_dir + "/audit.head"
                                             : config.keys.audit_head_file;
}

[[noreturn]] void stop_with(const Error& error) {
  throw std::runtime_error("the keys of personal data: " + std::string(error.reason) + " " +
                           std::string(error.detail.view()));
}

privacy::KeyTold into_audit(const base::Clock& clock) {
  return [&clock](storage::Tx& tx, std::string_view action, std::string_view subject,
                  std::string_view detail) {
    audit::append(tx, {"system", action, subject, detail}, base::TraceScope::current(),
                  clock.wall_ms());
  };
}

std::string words_of(const Error& error) {
  return std::string(error.reason) + " " + std::string(error.detail.view());
}

}  // namespace

std::string passphrase_file_of(const Config& config) {
  if (!config.keys.passphrase_file.empty()) return config.keys.passphrase_file;
  if (const char* path = std::getenv("TOPUP_KEY_PASSPHRASE_FILE")) return path;
  const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
  const std::string path = folder == nullptr ? "" : std::string(folder) + kCredential;
  return !path.empty() && ::access(path.c_str(), F_OK) == 0 ? path : "";
}

ShopKeys::ShopKeys(const Config& config, std::string data_dir, std::string node, storage::Db& db,
                   const base::Clock& clock, base::Random& random, bool is_new)
    : config_(config),
      data_dir_(std::move(data_dir)),
      node_(std::move(node)),
      db_(db),
      clock_(clock),
      random_(random) {
  auto opened = privacy::open_key_file(
      {data_dir_, passphrase_file_of(config)}, random,
      is_new ? privacy::KeyFile::create_if_absent : privacy::KeyFile::must_exist, clock.wall_ms());
  if (!opened) stop_with(opened.error());
  provider_ = std::move(*opened);
}

ShopKeys::~ShopKeys() { stop(); }

privacy::Pii ShopKeys::open() {
  auto ring =
      privacy::KeyRing::open(db_, *provider_, random_, clock_.wall_ms(), into_audit(clock_));
  if (!ring) stop_with(ring.error());
  ring_ = *ring;
  return privacy::Pii(ring_, random_);
}

privacy::KeyKeeper& ShopKeys::keeper(const privacy::Pii& pii, std::int64_t pause_ms,
                                     privacy::ResealSettings settings) {
  keeper_ = std::make_unique<privacy::KeyKeeper>(
      db_, *provider_, ring_, pii, clock_,
      privacy::KeeperSettings{data_dir_, node_, config_.keys.rotate_days * kDayMs, pause_ms,
                              settings},
      into_audit(clock_));
  return *keeper_;
}

void ShopKeys::start(const privacy::Pii& pii) {
  keeper(pii, kPauseMs, {}).start();
  sign_head();
  signer_ = std::thread([this] { sign_loop(); });
}

void ShopKeys::stop() {
  {
    const std::lock_guard hold(mutex_);
    if (stopping_) return;
    stopping_ = true;
  }
  stopped_.notify_all();
  if (keeper_ != nullptr) keeper_->stop();
  if (!signer_.joinable()) return;
  signer_.join();
  sign_head();
}

void ShopKeys::sign_loop() {
  std::unique_lock hold(mutex_);
  while (!stopped_.wait_for(hold, std::chrono::milliseconds(kSignEveryMs),
                            [this] { return stopping_; })) {
    hold.unlock();
    sign_head();
    hold.lock();
  }
}

void ShopKeys::sign_head() {
  try {
    audit::Head head;
    db_.read([&head](storage::Reader& reader) { head = audit::head_of(reader); });
    if (head.seq == signed_seq_) return;
    head.at_ms = clock_.wall_ms();
    const std::string path = head_path(config_, data_dir_);
    if (!audit::append_head(path, head, ring_->named(privacy::purpose::kAudit)->view())) {
      base::log(base::Level::error, "audit_head_not_kept", {{"path", path}});
      return;
    }
    if (signed_seq_ == 0 && !ring_->was_used(privacy::purpose::kAudit)) {
      ring_->mark_used(privacy::purpose::kAudit);
    }
    signed_seq_ = head.seq;
  } catch (const storage::SqlError& failure) {
    base::log(base::Level::warn, "audit_head_not_kept", {{"why", failure.what()}});
  }
}

audit::SignedHeads ShopKeys::heads() const {
  return audit::read_heads(head_path(config_, data_dir_),
                           ring_->named(privacy::purpose::kAudit)->view());
}

namespace {

// The heads that were signed, or why they cannot be read.
std::vector<audit::Head> signed_heads(const Config& config, storage::Db& db,
                                      const base::Clock& clock, base::Random& random,
                                      AuditCheck* check) {
  std::vector<std::string>* wrong = &check->wrong;
  const std::string path = head_path(config, config.server.data_dir);
  const auto provider =
      privacy::open_key_file({config.server.data_dir, passphrase_file_of(config)}, random,
                             privacy::KeyFile::must_exist, clock.wall_ms());
  // A machine without the shop's data folder, beside its PostgreSQL: the shop itself would not
  // start without its keys.
  if (!provider && provider.error().reason == "key_file_missing" &&
      ::access(path.c_str(), F_OK) != 0) {
    check->note =
        "the signed heads were not checked: they and the keys are not in " + config.server.data_dir;
    return {};
  }
  if (!provider) {
    wrong->push_back("the audit trail's signed heads: " + words_of(provider.error()));
    return {};
  }
  const auto ring = privacy::KeyRing::look(db, **provider, random);
  if (!ring) {
    const bool is_untouched =
        ring.error().reason == "key_none" && ::access(path.c_str(), F_OK) != 0;
    if (!is_untouched) {
      wrong->push_back("the audit trail's signed heads: " + words_of(ring.error()));
    }
    return {};
  }
  audit::SignedHeads found =
      audit::read_heads(path, (*ring)->named(privacy::purpose::kAudit)->view());
  if (!found.is_there && (*ring)->was_used(privacy::purpose::kAudit)) {
    wrong->push_back("the file of the audit trail's signed heads is gone: " + path);
  }
  wrong->insert(wrong->end(), found.wrong.begin(), found.wrong.end());
  return std::move(found.heads);
}

}  // namespace

AuditCheck check_audit(const Config& config, storage::Db& db, const base::Clock& clock,
                       base::Random& random) {
  AuditCheck check;
  const std::vector<audit::Head> heads = signed_heads(config, db, clock, random, &check);
  audit::ChainVerdict chain;
  db.read([&](storage::Reader& reader) { chain = audit::verify(reader, heads); });
  check.rows = chain.rows;
  if (!chain.holds) {
    check.wrong.push_back("audit chain breaks at row " + std::to_string(chain.first_bad_seq) +
                          ": " + chain.why);
  }
  return check;
}

}  // namespace topup
