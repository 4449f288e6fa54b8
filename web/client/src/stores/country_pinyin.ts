// The pinyin of the characters that stand in the names of countries, as the transliteration of Unicode CLDR reads them; 佛, 都 and
// 秘 as these names do.
const kSyllables =
  'a阿 ai埃爱 an安 ang昂 ao奥澳 ba巴 bai拜白百 ban班 bao保堡 bei北贝 ben本 bi比秘 bie别 bin宾 bing冰 bo伯博波玻 bu不埔布 chao朝 ' +
  'chi赤 ci茨 da大达 dai代 dan丹旦诞 dao岛道 de地得德 deng登 di帝蒂迪 dian典甸 ding丁 dong东 du都度 dun敦顿 duo多 e俄厄 en恩 er尔耳 ' +
  'fa伐法 fan梵 fei斐菲非 fen芬 fo佛 fu夫富福 gan干 gang冈刚港 ge各哥格 gen根 gong共 gu古 gua瓜 guan关 gui圭 guo国果 ha哈 hai海 ' +
  'han汗韩 he合和荷赫 hei黑 hong洪 ji几及吉基济 jia加 jian柬 jiang疆 jiao角 jie捷 jin津金 jing京 ka卡喀 kai凯开 ke克科 ken肯 ku库 ' +
  'la拉腊 lai来莱 lan兰 lang朗 lao劳老 lei勒 li利力立里黎 lian联 lie列 lin林 ling陵领 liu留 long隆 lu卢律路鲁 lun伦 luo洛罗 ma马 ' +
  'mai买麦 man曼 mao毛 mei美 men门 meng孟蒙 mi密米 mian缅 mo墨摩莫 mu慕 na拿纳那 nan南 nao瑙 nei内 nen嫩 ni尼 ning宁 niu纽 nu努 ' +
  'nuo挪诺 pa帕 peng蓬 pi皮 po坡泊 pu普浦葡 qi其 qiu求酋 qu区 qun群 ri日 rui瑞 sa撒萨 sai塞 sang桑 se色 sen森 sha沙 shan山 shao绍 ' +
  'she舌 sheng圣 shi士时 shu属 si斯 su苏 suo所索 ta他塔 tai台泰 tan坦 tang汤 tao萄陶 te特 ti提 ting廷 tu图土突 tuo托脱陀 wa瓦 ' +
  'wan宛湾 wang旺汪 wei危委威维韦 wen文汶 wo挝沃 wu乌 xi希西 xian鲜 xiang香 xin新 xiong匈 xu叙 ya亚牙 yan延 yang扬洋 ye也 yi以伊意 ' +
  'yin印 ying英 yue约越 zan赞 ze泽 zha乍 zhai寨 zhang长 zhi支智直 zhong中 zi兹';

const syllables = new Map<string, string>();
for (const group of kSyllables.split(' ')) {
  const [, syllable = '', characters = ''] = /^([a-z]+)(.+)$/.exec(group) ?? [];
  for (const character of characters) syllables.set(character, syllable);
}

/** "taiguo" of "泰国"; what has no reading here is left out. */
export function pinyinOf(name: string): string {
  return [...name].map((character) => syllables.get(character) ?? '').join('');
}
