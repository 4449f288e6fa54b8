// How the buyer's home page is laid out, wired. Outlives the router and the site.
#pragma once

#include <string>

#include "server/content/decoration.h"
#include "server/http/router.h"

namespace topup {

class DecorationParts {
 public:
  DecorationParts(storage::Db& db, const base::Clock& clock);
  DecorationParts(const DecorationParts&) = delete;
  DecorationParts& operator=(const DecorationParts&) = delete;

  void mount(http::Router& router);
  base::Json facts() const;  // what a page is told first: {"version", "theme"}
  std::string theme() const { return decoration_.theme(); }

 private:
  content::Decoration decoration_;
};

}  // namespace topup
