// What a new shop says before its people have written anything. True of this program as it is;
// who runs the shop, and what its law wants beside this, is theirs to add as a version of their
// own.
#include "server/content/content.h"

namespace topup::content {
namespace {

Version document(std::string_view name, std::string_view kind, std::string_view topics,
                 std::int64_t place, const Text& text) {
  Version made;
  made.document = name;
  made.kind = kind;
  made.topics = topics;
  made.place = place;
  made.text = text;
  return made;
}

constexpr std::string_view kTermsZh = R"text(# 这份协议说什么
您在 {shop} 充值，适用本协议。付款前请先看应付金额、到账金额和收款号码，付款即下单。

# 充值
- 充值对象是您填写的手机号或卡号。运营商按号码到账，填错号码且已到账的，我们无法撤回。
- 我们在付款后立即提交运营商。通常一分钟内到账，运营商繁忙时会更久；订单页随时显示进度。
- 没有到账的，款项原路退回。已经到账的，运营商不支持退回。
- 页面展示的价格有有效时间。价格有变，会先告诉您，由您决定是否继续。

# 付款和退款
- 付款由微信支付或支付宝处理，我们不接触您的支付密码和银行卡信息。
- 退款回到您付款的账户，到账时间以支付渠道为准，一般 1 到 3 天。
- 您可以在订单页申请退款，我们会答复并写明理由。

# 您的账号
- 不登录也可以充值。登录后，换手机也能看到自己的订单。
- 请不要把验证码告诉任何人。我们不会向您索要验证码。
- 为防盗刷和洗钱，超过限额的订单可能需要人工核实后再充值。

# 其他
- 协议有变会发布新版本，并在您下次使用时请您确认；旧版本一直可以查看。
- 与本协议有关的争议，先与我们联系协商；协商不成的，向店铺经营者所在地有管辖权的法院提起诉讼。
)text";

constexpr std::string_view kTermsEn = R"text(# What this covers
These terms apply when you top up with {shop}. Check the amount you pay, the amount that arrives and the number before you pay: paying places the order.

# Top-ups
- A top-up goes to the number or card you enter. Once it has arrived at a wrong number, it cannot be taken back.
- We pass your order to the operator as soon as you have paid. It usually arrives within a minute, longer when the operator is busy; the order page always shows where it is.
- If it does not arrive, your money goes back the way it came. Operators do not take back a top-up that has arrived.
- Prices shown are valid for a limited time. If a price changes we tell you first, and you decide.

# Paying and refunds
- Payment is handled by WeChat Pay or Alipay. We never see your payment password or card details.
- Refunds go to the account you paid from, usually within 1 to 3 days depending on the payment provider.
- You can ask for a refund on the order page. We answer, and we say why.

# Your account
- You can top up without signing in. Signed in, you see your orders on any device.
- Never share a sign-in code. We will not ask you for one.
- To prevent fraud and money laundering, orders above a limit may be checked by a person first.

# Other matters
- Changes appear as a new version, which we ask you to agree to the next time you use the shop. Older versions stay readable.
- If we disagree, talk to us first. What cannot be settled goes to the competent court where the shop is run.
)text";

constexpr std::string_view kPrivacyZh = R"text(# 我们收集什么，为什么
- 充值号码：用来提交运营商充值、查询结果、处理退款。加密保存，页面上只显示前 3 位和后 4 位。
- 您的手机号（仅在您用短信登录或绑定时）：用来识别您是同一个人，以及发送验证码。
- 微信标识（仅在您用微信登录时）：用来登录和发起微信支付。我们不读取您的好友和聊天。
- 订单和付款记录：用来交付、退款和记账。
- 登录记录：时间、方式、设备类别和打码后的网络地址，用来发现盗用。
- 位置（仅在您点「附近的加油站」并允许时）：只用于排序加油站，不保存在我们的服务器。

# 我们不做什么
- 不出售您的信息，不做广告画像，页面不含第三方统计代码。
- 不在日志里保存完整的手机号。

# 交给谁
- 充值号码交给为您充值的供应商和运营商；付款交给微信支付或支付宝；验证码经短信服务商发送。只给完成这件事所必需的内容。
- 给境外号码充值时，该号码会交给境外的充值供应商。不给境外号码充值，就不会发生。

# 保存多久
- 账号信息保存到您注销为止。
- 订单金额等账目按法律要求保存；注销后，其中的号码会被清除。
- 验证码 2 天内删除，登录记录最多保存 400 天。

# 您可以做什么
- 在「我的 · 隐私」查看同意记录，一键撤回。
- 下载您的全部数据。
- 注销账号。有进行中的订单或退款时，请先等它们结束。
- 随时通过「帮助」里的联系方式找到我们。
)text";

constexpr std::string_view kPrivacyEn = R"text(# What we collect, and why
- The number you top up: to pass it to the operator, to check the result and to handle refunds. It is kept encrypted, and pages show only its first 3 and last 4 digits.
- Your own phone number, only if you sign in with a code or link it: to know it is you again, and to send the code.
- Your WeChat identifier, only if you sign in with WeChat: to sign you in and to start a WeChat payment. We cannot see your contacts or chats.
- Orders and payments: to deliver, refund and keep the books.
- Sign-ins: time, method, kind of device and a masked network address, to spot misuse.
- Your location, only if you tap nearby stations and allow it: to sort stations. It is not stored on our servers.

# What we do not do
- We do not sell your data or build advertising profiles, and our pages carry no third-party trackers.
- We do not write full phone numbers to our logs.

# Who receives it
- The number goes to the supplier and operator that top it up, the payment to WeChat Pay or Alipay, the code through an SMS provider. Each gets only what its task needs.
- When you top up a number abroad, that number goes to a supplier abroad. If you do not, nothing leaves the country.

# How long we keep it
- Account data until you delete your account.
- Amounts of orders as long as the law wants books kept. When you delete your account, the numbers in them are removed.
- Codes for up to 2 days, sign-in records for up to 400 days.

# What you can do
- See what you agreed to under Me, Privacy, and withdraw it with one tap.
- Download everything we hold about you.
- Delete your account, once open orders and refunds have finished.
- Reach us any time through Help.
)text";

constexpr std::string_view kHelpNotArrivedZh =
    R"text(通常一分钟内到账，运营商繁忙时可能要几十分钟。我们会一直向运营商查询，不用重复下单。

- 订单显示「充值中」：运营商还在处理，结果一出来页面会自己变。
- 订单显示「充值成功」但没收到：运营商已确认到账。请先查余额或等运营商短信，停机欠费的号码会先抵扣欠费。
- 订单显示「充值失败」：款项已经在原路退回，不用申请。
)text";

constexpr std::string_view kHelpNotArrivedEn =
    R"text(Most top-ups arrive within a minute. When an operator is busy it can take longer. We keep asking the operator, so there is no need to order again.

- Order says Recharging: the operator is still working on it. The page changes by itself.
- Order says Succeeded but you see nothing: the operator has confirmed it. Check the balance or wait for its message; unpaid bills are settled first.
- Order says Failed: your money is already on its way back. You need not ask.
)text";

constexpr std::string_view kHelpRefundZh =
    R"text(没充上的订单自动退款，原路退回。微信零钱和支付宝余额通常几分钟到，银行卡一般 1 到 3 个工作日。

订单页会写明退了多少、退到哪里、什么时候退的。超过 3 个工作日还没收到，请带着订单号联系我们。
)text";

constexpr std::string_view kHelpRefundEn =
    R"text(Orders that could not be delivered are refunded automatically, the way you paid. Wallet balances usually take minutes, bank cards 1 to 3 working days.

The order page says how much went back, where to and when. If it has been longer than 3 working days, contact us with the order number.
)text";

constexpr std::string_view kHelpWrongNumberZh = R"text(还没付款：返回改号码即可，旧订单会自己关闭。

已经付款：充值提交后无法撤回，因为运营商不支持。请马上联系我们，若还没有提交，我们会拦下来退款。
)text";

constexpr std::string_view kHelpWrongNumberEn =
    R"text(Not paid yet: go back and change the number. The old order closes by itself.

Already paid: operators do not take a top-up back once it is submitted. Contact us right away; if it has not been submitted yet, we stop it and refund you.
)text";

constexpr std::string_view kHelpPaymentZh =
    R"text(- 付款后页面还显示「支付中」：我们在等支付渠道确认，一般几秒钟。请不要重复付款；万一付了两次，多付的会自动退回。
- 付款时关掉了页面：打开订单，点「继续支付」。超过时间未付的订单会自动关闭，不会扣款。
- 提示价格有变：您看到的价格过期了，新价格会列出来，由您决定。
)text";

constexpr std::string_view kHelpPaymentEn =
    R"text(- Still Paying after you paid: we are waiting for the payment provider, usually a few seconds. Do not pay again; if you did pay twice, the second payment goes back by itself.
- Closed the page while paying: open the order and tap Continue to pay. Orders not paid in time close by themselves and nothing is charged.
- The price has changed: the price you saw had expired. The new one is shown, and you decide.
)text";

constexpr std::string_view kHelpOperatorZh =
    R"text(我们按号段猜运营商，携号转网的号码会猜错。点号码下面的「换一个」改成现在的运营商就行。充到错的运营商，订单会失败并退款。
)text";

constexpr std::string_view kHelpOperatorEn =
    R"text(We guess the operator from the number. For a number that was ported the guess is wrong: tap Change under the number and pick the current operator. A top-up sent to the wrong operator fails and is refunded.
)text";

constexpr std::string_view kHelpGuestOrderZh =
    R"text(在下单的手机或浏览器里，「订单」里就有。换了设备的话，用「我的 · 查订单」，填订单号和充值号码的后四位。
)text";

constexpr std::string_view kHelpGuestOrderEn =
    R"text(On the device you ordered with, it is under Orders. On another device, use Me, Find an order, with the order number and the last four digits of the number you topped up.
)text";

constexpr std::string_view kContactsZh =
    R"text(有订单问题，请带上订单号或页面上的短码，我们能更快找到它。

- 服务时间：每天 9:00 到 21:00
)text";

constexpr std::string_view kContactsEn =
    R"text(For questions about an order, have its number or the short code on the page ready. It helps us find it quickly.

- Hours: 9:00 to 21:00 every day
)text";

std::vector<Version> make() {
  const auto text = [](std::string_view title_zh, std::string_view title_en,
                       std::string_view body_zh, std::string_view body_en) {
    return Text{std::string(title_zh), std::string(title_en), std::string(body_zh),
                std::string(body_en)};
  };
  return {
      document("terms", kind::kAgreement, "", 10,
               text("用户协议", "Terms of service", kTermsZh, kTermsEn)),
      document("privacy", kind::kAgreement, "", 20,
               text("隐私政策", "Privacy policy", kPrivacyZh, kPrivacyEn)),
      document("help_not_arrived", kind::kHelp, "recharging succeeded general", 10,
               text("付了款还没到账", "Paid, but nothing has arrived", kHelpNotArrivedZh,
                    kHelpNotArrivedEn)),
      document("help_refund", kind::kHelp, "failed general", 20,
               text("退款多久到账", "When does a refund arrive", kHelpRefundZh, kHelpRefundEn)),
      document("help_wrong_number", kind::kHelp, "paying recharging succeeded general", 30,
               text("充错号码了", "I topped up the wrong number", kHelpWrongNumberZh,
                    kHelpWrongNumberEn)),
      document("help_payment", kind::kHelp, "awaiting_payment paying general", 40,
               text("付款遇到问题", "Trouble paying", kHelpPaymentZh, kHelpPaymentEn)),
      document(
          "help_operator", kind::kHelp, "general", 50,
          text("运营商显示不对", "The operator shown is wrong", kHelpOperatorZh, kHelpOperatorEn)),
      document("help_guest_order", kind::kHelp, "general", 60,
               text("没登录，怎么找订单", "Finding an order without signing in", kHelpGuestOrderZh,
                    kHelpGuestOrderEn)),
      document("contacts", kind::kContacts, "", 10,
               text("联系客服", "Contact us", kContactsZh, kContactsEn)),
  };
}

}  // namespace

std::span<const Version> default_documents() {
  static const std::vector<Version> documents = make();
  return documents;
}

}  // namespace topup::content
