#include "server/app_desk.h"

namespace topup {

void mount_desk(http::Router& router, const http::routes::DeskParts& desk) {
  namespace routes = http::routes;
  routes::mount_admin_work(router, desk);
  routes::mount_admin_desk(router, desk);
  routes::mount_admin_order_deeds(router, desk);
  routes::mount_admin_books(router, desk);
  routes::mount_admin_export(router, desk);
}

}  // namespace topup
