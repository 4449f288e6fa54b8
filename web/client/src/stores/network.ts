import { defineStore } from 'pinia';
import { computed, ref } from 'vue';

/** Offline when the device says so, or when the shop did not answer last time. */
export const useNetwork = defineStore('network', () => {
  const deviceOnline = ref(true);
  const shopReached = ref(true);
  const online = computed(() => deviceOnline.value && shopReached.value);

  let wentAwayAtMs = 0;

  function heard(isThere: boolean): void {
    if (!isThere) wentAwayAtMs = Date.now();
    deviceOnline.value = isThere;
  }
  function watchDevice(): void {
    // #ifdef H5
    // uni asks navigator.connection, which keeps quiet about the network going away in several browsers.
    const look = () => heard(navigator.onLine);
    window.addEventListener('online', look);
    window.addEventListener('offline', look);
    look();
    // #endif
    // #ifndef H5
    uni.getNetworkType({ success: (now) => heard(now.networkType !== 'none') });
    uni.onNetworkStatusChange((now) => heard(now.isConnected));
    // #endif
  }
  /** An answer to what was asked before the network went away tells nothing of now. */
  function reached(yes: boolean, askedAtMs: number): void {
    if (yes && askedAtMs <= wentAwayAtMs) return;
    shopReached.value = yes;
    if (yes) deviceOnline.value = true;
  }
  return { online, watchDevice, reached };
});
