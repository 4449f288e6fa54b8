#include "server/http/routes/drafts.h"

#include "shared/json_read.h"
#include "shared/json_text.h"
#include "shared/sync_json.h"

namespace topup::http::routes {
namespace {

// The shop's own reader first: it refuses what no request of ours holds. The core's, which devices
// use as well, reads the fields.
Result<Push> push_in(const Request& request) {
  const auto body = base::json_in(request.body);
  if (!body) return tl::unexpected<Error>(body.error());
  const auto only = base::only_fields(*body, {"device", "since", "items"});
  if (!only) return tl::unexpected<Error>(only.error());
  const auto document = JsonDocument::parse(request.body);
  if (!document) return tl::unexpected<Error>(document.error());
  BorderFields in(document->root());
  Push push = read_push(in, document->root());
  if (!in.ok()) return tl::unexpected<Error>(in.error());
  return push;
}

Result<Response> sync(const orders::DraftService& drafts, const Request& request) {
  const auto push = push_in(request);
  if (!push) return tl::unexpected<Error>(push.error());
  const auto list = orders::parse_sync_list(request.capture("list"));
  if (!list) return refuse(Code::not_found, "sync_list_unknown", "list");
  const auto answer = drafts.sync(request.user, *list, *push);
  if (!answer) return tl::unexpected<Error>(answer.error());
  JsonText out;
  put_answer(out, *answer);
  Response response;
  response.body = out.take();
  return response;
}

}  // namespace

void mount_drafts(Router& router, const orders::DraftService& drafts) {
  router.add({"POST", "/api/v1/sync/{list}", Auth::buyer, "", Pool::store, kMaxPushBody, false,
              Rate::write, Audited::no, Level::maintenance,
              [&drafts](const Request& request) { return sync(drafts, request); }});
}

}  // namespace topup::http::routes
