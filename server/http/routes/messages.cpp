// What a buyer is told, and which messages they agree to get.
#include "server/http/routes/mounts.h"
#include "server/notify/message_store.h"
#include "server/orders/order_news.h"

namespace topup::http::routes {
namespace {

using base::Json;

constexpr std::int64_t kInboxPage = 30;
constexpr std::size_t kMaxAnswerBody = 2'048;
constexpr std::size_t kMostAnswers = 5;  // template ids that one call of a client may ask about
constexpr std::string_view kInboxList = "messages";

Result<Response> list(const MessageDesk& desk, const Request& request) {
  const auto place =
      desk.cursors.place_of(kInboxList, request.user.text, request.query_value("cursor"));
  if (!place) return tl::unexpected<Error>(place.error());
  std::vector<notify::Message> found;
  desk.db.read([&](storage::Reader& reader) {
    found = notify::message_store::of_user(reader, request.user, *place, kInboxPage + 1);
  });
  Json out = {{"messages", Json::array()}};
  if (found.size() > static_cast<std::size_t>(kInboxPage)) {
    found.pop_back();
    out["next_cursor"] = desk.cursors.make(kInboxList, request.user.text, found.back().id);
  }
  for (const notify::Message& message : found) {
    out["messages"].push_back({{"message_id", message.id},
                               {"order_id", message.order.text},
                               {"topic", message.topic},
                               {"created_at_ms", message.created_at_ms},
                               {"read_at_ms", message.read_at_ms}});
  }
  return Response::json(out);
}

Result<Response> mark_read(const MessageDesk& desk, const Request& request) {
  if (const auto plain = base::no_fields_in(request.body); !plain)
    return tl::unexpected<Error>(plain.error());
  return storage::with_tx(desk.db, [&](storage::Tx& tx) -> Result<Response> {
    if (!notify::message_store::mark_read(tx, request.user, request.capture("message_id"),
                                          desk.clock.wall_ms()))
      return refuse(Code::not_found, "message_not_found", "message_id");
    return Response::json({{"message_id", request.capture("message_id")}});
  });
}

Result<Response> subscriptions(const MessageDesk& desk) {
  Json out = {{"templates", Json::array()}};
  for (const auto& [topic, id] : desk.news.templates_to_ask())
    out["templates"].push_back({{"topic", topic}, {"template_id", id}});
  return Response::json(out);
}

// As requestSubscribeMessage answered: {"results": {TEMPLATE_ID: "accept"}}.
Result<Response> answer(const MessageDesk& desk, const Request& request) {
  const auto body = base::json_in(request.body);
  if (!body) return tl::unexpected<Error>(body.error());
  const auto only = base::only_fields(*body, {"results"});
  if (!only) return tl::unexpected<Error>(only.error());
  const auto results = base::object_in(*body, "results");
  if (!results) return tl::unexpected<Error>(results.error());
  if ((*results)->empty() || (*results)->size() > kMostAnswers)
    return refuse(Code::invalid_argument, "out_of_range", "results");
  std::vector<std::string> accepted;
  for (const auto& [id, said] : (*results)->items()) {
    const std::string word = said.is_string() ? said.get<std::string>() : "";
    if (word != "accept" && word != "reject" && word != "ban" && word != "filter")
      return refuse(Code::invalid_argument, "out_of_range", "results");
    if (word == "accept") accepted.push_back(id);
  }
  return Response::json({{"accepted", desk.news.accept(request.user, accepted)}});
}

}  // namespace

void mount_messages(Router& router, const MessageDesk& desk) {
  router.add({"GET", "/api/v1/messages", Auth::buyer, "", Pool::compute, 0, false, Rate::read,
              Audited::no, Level::maintenance,
              [desk](const Request& request) { return list(desk, request); }});
  router.add({"POST", "/api/v1/messages/{message_id}/read", Auth::buyer, "", Pool::store,
              kMaxAnswerBody, false, Rate::write, Audited::no, Level::maintenance,
              [desk](const Request& request) { return mark_read(desk, request); }});
  router.add({"GET", "/api/v1/subscriptions", Auth::buyer, "", Pool::compute, 0, false, Rate::read,
              Audited::no, Level::maintenance,
              [desk](const Request&) { return subscriptions(desk); }});
  router.add({"POST", "/api/v1/subscriptions", Auth::buyer, "", Pool::store, kMaxAnswerBody, false,
              Rate::write, Audited::no, Level::maintenance,
              [desk](const Request& request) { return answer(desk, request); }});
}

}  // namespace topup::http::routes
