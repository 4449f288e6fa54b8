#include "server/operate/doctor.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "server/audit/audit_log.h"
#include "server/base/crypto.h"
#include "server/base/http_client.h"
#include "server/operate/doctor_store.h"
#include "server/operate/durable_files.h"
#include "server/operate/proof.h"
#include "server/operate/scheduled_backups.h"
#include "server/storage/migrate.h"
#include "server/storage/store_stats.h"

namespace topup::operate {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kDayMs = 24 * kHourMs;
constexpr std::int64_t kLittleBytes = std::int64_t{1} << 30;
constexpr std::int64_t kTooLittleBytes = std::int64_t{256} << 20;
constexpr std::int64_t kStuckMs = kHourMs;
constexpr std::int64_t kSkewMs = 30'000;
constexpr std::int64_t kAskMs = 5'000;
constexpr std::int64_t kCertificateMs = 21 * kDayMs;

class Examination {
 public:
  Examination(const Patient& patient, const base::Clock& clock)
      : patient_(patient), clock_(clock) {}

  std::vector<Finding> run() {
    look_at_folder();
    look_at_keys();
    look_at_named_files();
    look_at_disk("disk", patient_.data_dir);
    look_at_store();
    look_at_backups();
    look_at_port();
    look_at_parties();
    return std::move(findings_);
  }

 private:
  void good(std::string check, std::string what) {
    findings_.push_back({Health::good, std::move(check), std::move(what), ""});
  }
  void note(std::string check, std::string what, std::string remedy) {
    findings_.push_back({Health::note, std::move(check), std::move(what), std::move(remedy)});
  }
  void act(std::string check, std::string what, std::string remedy) {
    findings_.push_back({Health::act, std::move(check), std::move(what), std::move(remedy)});
  }

  // True when only its owner can use it, and it is the shop's.
  bool is_private(const std::string& check, const std::string& path) {
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0) {
      act(check, path + " cannot be read: " + std::strerror(errno),
          "check its name and its rights");
      return false;
    }
    if ((found.st_mode & 077) != 0) {
      act(check, path + " is open to other users of this machine", "chmod go-rwx " + path);
      return false;
    }
    if (::geteuid() != 0 && found.st_uid != ::geteuid()) {
      act(check, path + " belongs to another user", "run this as the shop's user, or chown it");
      return false;
    }
    return true;
  }

  void look_at_folder() {
    if (!fs::exists(patient_.data_dir)) {
      return act("data_folder", "there is no data folder " + patient_.data_dir,
                 "start the shop once, restore a backup, or name the right folder");
    }
    if (!is_private("data_folder", patient_.data_dir)) return;
    struct stat folder {
    }, database{};
    ::stat(patient_.data_dir.c_str(), &folder);
    const std::string file = patient_.data_dir + "/topup.sqlite";
    if (::stat(file.c_str(), &database) == 0 && database.st_uid != folder.st_uid) {
      return act("data_folder", file + " does not belong to the owner of its folder",
                 "chown --reference=" + patient_.data_dir + " " + patient_.data_dir + "/*");
    }
    if (::access(patient_.data_dir.c_str(), W_OK) != 0)
      return act("data_folder", patient_.data_dir + " cannot be written to", "chown or remount it");
    good("data_folder", patient_.data_dir + " is the shop's alone");
  }

  void look_at_keys() {
    std::error_code none;
    int keys = 0, exposed = 0;
    for (const auto& entry : fs::directory_iterator(patient_.data_dir, none)) {
      if (!entry.path().filename().string().starts_with("topup.key")) continue;
      ++keys;
      if (!is_private("keys", entry.path().string())) ++exposed;
    }
    if (keys == 0) {
      return act(
          "keys", "there is no key file in " + patient_.data_dir,
          "put topup.key* back from where you keep it; nothing else opens the phone numbers");
    }
    if (exposed == 0) good("keys", "the key files are the shop's alone; keep a copy elsewhere");
  }

  void look_at_named_files() {
    for (const NamedFile& file : patient_.files) {
      std::ifstream in(file.path, std::ios::binary);
      std::stringstream text;
      text << in.rdbuf();
      if (!in) {
        act("files", file.key + " names " + file.path + ", which cannot be read",
            "check its name and its rights");
        continue;
      }
      if (const auto end = base::certificate_end_ms(text.str())) {
        look_at_certificate(file, *end);
      } else if (text.str().find("PUBLIC KEY") == std::string::npos &&
                 is_private("files", file.path)) {
        good("files", file.key + " is the shop's alone");
      }
    }
  }

  void look_at_certificate(const NamedFile& file, std::int64_t end_ms) {
    const std::int64_t left = end_ms - clock_.wall_ms();
    const std::string when = file.path + " ends in " + std::to_string(left / kDayMs) + " days";
    if (left <= 0) {
      act("certificate", file.path + " has ended",
          "renew it; the shop takes the new file by itself");
    } else if (left < kCertificateMs) {
      act("certificate", when, "renew it, and look why that was not done by itself");
    } else {
      good("certificate", when);
    }
  }

  void look_at_disk(const std::string& check, const std::string& folder) {
    if (!fs::exists(folder)) return;
    const std::int64_t free = free_bytes(folder);
    const std::string what = std::to_string(free >> 20) + " MB are free at " + folder;
    const char* remedy = "make room, or move the folder to a larger disk";
    if (free < kTooLittleBytes) return act(check, what, remedy);
    if (free < kLittleBytes) return note(check, what, remedy);
    good(check, what);
  }

  void look_at_store() {
    if (patient_.store == nullptr) {
      return act("store", patient_.store_fault, "see \"When something is wrong\" in the README");
    }
    try {
      look_at_settings();
      look_at_schema();
      if (!storage::has_shop(*patient_.store)) return;
      look_at_pages();
      look_at_audit();
      look_at_waiting();
    } catch (const storage::SqlError& error) {
      act("store", error.why, "stop the shop, keep the folder, restore the newest good backup");
    }
  }

  void look_at_settings() {
    std::string said, wrong;
    patient_.store->read([&](storage::Reader& reader) {
      for (const auto& [name, value] : doctor_store::settings(reader, !patient_.is_shared)) {
        said += (said.empty() ? "" : ", ") + name + " " + value;
        const bool is_bad = value == "off" || (name == "journal_mode" && value != "wal");
        if (is_bad) wrong += (wrong.empty() ? "" : ", ") + name + " is " + value;
      }
    });
    if (wrong == "journal_mode is delete") {  // as a restored file is until its first start
      return note("engine", "the file is not in WAL mode yet", "the shop's next start sets it");
    }
    if (!wrong.empty())
      return act("engine", wrong, "an acknowledged payment could be lost: set it back");
    const storage::StoreStats* stats = patient_.store->stats();
    if (stats != nullptr && stats->is_unreplicated) {
      return act("engine", "the url names several servers, but commits wait for no replica",
                 "set synchronous_standby_names on the primary, or what it took last is lost with "
                 "it; right after a promotion: give the new primary a standby first");
    }
    good("engine", said);
  }

  void look_at_schema() {
    const storage::Schema schema = storage::schema_of(*patient_.store);
    const std::string versions = "schema " + std::to_string(schema.applied) + ", this program's " +
                                 std::to_string(schema.known);
    if (schema.applied == 0)
      return note("schema", "there is no shop in this database yet", "topup serve makes it");
    if (schema.waiting.empty()) return good("schema", versions);
    note("schema", versions, "topup migrate, or the next start, brings it up; make a backup first");
  }

  void look_at_pages() {
    const auto faults = page_faults(*patient_.store, true);
    if (faults.empty()) return good("pages", "the file's structure is whole");
    act("pages", faults.front(),
        "stop the shop, copy the folder away, restore the newest good backup");
  }

  void look_at_audit() {
    bool holds = false;
    patient_.store->read([&](storage::Reader& reader) { holds = audit::tail_holds(reader); });
    if (holds) return good("audit", "the newest rows of the audit chain hold");
    act("audit", "the audit chain is broken near its end",
        "topup verify names the row; somebody changed the database by hand");
  }

  void look_at_waiting() {
    doctor_store::Waiting waiting;
    patient_.store->read([&](storage::Reader& reader) {
      waiting = doctor_store::count(reader, clock_.wall_ms(), kStuckMs);
    });
    const auto tell = [this](std::int64_t count, const char* check, const std::string& what,
                             const char* remedy) {
      if (count > 0) act(check, std::to_string(count) + what, remedy);
    };
    const std::size_t before = findings_.size();
    tell(waiting.paid_undelivered, "stuck_orders", " paid orders have waited for over an hour",
         "the console lists them; if the supplier is down they go on by themselves");
    tell(waiting.unpaid_overdue, "unpaid_orders", " unpaid orders were not closed in time",
         "is the shop running? They close when it does");
    tell(waiting.dead_jobs, "dead_jobs", " jobs were given up",
         "the console shows why and has the button to try again");
    tell(waiting.late_jobs, "late_jobs", " jobs have been due for over an hour",
         "is the shop running? They are done when it does");
    if (waiting.open_items > 0) {
      note("work_items", std::to_string(waiting.open_items) + " things wait for a person",
           "the console lists them");
    }
    if (findings_.size() == before) good("orders", "nothing is stuck");
  }

  void look_at_backups() {
    if (patient_.backup_folder.empty()) {
      return note("backup", "the shop makes no backups by itself",
                  "set [backup] folder, or run topup backup from a timer");
    }
    look_at_disk("backup_disk", patient_.backup_folder);
    const std::int64_t newest = newest_backup_ms(patient_.backup_folder);
    if (newest == 0) {
      return act("backup", "there is no whole backup in " + patient_.backup_folder,
                 "topup backup " + patient_.backup_folder + " shows why");
    }
    const std::int64_t age = clock_.wall_ms() - newest;
    const std::string what =
        "the newest good backup is " + std::to_string(age / kHourMs) + " hours old";
    if (age > 2 * patient_.backup_every_hours * kHourMs)
      return act("backup", what, "topup backup " + patient_.backup_folder + " shows why");
    good("backup", what);
  }

  // A shop that runs holds its folder's lock.
  bool shop_runs() const {
    const std::string path = patient_.data_dir + "/node.lock";
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    const bool is_held = ::flock(file, LOCK_SH | LOCK_NB) != 0;
    ::close(file);
    return is_held;
  }

  void look_at_port() {
    if (patient_.port == 0) return;
    const std::string place = patient_.address + ":" + std::to_string(patient_.port);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(patient_.port);
    if (::inet_pton(AF_INET, patient_.address.c_str(), &address.sin_addr) != 1) return;
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    const bool is_free =
        ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    const int why = errno;
    ::close(socket);
    if (is_free) return good("port", place + " is free; the shop is not running");
    if (why == EACCES) {
      return act("port", place + " is not allowed to this user",
                 "take a port above 1023, or give the service CAP_NET_BIND_SERVICE");
    }
    if (shop_runs()) return good("port", "the shop is running");
    act("port", place + " cannot be taken: " + std::strerror(why),
        "stop the program that has it, or set [server] port and address");
  }

  void look_at_parties() {
    for (const NamedOrigin& party : patient_.origins) {
      const auto outbound = base::make_outbound("doctor", party.origin, 1);
      const base::OutboundReply reply = outbound->call({"GET", "/", {}, "", kAskMs});
      if (reply.kind != base::OutboundReply::Kind::answered) {
        act("parties", party.party + " " + party.origin + " does not answer: " + reply.failure,
            "is this machine online? Is the origin right?");
        continue;
      }
      good("parties", party.party + " answers");
      look_at_clock(party, reply.header("Date"));
    }
  }

  void look_at_clock(const NamedOrigin& party, const std::string& date) {
    std::tm parts{};
    if (::strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts) == nullptr) return;
    const std::int64_t skew = clock_.wall_ms() - std::int64_t{::timegm(&parts)} * 1'000;
    const std::string what = "this clock and that of " + party.party + " differ by " +
                             std::to_string(skew / 1'000) + " s";
    if (skew > -kSkewMs && skew < kSkewMs) return good("clock", what);
    act("clock", what, "start time synchronisation; signatures are refused when clocks differ");
  }

  const Patient& patient_;
  const base::Clock& clock_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> examine(const Patient& patient, const base::Clock& clock) {
  return Examination(patient, clock).run();
}

}  // namespace topup::operate
