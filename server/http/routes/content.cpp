// What the shop says in words: read by everybody, written by staff.
#include "server/content/content.h"

#include <algorithm>
#include <charconv>

#include "server/http/routes/mounts.h"

namespace topup::http::routes {
namespace {

using base::Json;
using content::Content;

constexpr std::size_t kMaxDraft = 128 * 1024;  // two bodies, with every character escaped
constexpr std::size_t kMaxPublish = 512;
constexpr std::int64_t kMaxWallMs = 4'102'444'800'000;

Json topics_json(std::string_view topics) {
  Json out = Json::array();
  while (!topics.empty()) {
    const std::size_t end = topics.find(' ');
    out.push_back(topics.substr(0, end));
    topics = end == std::string_view::npos ? std::string_view() : topics.substr(end + 1);
  }
  return out;
}

Json text_json(const content::Version& version) {
  return {{"document", version.document},
          {"version", version.version},
          {"kind", version.kind},
          {"topics", topics_json(version.topics)},
          {"title", {{"zh", version.text.title_zh}, {"en", version.text.title_en}}},
          {"body", {{"zh", version.text.body_zh}, {"en", version.text.body_en}}}};
}

Json shown_json(const content::Shown& shown) {
  Json out = text_json(shown.version);
  out["published_at_ms"] = shown.published_at_ms;
  return out;
}

Json draft_json(const content::Version& version) {
  Json out = text_json(version);
  out["place"] = version.place;
  out["shows_from_ms"] = version.shows_from_ms;
  out["shows_until_ms"] = version.shows_until_ms;
  out["written_by"] = version.written_by;
  out["written_at_ms"] = version.written_at_ms;
  return out;
}

Result<Response> list(const Content& content, const Request& request) {
  const std::string_view kind = request.query_value("kind");
  if (std::find(content::kKinds.begin(), content::kKinds.end(), kind) == content::kKinds.end())
    return refuse(Code::invalid_argument, "out_of_range", "kind");
  Json rows = Json::array();
  for (const content::Shown& one : content.shown(kind)) rows.push_back(shown_json(one));
  return Response::json({{"documents", std::move(rows)}});
}

Result<Response> show(const Content& content, const Request& request) {
  const std::string_view asked = request.query_value("version");
  std::int64_t version = 0;
  const auto [end, failed] = std::from_chars(asked.data(), asked.data() + asked.size(), version);
  if (!asked.empty() && (failed != std::errc() || end != asked.data() + asked.size() ||
                         version < 1 || asked.size() > 9))
    return refuse(Code::invalid_argument, "out_of_range", "version");
  const auto found = content.text(request.capture("document"), version);
  if (!found) return tl::unexpected<Error>(found.error());
  return Response::json(shown_json(*found));
}

Result<Response> list_all(const Content& content) {
  Json rows = Json::array();
  for (const content::Head& head : content.list()) {
    rows.push_back(
        {{"document", head.newest.document},
         {"kind", head.newest.kind},
         {"place", head.newest.place},
         {"title", {{"zh", head.newest.text.title_zh}, {"en", head.newest.text.title_en}}},
         {"newest_version", head.newest.version},
         {"written_by", head.newest.written_by},
         {"written_at_ms", head.newest.written_at_ms},
         {"shown_version", head.live_version},
         {"published_at_ms", head.published_at_ms}});
  }
  return Response::json({{"documents", std::move(rows)}});
}

Result<Response> history(const Content& content, std::string_view document) {
  const auto found = content.history(document);
  if (!found) return tl::unexpected<Error>(found.error());
  Json versions = Json::array(), publications = Json::array();
  for (const content::Version& one : found->versions) versions.push_back(draft_json(one));
  for (const content::Publication& one : found->publications) {
    publications.push_back({{"version", one.version},
                            {"published_by", one.published_by},
                            {"published_at_ms", one.published_at_ms}});
  }
  return Response::json(
      {{"document", document},
       {"shown_version", found->publications.empty() ? 0 : found->publications.front().version},
       {"versions", std::move(versions)},
       {"publications", std::move(publications)}});
}

Result<Json> body_of(const Request& request, std::size_t most,
                     std::initializer_list<std::string_view> allowed) {
  auto body = base::json_in(request.body, most);
  if (!body) return body;
  const auto only = base::only_fields(*body, allowed);
  if (!only) return tl::unexpected<Error>(only.error());
  return body;
}

// Left out is empty: only the Chinese title is asked for by name.
Result<std::string> optional_text(const Json& body, const char* key, std::size_t most) {
  if (!body.contains(key) || body[key] == "") return std::string();
  return base::text_in(body, key, most);
}

Result<content::Version> draft_in(const Json& body, std::string_view document) {
  content::Version draft;
  draft.document = document;
  struct Wanted {
    const char* key;
    std::size_t most;
    std::string* into;
  };
  for (const Wanted& wanted :
       {Wanted{"kind", 20, &draft.kind}, Wanted{"topics", 100, &draft.topics},
        Wanted{"title_zh", content::kMaxTitleBytes, &draft.text.title_zh},
        Wanted{"title_en", content::kMaxTitleBytes, &draft.text.title_en},
        Wanted{"body_zh", content::kMaxBodyBytes, &draft.text.body_zh},
        Wanted{"body_en", content::kMaxBodyBytes, &draft.text.body_en}}) {
    auto text = optional_text(body, wanted.key, wanted.most);
    if (!text) return tl::unexpected<Error>(text.error());
    *wanted.into = std::move(*text);
  }
  struct Number {
    const char* key;
    std::int64_t most;
    std::int64_t* into;
  };
  for (const Number& wanted : {Number{"place", content::kMaxPlace, &draft.place},
                               Number{"shows_from_ms", kMaxWallMs, &draft.shows_from_ms},
                               Number{"shows_until_ms", kMaxWallMs, &draft.shows_until_ms}}) {
    if (!body.contains(wanted.key)) continue;
    const auto number = base::integer_in(body, wanted.key, 0, wanted.most);
    if (!number) return tl::unexpected<Error>(number.error());
    *wanted.into = *number;
  }
  return draft;
}

Result<Response> save(Content& content, const Request& request) {
  const auto body = body_of(request, kMaxDraft,
                            {"based_on", "kind", "topics", "place", "shows_from_ms",
                             "shows_until_ms", "title_zh", "title_en", "body_zh", "body_en"});
  if (!body) return tl::unexpected<Error>(body.error());
  const auto based_on = base::integer_in(*body, "based_on", 0, kMaxMinor);
  if (!based_on) return tl::unexpected<Error>(based_on.error());
  auto draft = draft_in(*body, request.capture("document"));
  if (!draft) return tl::unexpected<Error>(draft.error());
  const std::string actor = "staff:" + request.staff.text;
  const auto saved = content.save(std::move(*draft), *based_on, {actor, request.trace});
  if (!saved) return tl::unexpected<Error>(saved.error());
  return Response::json(draft_json(*saved), 201);
}

Result<Response> publish(Content& content, const Request& request) {
  const auto body = body_of(request, kMaxPublish, {"version", "seen"});
  if (!body) return tl::unexpected<Error>(body.error());
  const auto version = base::integer_in(*body, "version", 0, kMaxMinor);
  if (!version) return tl::unexpected<Error>(version.error());
  const auto seen = base::integer_in(*body, "seen", 0, kMaxMinor);
  if (!seen) return tl::unexpected<Error>(seen.error());
  const std::string actor = "staff:" + request.staff.text;
  const auto done =
      content.publish(request.capture("document"), *version, *seen, {actor, request.trace});
  if (!done) return tl::unexpected<Error>(done.error());
  return history(content, request.capture("document"));
}

}  // namespace

void mount_content(Router& router, Content& content) {
  const auto read = [&](std::string_view pattern, Auth auth, std::string_view permission,
                        Handler handler) {
    router.add({"GET", pattern, auth, permission, Pool::compute, 0, false, Rate::read, Audited::no,
                Level::maintenance, std::move(handler)});
  };
  const auto change = [&](std::string_view pattern, std::size_t most, Handler handler) {
    router.add({"POST", pattern, Auth::staff, "content.write", Pool::store, most, true, Rate::write,
                Audited::yes, Level::maintenance, std::move(handler)});
  };
  read("/api/v1/content", Auth::none, "",
       [&content](const Request& request) { return list(content, request); });
  read("/api/v1/content/{document}", Auth::none, "",
       [&content](const Request& request) { return show(content, request); });
  read("/api/admin/content", Auth::staff, "content.read",
       [&content](const Request&) { return list_all(content); });
  read(
      "/api/admin/content/{document}", Auth::staff, "content.read",
      [&content](const Request& request) { return history(content, request.capture("document")); });
  change("/api/admin/content/{document}/versions", kMaxDraft,
         [&content](const Request& request) { return save(content, request); });
  change("/api/admin/content/{document}/publication", kMaxPublish,
         [&content](const Request& request) { return publish(content, request); });
}

}  // namespace topup::http::routes
