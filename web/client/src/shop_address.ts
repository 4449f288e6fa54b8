// Where the shop answers. H5 asks the server it came from. A mini-program comes from WeChat, so its package must say it:
// `topup mini-program` writes this file anew in what was built, and nothing else has to be built again.
export const shopOrigin = '';
