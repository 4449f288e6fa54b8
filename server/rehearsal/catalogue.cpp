#include "server/rehearsal/catalogue.h"

#include <array>
#include <charconv>
#include <optional>
#include <span>

#include "shared/check.h"

namespace topup::rehearsal {
namespace {

// Amounts are whole units of the currency unless they hold a point, in words that are read once:
//   airtime  "50 100 200" fixed faces, "10-500/1" a range from 10 to 500 in steps of 1
//   bundles  "1GB:7:60" is 1 GB, valid 7 days, for 60
struct Line {
  std::string_view key, name_en, name_zh;
  std::string_view airtime;
  std::string_view bundles = "";
  ProductKind kind = ProductKind::airtime;  // of what stands in `airtime`
};
struct Land {
  std::string_view country;
  Currency currency;
  int delivered_bp;  // of a face, after the tax of the country
  std::span<const Line> lines;
};
struct Rate {
  Currency currency;
  std::int64_t usd_e9;
};

// What a dollar is worth there, roughly; a rehearsal needs it to be plausible, not true.
constexpr Rate kRates[] = {
    {Currency::aed, 272'290'000},   {Currency::afn, 14'200'000},    {Currency::aud, 655'000'000},
    {Currency::bdt, 8'200'000},     {Currency::bnd, 745'000'000},   {Currency::brl, 178'000'000},
    {Currency::btn, 11'900'000},    {Currency::cad, 722'000'000},   {Currency::cny, 139'000'000},
    {Currency::cop, 243'000},       {Currency::egp, 20'500'000},    {Currency::etb, 7'100'000},
    {Currency::eur, 1'085'000'000}, {Currency::gbp, 1'270'000'000}, {Currency::ghs, 83'000'000},
    {Currency::hkd, 128'300'000},   {Currency::idr, 62'000},        {Currency::inr, 11'900'000},
    {Currency::iqd, 763'000},       {Currency::jod, 1'410'000'000}, {Currency::jpy, 6'600'000},
    {Currency::kes, 7'740'000},     {Currency::kgs, 11'500'000},    {Currency::khr, 247'000},
    {Currency::krw, 728'000},       {Currency::kzt, 2'050'000},     {Currency::lak, 46'000},
    {Currency::lkr, 3'380'000},     {Currency::mad, 100'500'000},   {Currency::mmk, 476'000},
    {Currency::mnt, 294'000},       {Currency::mop, 124'500'000},   {Currency::mvr, 64'900'000},
    {Currency::mxn, 50'500'000},    {Currency::myr, 226'000'000},   {Currency::ngn, 640'000},
    {Currency::npr, 7'450'000},     {Currency::nzd, 603'000'000},   {Currency::pen, 266'000'000},
    {Currency::php, 17'300'000},    {Currency::pkr, 3'590'000},     {Currency::qar, 274'700'000},
    {Currency::rub, 10'800'000},    {Currency::sar, 266'600'000},   {Currency::sgd, 745'000'000},
    {Currency::thb, 28'700'000},    {Currency::try_, 29'300'000},   {Currency::twd, 31'000'000},
    {Currency::tzs, 378'000},       {Currency::ugx, 271'000},       {Currency::usd, 1'000'000'000},
    {Currency::uzs, 79'000},        {Currency::vnd, 39'500},        {Currency::xaf, 1'650'000},
    {Currency::xof, 1'650'000},     {Currency::zar, 54'800'000},
};

constexpr ProductKind kFuel = ProductKind::fuel_card;
constexpr ProductKind kPin = ProductKind::pin;

constexpr std::string_view kMainlandFaces = "10 20 30 50 100 200 300 500";
constexpr std::string_view kMainlandBundles = "1GB:7:9 5GB:30:29 10GB:30:49 30GB:30:99";
constexpr Line kChina[] = {
    {"cn-mobile", "China Mobile", "中国移动", kMainlandFaces, kMainlandBundles},
    {"cn-unicom", "China Unicom", "中国联通", kMainlandFaces, kMainlandBundles},
    {"cn-telecom", "China Telecom", "中国电信", kMainlandFaces, kMainlandBundles},
    {"cn-broadnet", "China Broadnet", "中国广电", kMainlandFaces, "20GB:30:39"},
    {"cn-sinopec", "Sinopec", "中国石化", "100 200 500 1000", "", kFuel},
    {"cn-petrochina", "PetroChina", "中国石油", "100 200 500 1000", "", kFuel},
};
constexpr std::string_view kBahtBundles = "2GB:1:29 10GB:7:99 30GB:30:299";
constexpr Line kThailand[] = {
    {"th-ais", "AIS", "AIS", "20 40 50 100 150 200 300 500 800 1000", kBahtBundles},
    {"th-true", "TrueMove H", "TrueMove H", "50 100 200 300 500 800", kBahtBundles},
    {"th-dtac", "dtac", "dtac", "50 100 200 300 400 500 800 1000", kBahtBundles},
    {"th-nt", "NT Mobile", "NT Mobile", "50 100 200 300 500", ""},
};
constexpr std::string_view kRinggitFaces = "5 10 15 30 50 60 100";
constexpr Line kMalaysia[] = {
    {"my-maxis", "Maxis Hotlink", "明讯 Hotlink", kRinggitFaces, "5GB:7:12 25GB:30:38"},
    {"my-celcom", "Celcom", "天地通", kRinggitFaces, "5GB:7:12 25GB:30:38"},
    {"my-digi", "DiGi", "数码网络 DiGi", kRinggitFaces, "5GB:7:12 25GB:30:38"},
    {"my-umobile", "U Mobile", "U Mobile", kRinggitFaces, "10GB:7:12 40GB:30:38"},
    {"my-tunetalk", "Tune Talk", "Tune Talk", "10 20 30 50 100 200 400", ""},
    {"my-xox", "XOX", "XOX", "5 10 30 50 100", ""},
};
constexpr Line kSingapore[] = {
    {"sg-singtel", "Singtel", "新电信", "10 11 15 20 21 28 30 50 51", "3GB:7:8 100GB:28:20"},
    {"sg-starhub", "StarHub", "星和", "8 10 15 20 30 50 100", "3GB:7:8 100GB:28:20"},
    {"sg-m1", "M1", "第一通", "8 10 14 18 28 38", "3GB:7:8 60GB:30:18"},
    {"sg-simba", "Simba", "Simba", "10 15 20 25 30", ""},
};
constexpr std::string_view kDongFaces = "10000 20000 30000 50000 100000 200000 300000 500000";
constexpr std::string_view kDongBundles = "1GB:1:10000 7GB:7:50000 30GB:30:120000";
constexpr Line kVietnam[] = {
    {"vn-viettel", "Viettel", "越南军用电信 Viettel", kDongFaces, kDongBundles},
    {"vn-vinaphone", "Vinaphone", "Vinaphone", kDongFaces, kDongBundles},
    {"vn-mobifone", "MobiFone", "MobiFone", kDongFaces, kDongBundles},
    {"vn-vietnamobile", "Vietnamobile", "Vietnamobile", kDongFaces, ""},
};
constexpr std::string_view kPesoFaces = "15 30 50 75 100 150 200 300 500 1000";
constexpr std::string_view kPesoBundles = "2GB:3:50 8GB:7:99 24GB:30:299";
constexpr Line kPhilippines[] = {
    {"ph-globe", "Globe", "Globe", kPesoFaces, kPesoBundles},
    {"ph-smart", "Smart", "Smart", kPesoFaces, kPesoBundles},
    {"ph-tnt", "TNT", "TNT", kPesoFaces, "2GB:3:50"},
    {"ph-tm", "TM", "TM", "50 100 150 200 300 500 900", "2GB:3:50"},
    {"ph-dito", "DITO", "DITO", "50 100 200 300 500 1000", "7GB:15:109"},
};
constexpr std::string_view kRupiahFaces =
    "5000 10000 15000 20000 25000 30000 50000 100000 150000 200000 300000 500000 1000000";
constexpr std::string_view kRupiahBundles = "3GB:5:20000 15GB:30:75000 50GB:30:150000";
constexpr Line kIndonesia[] = {
    {"id-telkomsel", "Telkomsel", "Telkomsel", kRupiahFaces, kRupiahBundles},
    {"id-indosat", "Indosat Ooredoo", "Indosat Ooredoo", kRupiahFaces, kRupiahBundles},
    {"id-xl", "XL Axiata", "XL Axiata", kRupiahFaces, kRupiahBundles},
    {"id-axis", "AXIS", "AXIS", "5000 10000 25000 50000 100000 200000", ""},
    {"id-smartfren", "Smartfren", "Smartfren", "5000 10000 20000 50000 100000 200000", ""},
};
constexpr Line kCambodia[] = {
    {"kh-smart", "Smart Axiata", "Smart", "1 2 3 5 10 20 50", "8GB:7:1.5 30GB:30:5"},
    {"kh-cellcard", "Cellcard", "Cellcard", "1 2 3 5 10 20 50", "8GB:7:1.5 30GB:30:5"},
    {"kh-metfone", "Metfone", "Metfone", "1 2 3 5 10 20 50", "8GB:7:1.5"},
};
constexpr std::string_view kKipFaces = "10000 20000 50000 100000 200000 300000";
constexpr Line kLaos[] = {
    {"la-ltc", "Lao Telecom", "老挝电信", kKipFaces, "5GB:7:30000"},
    {"la-unitel", "Unitel", "Unitel", kKipFaces, "5GB:7:30000"},
    {"la-etl", "ETL", "ETL", kKipFaces, ""},
    {"la-tplus", "TPlus", "TPlus", kKipFaces, ""},
};
constexpr std::string_view kKyatFaces = "1000 2000 3000 5000 10000 20000 30000";
constexpr Line kMyanmar[] = {
    {"mm-mpt", "MPT", "缅甸邮电 MPT", kKyatFaces, "2GB:7:3000"},
    {"mm-atom", "ATOM", "ATOM", kKyatFaces, "2GB:7:3000"},
    {"mm-ooredoo", "Ooredoo", "Ooredoo", kKyatFaces, ""},
    {"mm-mytel", "Mytel", "Mytel", kKyatFaces, ""},
};
constexpr Line kHongKong[] = {
    {"hk-smartone", "SmarTone", "数码通", "20 50 100 200 300", "10GB:30:88"},
    {"hk-csl", "csl", "csl", "50 100", "", kPin},
    {"hk-three", "3 Hong Kong", "3 香港", "50 98 100", "", kPin},
    {"hk-cmhk", "China Mobile Hong Kong", "中国移动香港", "50 100 150 200 300", "5GB:10:58"},
};
constexpr Line kMacau[] = {
    {"mo-ctm", "CTM", "澳门电讯", "50 100 150 300", ""},
    {"mo-three", "3 Macau", "3 澳门", "50 100", ""},
};
constexpr Line kTaiwan[] = {
    {"tw-cht", "Chunghwa Telecom", "中华电信", "150 300 500 699 1000", "5GB:30:300"},
    {"tw-twm", "Taiwan Mobile", "台湾大哥大", "150 300 350 500 699", ""},
    {"tw-fet", "FarEasTone", "远传电信", "150 300 399 500 699", ""},
};
constexpr Line kJapan[] = {
    {"jp-softbank", "SoftBank", "软银", "3000 5000", "", kPin},
    {"jp-mobal", "Mobal", "Mobal", "2000 3000 5000", "", kPin},
    {"jp-bmobile", "b-mobile", "b-mobile", "1980 3980", "", kPin},
};
constexpr Line kKorea[] = {
    {"kr-sk", "SK Telecom", "SK 电讯", "10000 20000 30000 50000", "10GB:30:33000"},
    {"kr-kt", "KT", "KT", "10000 20000 30000 50000", "10GB:30:33000"},
    {"kr-lgu", "LG U+", "LG U+", "10000 20000 30000 50000", ""},
};
constexpr Line kIndia[] = {
    {"in-airtel", "Airtel India", "Airtel", "100 200 300 500 1000", "42GB:28:299 84GB:56:549"},
    {"in-jio", "Jio", "Jio", "50 100 149 249 500 1000", "42GB:28:299 168GB:84:799"},
    {"in-vi", "Vi", "Vi", "50 100 200 500", "42GB:28:299"},
    {"in-bsnl", "BSNL", "BSNL", "50 100 220 500 1000", ""},
};
constexpr std::string_view kPakistanRange = "100-7500/10";
constexpr Line kPakistan[] = {
    {"pk-jazz", "Jazz", "Jazz", kPakistanRange, "10GB:7:450"},
    {"pk-zong", "Zong", "Zong", kPakistanRange, "12GB:7:450"},
    {"pk-telenor", "Telenor Pakistan", "Telenor", "100 150 200 500 1000 2000", ""},
    {"pk-ufone", "Ufone", "Ufone", "100 150 200 500 1000 2000", ""},
};
constexpr Line kBangladesh[] = {
    {"bd-gp", "Grameenphone", "Grameenphone", "50 100 200 300 500 1000", "10GB:30:399"},
    {"bd-robi", "Robi", "Robi", "201-998/1", "10GB:30:399"},
    {"bd-banglalink", "Banglalink", "Banglalink", "50 100 200 300 500 1000", ""},
    {"bd-teletalk", "TeleTalk", "TeleTalk", "50 100 200 500", ""},
};
constexpr Line kNepal[] = {
    {"np-ncell", "Ncell", "Ncell", "50 100 200 300 500 1000 2000", ""},
    {"np-ntc", "Nepal Telecom", "尼泊尔电信", "50 100 200 500 1000", ""},
};
constexpr Line kSriLanka[] = {
    {"lk-dialog", "Dialog", "Dialog", "554-19991/1", "20GB:30:1500"},
    {"lk-mobitel", "Mobitel", "Mobitel", "50 100 200 500 1000 2000", ""},
    {"lk-hutch", "Hutch", "Hutch", "50 100 200 500 1000", ""},
};
constexpr Line kEmirates[] = {
    {"ae-etisalat", "e& (Etisalat)", "e& (Etisalat)", "5 10 20 25 50 100 200 300", "2GB:7:55"},
    {"ae-du", "du", "du", "5 10 20 25 50 100 200 300", "2GB:7:55"},
    {"ae-virgin", "Virgin Mobile UAE", "Virgin Mobile", "25 50 100 200", ""},
};
constexpr Line kSaudi[] = {
    {"sa-stc", "stc", "stc", "20 50 100 200 300", ""},
    {"sa-mobily", "Mobily", "Mobily", "20 50 100 200 300", ""},
    {"sa-zain", "Zain KSA", "Zain", "20 50 100 200 300", ""},
};
constexpr Line kQatar[] = {
    {"qa-ooredoo", "Ooredoo Qatar", "Ooredoo", "10 20 30 50 100 200", ""},
    {"qa-vodafone", "Vodafone Qatar", "Vodafone", "10 20 30 50 100 200", ""},
};
constexpr Line kTurkey[] = {
    {"tr-turkcell", "Turkcell", "Turkcell", "250 300 400 500 750", "20GB:30:450"},
    {"tr-vodafone", "Vodafone Turkey", "Vodafone", "250 300 400 500 750", ""},
    {"tr-turktelekom", "Türk Telekom", "土耳其电信", "250 300 400 500 750", ""},
};
constexpr std::string_view kTengeRange = "755-37778/1";
constexpr Line kKazakhstan[] = {
    {"kz-kcell", "Kcell", "Kcell", kTengeRange, ""},
    {"kz-beeline", "Beeline Kazakhstan", "Beeline", kTengeRange, ""},
    {"kz-tele2", "Tele2 Kazakhstan", "Tele2", kTengeRange, ""},
};
constexpr Line kRussia[] = {
    {"ru-mts", "MTS", "MTS", "100 200 300 500 1000", ""},
    {"ru-beeline", "Beeline Russia", "Beeline", "100 200 300 500 1000", ""},
    {"ru-megafon", "MegaFon", "MegaFon", "100 200 300 500 1000", ""},
};
constexpr Line kUzbekistan[] = {
    {"uz-ucell", "Ucell", "Ucell", "10000 20000 50000 100000", ""},
    {"uz-beeline", "Beeline Uzbekistan", "Beeline", "10000 20000 50000 100000", ""},
};
constexpr Line kKyrgyzstan[] = {
    {"kg-megacom", "MegaCom", "MegaCom", "100 200 500 1000", ""},
    {"kg-o", "O!", "O!", "100 200 500 1000", ""},
};
constexpr Line kMongolia[] = {
    {"mn-mobicom", "Mobicom", "Mobicom", "5000 10000 20000 50000", ""},
    {"mn-unitel", "Unitel Mongolia", "Unitel", "5000 10000 20000 50000", ""},
    {"mn-skytel", "Skytel", "Skytel", "5000 10000 20000", ""},
};
constexpr Line kBrunei[] = {
    {"bn-dst", "DST", "DST", "5 10 20 50 100", ""},
    {"bn-progresif", "Progresif", "Progresif", "5 10 20 50", ""},
};
constexpr Line kMaldives[] = {
    {"mv-dhiraagu", "Dhiraagu", "Dhiraagu", "50 100 200 500", ""},
    {"mv-ooredoo", "Ooredoo Maldives", "Ooredoo", "50 100 200 500", ""},
};
constexpr Line kTimor[] = {
    {"tl-telkomcel", "Telkomcel", "Telkomcel", "1 3 5 10 25 50", ""},
    {"tl-timortelecom", "Timor Telecom", "东帝汶电信", "1 5 10 25", ""},
};
constexpr Line kBhutan[] = {
    {"bt-bmobile", "B-Mobile", "B-Mobile", "50 99 199 499 999", ""},
    {"bt-tashicell", "TashiCell", "TashiCell", "50 100 200 500 1000", ""},
};
constexpr Line kAfghanistan[] = {
    {"af-roshan", "Roshan", "Roshan", "50 100 200 500 1000", ""},
    {"af-etisalat", "Etisalat Afghanistan", "Etisalat", "50 100 200 500 1000", ""},
};
constexpr Line kIraq[] = {
    {"iq-zain", "Zain Iraq", "Zain", "5000 10000 25000", ""},
    {"iq-asiacell", "Asiacell", "Asiacell", "5000 10000 25000", ""},
};
constexpr Line kJordan[] = {
    {"jo-zain", "Zain Jordan", "Zain", "1 2 5 10 20", ""},
    {"jo-orange", "Orange Jordan", "Orange", "1 2 5 10 20", ""},
};
constexpr Line kEgypt[] = {
    {"eg-vodafone", "Vodafone Egypt", "Vodafone", "10 25 50 100 200 500", ""},
    {"eg-orange", "Orange Egypt", "Orange", "10 25 50 100 200 500", ""},
    {"eg-etisalat", "e& Egypt", "e& 埃及", "10 25 50 100 200 500", ""},
};
constexpr Line kMorocco[] = {
    {"ma-iam", "Maroc Telecom", "摩洛哥电信", "10 20 50 100 200", ""},
    {"ma-orange", "Orange Morocco", "Orange", "10 20 50 100 200", ""},
};
constexpr std::string_view kNairaRange = "100-20000/50";
constexpr Line kNigeria[] = {
    {"ng-mtn", "MTN Nigeria", "MTN", kNairaRange, "10GB:30:3000"},
    {"ng-airtel", "Airtel Nigeria", "Airtel", kNairaRange, "10GB:30:3000"},
    {"ng-glo", "Glo", "Glo", kNairaRange, ""},
    {"ng-9mobile", "9mobile", "9mobile", kNairaRange, ""},
};
constexpr Line kGhana[] = {
    {"gh-mtn", "MTN Ghana", "MTN", "1-500/1", ""},
    {"gh-telecel", "Telecel Ghana", "Telecel", "1-500/1", ""},
};
constexpr Line kKenya[] = {
    {"ke-safaricom", "Safaricom", "Safaricom", "50 100 250 500 1000", "5GB:30:1000"},
    {"ke-airtel", "Airtel Kenya", "Airtel", "50 100 250 500 1000", ""},
};
constexpr Line kTanzania[] = {
    {"tz-vodacom", "Vodacom Tanzania", "Vodacom", "1000 2000 5000 10000 20000", ""},
    {"tz-airtel", "Airtel Tanzania", "Airtel", "1000 2000 5000 10000 20000", ""},
};
constexpr Line kUganda[] = {
    {"ug-mtn", "MTN Uganda", "MTN", "1000 2000 5000 10000 20000", ""},
    {"ug-airtel", "Airtel Uganda", "Airtel", "1000 2000 5000 10000 20000", ""},
};
constexpr Line kEthiopia[] = {
    {"et-ethio", "Ethio Telecom", "埃塞俄比亚电信", "15 25 50 100 500 1000", ""},
    {"et-safaricom", "Safaricom Ethiopia", "Safaricom", "25 50 100 500 1000", ""},
};
constexpr Line kSouthAfrica[] = {
    {"za-vodacom", "Vodacom", "Vodacom", "5-1000/1", "1GB:30:85"},
    {"za-mtn", "MTN South Africa", "MTN", "5-1000/1", "1GB:30:85"},
    {"za-cellc", "Cell C", "Cell C", "10 25 50 70 150", ""},
};
constexpr Line kSenegal[] = {
    {"sn-orange", "Orange Senegal", "Orange", "500 1000 2000 5000 10000", ""},
    {"sn-free", "Free Senegal", "Free", "500 1000 2000 5000", ""},
};
constexpr Line kIvory[] = {
    {"ci-orange", "Orange Côte d'Ivoire", "Orange", "500 1000 2000 5000 10000", ""},
    {"ci-mtn", "MTN Côte d'Ivoire", "MTN", "500 1000 2000 5000", ""},
};
constexpr Line kCameroon[] = {
    {"cm-mtn", "MTN Cameroon", "MTN", "500 1000 2000 5000 10000", ""},
    {"cm-orange", "Orange Cameroon", "Orange", "500 1000 2000 5000", ""},
};
constexpr Line kBritain[] = {
    {"gb-ee", "EE", "EE", "5 10 15 20 30 40 50", ""},
    {"gb-o2", "O2", "O2", "10 15 20 25 30 50", ""},
    {"gb-vodafone", "Vodafone UK", "Vodafone", "5 10 15 20 30 40 50", ""},
    {"gb-three", "Three UK", "Three", "5 10 15 20 30 35", ""},
    {"gb-lyca", "Lycamobile UK", "Lycamobile", "5 10 15 20 30", "12GB:30:10"},
    {"gb-giffgaff", "giffgaff", "giffgaff", "5 10 15 20", "", kPin},
};
constexpr Line kAmerica[] = {
    {"us-att", "AT&T", "AT&T", "10.01-93.62/0.01", ""},
    {"us-tmobile", "T-Mobile", "T-Mobile", "10-91.78/0.01", ""},
    {"us-verizon", "Verizon", "Verizon", "5-88/0.01", ""},
    {"us-lyca", "Lycamobile US", "Lycamobile", "5 10 19 23 29 33 39 50", "5GB:30:15"},
    {"us-boost", "Boost Mobile", "Boost Mobile", "10 20 25 35 50 60", ""},
    {"us-cricket", "Cricket", "Cricket", "10 20 30 40 55 60", ""},
    {"us-ultra", "Ultra Mobile", "Ultra Mobile", "15 19 24 29 39 49", "", kPin},
};
constexpr Line kCanada[] = {
    {"ca-rogers", "Rogers", "Rogers", "10 20 30 50 100", "", kPin},
    {"ca-bell", "Bell", "Bell", "15 25 50 100", "", kPin},
    {"ca-lucky", "Lucky Mobile", "Lucky Mobile", "15 20 25 35 40 50", "", kPin},
};
constexpr Line kMexico[] = {
    {"mx-telcel", "Telcel", "Telcel", "10 20 30 50 80 100 150 200 300 500", ""},
    {"mx-att", "AT&T Mexico", "AT&T", "10 15 20 30 50 70 100 200 300", ""},
    {"mx-movistar", "Movistar Mexico", "Movistar", "10 20 30 40 50 60 70 80 100 120 150", ""},
};
constexpr Line kBrazil[] = {
    {"br-vivo", "Vivo", "Vivo", "15 20 25 30 35 40 50 100", ""},
    {"br-claro", "Claro Brazil", "Claro", "15 20 25 30 35 40 50 100", ""},
    {"br-tim", "TIM Brazil", "TIM", "15 20 25 30 35 40 50 100", ""},
};
constexpr Line kColombia[] = {
    {"co-claro", "Claro Colombia", "Claro", "5000 10000 20000 30000 50000", ""},
    {"co-tigo", "Tigo Colombia", "Tigo", "5000 10000 20000 30000 50000", ""},
};
constexpr Line kPeru[] = {
    {"pe-claro", "Claro Peru", "Claro", "5 10 20 30 50 100", ""},
    {"pe-movistar", "Movistar Peru", "Movistar", "5 10 20 30 50 100", ""},
};
constexpr Line kFrance[] = {
    {"fr-orange", "Orange France", "Orange", "5 10 15 20 30 40", "", kPin},
    {"fr-lyca", "Lycamobile France", "Lycamobile", "5 10 20 30 50", "10GB:30:10"},
};
constexpr Line kGermany[] = {
    {"de-telekom", "Telekom Germany", "德国电信", "15 30 50", "", kPin},
    {"de-vodafone", "Vodafone Germany", "Vodafone", "15 25 50", "", kPin},
    {"de-lyca", "Lycamobile Germany", "Lycamobile", "5 10 20 30 50", "10GB:28:10"},
};
constexpr Line kSpain[] = {
    {"es-movistar", "Movistar Spain", "Movistar", "5 10 15 20 30 40 50", ""},
    {"es-orange", "Orange Spain", "Orange", "5 10 15 20 30 40 50", ""},
    {"es-lebara", "Lebara Spain", "Lebara", "5 10 15 20 30", ""},
};
constexpr Line kItaly[] = {
    {"it-tim", "TIM", "TIM", "5 10 15 20 30 50", ""},
    {"it-vodafone", "Vodafone Italy", "Vodafone", "5 10 15 20 30 50", ""},
    {"it-windtre", "WINDTRE", "WINDTRE", "5 10 15 20 30 50", ""},
};
constexpr Line kAustralia[] = {
    {"au-telstra", "Telstra", "澳洲电信", "20 30 40 50", "", kPin},
    {"au-optus", "Optus", "Optus", "20 30 35 40 49", "", kPin},
    {"au-vodafone", "Vodafone Australia", "Vodafone", "20 30 40 50", "", kPin},
    {"au-lebara", "Lebara Australia", "Lebara", "15 20 25 30 40", ""},
};
constexpr Line kNewZealand[] = {
    {"nz-spark", "Spark", "Spark", "10 20 30 40 50 60", ""},
    {"nz-one", "One NZ", "One NZ", "10 20 30 40 50 60", ""},
    {"nz-skinny", "Skinny", "Skinny", "10 20 30 40 50", "", kPin},
};

constexpr Land kLands[] = {
    {"CN", Currency::cny, 10'000, kChina},       {"TH", Currency::thb, 9'346, kThailand},
    {"MY", Currency::myr, 9'434, kMalaysia},     {"SG", Currency::sgd, 10'000, kSingapore},
    {"VN", Currency::vnd, 10'000, kVietnam},     {"PH", Currency::php, 10'000, kPhilippines},
    {"ID", Currency::idr, 10'000, kIndonesia},   {"KH", Currency::usd, 10'000, kCambodia},
    {"LA", Currency::lak, 10'000, kLaos},        {"MM", Currency::mmk, 9'524, kMyanmar},
    {"HK", Currency::hkd, 10'000, kHongKong},    {"MO", Currency::mop, 10'000, kMacau},
    {"TW", Currency::twd, 10'000, kTaiwan},      {"JP", Currency::jpy, 10'000, kJapan},
    {"KR", Currency::krw, 10'000, kKorea},       {"IN", Currency::inr, 8'475, kIndia},
    {"PK", Currency::pkr, 8'547, kPakistan},     {"BD", Currency::bdt, 10'000, kBangladesh},
    {"NP", Currency::npr, 7'833, kNepal},        {"LK", Currency::lkr, 10'000, kSriLanka},
    {"AE", Currency::aed, 9'524, kEmirates},     {"SA", Currency::sar, 8'696, kSaudi},
    {"QA", Currency::qar, 10'000, kQatar},       {"TR", Currency::try_, 10'000, kTurkey},
    {"KZ", Currency::kzt, 10'000, kKazakhstan},  {"RU", Currency::rub, 10'000, kRussia},
    {"UZ", Currency::uzs, 10'000, kUzbekistan},  {"KG", Currency::kgs, 10'000, kKyrgyzstan},
    {"MN", Currency::mnt, 10'000, kMongolia},    {"BN", Currency::bnd, 10'000, kBrunei},
    {"MV", Currency::mvr, 9'259, kMaldives},     {"TL", Currency::usd, 10'000, kTimor},
    {"BT", Currency::btn, 10'000, kBhutan},      {"AF", Currency::afn, 9'000, kAfghanistan},
    {"IQ", Currency::iqd, 10'000, kIraq},        {"JO", Currency::jod, 7'300, kJordan},
    {"EG", Currency::egp, 7'000, kEgypt},        {"MA", Currency::mad, 8'333, kMorocco},
    {"NG", Currency::ngn, 10'000, kNigeria},     {"GH", Currency::ghs, 10'000, kGhana},
    {"KE", Currency::kes, 10'000, kKenya},       {"TZ", Currency::tzs, 10'000, kTanzania},
    {"UG", Currency::ugx, 10'000, kUganda},      {"ET", Currency::etb, 10'000, kEthiopia},
    {"ZA", Currency::zar, 10'000, kSouthAfrica}, {"SN", Currency::xof, 10'000, kSenegal},
    {"CI", Currency::xof, 10'000, kIvory},       {"CM", Currency::xaf, 10'000, kCameroon},
    {"GB", Currency::gbp, 10'000, kBritain},     {"US", Currency::usd, 10'000, kAmerica},
    {"CA", Currency::cad, 10'000, kCanada},      {"MX", Currency::mxn, 10'000, kMexico},
    {"BR", Currency::brl, 10'000, kBrazil},      {"CO", Currency::cop, 10'000, kColombia},
    {"PE", Currency::pen, 10'000, kPeru},        {"FR", Currency::eur, 10'000, kFrance},
    {"DE", Currency::eur, 10'000, kGermany},     {"ES", Currency::eur, 10'000, kSpain},
    {"IT", Currency::eur, 10'000, kItaly},       {"AU", Currency::aud, 10'000, kAustralia},
    {"NZ", Currency::nzd, 10'000, kNewZealand},
};

// What we pay of the face: airtime brings little, bundles a bit more, fuel nearly nothing.
constexpr std::int64_t kCostBp[kProductKinds] = {9'700, 9'400, 9'900, 9'550};
constexpr std::int64_t kE9PerE5 = 10'000;

std::string_view cut(std::string_view& rest, char at) {
  const std::size_t end = std::min(rest.find(at), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

Money amount(std::string_view text, Currency currency) {
  const Result<Money> money = parse_decimal(text, currency);
  check(money.has_value() && money->minor > 0, "catalogue: an amount that cannot be read");
  return *money;
}

std::int64_t power_of_ten(int digits) {
  std::int64_t power = 1;
  for (int i = 0; i < digits; ++i) power *= 10;
  return power;
}

std::int64_t cost_e5_of(Money face, ProductKind kind) {
  const std::int64_t usd_e9 = catalogue_usd_e9(face.currency);
  const std::int64_t e5 =
      face.minor * usd_e9 / power_of_ten(minor_digits(face.currency)) / kE9PerE5;
  return e5 * kCostBp[static_cast<std::size_t>(kind)] / kBasisPointsPerWhole;
}

class List {
 public:
  List() {
    for (const Land& land : kLands) {
      for (const Line& line : land.lines) add(land, line);
    }
  }
  std::vector<CatalogueOperator> operators;
  std::vector<CatalogueProduct> products;

 private:
  void add(const Land& land, const Line& line) {
    operators.push_back({line.key, land.country, line.name_en, line.name_zh, land.currency});
    for (std::string_view rest = line.airtime; !rest.empty();) {
      add_amount(land, line.kind, cut(rest, ' '));
    }
    for (std::string_view rest = line.bundles; !rest.empty();) add_bundle(land, cut(rest, ' '));
  }

  CatalogueProduct& add_product(const Land& land, ProductKind kind, std::string_view face) {
    CatalogueProduct product;
    product.number = static_cast<std::int64_t>(products.size()) + 1;
    product.operator_index = operators.size() - 1;
    product.kind = kind;
    product.face = amount(face, land.currency);
    product.delivered = product.face;
    if (kind == ProductKind::airtime) {
      product.delivered.minor = product.face.minor * land.delivered_bp / kBasisPointsPerWhole;
    }
    product.cost_e5 = cost_e5_of(product.face, kind);
    products.push_back(std::move(product));
    return products.back();
  }

  void add_amount(const Land& land, ProductKind kind, std::string_view word) {
    std::string_view rest = word;
    const std::string_view least = cut(rest, '-');
    CatalogueProduct& product = add_product(land, kind, least);
    if (rest.empty()) return;
    product.most_minor = amount(cut(rest, '/'), land.currency).minor;
    product.step_minor = amount(rest, land.currency).minor;
    product.most_minor -= (product.most_minor - product.face.minor) % product.step_minor;
  }

  void add_bundle(const Land& land, std::string_view word) {
    std::string_view rest = word;
    const std::string_view size = cut(rest, ':');
    const std::string_view days = cut(rest, ':');
    CatalogueProduct& product = add_product(land, ProductKind::data, rest);
    const auto read =
        std::from_chars(days.data(), days.data() + days.size(), product.validity_days);
    check(read.ec == std::errc() && size.ends_with("GB"), "catalogue: a bundle's words");
    product.name = std::string(size.substr(0, size.size() - 2)) + " GB, " + std::string(days) +
                   (product.validity_days == 1 ? " day" : " days");
  }
};

const List& list() {
  static const List made;
  return made;
}

}  // namespace

const std::vector<CatalogueOperator>& catalogue_operators() { return list().operators; }
const std::vector<CatalogueProduct>& catalogue_products() { return list().products; }

const CatalogueProduct* find_catalogue_product(std::int64_t number) {
  const auto& all = list().products;
  if (number < 1 || number > static_cast<std::int64_t>(all.size())) return nullptr;
  return &all[static_cast<std::size_t>(number - 1)];
}

std::int64_t catalogue_usd_e9(Currency currency) {
  for (const Rate& rate : kRates) {
    if (rate.currency == currency) return rate.usd_e9;
  }
  check(false, "catalogue: a currency without a rate");
  return 0;
}

}  // namespace topup::rehearsal
