// The words of read_intent() (intent.cpp), in the spelling of an even text (spoken_text.h): lower
// case, simplified characters. Usual slips of recognisers and keyboards stand beside the right
// words (冲, 花费, 由卡). A new word is one more entry here.
#pragma once

#include <cstdint>

#include "shared/money.h"

namespace topup::intent_words {

enum class Meaning : std::uint8_t {
  nothing,  // swallowed: it would be misread in parts
  negated,
  not_an_order,
  tail,     // the last digits of a number follow
  mine,     // the buyer's own
  my,       // the buyer's own if kMyThings follow
  give_me,  // the buyer's own if an amount or kGiving follows
  other,    // somebody else, who may not be saved
  vague,    // an amount that is none
  several,  // the amount would be charged more than once
  airtime,  // the four kinds, in the order of ProductKind
  data,
  fuel_card,
  pin,
  weak_airtime,  // hints that yield to the above
  weak_data,
  weak_fuel_card,
  weak_pin
};

struct Words {
  Meaning meaning;
  const char* words;
};

// People who may not be saved.
inline constexpr char kOthers[] =
    "妈|爸|爷|奶|外公|外婆|姥|哥|姐|弟|妹|叔|姨|舅|姑|伯|婶|嫂|老婆|老公|妻|丈夫|媳妇|儿子|女儿|"
    "孩子|朋友|同事|老板|老师|先生|女士|他|她|mum|mom|mother|dad|father|wife|husband|son|daughter|"
    "brother|sister|friend|boss|his|her|him|their|them|grandma|grandpa|uncle|aunt";
inline constexpr char kOwners[] = "他|她|他们|his|her|their";

inline constexpr Words kWords[] = {
    {Meaning::nothing,
     "别人|其他|其它|吉他|特别|分别|别忘|不要忘|don't forget|dont forget|do not forget|credit "
     "card|bank "
     "card|信用卡|银行卡|会员卡|千万|万一|十分|几个|第一|第二|第三|一下|一点|一些|统一|内蒙古|"
     "内蒙"},
    {Meaning::negated,
     "不要|不用|不充|不冲|不想|不必|不能|不可以|不给|不买|不需要|先不|别充|别冲|别给|别加|别买|"
     "别再|先别|别了|甭|取消|撤销|停止|算了|don't|dont|do "
     "not|not|never|nevermind|cancel|stop|forget it|no need|no more"},
    {Meaning::not_an_order,
     "退款|退钱|退费|退还|没到|未到账|不到账|到账了|还剩|投诉|余额多少|多少余额|查询|查一下|refund|"
     "money back|not arrived|how much"},
    {Meaning::tail,
     "尾号|尾数|末尾|后四位|后4位|末四位|末4位|最后四位|最后4位|ending|ending in|ending with|ends "
     "in|ends with|end in|last four|last 4|tail"},
    {Meaning::mine, "我自己|给自己|自己|本机|本人|这个号|myself|own phone|own number"},
    {Meaning::my, "我的|我|我自己的|自己的|my|my own"},
    {Meaning::give_me, "给我"},
    {Meaning::other, kOthers},
    {Meaning::vague, "大概|大约|差不多|左右|多少|around|roughly|few|several|couple|some money"},
    {Meaning::several, "各|每人|分两次|分几次|twice|each"},
    {Meaning::airtime, "话费|花费|话废|电话费|手机费|通话费|airtime|air time|talk time|talktime"},
    {Meaning::data, "流量|数据包|上网包|data|internet"},
    {Meaning::fuel_card,
     "加油卡|油卡|加由卡|由卡|中石化|中石油|中国石化|中国石油|油费|fuel card|fuel cards|gas "
     "card|petrol card|sinopec|petrochina"},
    {Meaning::pin,
     "卡密|点卡|礼品卡|充值卡|充值码|兑换码|游戏卡|gift card|voucher|pin|recharge code"},
    {Meaning::weak_airtime,
     "手机|电话|中国移动|中国联通|中国电信|中国广电|移动|联通|电信|广电|phone|phones|mobile|cell|"
     "cellphone|sim|credit|number"},
    {Meaning::weak_data, "上网|wifi"},
    {Meaning::weak_fuel_card, "加油|汽油|柴油|fuel|gas|petrol|gasoline|diesel"},
};

inline constexpr char kMyThings[] =
    "手机|电话|号|卡|加油|加由卡|油卡|由卡|话费|流量|车|中石化|中石油|phone|mobile|cell|cellphone|"
    "number|card|fuel|gas|petrol|line|account|sim|airtime|data|credit";
inline constexpr char kGiving[] = "充|冲|加|存|缴|交|买|来";
inline constexpr char kTailJoin[] = "是|为|的|:|码|号码|数字|digits|is|are|of|in|with| ";
inline constexpr char kTailEnd[] = "结尾|收尾";
inline constexpr char kGiveTo[] = "给|帮|替|为";
inline constexpr char kAfterTail[] = "充|冲|加|号|卡|手机|这个|的号|的卡|的手机|的加油|的油卡";
inline constexpr char kChoice[] = "or|to|或者|或|还是|到|至|-|~";  // two or three hundred
inline constexpr char kPossessive[] = "的|'s ";

// Where a country's name also begins something else (内蒙古), that stands in `nothing` or another
// list as a longer word.
struct CountryWords {
  char iso2[3];
  Currency currency;
  const char* words;
};

inline constexpr CountryWords kCountries[] = {
    {"TH", Currency::thb, "泰国|thailand|thai"},
    {"MY", Currency::myr, "马来西亚|马来|大马|malaysia|malaysian"},
    {"SG", Currency::sgd, "新加坡|singapore"},
    {"VN", Currency::vnd, "越南|vietnam|vietnamese"},
    {"PH", Currency::php, "菲律宾|philippines|philippine|filipino"},
    {"ID", Currency::idr, "印度尼西亚|印尼|indonesia|indonesian"},
    {"KH", Currency::khr, "柬埔寨|cambodia|cambodian"},
    {"LA", Currency::lak, "老挝|laos"},
    {"MM", Currency::mmk, "缅甸|myanmar|burma"},
    {"HK", Currency::hkd, "香港|hong kong"},
    {"MO", Currency::mop, "澳门|macau|macao"},
    {"TW", Currency::twd, "台湾|taiwan"},
    {"JP", Currency::jpy, "日本|japan|japanese"},
    {"KR", Currency::krw, "韩国|korea|korean"},
    {"IN", Currency::inr, "印度|india|indian"},
    {"PK", Currency::pkr, "巴基斯坦|pakistan"},
    {"BD", Currency::bdt, "孟加拉|bangladesh"},
    {"NP", Currency::npr, "尼泊尔|nepal"},
    {"LK", Currency::lkr, "斯里兰卡|sri lanka"},
    {"AE", Currency::aed, "阿联酋|迪拜|uae|dubai|emirates"},
    {"TR", Currency::try_, "土耳其|turkey|turkish"},
    {"KZ", Currency::kzt, "哈萨克|kazakhstan"},
    {"NG", Currency::ngn, "尼日利亚|nigeria"},
    {"GB", Currency::gbp, "英国|uk|britain|england"},
    {"US", Currency::usd, "美国|usa|america|united states"},
    {"CA", Currency::cad, "加拿大|canada"},
    {"AU", Currency::aud, "澳大利亚|澳洲|australia"},
    {"MN", Currency::mnt, "蒙古|mongolia"},
    {"CN", Currency::cny, "中国|大陆|国内|china"},
};

}  // namespace topup::intent_words
