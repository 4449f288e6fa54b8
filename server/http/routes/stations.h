// Stations: what pages load, and the operator's table.
#pragma once

#include "server/http/cursor.h"
#include "server/http/router.h"
#include "server/stations/station_desk.h"

namespace topup::http::routes {

struct StationParts {
  storage::Db& db;
  stations::StationDesk& desk;
  const Cursors& cursors;
};
void mount_stations(Router& router, const StationParts& parts);

}  // namespace topup::http::routes
