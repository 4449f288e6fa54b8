// Which channels a buyer is offered, and starting to pay on one of them.
#include <algorithm>
#include <iterator>

#include "server/http/rate_limits.h"
#include "server/http/routes/mounts.h"
#include "server/http/routes/placing.h"
#include "server/risk/subject.h"

namespace topup::http::routes {
namespace {

using base::Json;

constexpr std::size_t kMaxBody = 2'048;
constexpr std::size_t kMaxReturnPath = 200;
constexpr std::string_view kScenes[] = {"h5", "jsapi", "mini_program", "alipay_mini", "native"};
constexpr const char* kScenesText = "h5, jsapi, mini_program, alipay_mini or native";

Result<Response> list_channels(const payments::ChannelChoice& choice, const Request& request) {
  std::string scene(request.query_value("scene"));
  if (scene.empty()) scene = "h5";
  if (std::find(std::begin(kScenes), std::end(kScenes), scene) == std::end(kScenes))
    return refuse(Code::invalid_argument, "out_of_range", "scene", kScenesText);
  Json channels = Json::array();
  for (const payments::HealthReport& offered : choice.offers(scene)) {
    channels.push_back(
        {{"channel", offered.channel}, {"health", payments::to_word(offered.health)}});
  }
  return Response::json({{"scene", scene}, {"channels", channels}});
}

// Inside Alipay's app the payer is an open_id of our mini-program there.
Result<bool> name_alipay_payer(const BuyerDesk& desk, orders::StartPayment& start) {
  const std::string app = desk.alipay.app_id ? desk.alipay.app_id() : "";
  if (app.empty()) return refuse(Code::rejected, "openid_missing", "scene");
  const auto open_id =
      desk.identities->openid_of(start.user, auth::identity_kind::kAlipayMini, app);
  if (!open_id) return tl::unexpected<Error>(open_id.error());
  start.openid = *open_id;
  start.appid = app;
  return true;
}

// Inside WeChat the payer is the one WeChat knows: an openid of the app that asks for the money.
Result<bool> name_payer(const BuyerDesk& desk, orders::StartPayment& start) {
  if (start.scene != payments::Scene::jsapi) return true;
  const bool is_alipay_mini = start.scene_word == "alipay_mini";
  if (start.channel == "alipay" && is_alipay_mini) return name_alipay_payer(desk, start);
  if (start.channel != "wechat" || is_alipay_mini)
    return refuse(Code::rejected, "openid_missing", "scene");
  const bool is_mini = start.scene_word == "mini_program";
  const base::WechatApp* app = is_mini ? desk.wechat->apps().mini : desk.wechat->apps().oa;
  if (app == nullptr) return refuse(Code::rejected, "openid_missing", "scene");
  const std::string_view kind =
      is_mini ? auth::identity_kind::kWechatMini : auth::identity_kind::kWechatOa;
  const auto openid = desk.identities->openid_of(start.user, kind, app->appid());
  if (!openid) return tl::unexpected<Error>(openid.error());
  start.openid = *openid;
  start.appid = app->appid();
  return true;
}

}  // namespace

Result<orders::StartPayment> read_start_payment(const Request& request, const Json& body) {
  const auto only = base::only_fields(body, {"channel", "scene", "return_path"});
  if (!only) return tl::unexpected<Error>(only.error());
  orders::StartPayment start;
  if (body.contains("channel")) {
    const auto channel = base::text_in(body, "channel", 16);
    if (!channel) return tl::unexpected<Error>(channel.error());
    start.channel = *channel;
  }
  const auto scene = base::text_in(body, "scene", 16);
  if (!scene) return tl::unexpected<Error>(scene.error());
  if (std::find(std::begin(kScenes), std::end(kScenes), *scene) == std::end(kScenes))
    return refuse(Code::invalid_argument, "out_of_range", "scene", kScenesText);
  start.scene_word = *scene;
  start.scene = payments::scene_of_word(*scene);
  start.on_ios = (*scene == "mini_program" || *scene == "alipay_mini") &&
                 auth::device_class(request.header("user-agent")).starts_with("ios ");
  start.user = request.user;
  start.client_address = request.client_address;
  start.device_code = risk::device_code(device_of(request));
  if (body.contains("return_path")) {
    const auto path = base::text_in(body, "return_path", kMaxReturnPath);
    if (!path) return tl::unexpected<Error>(path.error());
    if (!path->starts_with("/") || path->starts_with("//") ||
        path->find('\\') != std::string::npos) {
      return refuse(Code::invalid_argument, "out_of_range", "return_path",
                    "a path of this shop, starting with one slash");
    }
    start.return_path = *path;
  }
  return start;
}

Result<orders::StartPayment> choose_or_explain(const payments::ChannelChoice& choice,
                                               const BuyerDesk& desk, orders::StartPayment wanted,
                                               const TraceId& trace,
                                               std::optional<Response>* explained) {
  std::string alternative;
  const auto channel = choice.pick(wanted.scene_word, wanted.channel, &alternative);
  if (!channel && !alternative.empty())
    *explained = problem_with(channel.error(), trace, {{"alternative", alternative}});
  if (!channel) return tl::unexpected<Error>(channel.error());
  wanted.channel = *channel;
  const auto named = name_payer(desk, wanted);
  if (!named) return tl::unexpected<Error>(named.error());
  return wanted;
}

Json sheet_json(const orders::StartPayment& wanted, const orders::StartedPayment& started) {
  Json out = {{"out_trade_no", started.out_trade_no.text},
              {"channel", wanted.channel},
              {"scene", wanted.scene_word},
              {"expires_at_ms", started.expires_at_ms}};
  if (wanted.scene == payments::Scene::h5) {
    out["h5_url"] = started.ticket.h5_url;
  } else if (wanted.scene == payments::Scene::native) {
    out["code_url"] = started.ticket.code_url;
  } else {
    out["invoke"] = Json::object();
    for (const auto& [name, value] : started.ticket.invoke) out["invoke"][name] = value;
  }
  return out;
}

namespace {

Result<Response> start_payment(const orders::PaymentFlow& payments,
                               const payments::ChannelChoice& choice, const BuyerDesk& desk,
                               const Request& request) {
  const auto body = base::json_in(request.body);
  if (!body) return tl::unexpected<Error>(body.error());
  auto wanted = read_start_payment(request, *body);
  if (!wanted) return tl::unexpected<Error>(wanted.error());
  wanted->order = OrderId(std::string(request.capture("order_id")));
  std::optional<Response> explained;
  const auto chosen =
      choose_or_explain(choice, desk, *std::move(wanted), request.trace, &explained);
  if (explained) return *explained;
  if (!chosen) return tl::unexpected<Error>(chosen.error());
  const auto started = payments.start(*chosen);
  if (!started) return tl::unexpected<Error>(started.error());
  return Response::json(sheet_json(*chosen, *started));
}

}  // namespace

void mount_payments(Router& router, const orders::PaymentFlow& payments,
                    const payments::ChannelChoice& choice, const BuyerDesk& desk) {
  router.add({"GET", "/api/v1/payment-channels", Auth::none, "", Pool::compute, 0, false,
              Rate::read, Audited::no, Level::maintenance,
              [&](const Request& request) { return list_channels(choice, request); }});
  router.add(
      {"POST", "/api/v1/orders/{order_id}/payments", Auth::buyer, "", Pool::outside, kMaxBody, true,
       Rate::costly, Audited::yes, Level::simple_pages,
       [&](const Request& request) { return start_payment(payments, choice, desk, request); }});
}

}  // namespace topup::http::routes
