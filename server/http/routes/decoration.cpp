#include "server/http/routes/decoration.h"

#include <charconv>

#include "server/base/crypto.h"
#include "server/content/picture_kind.h"

namespace topup::http::routes {
namespace {

using base::Json;
using content::Decoration;

constexpr std::size_t kMaxPageBody = 128 * 1024;  // with every character escaped
constexpr std::size_t kMaxPictureText = 4 * (content::kMaxPictureBytes / 3 + 1);
constexpr std::size_t kMaxPictureBody = kMaxPictureText + 1'024;
constexpr std::size_t kMaxSmallBody = 512;

Result<Response> show(const Decoration& decoration, const Request& request) {
  const auto page = decoration.published();
  const std::string etag = "\"page-" + std::to_string(page->version) + "\"";
  Response response;
  response.headers = {{"ETag", etag}, {"Cache-Control", "no-cache"}};
  if (request.header("if-none-match") == etag)
    response.status = 304;
  else
    response.body = page->body;
  return response;
}

// A picture is a picture and nothing else, whatever a browser would make of its bytes.
Result<Response> show_picture(const Decoration& decoration, const Request& request) {
  auto found = decoration.picture(request.capture("picture"));
  if (!found) return tl::unexpected<Error>(found.error());
  Response response;
  response.content_type = content::picture_media_type(found->kind);
  response.headers = {{"Cache-Control", "public, max-age=31536000, immutable"},
                      {"Content-Security-Policy", "default-src 'none'; sandbox"}};
  response.body = std::move(found->bytes);
  return response;
}

Json version_json(const content::PageVersion& one) {
  return {{"version", one.version},
          {"note", one.note},
          {"written_by", one.written_by},
          {"written_at_ms", one.written_at_ms}};
}

Result<Response> desk(const Decoration& decoration) {
  const Decoration::Desk found = decoration.desk();
  Json versions = Json::array(), publications = Json::array();
  for (const content::PageVersion& one : found.versions) versions.push_back(version_json(one));
  for (const content::PagePublication& one : found.publications) {
    publications.push_back({{"version", one.version},
                            {"published_by", one.published_by},
                            {"published_at_ms", one.published_at_ms}});
  }
  return Response::json({{"newest_version", found.newest},
                         {"shown_version", found.shown},
                         {"themes", content::kThemes},
                         {"places", content::kPlaces},
                         {"bundled_pictures", content::kBundledPictures},
                         {"versions", std::move(versions)},
                         {"publications", std::move(publications)}});
}

Json page_json(const content::PageVersion& one) {
  Json out = version_json(one);
  out["page"] = Json::parse(one.page);
  return out;
}

Result<Response> show_version(const Decoration& decoration, const Request& request) {
  const std::string_view asked = request.capture("version");
  std::int64_t version = 0;
  const auto [end, failed] = std::from_chars(asked.data(), asked.data() + asked.size(), version);
  if (failed != std::errc() || end != asked.data() + asked.size()) version = 0;  // never saved
  const auto found = decoration.version(version);
  if (!found) return tl::unexpected<Error>(found.error());
  return Response::json(page_json(*found));
}

Result<Json> body_of(const Request& request, std::size_t most,
                     std::initializer_list<std::string_view> allowed) {
  auto body = base::json_in(request.body, most);
  if (!body) return body;
  if (const auto only = base::only_fields(*body, allowed); !only)
    return tl::unexpected<Error>(only.error());
  return body;
}

Result<Response> save(Decoration& decoration, const Request& request) {
  const auto body = body_of(request, kMaxPageBody, {"based_on", "note", "page"});
  if (!body) return tl::unexpected<Error>(body.error());
  const auto based_on = base::integer_in(*body, "based_on", 0, kMaxMinor);
  if (!based_on) return tl::unexpected<Error>(based_on.error());
  std::string note;
  if (body->contains("note") && (*body)["note"] != "") {
    auto said = base::text_in(*body, "note", content::kMaxNoteBytes);
    if (!said) return tl::unexpected<Error>(said.error());
    note = std::move(*said);
  }
  const auto page = base::object_in(*body, "page");
  if (!page) return tl::unexpected<Error>(page.error());
  const std::string actor = "staff:" + request.staff.text;
  const auto saved = decoration.save(**page, note, *based_on, {actor, request.trace});
  if (!saved) return tl::unexpected<Error>(saved.error());
  return Response::json(page_json(*saved), 201);
}

Result<Response> publish(Decoration& decoration, const Request& request) {
  const auto body = body_of(request, kMaxSmallBody, {"version", "seen"});
  if (!body) return tl::unexpected<Error>(body.error());
  const auto version = base::integer_in(*body, "version", 0, kMaxMinor);
  if (!version) return tl::unexpected<Error>(version.error());
  const auto seen = base::integer_in(*body, "seen", 0, kMaxMinor);
  if (!seen) return tl::unexpected<Error>(seen.error());
  const std::string actor = "staff:" + request.staff.text;
  const auto done = decoration.publish(*version, *seen, {actor, request.trace});
  if (!done) return tl::unexpected<Error>(done.error());
  return desk(decoration);
}

Json picture_json(const content::Picture& one) {
  return {{"picture", one.picture},        {"kind", one.kind},   {"width", one.width},
          {"height", one.height},          {"title", one.title}, {"added_by", one.added_by},
          {"added_at_ms", one.added_at_ms}};
}

Result<Response> list_pictures(const Decoration& decoration) {
  Json rows = Json::array();
  for (const content::Picture& one : decoration.pictures()) rows.push_back(picture_json(one));
  return Response::json({{"pictures", std::move(rows)}});
}

Result<Response> add_picture(Decoration& decoration, const Request& request) {
  const auto body = body_of(request, kMaxPictureBody, {"title", "bytes"});
  if (!body) return tl::unexpected<Error>(body.error());
  const auto title = base::text_in(*body, "title");
  if (!title) return tl::unexpected<Error>(title.error());
  const auto text = base::text_in(*body, "bytes", kMaxPictureText);
  if (!text) return tl::unexpected<Error>(text.error());
  auto bytes = base::from_base64(*text);
  if (!bytes) return tl::unexpected<Error>(bytes.error());
  const std::string actor = "staff:" + request.staff.text;
  const auto added = decoration.add_picture(std::move(*bytes), *title, {actor, request.trace});
  if (!added) return tl::unexpected<Error>(added.error());
  return Response::json(picture_json(*added), 201);
}

Result<Response> remove_picture(Decoration& decoration, const Request& request) {
  if (const auto plain = base::no_fields_in(request.body); !plain)
    return tl::unexpected<Error>(plain.error());
  const std::string actor = "staff:" + request.staff.text;
  const auto done = decoration.remove_picture(request.capture("picture"), {actor, request.trace});
  if (!done) return tl::unexpected<Error>(done.error());
  return list_pictures(decoration);
}

}  // namespace

void mount_decoration(Router& router, content::Decoration& decoration) {
  const auto read = [&](std::string_view pattern, Auth auth, std::string_view permission, Pool pool,
                        Handler handler) {
    router.add({"GET", pattern, auth, permission, pool, 0, false, Rate::read, Audited::no,
                Level::maintenance, std::move(handler)});
  };
  const auto change = [&](std::string_view pattern, std::size_t most, Handler handler) {
    router.add({"POST", pattern, Auth::staff, "content.write", Pool::store, most, true, Rate::write,
                Audited::yes, Level::maintenance, std::move(handler)});
  };
  read("/api/v1/decoration", Auth::none, "", Pool::compute,
       [&](const Request& request) { return show(decoration, request); });
  // Beside the page's own pictures, so that its worker keeps it for a time without a network.
  read("/static/pictures/{picture}", Auth::none, "", Pool::store,
       [&](const Request& request) { return show_picture(decoration, request); });
  read("/api/admin/decoration", Auth::staff, "content.read", Pool::store,
       [&](const Request&) { return desk(decoration); });
  read("/api/admin/decoration/versions/{version}", Auth::staff, "content.read", Pool::store,
       [&](const Request& request) { return show_version(decoration, request); });
  change("/api/admin/decoration/versions", kMaxPageBody,
         [&](const Request& request) { return save(decoration, request); });
  change("/api/admin/decoration/publication", kMaxSmallBody,
         [&](const Request& request) { return publish(decoration, request); });
  read("/api/admin/pictures", Auth::staff, "content.read", Pool::store,
       [&](const Request&) { return list_pictures(decoration); });
  change("/api/admin/pictures", kMaxPictureBody,
         [&](const Request& request) { return add_picture(decoration, request); });
  change("/api/admin/pictures/{picture}/removal", kMaxSmallBody,
         [&](const Request& request) { return remove_picture(decoration, request); });
}

}  // namespace topup::http::routes
