import { getStation, getStations, listCities, type City, type StationDetail } from '@api/offers';
import { ApiRefused } from '@api/transport';
import type { Fuel, NearStation, Place, StationFlag, StationWish } from '@topup/core';
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import { core, startCore } from '@/core/topup';
import { findPlace, type Found } from '@/location';
import { isRecord, readStored, writeStored } from '@/storage';
import { send } from '@/transport';
import { failureOf, type Failure } from './failure';
import { usePrivacy } from './privacy';

/** Everything that the page needs without a network. */
interface Kept {
  base64: string;
  fingerprint: string;
  cities: City[];
}
function isKept(value: unknown): value is Kept {
  return isRecord(value) && typeof value.base64 === 'string' && typeof value.fingerprint === 'string' && Array.isArray(value.cities);
}
interface Wishes {
  city: string;
  fuel: Fuel;
}
function isWishes(value: unknown): value is Wishes {
  return isRecord(value) && typeof value.city === 'string' && typeof value.fuel === 'string';
}

const kDayMinutes = 1440;
const kShanghaiOffsetMin = 480;
const kListed = 50;

/** Of the stations' local day; mainland China has one zone and no summer time. */
function nowMinute(): number {
  return (Math.floor(Date.now() / 60_000) + kShanghaiOffsetMin) % kDayMinutes;
}

function fingerprintOf(bytes: Uint8Array): string {
  let hash = 0;
  for (const byte of bytes) hash = (Math.imul(hash, 31) + byte) | 0;
  return `${bytes.length}-${hash}`;
}

/** The shop's stations, ranked on this device: no server learns where the buyer is. */
export const useStations = defineStore('stations', () => {
  const stored = readStored('stations', isKept);
  const wishes = readStored('station_wishes', isWishes);
  const status = ref<'idle' | 'loading' | 'ready' | 'empty' | 'error' | 'no_core'>('idle');
  const failure = ref<Failure | null>(null);
  const asOfMs = ref(0);
  const total = ref(0);
  const cities = shallowRef<City[]>(stored?.cities ?? []);
  const place = shallowRef<Found | null>(null);
  const locating = ref(false);
  const refused = ref(false);
  const city = ref(wishes?.city ?? '');
  const fuel = ref<Fuel>(wishes?.fuel ?? 'gasoline_92');
  const order = ref<NonNullable<StationWish['order']>>('best');
  const brand = ref('');
  const onlyOpen = ref(false);
  const flags = ref<StationFlag[]>([]);
  /** Counts up when a new set was loaded, so that what was ranked is ranked again. */
  const loaded = ref(0);

  let bytesTag = '';
  async function take(bytes: Uint8Array): Promise<boolean> {
    const offers = (await startCore(send)).offers;
    if (offers === null) {
      status.value = 'no_core';
      return false;
    }
    const head = offers.loadStations(bytes);
    if (!head.ok) {
      failure.value = { reason: head.error.reason, trace: '' };
      return false;
    }
    bytesTag = fingerprintOf(bytes);
    asOfMs.value = head.value.as_of_ms;
    total.value = head.value.stations;
    status.value = head.value.stations > 0 ? 'ready' : 'empty';
    loaded.value++;
    return true;
  }

  async function takeStored(): Promise<void> {
    const kept = readStored('stations', isKept);
    if (kept === null || bytesTag !== '') return;
    cities.value = kept.cities;
    await take(new Uint8Array(uni.base64ToArrayBuffer(kept.base64)));
  }

  async function load(): Promise<void> {
    failure.value = null;
    if (status.value === 'idle') status.value = 'loading';
    await takeStored();
    try {
      const [bytes, fresh] = await Promise.all([getStations(send, ''), listCities(send)]);
      cities.value = fresh;
      if (bytes !== null && (await take(bytes))) {
        const base64 = uni.arrayBufferToBase64(bytes.slice().buffer as ArrayBuffer);
        writeStored('stations', { base64, fingerprint: bytesTag, cities: fresh } satisfies Kept);
      }
    } catch (failed) {
      const isNone = failed instanceof ApiRefused && failed.problem.reason === 'stations_not_ready';
      failure.value = failureOf(failed);
      if (bytesTag === '' && status.value !== 'no_core') status.value = isNone ? 'empty' : 'error';
    }
  }

  function remember(): void {
    writeStored('station_wishes', { city: city.value, fuel: fuel.value } satisfies Wishes);
  }
  async function locate(): Promise<void> {
    if (locating.value) return;
    locating.value = true;
    const found = (await usePrivacy().allowsLocation()) ? await findPlace() : null;
    locating.value = false;
    refused.value = found === null;
    if (found === null) return;
    place.value = found;
    city.value = '';
    remember();
  }
  function pickCity(name: string): void {
    city.value = name;
    place.value = null;
    remember();
  }
  function pickFuel(word: Fuel): void {
    fuel.value = word;
    remember();
  }
  function clear(): void {
    brand.value = '';
    onlyOpen.value = false;
    flags.value = [];
  }

  const isFiltered = computed(() => brand.value !== '' || onlyOpen.value || flags.value.length > 0);
  const from = computed<Found | null>(() => {
    if (place.value !== null) return place.value;
    const chosen = cities.value.find((one) => one.city === city.value);
    return chosen ? { lat_e7: chosen.lat_e7, lng_e7: chosen.lng_e7, system: 'wgs84' } : null;
  });
  const list = computed<NearStation[]>(() => {
    const at = from.value;
    if (at === null || loaded.value === 0) return [];
    const wish: StationWish = {
      ...at, limit: kListed, now_minute: nowMinute(), fuel: fuel.value, order: order.value, only_open: onlyOpen.value,
      flags: [...flags.value], ...(brand.value === '' ? {} : { brand: brand.value }),
    };
    return core.value?.offers?.nearest(wish) ?? [];
  });
  const brands = computed(() => {
    const at = cities.value[0];
    if (at === undefined || loaded.value === 0) return [];
    const near = from.value ?? { lat_e7: at.lat_e7, lng_e7: at.lng_e7, system: 'wgs84' as const };
    const found = core.value?.offers?.nearest({ ...near, limit: kListed }) ?? [];
    return [...new Set(found.map((one) => one.brand))].sort();
  });

  const detail = shallowRef<StationDetail | null>(null);
  const detailFailure = ref<Failure | null>(null);
  async function open(id: string): Promise<void> {
    if (detail.value?.station_id !== id) detail.value = null;
    detailFailure.value = null;
    try {
      detail.value = await getStation(send, id);
    } catch (failed) {
      detailFailure.value = failureOf(failed);
    }
  }
  function shifted(at: Place): Place | null {
    return core.value?.offers?.shifted(at) ?? null;
  }
  /** As ranked, for what is shown of it before and without an answer. */
  function near(id: string): NearStation | null {
    return list.value.find((one) => one.id === id) ?? null;
  }

  return {
    status, failure, asOfMs, total, cities, place, locating, refused, city, fuel, order, brand, onlyOpen, flags, isFiltered, from,
    list, brands, detail, detailFailure, shifted, load, locate, pickCity, pickFuel, clear, open, near,
  };
});
