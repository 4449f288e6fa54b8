/** Where an order's page is, for the sheet that leads back to it. The server puts the number in the place of {order_id}. */
export function orderPath(orderId: string): string {
  return `/#/pages/order/order?id=${orderId === '{order_id}' ? orderId : encodeURIComponent(orderId)}`;
}
