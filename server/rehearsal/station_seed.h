// Stations for a shop whose outside world is played, so that its page is not empty. All invented:
// the names say so, places and prices are only plausible. The form is that of
// server/stations/station_csv.h, places WGS-84.
#pragma once

#include <string_view>

namespace topup::rehearsal {

inline constexpr std::string_view kStationSeed =
    R"csv(id,name,brand,issuer,city,address,lat,lng,gasoline_92,gasoline_95,gasoline_98,diesel_0,hours,flags
shanghai-01,中石化浦东大道站(演练),sinopec,sinopec,上海市,浦东大道237号,31.20221,121.41085,7.46,7.96,,7.10,00:00-24:00,loads_cards shop
shanghai-02,中石油延安西路站(演练),petrochina,petrochina,上海市,延安西路660号,31.15640,121.46176,7.71,8.21,,7.35,20:00-04:00,loads_cards car_wash charging
shanghai-03,壳牌沪闵路站(演练),shell,none,上海市,沪闵路165号,31.24368,121.39484,7.53,8.03,,7.17,00:00-24:00,shop
shanghai-04,中石油共和新路站(演练),petrochina,petrochina,上海市,共和新路747号,31.23691,121.48646,7.53,8.03,9.38,7.17,00:00-24:00,loads_cards self_service shop car_wash charging
shanghai-05,中海油杨高南路站(演练),cnooc,none,上海市,杨高南路388号,31.16045,121.39443,7.71,8.21,9.56,7.35,00:00-24:00,
hangzhou-01,中石化文一西路站(演练),sinopec,sinopec,杭州市,文一西路477号,30.24206,120.20809,7.45,7.95,9.25,7.10,00:00-24:00,loads_cards self_service shop
hangzhou-02,中石油机场路站(演练),petrochina,petrochina,杭州市,机场路702号,30.24017,120.24153,7.70,8.20,9.50,7.35,00:00-24:00,loads_cards shop charging
hangzhou-03,壳牌之江路站(演练),shell,none,杭州市,之江路485号,30.20652,120.16555,7.73,8.23,9.53,7.38,00:00-24:00,self_service shop
hangzhou-04,中石油绍兴路站(演练),petrochina,petrochina,杭州市,绍兴路715号,30.20510,120.08195,7.65,8.15,9.45,7.30,,loads_cards self_service car_wash
beijing-01,中石化莲花池东路站(演练),sinopec,sinopec,北京市,莲花池东路523号,39.95571,116.36863,7.63,8.13,9.63,7.31,00:00-24:00,loads_cards self_service
beijing-02,中石油朝阳北路站(演练),petrochina,petrochina,北京市,朝阳北路580号,39.83363,116.45568,7.73,8.23,9.73,7.41,06:30-23:30,loads_cards self_service car_wash
beijing-03,壳牌阜石路站(演练),shell,none,北京市,阜石路254号,39.86865,116.34205,7.63,8.13,9.63,7.31,00:00-24:00,self_service shop
beijing-04,中石油京密路站(演练),petrochina,petrochina,北京市,京密路447号,39.84835,116.34912,7.73,8.23,9.73,7.41,00:00-24:00,loads_cards shop car_wash charging
beijing-05,中海油南三环东路站(演练),cnooc,none,北京市,南三环东路73号,39.90973,116.42717,7.68,8.18,9.68,7.36,00:00-24:00,shop suspended
guangzhou-01,中石化黄埔大道站(演练),sinopec,sinopec,广州市,黄埔大道428号,23.12216,113.33118,7.80,8.44,9.83,7.45,00:00-24:00,loads_cards shop
guangzhou-02,中石油白云大道站(演练),petrochina,petrochina,广州市,白云大道121号,23.05906,113.18652,7.77,8.41,,7.42,00:00-24:00,loads_cards self_service shop car_wash charging
guangzhou-03,壳牌新港东路站(演练),shell,none,广州市,新港东路390号,23.20093,113.28487,7.77,8.41,9.80,7.42,00:00-24:00,shop car_wash
guangzhou-04,中石油广园路站(演练),petrochina,petrochina,广州市,广园路776号,23.12496,113.19516,7.67,8.31,9.70,7.32,06:30-23:30,loads_cards shop car_wash
shenzhen-01,中石化深南大道站(演练),sinopec,sinopec,深圳市,深南大道954号,22.50546,114.11709,7.77,8.41,9.80,7.42,00:00-24:00,loads_cards self_service
shenzhen-02,中石油滨河路站(演练),petrochina,petrochina,深圳市,滨河路246号,22.46743,114.06296,7.52,8.16,9.55,7.17,,loads_cards shop
shenzhen-03,壳牌宝安大道站(演练),shell,none,深圳市,宝安大道263号,22.54831,114.10813,7.72,8.36,9.75,7.37,00:00-24:00,charging
shenzhen-04,中石油龙岗大道站(演练),petrochina,petrochina,深圳市,龙岗大道283号,22.59403,114.10108,7.77,8.41,,7.42,06:30-23:30,loads_cards self_service shop car_wash
chengdu-01,中石化蜀都大道站(演练),sinopec,sinopec,成都市,蜀都大道243号,30.52378,104.08573,7.77,8.31,,7.40,00:00-24:00,loads_cards
chengdu-02,中石油天府大道站(演练),petrochina,petrochina,成都市,天府大道370号,30.50915,104.06141,7.77,8.31,,7.40,20:00-04:00,loads_cards shop car_wash
chengdu-03,壳牌成灌路站(演练),shell,none,成都市,成灌路462号,30.62074,103.99206,7.57,8.11,,7.20,00:00-24:00,self_service car_wash
xian-01,中石化未央路站(演练),sinopec,sinopec,西安市,未央路180号,34.38786,108.90965,7.71,8.15,9.41,7.35,00:00-24:00,loads_cards shop charging
xian-02,中石油长安南路站(演练),petrochina,petrochina,西安市,长安南路691号,34.28880,108.87267,7.68,8.12,9.38,7.32,06:30-23:30,loads_cards shop
xian-03,壳牌西咸大道站(演练),shell,none,西安市,西咸大道974号,34.41159,108.87786,7.50,7.94,,7.14,00:00-24:00,self_service
urumqi-01,中石化北京南路站(演练),sinopec,sinopec,乌鲁木齐市,北京南路618号,43.76788,87.70438,7.59,8.15,9.11,7.27,00:00-24:00,loads_cards self_service shop car_wash charging
urumqi-02,中石油河滩快速路站(演练),petrochina,petrochina,乌鲁木齐市,河滩快速路448号,43.79776,87.62478,7.62,8.18,,7.30,,loads_cards self_service shop
)csv";

}  // namespace topup::rehearsal
