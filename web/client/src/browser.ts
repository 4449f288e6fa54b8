/** The console shows this page in a frame while staff lays it out: nothing of this device is read or kept then. */
export let isPreview = false;
// #ifdef H5
isPreview = typeof location !== 'undefined' && location.pathname === '/preview';
// #endif

// What kind of browser this is, where it decides what can be offered.
export function isInWechat(): boolean {
  // #ifdef H5
  return /MicroMessenger/i.test(navigator.userAgent);
  // #endif
  // #ifndef H5
  return false;
  // #endif
}

/** WeChat holds back what is private until its own gate was passed, which shows the same texts. */
export function hostAsksForPrivacy(): boolean {
  // #ifdef H5
  return false;
  // #endif
  // #ifndef H5
  return true;
  // #endif
}

/** Gives the buyer a text as a file. False where this platform has no files to give. */
export function saveAsFile(name: string, text: string): boolean {
  // #ifdef H5
  const address = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
  return true;
  // #endif
  // #ifndef H5
  void name;
  void text;
  return false;
  // #endif
}
