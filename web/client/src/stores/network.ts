import { defineStore } from 'pinia';
import { computed, ref } from 'vue';

/** Offline when the device says so, or when the shop did not answer last time. */
export const useNetwork = defineStore('network', () => {
  const deviceOnline = ref(true);
  const shopReached = ref(true);
  const online = computed(() => deviceOnline.value && shopReached.value);

  function watchDevice(): void {
    // #ifdef H5
    // uni asks navigator.connection, which keeps quiet about the network going away in several browsers.
    const look = () => (deviceOnline.value = navigator.onLine);
    window.addEventListener('online', look);
    window.addEventListener('offline', look);
    look();
    // #endif
    // #ifndef H5
    uni.getNetworkType({ success: (now) => (deviceOnline.value = now.networkType !== 'none') });
    uni.onNetworkStatusChange((now) => (deviceOnline.value = now.isConnected));
    // #endif
  }
  function reached(yes: boolean): void {
    shopReached.value = yes;
    if (yes) deviceOnline.value = true;
  }
  return { online, watchDevice, reached };
});
