// Words of the pages about content, page decoration and themes.
export default {
  content: {
    blocks: '板块', add: '添加板块', hidden: '已隐藏', hide: '隐藏', show: '显示', up: '上移{what}', down: '下移{what}', remove: '移除{what}',
    theme: '主题', theme_shop: '跟随店铺', theme_mine: '我的后台主题', preview: '买家看到的页面', preview_text: '这是真实的买家页面，只看不动。', preview_note: '这是真实的买家页面，只看不动；点一下板块可选中它。',
    preview_dark: '看深色', preview_light: '看浅色', pick_block: '在左侧或预览里点一个板块，就可以在这里设置。',
    versions: '版本', version: '第 {version} 版', plain: '默认页面', plain_note: '未装修时的样子', shown: '正在展示', shown_older: '正在展示第 {version} 版', not_shown: '未展示',
    open: '打开', publish_this: '发布这一版', go_back: '回到这一版', publish: '发布', save: '保存', saved: '没有改动', unsaved: '有未保存的改动', note: '这版改了什么（选填）',
    leave: '有未保存的改动，要离开吗？', words: '文字', title: '标题', body: '正文', in_zh: '中文', in_en: '英文', from: '从何时起（空：立即）', until: '到何时止（空：一直）',
    leads: '点了去哪里', nowhere: '不跳转', countries: '国家代码，空格分开，最多 12 个', entry_title: '名称（空：用默认名称）', add_entry: '再加一个入口', drop: '移除',
    banner_at: '第 {at} 张', picture: '图片', add_banner: '再加一张', no_products: '还没有商品。', find_product: '搜商品、运营商', find: '查找',
    add_picture: '上传图片', picture_file: 'PNG、JPEG 或 WebP，不超过 200 KB', picture_title: '图片名称', too_large: '图片超过 200 KB，请压缩后再传。', upload: '上传',
    no_pictures: '还没有上传图片。首页也可以用自带的图片。', new: '新建', name: '编号（小写字母、数字、下划线，定了不能改）', marks: '“# ”开头是小标题，“- ”开头是列表，空行分段；{shop} 会换成店名。',
    topics: '在哪些订单状态下出现', where: '放在哪些页面（不选：首页）', place: '排序（小的在前）', withdraw: '撤下', changes: '改了什么', same_words: '文字没有变。', line_gone: '删去', line_new: '新增',
    back: '返回列表', empty: '这里还没有内容。', state: '状态', changed: '最近修改', edit: '编辑', read: '查看',
  },
  text_kind: { announcement: '公告', help: '帮助', contacts: '客服', agreement: '协议', pictures: '图片' },
  topic: { general: '通用', awaiting_payment: '待支付', paying: '支付中', recharging: '充值中', succeeded: '充值成功', failed: '充值失败' },
  shown_on: { home: '首页', orders: '订单', me: '我的' },
  block: {
    recipient: '号码与充值类型', amounts: '金额', recents: '最近充值', promise: '到账说明', banner: '图片广告', notice: '通知条', entries: '快捷入口',
    countries: '国家', products: '推荐商品', text: '图文', coupons: '领券入口', stations: '加油站入口', contact: '联系客服',
  },
  block_note: {
    recipient: '买家填号码的地方，不能隐藏。', amounts: '可选的金额，不能隐藏。', recents: '这台设备上最近充过的号码，没有时不占位置。', promise: '一句关于到账时间的说明。',
    banner: '一张铺满，多张左右滑动。店铺降级时不展示。', notice: '一行醒目的话。店铺降级时不展示。', entries: '通往店内各页的入口，最多 8 个；店里没开的不展示。',
    countries: '点一下就换到这个国家；不卖的国家不展示。', products: '点一下就选好运营商和金额；下架的不展示。', text: '一段文字。', coupons: '有券可领时展示。', stations: '开了加油站时展示。', contact: '通往帮助与客服。',
  },
  place: {
    orders: '订单', recipients: '常用号码', coupons: '优惠券', member: '会员', stations: '加油站', inbox: '消息', help: '帮助与客服', find: '查订单',
    airtime: '充话费', data: '充流量', fuel_card: '充加油卡', pin: '买充值卡',
  },
  picture: { waves: '海浪', hills: '山丘', sun: '日出', dots: '圆点' },
  theme_name: { ink: '墨', harbour: '港湾', lagoon: '湖水', plum: '李子', brick: '砖红', sand: '沙' },
};
