#include "server/content/page_rules.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "server/base/utf8.h"

namespace topup::content {
namespace {

using base::Json;

constexpr std::size_t kMaxTitle = 120, kMaxText = 6'000, kMaxId = 24, kMaxProductId = 64;
constexpr std::int64_t kMaxWallMs = 4'102'444'800'000;

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

tl::unexpected<Error> malformed(std::string_view field, const std::string& where) {
  return refuse(Code::invalid_argument, "page_malformed", field, where);
}

bool is_plain(std::string_view text, bool lines) {
  return base::is_utf8(text) && std::all_of(text.begin(), text.end(), [lines](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return (byte >= 0x20 && byte != 0x7f) || (lines && c == '\n');
         });
}

bool is_text(const Json& value, std::size_t most, bool lines = false) {
  return value.is_string() && value.get_ref<const std::string&>().size() <= most &&
         is_plain(value.get_ref<const std::string&>(), lines);
}

// {"zh": …, "en": …}; with `needed` the Chinese is there.
bool is_said(const Json& value, std::size_t most, bool needed, bool lines = false) {
  return value.is_object() && value.size() == 2 && value.contains("zh") && value.contains("en") &&
         is_text(value["zh"], most, lines) && is_text(value["en"], most, lines) &&
         (!needed || value["zh"] != "");
}

bool is_place(const Json& value, bool optional) {
  if (!value.is_string()) return false;
  const std::string& word = value.get_ref<const std::string&>();
  return (optional && word.empty()) || is_one_of(kPlaces, word);
}

bool is_country(const Json& value) {
  if (!value.is_string()) return false;
  const std::string& word = value.get_ref<const std::string&>();
  return word.size() == 2 &&
         std::all_of(word.begin(), word.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool is_name(const Json& value, std::size_t most) {
  if (!value.is_string()) return false;
  const std::string& word = value.get_ref<const std::string&>();
  return !word.empty() && word.size() <= most && std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

bool has_only(const Json& value, std::initializer_list<std::string_view> fields) {
  return value.is_object() && value.size() == fields.size() &&
         std::all_of(fields.begin(), fields.end(),
                     [&value](std::string_view one) { return value.contains(one); });
}

template <class Good>
bool is_list(const Json& value, std::size_t most, const Good& good) {
  return value.is_array() && !value.empty() && value.size() <= most &&
         std::all_of(value.begin(), value.end(), good);
}

struct Kind {
  std::string_view word;
  bool once;    // the page's own parts: at most one of each
  bool needed;  // nobody can buy without it
  std::initializer_list<std::string_view> fields;
  bool (*good)(const Json& block);
};

constexpr auto kNothing = [](const Json&) { return true; };

const Kind kKinds[] = {
    {"recipient", true, true, {}, kNothing},
    {"amounts", true, true, {}, kNothing},
    {"recents", true, false, {}, kNothing},
    {"promise", true, false, {}, kNothing},
    {"banner",
     false,
     false,
     {"items"},
     [](const Json& block) {
       return is_list(block["items"], 6, [](const Json& item) {
         return has_only(item, {"picture", "title", "link"}) && is_name(item["picture"], 64) &&
                is_said(item["title"], kMaxTitle, false) && is_place(item["link"], true);
       });
     }},
    {"notice",
     false,
     false,
     {"text", "link"},
     [](const Json& block) {
       return is_said(block["text"], kMaxTitle * 3, true) && is_place(block["link"], true);
     }},
    {"entries",
     false,
     false,
     {"items"},
     [](const Json& block) {
       return is_list(block["items"], 8, [](const Json& item) {
         return has_only(item, {"link", "title"}) && is_place(item["link"], false) &&
                is_said(item["title"], kMaxTitle, false);
       });
     }},
    {"countries",
     false,
     false,
     {"title", "items"},
     [](const Json& block) {
       return is_said(block["title"], kMaxTitle, false) && is_list(block["items"], 12, is_country);
     }},
    {"products",
     false,
     false,
     {"title", "items"},
     [](const Json& block) {
       return is_said(block["title"], kMaxTitle, false) &&
              is_list(block["items"], 8, [](const Json& item) {
                return has_only(item, {"product", "operator"}) &&
                       is_name(item["product"], kMaxProductId) &&
                       is_name(item["operator"], kMaxProductId);
              });
     }},
    {"text",
     false,
     false,
     {"title", "body"},
     [](const Json& block) {
       return is_said(block["title"], kMaxTitle, false) &&
              is_said(block["body"], kMaxText, true, true);
     }},
    {"coupons", true, false, {}, kNothing},
    {"stations", true, false, {}, kNothing},
    {"contact", true, false, {}, kNothing},
};

const Kind* kind_of(const Json& block) {
  if (!block.is_object() || !block.contains("kind")) return nullptr;
  const Json& word = block["kind"];
  const auto found = std::find_if(std::begin(kKinds), std::end(kKinds),
                                  [&word](const Kind& one) { return word == one.word; });
  return found == std::end(kKinds) ? nullptr : found;
}

bool is_time(const Json& value) {
  return value.is_number_integer() && value >= 0 && value <= kMaxWallMs;
}

// What every block has beside the fields of its kind.
bool is_common(const Json& block, const Kind& kind) {
  std::size_t known = 5;
  for (const std::string_view field : kind.fields) {
    if (!block.contains(field)) return false;
    ++known;
  }
  for (const char* field : {"id", "hidden", "from_ms", "until_ms"}) {
    if (!block.contains(field)) return false;
  }
  return block.size() == known && is_name(block["id"], kMaxId) && block["hidden"].is_boolean() &&
         is_time(block["from_ms"]) && is_time(block["until_ms"]) &&
         (block["until_ms"] == 0 || block["until_ms"] > block["from_ms"]);
}

bool hides(const Json& block) {
  return block["hidden"] == true || block["from_ms"] != 0 || block["until_ms"] != 0;
}

Result<bool> good_blocks(const Json& blocks) {
  std::set<std::string> ids, once;
  for (std::size_t at = 0; at < blocks.size(); ++at) {
    const Json& block = blocks[at];
    const std::string where = "block " + std::to_string(at + 1);
    const Kind* kind = kind_of(block);
    if (kind == nullptr) return malformed("kind", where);
    if (!is_common(block, *kind) || !kind->good(block)) return malformed("blocks", where);
    if (!ids.insert(block["id"]).second) return malformed("id", where);
    if (kind->once && !once.insert(std::string(kind->word)).second) return malformed("kind", where);
    if (kind->needed && hides(block))
      return refuse(Code::rejected, "page_block_needed", "blocks", where);
  }
  for (const Kind& kind : kKinds) {
    if (kind.needed && !once.contains(std::string(kind.word)))
      return refuse(Code::rejected, "page_block_needed", "blocks", kind.word);
  }
  return true;
}

}  // namespace

bool is_theme(std::string_view word) { return is_one_of(kThemes, word); }
bool is_bundled_picture(std::string_view name) { return is_one_of(kBundledPictures, name); }

std::vector<std::string> pictures_of(const Json& page) {
  std::vector<std::string> found;
  for (const Json& block : page["blocks"]) {
    if (block["kind"] != "banner") continue;
    for (const Json& item : block["items"]) {
      if (!is_bundled_picture(item["picture"].get_ref<const std::string&>()))
        found.push_back(item["picture"]);
    }
  }
  return found;
}

Result<Json> checked_page(const Json& page, const HasPicture& has_picture) {
  if (!has_only(page, {"schema", "theme", "blocks"}) || page["schema"] != kPageSchema)
    return malformed("schema", "schema, theme and blocks");
  if (!page["theme"].is_string() || !is_theme(page["theme"].get_ref<const std::string&>()))
    return malformed("theme", "one of the themes");
  if (!page["blocks"].is_array() || page["blocks"].size() > kMaxBlocks)
    return malformed("blocks", "30 at most");
  if (const auto good = good_blocks(page["blocks"]); !good)
    return tl::unexpected<Error>(good.error());
  for (const std::string& picture : pictures_of(page)) {
    if (!has_picture(picture))
      return refuse(Code::rejected, "picture_not_found", "picture", picture);
  }
  if (page.dump().size() > kMaxPageBytes) return malformed("blocks", "too large");
  return page;
}

Json shown_page(const Json& page) {
  Json blocks = Json::array();
  for (const Json& block : page["blocks"]) {
    if (block["hidden"] == true) continue;
    Json shown = block;
    shown.erase("hidden");
    blocks.push_back(std::move(shown));
  }
  return {{"schema", page["schema"]}, {"theme", page["theme"]}, {"blocks", std::move(blocks)}};
}

}  // namespace topup::content
