// Paying inside WeChat needs to know who WeChat says is here: a journey to its page and back, then one call binds what it proved.
import { bindWechat, wechatStart } from '@api/sign_in';
import { isInWechat } from '@/browser';
import { openSignIn } from '@/navigate';
import { isRecord, readStored, removeStored, writeStored } from '@/storage';
import { send } from '@/transport';
import { useSession } from './session';

interface Journey {
  order_id: string;
}
function isJourney(value: unknown): value is Journey {
  return isRecord(value) && typeof value.order_id === 'string';
}

/** The address where the journey begins; null where there is none. It comes back to the order. */
export function journeyFor(orderId: string): string | null {
  if (!isInWechat()) return null;
  writeStored('wechat_journey', { order_id: orderId });
  return wechatStart(`/#/pages/order/order?id=${encodeURIComponent(orderId)}`);
}

/** Back from the journey: true when this buyer can pay inside WeChat now. Anything else the sign-in page explains. */
export async function endJourney(orderId: string): Promise<boolean> {
  if (readStored('wechat_journey', isJourney)?.order_id !== orderId) return false;
  removeStored('wechat_journey');
  try {
    await useSession().become(bindWechat(send), true);
    return true;
  } catch {
    openSignIn('bind');
    return false;
  }
}
