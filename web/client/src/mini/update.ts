// A newer package is fetched by WeChat behind the buyer's back. It is put in place when the buyer says so, never under an
// open order: otherwise it waits for the next cold start.
import { t } from '@/i18n';
import { host } from './host';

export function watchUpdates(): void {
  const manager = host.getUpdateManager();
  manager.onUpdateReady(() => {
    uni.showModal({
      title: t('mini.update_title'),
      content: t('mini.update_text'),
      confirmText: t('mini.update_now'),
      cancelText: t('mini.update_later'),
      success: ({ confirm }) => {
        if (confirm) manager.applyUpdate();
      },
    });
  });
}
