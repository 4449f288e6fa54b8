// Words of the pages about content, page decoration and themes.
export default {
  content: {
    blocks: 'Blocks', add: 'Add a block', hidden: 'Hidden', hide: 'Hide', show: 'Show', up: 'Move {what} up', down: 'Move {what} down', remove: 'Remove {what}',
    theme: 'Theme', theme_shop: 'As the shop', theme_mine: 'My console theme', preview: 'What buyers see', preview_text: 'This is the real page, for looking only.', preview_note: 'This is the real page, for looking only. Click a block to select it.',
    preview_dark: 'In dark', preview_light: 'In light', pick_block: 'Select a block in the list or in the preview to set it up here.',
    versions: 'Versions', version: 'Version {version}', plain: 'Standard page', plain_note: 'Without decoration', shown: 'Live', shown_older: 'Version {version} is live', not_shown: 'Not live',
    open: 'Open', publish_this: 'Publish this one', go_back: 'Go back to this one', publish: 'Publish', save: 'Save', saved: 'No changes', unsaved: 'Unsaved changes', note: 'What changed (optional)',
    leave: 'There are unsaved changes. Leave anyway?', words: 'Text', title: 'Title', body: 'Body', in_zh: 'Chinese', in_en: 'English', from: 'From (empty: at once)', until: 'Until (empty: no end)',
    leads: 'Leads to', nowhere: 'Nowhere', countries: 'Country codes, separated by blanks, 12 at most', entry_title: 'Label (empty: the usual one)', add_entry: 'Add an entry', drop: 'Remove',
    banner_at: 'Picture {at}', picture: 'Picture', add_banner: 'Add a picture', no_products: 'No products yet.', find_product: 'Product or operator', find: 'Search',
    add_picture: 'Upload a picture', picture_file: 'PNG, JPEG or WebP, up to 200 KB', picture_title: 'Name', too_large: 'This picture is larger than 200 KB. Make it smaller first.', upload: 'Upload',
    no_pictures: 'No pictures uploaded yet. The home page has some of its own.', new: 'New', name: 'Identifier (a-z, 0-9, _; cannot be changed later)', marks: '"# " starts a heading, "- " a list item, an empty line a paragraph; {shop} becomes the name of the shop.',
    topics: 'Shown for orders that are', where: 'Pages (none ticked: home)', place: 'Order (smallest first)', withdraw: 'Take down', changes: 'Changes', same_words: 'The words are the same.', line_gone: 'Removed', line_new: 'Added',
    back: 'Back to the list', empty: 'Nothing here yet.', state: 'State', changed: 'Last changed', edit: 'Edit', read: 'View',
  },
  text_kind: { announcement: 'Announcements', help: 'Help', contacts: 'Contacts', agreement: 'Agreements', pictures: 'Pictures' },
  topic: { general: 'Anything', awaiting_payment: 'Awaiting payment', paying: 'Paying', recharging: 'Recharging', succeeded: 'Succeeded', failed: 'Failed' },
  shown_on: { home: 'Home', orders: 'Orders', me: 'Me' },
  block: {
    recipient: 'Number and product type', amounts: 'Amounts', recents: 'Recent numbers', promise: 'Delivery note', banner: 'Banner', notice: 'Notice', entries: 'Quick entries',
    countries: 'Countries', products: 'Picked products', text: 'Text', coupons: 'Coupons', stations: 'Stations', contact: 'Contact us',
  },
  block_note: {
    recipient: 'Where buyers enter a number. Cannot be hidden.', amounts: 'The amounts on sale. Cannot be hidden.', recents: 'Numbers topped up from this device; takes no room when there are none.', promise: 'One line about when a top-up arrives.',
    banner: 'One picture fills the width, several slide. Left out while the shop is degraded.', notice: 'One line that stands out. Left out while the shop is degraded.', entries: 'Ways into the shop, 8 at most; what is switched off is left out.',
    countries: 'One tap switches country; those you do not sell to are left out.', products: 'One tap picks operator and amount; what is off sale is left out.', text: 'A piece of text.', coupons: 'Shown while there are coupons.', stations: 'Shown while stations are on.', contact: 'Leads to help and contacts.',
  },
  place: {
    orders: 'Orders', recipients: 'Saved numbers', coupons: 'Coupons', member: 'Membership', stations: 'Stations', inbox: 'Messages', help: 'Help and contacts', find: 'Find an order',
    airtime: 'Airtime', data: 'Data', fuel_card: 'Fuel cards', pin: 'Vouchers',
  },
  picture: { waves: 'Waves', hills: 'Hills', sun: 'Sunrise', dots: 'Dots' },
  theme_name: { ink: 'Ink', harbour: 'Harbour', lagoon: 'Lagoon', plum: 'Plum', brick: 'Brick', sand: 'Sand' },
};
