// One order over the live socket: subscribes, resumes after the last seq, reconnects with growing pauses and jitter.
import type { LiveMessage, LiveSubscribe, Order, Service } from '@api/types';
import { shopOrigin } from './shop_address';
import { isRecord } from './storage';

const kFirstPauseMs = 500;
const kLongestPauseMs = 8_000;
const kKinds = ['order', 'service', 'error'];

export interface LiveListener {
  order(order: Order): void;
  service(service: Service): void;
  /** True from the subscription until the connection breaks or is refused. */
  connected(yes: boolean): void;
}

function liveUrl(): string {
  // #ifdef H5
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/v1/live`;
  // #endif
  // #ifndef H5
  return `${shopOrigin.replace(/^http/, 'ws')}/api/v1/live`;
  // #endif
}

function asMessage(data: unknown): LiveMessage | null {
  try {
    const value: unknown = JSON.parse(String(data));
    return isRecord(value) && kKinds.includes(String(value.type)) ? (value as unknown as LiveMessage) : null;
  } catch {
    return null;
  }
}

export class LiveOrder {
  private task: UniApp.SocketTask | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private after = 0;
  private failures = 0;
  private stopped = true;

  constructor(
    private readonly orderId: string,
    private readonly token: () => Promise<string>,
    private readonly listener: LiveListener,
  ) {}

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.failures = 0;
    void this.connect();
  }

  stop(): void {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.drop();
  }

  private drop(): void {
    const task = this.task;
    this.task = null;
    this.listener.connected(false);
    task?.close({});
  }

  private async connect(): Promise<void> {
    let token: string;
    try {
      token = await this.token();
    } catch {
      this.retryLater();
      return;
    }
    if (this.stopped || this.task !== null) return;
    // `complete` makes uni return the task at once instead of a promise.
    const task = uni.connectSocket({ url: liveUrl(), complete: () => undefined }) as UniApp.SocketTask;
    this.task = task;
    task.onOpen(() => {
      const hello: LiveSubscribe = { type: 'subscribe', session: token, order_id: this.orderId, after: this.after };
      task.send({ data: JSON.stringify(hello) });
      if (task === this.task) this.listener.connected(true); // silence means that nothing has changed since `after`
    });
    task.onMessage((event) => this.received(task, asMessage(event.data)));
    task.onClose(() => this.lost(task));
    task.onError(() => this.lost(task));
  }

  private received(task: UniApp.SocketTask, message: LiveMessage | null): void {
    if (task !== this.task || message === null) return;
    if (message.type === 'error') {
      this.drop();
      this.retryLater();
      return;
    }
    if (message.type === 'service') {
      this.listener.service(message);
      return;
    }
    this.failures = 0;
    this.after = Math.max(this.after, message.seq);
    this.listener.order(message.order);
  }

  private lost(task: UniApp.SocketTask): void {
    if (task !== this.task) return;
    this.drop();
    this.retryLater();
  }

  private retryLater(): void {
    if (this.stopped || this.timer !== null) return;
    const longest = Math.min(kLongestPauseMs, kFirstPauseMs * 2 ** this.failures);
    this.failures += 1;
    this.timer = setTimeout(
      () => {
        this.timer = null;
        void this.connect();
      },
      longest / 2 + (Math.random() * longest) / 2,
    );
  }
}
