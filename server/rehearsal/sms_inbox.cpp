#include "server/rehearsal/sms_inbox.h"

#include <cstdlib>
#include <utility>
#include <vector>

#include "server/base/crypto.h"

namespace topup::rehearsal {
namespace {

using base::Json;

constexpr int kWorkers = 4;
constexpr std::int64_t kToleranceS = 300;
constexpr FaultKind kFaults[] = {
    {"refuse", "a message is refused with 403 and not delivered"},
    {"outage", "a message is answered 500 and not delivered"},
    {"silence", "a message is delivered, but the connection closes without an answer"},
};

Answered refused(int status, std::string_view code) {
  return Answered::json({{"code", code}}, status);
}

}  // namespace

SmsInbox::SmsInbox(Surroundings surroundings, std::string key)
    : Party(surroundings, "sms", kWorkers),
      key_(std::move(key)),
      armed_(surroundings.db, "sms", {std::begin(kFaults), std::end(kFaults)}) {
  around().db.write([](storage::Tx& tx) {
    tx.exec(R"sql(
      CREATE TABLE IF NOT EXISTS sms_inbox (
        reference TEXT PRIMARY KEY, recipient TEXT NOT NULL, template TEXT NOT NULL,
        params TEXT NOT NULL, at_ms INTEGER NOT NULL))sql",
            {});
    return true;
  });
}

Answered SmsInbox::answer(const Asked& asked) {
  if (asked.is("POST", {"send"})) return send(asked);
  if (is_loopback_client(asked)) {
    if (asked.is("GET", {"magic"}))
      return Answered::json({{"party", "SMS, rehearsed"},
                             {"control", "POST /control {\"next\": kind, \"count\": n}"},
                             {"look", "GET /inbox"},
                             {"kinds", armed_.listed()}});
    if (asked.is("GET", {"inbox"}) || asked.is("GET", {})) return inbox(asked);
    if (asked.is("GET", {"control"}) || asked.is("POST", {"control"})) return control(asked);
  }
  return refused(404, "NOT_FOUND");
}

Answered SmsInbox::send(const Asked& asked) {
  const std::string timestamp(asked.header("x-topup-timestamp"));
  const std::int64_t now = around().clock.wall_ms();
  const std::string text = timestamp + "\n/send\n" + asked.body;
  const std::string wanted = base::hex(base::hmac_sha256(key_, text));
  if (timestamp.empty() || timestamp.size() > 12 ||
      timestamp.find_first_not_of("0123456789") != std::string::npos ||
      std::llabs(std::atoll(timestamp.c_str()) - now / 1'000) > kToleranceS ||
      !base::constant_time_equal(wanted, asked.header("x-topup-signature")))
    return refused(401, "SIGNATURE_INVALID");
  if (armed_.take("refuse")) return refused(403, "REFUSED");
  if (armed_.take("outage")) return refused(500, "SYSTEM_ERROR");
  const auto body = base::json_in(asked.body);
  if (!body) return refused(400, "BODY_MALFORMED");
  const auto to = base::text_in(*body, "to", 32);
  const auto name = base::text_in(*body, "template", 64);
  const auto reference = base::text_in(*body, "reference", 64);
  const auto params = base::object_in(*body, "params");
  if (!to || !name || !reference || !params) return refused(400, "BODY_MALFORMED");
  around().db.write([&](storage::Tx& tx) {
    tx.exec(R"sql(
      INSERT INTO sms_inbox (reference, recipient, template, params, at_ms)
      VALUES ($1, $2, $3, $4, $5) ON CONFLICT (reference) DO NOTHING)sql",
            {*reference, *to, *name, (*params)->dump(), now});
    tx.exec(R"sql(
      DELETE FROM sms_inbox WHERE reference IN (
        SELECT reference FROM sms_inbox ORDER BY at_ms DESC LIMIT -1 OFFSET $1))sql",
            {kMaxInbox});
    return true;
  });
  Answered out = Answered::json({{"code", "OK"}, {"reference", *reference}});
  out.is_dropped = armed_.take("silence");
  return out;
}

Answered SmsInbox::inbox(const Asked& asked) const {
  Json messages = Json::array();
  std::string rows;
  around().db.read([&](storage::Reader& reader) {
    reader.query(R"sql(
      SELECT reference, recipient, template, params, at_ms FROM sms_inbox
       ORDER BY at_ms DESC, reference DESC LIMIT 100)sql",
                 {}, [&](const storage::Row& row) {
                   messages.push_back({{"reference", row.text(0)},
                                       {"to", row.text(1)},
                                       {"template", row.text(2)},
                                       {"params", Json::parse(row.text(3))},
                                       {"at_ms", row.integer(4)}});
                   rows += "<tr><td>" + spaced_time(row.integer(4), 8 * 60) + "</td><td>" +
                           html_text(row.text(1)) + "</td><td>" + html_text(row.text(3)) +
                           "</td></tr>";
                 });
  });
  if (asked.header("accept").find("text/html") == std::string_view::npos)
    return Answered::json({{"messages", std::move(messages)}});
  return {.status = 200,
          .content_type = "text/html; charset=utf-8",
          .body =
              "<!doctype html><html lang=\"zh-CN\"><head><meta charset=\"utf-8\">"
              "<meta name=\"viewport\" content=\"width=device-width\"><title>SMS inbox</title>"
              "</head><body><h1>演练 · 短信收件箱 <small>Rehearsal · SMS inbox</small></h1>"
              "<table>" +
              rows + "</table></body></html>",
          .headers = {{"Content-Security-Policy", "default-src 'none'"},
                      {"Cache-Control", "no-store"}}};
}

Answered SmsInbox::control(const Asked& asked) {
  if (asked.method == "POST") {
    const auto body = base::json_in(asked.body);
    const bool is_json = asked.header("content-type").substr(0, 16) == "application/json";
    if (!body || !is_json) return refused(400, "CONTROL_REFUSED");
    const auto kind = base::text_in(*body, "next");
    const auto count = body->contains("count") ? base::integer_in(*body, "count", 0, kMaxArmed)
                                               : Result<std::int64_t>(1);
    if (!kind || !count || !armed_.arm(*kind, *count)) return refused(400, "CONTROL_REFUSED");
  }
  return Answered::json({{"party", name()}, {"armed", armed_.listed()}});
}

}  // namespace topup::rehearsal
