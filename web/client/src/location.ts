// Where the device is, asked for only when the buyer taps for it. Never sent anywhere.
import type { Place } from '@topup/core';

const kE7 = 10_000_000;
const kTimeoutMs = 10_000;

export interface Found extends Place {
  /** The mini-program speaks the shifted system of mainland maps. */
  system: 'wgs84' | 'gcj02';
}

function placeOf(latitude: number, longitude: number, system: Found['system']): Found {
  return { lat_e7: Math.round(latitude * kE7), lng_e7: Math.round(longitude * kE7), system };
}

/** null when it is refused, unknown or takes too long. */
export function findPlace(): Promise<Found | null> {
  return new Promise((resolve) => {
    // #ifdef H5
    if (!navigator.geolocation) return resolve(null);
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => resolve(placeOf(coords.latitude, coords.longitude, 'wgs84')),
      () => resolve(null),
      { timeout: kTimeoutMs, maximumAge: 60_000 },
    );
    // #endif
    // #ifndef H5
    uni.getLocation({
      type: 'gcj02',
      success: ({ latitude, longitude }) => resolve(placeOf(latitude, longitude, 'gcj02')),
      fail: () => resolve(null),
    });
    // #endif
  });
}
