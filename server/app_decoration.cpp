#include "server/app_decoration.h"

#include "server/http/routes/decoration.h"

namespace topup {

DecorationParts::DecorationParts(storage::Db& db, const base::Clock& clock)
    : decoration_(db, clock) {
  (void)decoration_.published();  // so that the first page that is sent has its theme
}

void DecorationParts::mount(http::Router& router) {
  http::routes::mount_decoration(router, decoration_);
}

base::Json DecorationParts::facts() const {
  const auto page = decoration_.published();
  return {{"version", page->version}, {"theme", page->theme}};
}

}  // namespace topup
