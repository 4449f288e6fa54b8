// What this shop uses of WeChat's base library beyond uni's own face of it. Only files of this folder name `wx`.

export interface Failed {
  errMsg: string;
}
interface Told<T> {
  success?(value: T): void;
  fail?(failed: Failed): void;
}
/** How the buyer answered the question about the privacy guide; a button's id proves the tap. */
export type PrivacyAnswer = { event: 'exposureAuthorization' | 'disagree' } | { event: 'agree'; buttonId: string };

export interface UpdateManager {
  onUpdateReady(told: () => void): void;
  applyUpdate(): void;
}

interface MiniHost {
  canIUse(name: string): boolean;
  login(told: Told<{ code: string }>): void;
  requestSubscribeMessage(told: Told<Record<string, string>> & { tmplIds: string[] }): void;
  chooseContact?(told: Told<{ phoneNumber: string }>): void;
  getUpdateManager(): UpdateManager;
  onNeedPrivacyAuthorization?(told: (answer: (given: PrivacyAnswer) => void) => void): void;
  requirePrivacyAuthorize?(told: Told<unknown>): void;
  openPrivacyContract?(told: Told<unknown>): void;
  getAppBaseInfo?(): { fontSizeScaleFactor?: number; fontSizeSetting?: number; theme?: string };
  onThemeChange?(told: (now: { theme: string }) => void): void;
  getDeviceInfo?(): { platform?: string };
}

declare const wx: MiniHost;

export const host: MiniHost = wx;

/** A call of the base library as a promise. */
export function asked<T>(start: (told: Required<Told<T>>) => void): Promise<T> {
  return new Promise((success, fail) => start({ success, fail }));
}
