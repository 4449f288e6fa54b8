-- Ways into what the console lists: refunds and failed orders in one state, newest or oldest first.
CREATE INDEX refunds_by_state ON refunds (state, out_refund_no);
CREATE INDEX error_accounts_by_order ON error_accounts (state, order_id);
